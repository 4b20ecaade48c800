// Points and multi-exponentiations in both groups, against noble-curves and ffjavascript. Bases are known multiples of the generator,
// so that one multiplication by noble-curves tells the sum of thousands.

import fc from 'fast-check'
import { buildBn128 } from 'ffjavascript'
import { describe, expect, it } from 'vitest'
import { generatorMultiplier, POINT_BYTES } from '../../../../circuits/setup/fixed-base.ts'
import { FIELD_ORDER } from '../../../../engine/core/field.ts'
import { GROUPS, type Group } from '../../../../engine/prover/wasm/kernel.ts'
import { multiple, newKernel, scalars, withMemory, writePoint, writeScalars, type Plain } from './loaded-kernel.ts'

const kernel = newKernel()
const r = FIELD_ORDER

/** Different numbers of full width, the same in every run. */
function spreadScalar(k: number): bigint {
  return (BigInt(k + 1) * 0x2545f4914f6cdd1d9e3779b97f4a7c15bf58476d1ce4e5b994d049bb133111ebn) % r
}

describe.each(['g1', 'g2'] as const)('the group %s', (group: Group) => {
  const add = (a: Plain, b: Plain) =>
    withMemory(kernel, () => {
      const out = writePoint(kernel, group, undefined)
      kernel.callGroup(group, 'add', out, writePoint(kernel, group, a), writePoint(kernel, group, b))
      return kernel.readPoint(group, out)
    })
  const multiply = (point: Plain, scalar: bigint) =>
    withMemory(kernel, () => {
      const out = writePoint(kernel, group, undefined)
      kernel.callGroup(group, 'multiply', out, writePoint(kernel, group, point), writeScalars(kernel, [scalar]))
      return kernel.readPoint(group, out)
    })

  it('adds: equal and opposite points, infinity, and any others', () => {
    const logarithms = [0n, 1n, -1n, 2n, 12_345n]
    for (const a of logarithms) {
      for (const b of logarithms) expect(add(multiple(group, a), multiple(group, b))).toEqual(multiple(group, a + b))
    }
  })

  it('multiplies by any scalar', () => {
    fc.assert(
      fc.property(scalars, (scalar) => {
        expect(multiply(multiple(group, 5n), scalar)).toEqual(multiple(group, 5n * scalar))
      }),
      { numRuns: 15 },
    )
    expect(multiply(undefined, 5n)).toBeUndefined()
  })

  /** Σ scalar·base of known multiples of the generator, loaded as from a key's file. */
  async function sum(logarithms: readonly bigint[], factors: readonly bigint[]): Promise<Plain> {
    const file = await (await generatorMultiplier())(group, logarithms)
    return withMemory(kernel, () => {
      const { coordinateBytes } = GROUPS[group]
      const count = logarithms.length
      const bases = kernel.allocate(count * 2 * coordinateBytes)
      const indices = kernel.allocate(count * 4)
      const staged = kernel.allocate(file.length)
      kernel.bytes(staged, file.length).set(file)
      const curve = group === 'g1' ? kernel.baseElement(3n) : twist()
      const known = kernel.callGroup(group, 'loadPoints', bases, indices, 0, staged, count, 0, curve)
      expect(known).toBe(logarithms.filter((value) => value !== 0n).length)
      const out = writePoint(kernel, group, undefined)
      const work = kernel.allocate(kernel.callGroup(group, 'msmBytes', known))
      kernel.callGroup(group, 'msm', out, known, bases, indices, writeScalars(kernel, factors), work)
      return kernel.readPoint(group, out)
    })
  }

  function twist(): number {
    const [x0, x1, y0, y1] = multiple('g2', 1n) as [bigint, bigint, bigint, bigint]
    const square = (a: bigint, b: bigint) => [a * a - b * b, 2n * a * b] as const
    const [s0, s1] = square(x0, x1)
    const cube = [s0 * x0 - s1 * x1, s0 * x1 + s1 * x0] as const
    const [t0, t1] = square(y0, y1)
    return kernel.baseElement(t0 - cube[0], t1 - cube[1])
  }

  async function check(logarithms: readonly bigint[], factors: readonly bigint[]): Promise<void> {
    const expected = logarithms.reduce((total, logarithm, k) => (total + logarithm * factors[k]!) % r, 0n)
    expect(await sum(logarithms, factors)).toEqual(multiple(group, expected))
  }
  const numbers = (count: number) => Array.from({ length: count }, (_, k) => k)

  it('sums multiples of any points, the special ones among them', async () => {
    const points = fc.oneof(scalars, fc.constantFrom(0n, 1n, 2n, r - 1n, r - 2n))
    const terms = fc.array(fc.tuple(points, scalars), { minLength: 1, maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(terms, (list) =>
        check(
          list.map(([point]) => point),
          list.map(([, factor]) => factor),
        ),
      ),
      { numRuns: 12 },
    )
  })

  // Digits that all meet in one bucket, points that cancel or double there, and scalars that are mostly 0 and ±1.
  it.each<[string, (k: number) => bigint, (k: number) => bigint]>([
    ['dense', spreadScalar, (k) => spreadScalar(3 * k + 1)],
    ['one scalar for all', spreadScalar, () => spreadScalar(99)],
    ['one point for all', () => 7n, (k) => spreadScalar(k)],
    ['one point and one scalar for all', () => 7n, () => spreadScalar(5)],
    ['opposite points', (k) => (k % 2 ? 7n : r - 7n), (k) => spreadScalar(k >> 1)],
    ['bits and minus one', spreadScalar, (k) => [0n, 1n, r - 1n][k % 3]!],
    ['one point, bits and minus one', () => 3n, (k) => [0n, 1n, r - 1n, 1n][k % 4]!],
    ['small numbers', spreadScalar, (k) => BigInt(k % 5)],
    ['the middle of the field', spreadScalar, (k) => (r - 1n) / 2n + BigInt(k % 2)],
    ['infinity at every other place', (k) => (k % 2 ? spreadScalar(k) : 0n), (k) => spreadScalar(2 * k)],
  ])('sums 2500 terms: %s', async (_, logarithm, factor) => {
    await check(numbers(2500).map(logarithm), numbers(2500).map(factor))
  })

  it('carries and borrows through words where the sum of a word alone does not show it', async () => {
    const words = (1n << 64n) - 1n
    // A digit's offset and this scalar make a word of all ones that takes a carry, whatever the number of windows is.
    const carrying = numbers(49).map((k) => {
      const windows = 16 + k
      const offsets = numbers(windows).reduce((sum, w) => sum | (1n << BigInt(Math.floor((254 * (w + 1)) / windows) - 1)), 0n) // prettier-ignore
      return ((words - ((offsets >> 64n) & words)) << 64n) | words
    })
    await check(numbers(49).map(spreadScalar), carrying)
    // r less this scalar borrows through words that are equal.
    await check([7n, 11n], [r - (1n << 192n) + 5n, r - (1n << 128n) + 5n])
  })

  it('agrees with ffjavascript', async () => {
    const logarithms = numbers(300).map(spreadScalar)
    const factors = numbers(300).map((k) => spreadScalar(k + 1000))
    const curve = await buildBn128(true)
    const points = await (await generatorMultiplier())(group, logarithms)
    const bytes = Buffer.concat(
      factors.map((value) => Buffer.from(value.toString(16).padStart(64, '0'), 'hex').reverse()),
    )
    const own = group === 'g1' ? curve.G1 : curve.G2
    const other = own.toObject(own.toAffine(await own.multiExpAffine(points, bytes))) as unknown[]
    expect(points).toHaveLength(300 * POINT_BYTES[group])
    expect(await sum(logarithms, factors)).toEqual(other.slice(0, 2).flat())
    await curve.terminate()
  })
})
