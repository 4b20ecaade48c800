// Where a broken constraint comes from, on the demo's circuit: the line of the applet's source, or the template's signal. And that the
// evaluator's witnesses of this circuit are circom's.

import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { buildAppletWithSource } from '../../applets/build.ts'
import { parseSourceLines, type SourceLines } from '../../applets/source-lines.ts'
import { demoBatches } from '../../bench/demo-batches.ts'
import { buildCircuit, type CircuitPaths } from '../../circuits/build.ts'
import { describeRow } from '../../circuits/witness/explain-row.ts'
import { loadPlan } from '../../circuits/witness/plan-file.ts'
import { readSymbols } from '../../circuits/witness/symbols.ts'
import type { CircuitInput } from '../../engine/core/witness.ts'
import { createWitnessEvaluator, type WitnessEvaluator } from '../../engine/prover/wasm/witness.ts'
import { kernelModule } from '../engine/prover/wasm/loaded-kernel.ts'
import { CACHE_DIR, createCalculator, withInput } from './lib/toy.ts'

const APPLET = 'applets/energy-meter.ts'
const WTNS_VALUES_AT = 76

let paths: CircuitPaths
let lines: SourceLines
let evaluator: WitnessEvaluator
let inputs: readonly CircuitInput[]
let names: readonly (string | undefined)[]
beforeAll(async () => {
  const { wasm, sourceMap } = await buildAppletWithSource(APPLET)
  lines = parseSourceLines(sourceMap!, wasm)
  const setup = { kind: 'development', seed: 'test' } as const
  paths = (await buildCircuit(wasm, { cohortSize: 4, frameSize: 4, cacheDir: CACHE_DIR, setup })).paths
  evaluator = createWitnessEvaluator(kernelModule, loadPlan(paths.r1cs)!)
  names = readSymbols(paths.symbols).names
  inputs = (await demoBatches('energy-meter', 2)).inputs
}, 300_000)

const sourceLine = (offset: number) => {
  const place = lines.locateUser(offset)
  return place && `${place.file}:${place.line}`
}

/** The witness of the first batch with one wire altered. */
function witnessWithout(signal: RegExp): Uint8Array {
  const wtns = (evaluator.calculate(inputs[0]!) as { wtns: Uint8Array }).wtns.slice()
  const wire = names.findIndex((name) => name !== undefined && signal.test(name))
  wtns[WTNS_VALUES_AT + 32 * wire + 1]! ^= 1
  return wtns
}

describe('a broken constraint', () => {
  it('of the applet is told with slot, reading and line', () => {
    const source = readFileSync(APPLET, 'utf8').split('\n')
    for (const [signal, text] of [
      [/\[2\]\.applet\[1\]\.m3$/, 'maxWatts'],
      [/\[0\]\.applet\[3\]\.m5$/, 'unitsPerKwh'],
    ] as const) {
      const row = evaluator.brokenRow(witnessWithout(signal))
      const message = describeRow(paths.r1cs, row, sourceLine)
      const [, slot, reading] = /\[(\d)\]\.applet\[(\d)\]/.exec(signal.source.replaceAll('\\', ''))!
      expect(message).toContain(
        `constraint ${row} of the circuit, of the applet for slot ${slot}, reading ${reading}: `,
      )
      const line = Number(/energy-meter\.ts:(\d+), function "verify" \(0\) 0x/.exec(message)?.[1])
      expect(source[line - 1]).toContain(text)
      expect(describeRow(paths.r1cs, row)).not.toContain('.ts:')
    }
  })

  it('of the library is told with the template and its signal', () => {
    const slope = evaluator.brokenRow(witnessWithout(/LadderStep\S*\[7\]\.slope$/))
    expect(describeRow(paths.r1cs, slope)).toMatch(
      /^constraint \d+ of the circuit, at Frame\[\d\]\.FrameSignature\.ChallengeMultiple\.LadderStep\[7\]\.\w+$/,
    )
  })
})

describe('the witness of the demo’s circuit', () => {
  it('is circom’s, byte for byte, and there is none where circom finds none', async () => {
    const calculator = await createCalculator(paths.witnessWasm)
    for (const input of inputs) {
      const own = evaluator.calculate(input) as { wtns: Uint8Array }
      expect(Buffer.compare(own.wtns, await calculator.witnessFile(input))).toBe(0)
    }
    const input = inputs[1]!
    const field = BigInt((input['reading'] as string[][][])[1]![2]![1]!)
    for (const [path, value] of [
      [['reading', 1, 2, 1], field + 1n],
      [['reading', 1, 2, 1], 1n << 32n],
      [['ledgerAfter'], 1n],
      [['config', 0], 3n],
    ] as const) {
      const bad = withInput(input, path, value)
      expect(evaluator.calculate(bad)).toEqual({ brokenRow: expect.any(Number) })
      expect(await calculator.refusal(bad)).not.toEqual([])
    }
  })
})
