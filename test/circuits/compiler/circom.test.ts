import { readFileSync } from 'node:fs'
import { join, dirname } from 'node:path'
import { beforeAll, describe, it, expect } from 'vitest'
import type { CompiledApplet } from '../../../circuits/compiler/index.ts'
import { compileModule, interpret } from '../../../circuits/compiler/index.ts'
import type { Lc } from '../../../circuits/compiler/lc.ts'
import type { R1cs } from '../../../circuits/setup/r1cs.ts'
import { readR1cs } from '../../../circuits/setup/r1cs.ts'
import { violatedConstraint } from '../../../circuits/setup/violated-constraint.ts'
import { isAttestreamError } from '../../../engine/core/errors.ts'
import { compiledMain } from '../lib/compiled.ts'
import type { Calculator } from '../lib/toy.ts'
import { createCalculator } from '../lib/toy.ts'
import { openWires } from '../lib/wires.ts'
import { combinedCircuit, combinedInputs, flattened } from './circom-judge.ts'
import { nativeApplet } from './native.ts'
import { randomApplet } from './random-program.ts'

/** Programs that together use every gadget; found by their statistics below. */
const SEEDS = Array.from({ length: 24 }, (_, k) => 5000 + k)
const programs: { wasm: Uint8Array; compiled: CompiledApplet }[] = []
let calculator: Calculator
let r1cs: R1cs
let symbols: string

function compiledIfSupported(wasm: Uint8Array): CompiledApplet | undefined {
  try {
    return compileModule(wasm)
  } catch (error) {
    if (isAttestreamError(error, 'APPLET_UNSUPPORTED')) return undefined
    throw error
  }
}

let outputCount = 0
const FREE = /\.inv$|^main\.(enabled|anchorTime|in\d+_\w+|applet\d+\.(enabled|anchorTime|state|config))/

function inputsOf(seed: number) {
  const { each, signals } = combinedInputs(
    programs.map(({ compiled }) => compiled),
    seed,
  )
  return { each, signals: signals as never }
}

beforeAll(async () => {
  for (const seed of SEEDS) {
    const wasm = randomApplet(seed)
    const compiled = compiledIfSupported(wasm)
    if (compiled !== undefined) programs.push({ wasm, compiled })
  }
  const circuit = await combinedCircuit(programs.map(({ compiled }) => compiled))
  calculator = circuit.calculator
  outputCount = circuit.outputCount
  r1cs = readR1cs(circuit.r1csPath)
  symbols = readFileSync(join(dirname(circuit.r1csPath), 'main.sym'), 'utf8')
}, 120_000)

describe('the circom back-end', () => {
  it('uses every gadget in this test', () => {
    const used = (kind: string) => programs.reduce((total, { compiled }) => total + compiled.stats.gadgets[kind]!, 0)
    for (const kind of ['bits', 'mul', 'isZero', 'quotient']) expect(used(kind), kind).toBeGreaterThan(2)
  })

  it('computes what the interpreter and the engine compute', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { each, signals } = inputsOf(seed)
      const witness = await calculator.witness(signals)
      const outputs = each.map((inputs, k) => {
        const { wasm, compiled } = programs[k]!
        const native = nativeApplet(wasm, compiled.abi)(inputs)
        expect(interpret(compiled.ir, inputs)).toEqual(native)
        return native
      })
      const expected = flattened(outputs)
      expect(witness.slice(1, 1 + expected.length)).toEqual(expected)
      expect(violatedConstraint(r1cs, witness)).toBe(-1)
    }
  })

  it('has the number of constraints that the compiler predicts, or fewer', () => {
    const predicted = programs.reduce((total, { compiled }) => total + compiled.stats.constraints, 0)
    // Outputs that are linear in inputs keep a linear constraint in this main.
    expect(r1cs.constraintCount).toBeLessThanOrEqual(predicted + outputCount)
    expect(r1cs.constraintCount).toBeGreaterThan(predicted * 0.8)
  })

  it('A-15 refuses a reading outside its declared width', async () => {
    const { signals } = inputsOf(1)
    const bits = programs[0]!.compiled.abi.reading[0]!.bits
    const forged = { ...(signals as Record<string, string[]>) }
    forged.in0_reading = [(1n << BigInt(bits)).toString(), ...forged.in0_reading!.slice(1)]
    await expect(calculator.witness(forged as never)).rejects.toThrow()
  })

  it('leaves no wire open but inverses of zero and inputs', async () => {
    const outputs = programs.flatMap(({ compiled: { ir } }) =>
      [ir.accepted, ir.units, ...ir.nextState].map((lc) => ({ lc, inputCount: ir.inputCount })),
    )
    const isInput = ({ lc, inputCount }: { lc: Lc; inputCount: number }) =>
      lc.signals.length === 1 && lc.coefficients[0] === 1n && lc.constant === 0n && lc.signals[0]! < inputCount
    const passedThrough = new Set(outputs.flatMap((lc, k) => (isInput(lc) ? [`main.out[${k}]`] : [])))
    for (let seed = 1; seed <= 3; seed++) {
      const open = openWires(r1cs, await calculator.witness(inputsOf(seed).signals), symbols)
      const unexpected = open.filter((name) => !FREE.test(name) && !passedThrough.has(name))
      expect(unexpected).toEqual([])
    }
  })
})

describe('template Quotient', () => {
  it('has no solution but the true quotient and remainder, in all 3,584 assignments of every small input', async () => {
    const source = [
      'pragma circom 2.1.6;',
      'include "gadgets.circom";',
      'template Main() {',
      '    signal input dividend;',
      '    signal input divisor;',
      '    signal output q[4];',
      '    signal output r[2];',
      '    (q, r) <== Quotient(4, 2, 2)(dividend, divisor);',
      '}',
      'component main {public [dividend, divisor]} = Main();',
    ].join('\n')
    const paths = await compiledMain(source)
    const small = readR1cs(paths.r1cs)
    const quotient = await createCalculator(paths.witnessWasm)
    for (let dividend = 0; dividend < 14; dividend++) {
      for (let divisor = 1; divisor <= 4; divisor++) {
        const inputs = { dividend, divisor } as never
        const honest = await quotient.witness(inputs)
        const values = (at: number, count: number) =>
          honest.slice(at, at + count).reduce((sum, bit, k) => sum + (bit << BigInt(k)), 0n)
        expect([values(1, 4), values(5, 2)]).toEqual([
          BigInt(Math.floor(dividend / divisor)),
          BigInt(dividend % divisor),
        ])
        expect(solutions(small, honest)).toBe(1)
      }
    }
  })
})

/** How many assignments of booleans to the wires after the outputs and inputs, and to the outputs, satisfy everything. */
function solutions(system: R1cs, honest: readonly bigint[]): number {
  const free = [1, 2, 3, 4, 5, 6, ...Array.from({ length: system.wireCount - 9 }, (_, k) => 9 + k)]
  expect(free.length).toBeLessThanOrEqual(9)
  let count = 0
  for (let mask = 0; mask < 1 << free.length; mask++) {
    const witness = [...honest]
    free.forEach((wire, k) => {
      if (honest[wire]! <= 1n) witness[wire] = BigInt((mask >> k) & 1)
    })
    if (violatedConstraint(system, witness) === -1) count++
  }
  return count
}
