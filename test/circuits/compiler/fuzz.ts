/**
 * Random programs before three judges: the JavaScript engine on the same bytes, the interpreter of the circuit, and
 * circom's witness generator; and the audit of what the compiler believed. A program is named by its kind and seed.
 * `npm run fuzz:compiler -- --minutes 60 [--seed 1] [--program wasm:17]` runs rounds until the time is up or the first
 * mismatch; the tests run one fixed round.
 */
import { rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import type { CompiledApplet } from '../../../circuits/compiler/index.ts'
import { interpret } from '../../../circuits/compiler/index.ts'
import { AscBatch } from './asc-batch.ts'
import { combinedCircuit, combinedInputs, flattened } from './circom-judge.ts'
import { judge, shown } from './judge.ts'
import { randomApplet } from './random-program.ts'
import { randomAppletSource } from './random-source.ts'

/** `wasm` is generated as bytes, `asc` as AssemblyScript; `small` ones are tried on all inputs, `-O0` ones not optimised. */
export const KINDS = ['wasm', 'wasm-small', 'asc', 'asc-small', 'asc-O0', 'asc-O0-small'] as const
export type Kind = (typeof KINDS)[number]

export interface Counts {
  programs: number
  inputs: number
  refused: number
  /** Programs that circom's witness generator judged too. */
  circom: number
}

const RANDOM_INPUTS = 24
/** Larger circuits take circom too long. */
const CIRCOM_CONSTRAINTS = 1500
const CIRCOM_INPUTS = 6

export class Fuzzer {
  readonly counts = new Map<Kind, Counts>(
    KINDS.map((kind) => [kind, { programs: 0, inputs: 0, refused: 0, circom: 0 }]),
  )
  readonly refusals = new Map<string, number>()
  readonly #asc = new AscBatch()
  #forCircom: { name: string; kind: Kind; compiled: CompiledApplet }[] = []

  /** Throws when two judges disagree or the compiler believed something false; the message names the program. */
  async try(kind: Kind, seed: number): Promise<void> {
    const wasm = await this.#program(kind, seed)
    const count = this.counts.get(kind)!
    try {
      const { compiled, refusal, inputs } = judge(wasm, seed, RANDOM_INPUTS)
      count.programs++
      count.inputs += inputs
      if (compiled === undefined) {
        count.refused++
        const reason = refusal!.replace(/^.*?\): /, '').replace(/\d+/g, 'n')
        this.refusals.set(reason, (this.refusals.get(reason) ?? 0) + 1)
      } else if (compiled.stats.constraints <= CIRCOM_CONSTRAINTS) {
        this.#forCircom.push({ name: `${kind}:${seed}`, kind, compiled })
      }
    } catch (error) {
      throw new Error(`program ${kind}:${seed}: ${(error as Error).message}`, { cause: error })
    }
  }

  #program(kind: Kind, seed: number): Promise<Uint8Array> | Uint8Array {
    const small = kind.endsWith('small')
    if (kind.startsWith('wasm')) return randomApplet(seed, small)
    return this.#asc.compile(randomAppletSource(seed, small), kind.includes('O0') ? 'unoptimised' : 'optimised')
  }

  /** Gives up to `most` of each kind's programs since the last time to circom, all in one main. */
  async tryCircom(most: number): Promise<void> {
    const chosen = KINDS.flatMap((kind) => this.#forCircom.filter((program) => program.kind === kind).slice(0, most))
    this.#forCircom = []
    if (chosen.length === 0) return
    const programs = chosen.map(({ compiled }) => compiled)
    const { calculator, r1csPath, outputCount } = await combinedCircuit(programs)
    for (let seed = 1; seed <= CIRCOM_INPUTS; seed++) {
      const { each, signals } = combinedInputs(programs, seed)
      const witness = await calculator.witness(signals as never)
      let at = 1
      each.forEach((inputs, k) => {
        const expected = flattened([interpret(programs[k]!.ir, inputs)])
        const actual = witness.slice(at, (at += expected.length))
        if (actual.join() !== expected.join())
          throw new Error(`program ${chosen[k]!.name}, inputs ${shown(inputs)}: circom ${actual}, not ${expected}`)
      })
      if (at !== outputCount + 1) throw new Error('outputs are missing')
    }
    for (const { kind } of chosen) this.counts.get(kind)!.circom++
    rmSync(dirname(r1csPath), { recursive: true, force: true })
  }

  /** One line for each kind. */
  report(): string {
    return [...this.counts]
      .filter(([, { programs }]) => programs > 0)
      .map(
        ([kind, { programs, inputs, refused, circom }]) =>
          `${kind}: ${programs} programs, ${inputs} inputs, ${refused} refused, ${circom} by circom too`,
      )
      .join('\n')
  }

  close(): void {
    this.#asc.close()
  }
}

/** Programs of each kind in a round of the long run. */
const ROUND: Readonly<Record<Kind, number>> = {
  wasm: 40,
  'wasm-small': 20,
  asc: 4,
  'asc-small': 4,
  'asc-O0': 4,
  'asc-O0-small': 4,
}

async function run(): Promise<void> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '10' },
      seed: { type: 'string', default: '1' },
      program: { type: 'string' },
    },
  })
  const minutes = positive('minutes', values.minutes)
  const seed = positive('seed', values.seed)
  const fuzzer = new Fuzzer()
  const end = Date.now() + minutes * 60_000
  let stopping = false
  process.once('SIGINT', () => (stopping = true))
  try {
    if (values.program !== undefined) await single(fuzzer, values.program)
    let next = seed * 1_000_000
    while (values.program === undefined && !stopping && Date.now() < end) {
      for (const kind of KINDS) {
        for (let k = 0; k < ROUND[kind] && !stopping && Date.now() < end; k++) await fuzzer.try(kind, next + k)
      }
      await fuzzer.tryCircom(4)
      next += 100
      console.log(`\n${new Date().toISOString()}, programs up to ${next}\n${fuzzer.report()}`)
    }
    console.log('0 mismatches')
    for (const [reason, count] of fuzzer.refusals) console.log(`refused ${count}: ${reason}`)
  } catch (error) {
    console.error(`${fuzzer.report()}\nMISMATCH ${(error as Error).message}`)
    process.exitCode = 1
  } finally {
    fuzzer.close()
  }
}

function positive(option: string, text: string): number {
  const value = Number(text)
  if (!(value > 0)) throw new RangeError(`--${option} is ${text}; expected a number above 0`)
  return value
}

async function single(fuzzer: Fuzzer, program: string): Promise<void> {
  const [kind, seed] = program.split(':') as [Kind, string]
  if (!KINDS.includes(kind))
    throw new RangeError(`--program is ${program}; expected one of ${KINDS.join(', ')} and :seed`)
  if (kind.startsWith('asc')) console.log(randomAppletSource(Number(seed), kind.endsWith('small')))
  await fuzzer.try(kind, Number(seed))
  await fuzzer.tryCircom(1)
  console.log(fuzzer.report())
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await run()
