// The engine's own witness evaluator against circom's calculator: the same bytes for what has a witness, a refusal for what has none.

import { createHash } from 'node:crypto'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CircuitPlan } from '../../../../circuits/witness/circuit-plan.ts'
import { loadPlan } from '../../../../circuits/witness/plan-file.ts'
import type { CircuitInput } from '../../../../engine/core/witness.ts'
import { createWitnessEvaluator, type WitnessEvaluator } from '../../../../engine/prover/wasm/witness.ts'
import {
  buildToy,
  createCalculator,
  makeBatch,
  meterToy,
  withInput,
  type Calculator,
} from '../../../circuits/lib/toy.ts'
import { kernelModule } from './loaded-kernel.ts'

const R = 4
const u32 = fc.oneof(fc.bigInt({ min: 0n, max: 0xffff_ffffn }), fc.constantFrom(0n, 1n, 0xffff_ffffn, 1000n))
const u64 = fc.oneof(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), fc.constantFrom(0n, 5n, (1n << 64n) - 1n))
const reading = fc.tuple(u32, u32).map((fields): bigint[] => fields)
const frame = fc.record({
  sequence: u64.map((sequence) => sequence || 1n),
  readings: fc.array(reading, { minLength: 1, maxLength: R }),
})
/** Absent slots, sequences out of order and readings that the applet refuses are all among them. */
const batches = fc.record({
  frames: fc.tuple(frame, fc.option(frame), fc.option(frame), fc.option(frame)),
  page: fc.record({
    sequences: fc.array(u64, { minLength: 4, maxLength: 4 }),
    states: fc.array(
      fc.tuple(u32, u64).map((fields): bigint[] => fields),
      { minLength: 4, maxLength: 4 },
    ),
  }),
  config: u32.map((limit) => [limit]),
})

let r1cs: string
let calculator: Calculator
let plan: CircuitPlan
let evaluator: WitnessEvaluator
const dir = mkdtempSync(join(tmpdir(), 'attestream-witness-'))
beforeAll(async () => {
  const { paths } = await buildToy(meterToy, R)
  r1cs = paths.r1cs
  calculator = await createCalculator(paths.witnessWasm)
  plan = loadPlan(r1cs)!
  evaluator = createWitnessEvaluator(kernelModule, plan)
}, 120_000)
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** Hash of the .wtns file, or the row that is broken. */
function bytes(of: WitnessEvaluator, input: CircuitInput): string {
  const result = of.calculate(input)
  return 'wtns' in result ? sha256(result.wtns) : `broken row ${result.brokenRow}`
}

async function circomBytes(input: CircuitInput): Promise<string> {
  return sha256(await calculator.witnessFile(input))
}

const honest = () =>
  makeBatch(meterToy, R, {
    frames: [{ sequence: 5n, readings: [[100n, 7n]] }, null, { sequence: 2n, readings: [[1n, 2000n]] }, null],
    page: { sequences: [4n, 9n, 2n, 3n], states: [[1n, 2n], [3n, 4n], [0n, 0n], [5n, 6n]] }, // prettier-ignore
    config: [1000n],
  }).input

describe('the witness evaluator', () => {
  it('gives the bytes that circom gives, for any batch', async () => {
    await fc.assert(
      fc.asyncProperty(batches, async (batch) => {
        const { input } = makeBatch(meterToy, R, batch)
        expect(bytes(evaluator, input)).toBe(await circomBytes(input))
      }),
      { numRuns: 8 },
    )
  })

  it('refuses what circom refuses, and goes on', async () => {
    const input = honest()
    for (const [path, value] of [
      [['lanes', 0], 8n],
      [['s', 0], 1n],
      [['s', 0], 1n << 252n],
      [['keyX', 1], 5n],
      [['reading', 0, 0, 1], 1n << 32n],
      [['reading', 1, 0, 1], 1n],
      [['count', 0], 5n],
      [['ledgerAfter'], 0n],
    ] as const) {
      const bad = withInput(input, path, value)
      expect(bytes(evaluator, bad)).toMatch(/^broken row \d+$/)
      expect(await calculator.refusal(bad)).not.toEqual([])
    }
    expect(bytes(evaluator, input)).toBe(await circomBytes(input))
  })

  it('takes exactly the names and sizes of the circuit', () => {
    const { leaf, ...without } = honest() as Record<string, CircuitInput[string]>
    expect(bytes(evaluator, without)).toBe('broken row -1')
    expect(bytes(evaluator, { ...without, leaf: leaf!.slice(1) })).toBe('broken row -1')
    expect(bytes(evaluator, { ...without, leaf: leaf!, other: '1' })).toBe('broken row -1')
  })

  it('tells which row a foreign witness breaks', () => {
    const result = evaluator.calculate(honest()) as { wtns: Uint8Array }
    expect(evaluator.brokenRow(result.wtns)).toBe(-1)
    for (const at of [1, plan.wireCount >> 1, plan.wireCount - 1]) {
      const wtns = result.wtns.slice()
      wtns[76 + 32 * at]! ^= 1
      expect(evaluator.brokenRow(wtns)).toBeGreaterThanOrEqual(0)
    }
    expect(evaluator.brokenRow(result.wtns.subarray(0, -32))).toBe(0)
  })

  it('notices a step that is wrong', () => {
    for (const at of [3, plan.steps.length >> 1, plan.steps.length - 1]) {
      const steps = plan.steps.slice()
      steps[at] = steps[at] === 0 ? 1 : 0
      expect(bytes(createWitnessEvaluator(kernelModule, { ...plan, steps }), honest())).toMatch(/^broken row \d+$/)
    }
  })

  it('keeps a plan in a file, and derives it again when the file is damaged', () => {
    const copy = join(dir, 'main.r1cs')
    copyFileSync(r1cs, copy)
    copyFileSync(r1cs.replace('.r1cs', '.plan'), join(dir, 'main.plan'))
    const byKept = () => bytes(createWitnessEvaluator(kernelModule, loadPlan(copy)!), honest())
    const expected = bytes(evaluator, honest())
    expect(byKept()).toBe(expected) // there are no symbols: it is the kept one
    const kept = readFileSync(join(dir, 'main.plan'))
    kept[kept.length - 100]! ^= 1
    writeFileSync(join(dir, 'main.plan'), kept)
    expect(() => loadPlan(copy)).toThrow('main.sym')
    copyFileSync(r1cs.replace('.r1cs', '.sym'), join(dir, 'main.sym'))
    expect(byKept()).toBe(expected)
  })
})
