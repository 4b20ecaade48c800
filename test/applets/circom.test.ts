// All example applets in one circuit: it has as many constraints as the compiler says of each, added up, and the engine's own evaluator
// computes its witness as circom does.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { WitnessCalculatorBuilder } from 'circom_runtime'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { CIRCOM_OUTPUT, collectSources, compileCircom } from '../../circuits/circom.ts'
import { compileApplet } from '../../circuits/compiler/index.ts'
import { readR1cs } from '../../circuits/setup/r1cs.ts'
import { loadPlan } from '../../circuits/witness/plan-file.ts'
import type { AppletAbi } from '../../engine/core/applet.ts'
import type { Layout } from '../../engine/core/layout.ts'
import type { CircuitInput } from '../../engine/core/witness.ts'
import { createWitnessEvaluator } from '../../engine/prover/wasm/witness.ts'
import { kernelModule } from '../engine/prover/wasm/loaded-kernel.ts'
import { APPLET_NAMES, builtApplet } from './built.ts'

const folder = mkdtempSync(join(tmpdir(), 'applets-circom-'))
afterAll(() => rmSync(folder, { recursive: true }))

const abis: AppletAbi[] = []
let expected = 0
beforeAll(async () => {
  const sources: Record<string, string> = {}
  for (const [k, name] of APPLET_NAMES.entries()) {
    const { circom, stats, abi } = compileApplet(await builtApplet(name))
    expect(circom.match(/\btemplate\b.*\bApplet\(/g)).toHaveLength(1)
    sources[`applet${k}.circom`] = circom.replace(/\bApplet\(/, `Applet${k}(`)
    expected += stats.constraints
    abis.push(abi)
  }
  const ports = APPLET_NAMES.map((_, k) => compiledInputs(sources[`applet${k}.circom`]!))
  for (const { size } of ports.flatMap(({ inputs }) => inputs)) expected += size === '' ? 1 : Number(size.slice(1, -1))
  sources['main.circom'] = mainOf(ports)
  await compileCircom(collectSources(sources), folder)
}, 300_000)

it('circom counts the constraints of all applets as the compiler does', () => {
  expect(readR1cs(join(folder, CIRCOM_OUTPUT.r1cs)).constraintCount).toBe(expected)
})

it("the engine's own evaluator finds circom's witness, byte for byte, for readings of any kind", async () => {
  const calculator = await WitnessCalculatorBuilder(readFileSync(join(folder, CIRCOM_OUTPUT.witnessWasm)))
  const evaluator = createWitnessEvaluator(kernelModule, loadPlan(join(folder, CIRCOM_OUTPUT.r1cs))!)
  const random = createRandom(1n)
  for (let round = 0; round < 12; round++) {
    const input = inputOf(random)
    const own = evaluator.calculate(input)
    const theirs = await calculator.calculateWTNSBin(input, 1)
    expect('wtns' in own && Buffer.from(own.wtns).equals(theirs)).toBe(true)
  }
})

/** Values of all widths, small ones and the largest among them: what an applet refuses has a witness too. */
function inputOf(random: (below: bigint) => bigint): CircuitInput {
  const value = (bits: number) => {
    const width = random(3n) === 0n ? BigInt(bits) : random(BigInt(bits) + 1n)
    return random(5n) === 0n ? (1n << width) - 1n : random(1n << width)
  }
  const record = (layout: Layout) => layout.map(({ bits }) => `${value(bits)}`)
  const inputs = abis.flatMap(({ reading, state, config }, k) => [
    [`enabled${k}`, `${random(4n) === 0n ? 0n : 1n}`],
    [`reading${k}`, record(reading)],
    [`state${k}`, record(state)],
    [`config${k}`, record(config)],
    [`anchorTime${k}`, `${value(40)}`],
  ])
  return Object.fromEntries(inputs.filter(([, values]) => values!.length > 0)) as unknown as CircuitInput
}

/** xorshift64*: the same inputs in each run. */
function createRandom(seed: bigint): (below: bigint) => bigint {
  const mask = (1n << 64n) - 1n
  let state = seed
  const next = () => {
    state ^= state >> 12n
    state ^= (state << 25n) & mask
    state ^= state >> 27n
    return (state * 0x2545f4914f6cdd1dn) & mask
  }
  return (below) => ((next() << 64n) | next()) % below
}

interface Port {
  readonly name: string
  readonly size: string
}

function compiledInputs(circom: string): { inputs: Port[]; outputs: Port[] } {
  const ports = (kind: string) =>
    [...circom.matchAll(new RegExp(`signal ${kind} (\\w+)(\\[\\d+\\])?`, 'g'))].map(([, name, size = '']) => ({
      name: name!,
      size,
    }))
  return { inputs: ports('input'), outputs: ports('output') }
}

/** A row for each value of an input, so that circom keeps those that an applet does not use, as a batch circuit does. */
function squares(name: string, size: string): string[] {
  if (size === '') return [`    signal ${name}Square <== ${name} * ${name};`]
  const each = `for (var i = 0; i < ${size.slice(1, -1)}; i++) { ${name}Square[i] <== ${name}[i] * ${name}[i]; }`
  return [`    signal ${name}Square${size};`, `    ${each}`]
}

/** Every applet once, its signals those of main. */
function mainOf(applets: readonly ReturnType<typeof compiledInputs>[]): string {
  const lines = applets.flatMap(({ inputs, outputs }, k) => [
    ...inputs.map(({ name, size }) => `    signal input ${name}${k}${size};`),
    ...outputs.map(({ name, size }) => `    signal output ${name}${k}${size};`),
    ...inputs.flatMap(({ name, size }) => squares(`${name}${k}`, size)),
    `    component applet${k} = Applet${k}();`,
    ...inputs.map(({ name }) => `    applet${k}.${name} <== ${name}${k};`),
    ...outputs.map(({ name }) => `    ${name}${k} <== applet${k}.${name};`),
  ])
  const includes = applets.map((_, k) => `include "applet${k}.circom";`)
  return ['pragma circom 2.1.6;', ...includes, 'template Main() {', ...lines, '}', 'component main = Main();', ''].join(
    '\n',
  )
}
