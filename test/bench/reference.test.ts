// Hand-written circom and compiled applets give equal outputs, on random and on edge inputs, and so does the applet itself.

import { beforeAll, describe, expect, it } from 'vitest'
import { BY_HAND, compileReference, handWritten, sideBySide, type Reference } from '../../bench/reference.ts'
import type { AppletInputs } from '../../circuits/compiler/index.ts'
import { readR1cs } from '../../circuits/setup/r1cs.ts'
import { randomInputs, randomSource } from '../circuits/compiler/applet-module.ts'
import { nativeApplet, type NativeRun } from '../circuits/compiler/native.ts'
import { compiledMain } from '../circuits/lib/compiled.ts'
import { createCalculator, type Calculator } from '../circuits/lib/toy.ts'
import { violatedConstraint } from '../../circuits/setup/violated-constraint.ts'

const NAMES = ['threshold', 'geofence'] as const
const INPUTS = 60
const references: Reference[] = []
let calculator: Calculator
let paths: { r1cs: string; witnessWasm: string }

beforeAll(async () => {
  for (const name of NAMES) references.push(await compileReference(name))
  const sources = NAMES.flatMap((name, k) => [
    handWritten(name),
    references[k]!.compiled.circom.replace('template Applet()', `template Compiled${k}()`),
  ])
  const instances = NAMES.flatMap((name, k) => [
    { template: BY_HAND[name], abi: references[k]!.compiled.abi },
    { template: `Compiled${k}`, abi: references[k]!.compiled.abi },
  ])
  paths = await compiledMain(sideBySide(sources, instances))
  calculator = await createCalculator(paths.witnessWasm)
}, 120_000)

/** Half of the inputs are near a limit: a value equal to its bound or one beside it. */
function nearLimits(
  name: (typeof NAMES)[number],
  inputs: AppletInputs,
  random: (below: number) => number,
): AppletInputs {
  const beside = (value: bigint, bits: number): bigint => BigInt.asUintN(bits, value + BigInt(random(3) - 1))
  const { reading, config } = inputs
  if (name === 'threshold') {
    const [from, to, warm, volts, units] = config as [bigint, bigint, bigint, bigint, bigint]
    const time = beside(random(2) === 0 ? from : to, 32)
    return {
      ...inputs,
      reading: [time, beside(warm, 32), beside(volts, 32), 0n],
      config: [from, to > from ? to : from, warm, volts, units],
    }
  }
  const lat = BigInt.asUintN(
    28,
    BigInt(random(2) === 0 ? 90_000_000 : random(90_000_000)) * (random(2) === 0 ? 1n : -1n),
  )
  const north = BigInt(random(1000))
  return {
    ...inputs,
    reading: [beside(lat, 28), reading[1]!, BigInt.asUintN(28, lat + north), reading[1]!],
    config: [beside(north, 28), config[1]!],
  }
}

describe('hand-written and compiled circuits', () => {
  it(`agree with the applet on ${INPUTS} inputs each, half of them at limits`, { timeout: 120_000 }, async () => {
    const runs: NativeRun[] = references.map(({ wasm, compiled }) => nativeApplet(wasm, compiled.abi))
    const random = randomSource(12)
    const r1cs = readR1cs(paths.r1cs)
    const seen = { accepted: 0, rejected: 0, paid: 0 }
    for (let k = 0; k < INPUTS; k++) {
      const each = NAMES.map((name, at) => {
        const wild = { ...randomInputs(random, references[at]!.compiled.abi), enabled: k % 9 !== 0, anchorTime: 0n }
        return k % 2 === 0 ? wild : nearLimits(name, wild, random)
      })
      const signals: Record<string, string | string[]> = { enabled: k % 9 === 0 ? '0' : '1', anchorTime: '0' }
      each.forEach((inputs, at) => {
        for (const twin of [2 * at, 2 * at + 1]) {
          signals[`in${twin}_reading`] = inputs.reading.map(String)
          signals[`in${twin}_config`] = inputs.config.map(String)
        }
      })
      const witness = await calculator.witness(signals)
      const expected = each.map((inputs, at) => runs[at]!(inputs))
      const accepted = expected.flatMap((outputs) => [outputs.accepted ? 1n : 0n, outputs.accepted ? 1n : 0n])
      const units = expected.flatMap((outputs) => [outputs.units, outputs.units])
      expect({ each, outputs: witness.slice(1, 9) }).toEqual({ each, outputs: [...accepted, ...units] })
      expect(violatedConstraint(r1cs, witness)).toBe(-1)
      for (const outputs of expected) {
        seen[outputs.accepted ? 'accepted' : 'rejected']++
        if (outputs.units > 0n) seen.paid++
      }
    }
    expect(Math.min(seen.accepted, seen.rejected, seen.paid)).toBeGreaterThan(5)
  })

  it.each(NAMES)('reject %s outside its declared widths', async (name) => {
    const at = NAMES.indexOf(name)
    const { abi } = references[at]!.compiled
    const zeros = Object.fromEntries(
      NAMES.flatMap((_, k) =>
        [2 * k, 2 * k + 1].flatMap((twin) => [
          [`in${twin}_reading`, references[k]!.compiled.abi.reading.map(() => '0')],
          [`in${twin}_config`, references[k]!.compiled.abi.config.map(() => '0')],
        ]),
      ),
    ) as Record<string, string[]>
    for (const twin of [2 * at, 2 * at + 1]) {
      for (const [field, { bits }] of abi.reading.entries()) {
        const wide = zeros[`in${twin}_reading`]!.map((zero, k) =>
          k === field ? (1n << BigInt(bits)).toString() : zero,
        )
        const signals = { ...zeros, enabled: '1', anchorTime: '0', [`in${twin}_reading`]: wide }
        await expect(calculator.witness(signals)).rejects.toThrow()
      }
    }
  })
})
