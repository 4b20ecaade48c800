// The templates of signature.circom one by one: ranges at their edges, the ladder against circomlibjs, and how rare the multipliers
// are that its incomplete additions cannot take. Whole signatures are attacked in batch.test.ts.

import { buildBabyjub } from 'circomlibjs'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { readR1cs } from '../../../circuits/setup/r1cs.ts'
import { FIELD_ORDER } from '../../../engine/core/field.ts'
import { publicKey, sign, SUBGROUP_ORDER, type PublicKey } from '../../../engine/core/signature.ts'
import { compiledMain } from './compiled.ts'
import { createCalculator, type Calculator } from './toy.ts'

const ORDER = SUBGROUP_ORDER
const LEAST = 12n * ORDER
const MOST = LEAST + FIELD_ORDER - 1n
const TOP = 1n << 254n

async function calculatorOf(instance: string, template = ''): Promise<Calculator & { constraints: number }> {
  const main = `pragma circom 2.1.6;\ninclude "signature.circom";\n${template}\ncomponent main = ${instance};\n`
  const { r1cs, witnessWasm } = await compiledMain(main)
  return { ...(await createCalculator(witnessWasm)), constraints: readR1cs(r1cs).constraintCount }
}

/** Highest first. */
const bitsOf = (value: bigint, count: number): string[] => [...value.toString(2).padStart(count, '0')]
const accepts = async (calculator: Calculator, input: Parameters<Calculator['refusal']>[0]): Promise<boolean> =>
  (await calculator.refusal(input)).length === 0

describe('BitsAtMost', () => {
  const BOUNDS = [0n, 1n, 0b0101101n, 0b1010010n, 0b1100111n, 0b1111111n]
  const EACH = BOUNDS.map((bound, k) => `BitsAtMost(7, 0, ${bound})(in[${k}]);`).join('\n')

  it('takes every number of 7 bits up to the bound and no other', async () => {
    const calculator = await calculatorOf(
      'Each()',
      `template Each() { signal input in[${BOUNDS.length}][7];\n${EACH} }`,
    )
    for (const [k, bound] of BOUNDS.entries()) {
      for (let value = 0n; value < 128n; value++) {
        const rows = BOUNDS.map((_, row) => bitsOf(row === k ? value : 0n, 7))
        expect(await accepts(calculator, { in: rows }), `${value} up to ${bound}`).toBe(value <= bound)
      }
    }
  })

  it('compares 200 bits, where a square stands in for what was missed', async () => {
    const bound = fc.sample(fc.bigInt(0n, (1n << 200n) - 1n), { seed: 7, numRuns: 1 })[0]!
    const calculator = await calculatorOf(`BitsAtMost(200, ${bound >> 128n}, ${bound & ((1n << 128n) - 1n)})`)
    const near = fc.oneof(
      fc.bigInt(0n, (1n << 200n) - 1n),
      fc.integer({ min: 0, max: 199 }).map((i) => bound ^ (1n << BigInt(i))),
      fc.integer({ min: 0, max: 199 }).map((i) => (bound >> BigInt(i)) << BigInt(i)),
    )
    const check = fc.asyncProperty(near, async (value) => {
      expect(await accepts(calculator, { in: bitsOf(value, 200) })).toBe(value <= bound)
    })
    await fc.assert(check, { numRuns: 300 })
  })
})

describe('SubgroupScalarBits', () => {
  it('B-01 takes 0 to ℓ − 1 and nothing beyond', async () => {
    const calculator = await calculatorOf('SubgroupScalarBits()')
    for (const s of [0n, 1n, ORDER - 1n]) expect(await accepts(calculator, { in: String(s) })).toBe(true)
    for (const s of [ORDER, ORDER + 1n, 1n << 251n, FIELD_ORDER - 1n]) {
      expect(await accepts(calculator, { in: String(s) })).toBe(false)
    }
    expect(calculator.constraints).toBe(314)
  })
})

describe('ChallengeRange', () => {
  it('B-01 leaves exactly one multiplier for each hash', async () => {
    const calculator = await calculatorOf('ChallengeRange()')
    const inside = [LEAST, LEAST + 1n, MOST - 1n, MOST]
    const outside = [TOP, LEAST - 1n, MOST + 1n, 2n * TOP - 1n]
    for (const value of inside) expect(await accepts(calculator, { in: bitsOf(value - TOP, 254) })).toBe(true)
    for (const value of outside) expect(await accepts(calculator, { in: bitsOf(value - TOP, 254) })).toBe(false)
    expect(calculator.constraints).toBe(134)
  })
})

describe('ChallengeMultiple', () => {
  let calculator: Calculator & { constraints: number }
  let babyjub: {
    Base8: Uint8Array[]
    F: { toString(element: Uint8Array): string }
    mulPointEscalar(point: Uint8Array[], scalar: bigint): Uint8Array[]
  }
  beforeAll(async () => {
    calculator = await calculatorOf('ChallengeMultiple()')
    babyjub = (await buildBabyjub()) as typeof babyjub
  })

  /** out and bit0 of the circuit, and what circomlibjs makes of the same. */
  async function compare(hash: bigint, scalar: bigint): Promise<void> {
    const base = babyjub.mulPointEscalar(babyjub.Base8, scalar)
    const [baseX, baseY] = base.map((coordinate) => babyjub.F.toString(coordinate)) as [string, string]
    const witness = await calculator.witness({ hash: String(hash), baseX, baseY })
    const bit0 = (hash + LEAST) % 2n
    const multiple = babyjub.mulPointEscalar(base, (hash + 1n - bit0) % ORDER)
    expect(witness.slice(1, 4)).toEqual([...multiple.map((coordinate) => BigInt(babyjub.F.toString(coordinate))), bit0])
  }

  it('is hash·base, plus base where hash + 12·ℓ is even', async () => {
    const scalars = fc.bigInt(1n, ORDER - 1n)
    await fc.assert(fc.asyncProperty(fc.bigInt(0n, FIELD_ORDER - 1n), scalars, compare), { numRuns: 25 })
  })

  it('also of hashes with leading zeros and of the highest', async () => {
    for (const hash of [77n, 1n << 128n, ORDER + 77n, FIELD_ORDER - 77n, FIELD_ORDER - 1n]) await compare(hash, 5n)
    expect(calculator.constraints).toBe(1_924)
  })

  it('B-01 has no slope to choose but for 100 of all hashes', () => {
    const bad = new Set<bigint>()
    for (let i = 1n; i <= 8n; i++) {
      // The step of bit i begins with k = 2·(E >> i + 1) + 1; list each E whose k is one of the residues.
      for (const residue of [0n, 1n, ORDER - 1n, (ORDER - 1n) / 2n, (ORDER + 1n) / 2n]) {
        for (let k = residue; k <= MOST >> i; k += ORDER) {
          if (k % 2n === 0n) continue
          const first = ((k - 1n) / 2n) << (i + 1n)
          for (let e = first; e < first + (1n << (i + 1n)); e++) if (e >= LEAST && e <= MOST) bad.add(e)
        }
      }
    }
    const largestBelow = 2n * (MOST >> 10n) + 1n // k of all earlier steps, and it starts at 3
    expect(largestBelow).toBeLessThan((ORDER - 1n) / 2n)
    expect(bad.size).toBe(100)
  })
})

describe('FrameSignature', () => {
  let calculator: Calculator & { constraints: number }
  beforeAll(async () => {
    calculator = await calculatorOf('FrameSignature()')
  })
  const inputOf = (key: PublicKey, message: bigint, signature: ReturnType<typeof sign>, present = 1) => ({
    present: String(present),
    keyX: String(key.x),
    keyY: String(key.y),
    r8x: String(signature.r8x),
    r8y: String(signature.r8y),
    s: String(signature.s),
    message: String(message),
  })

  it('takes every signature that the engine makes, and for no other message', async () => {
    const secret = fc.uint8Array({ minLength: 32, maxLength: 32 })
    const check = fc.asyncProperty(secret, fc.bigInt(0n, FIELD_ORDER - 2n), async (secretKey, message) => {
      const [key, signature] = [publicKey(secretKey), sign(secretKey, message)]
      expect(await accepts(calculator, inputOf(key, message, signature))).toBe(true)
      expect(await accepts(calculator, inputOf(key, message + 1n, signature))).toBe(false)
    })
    await fc.assert(check, { numRuns: 15 })
    expect(calculator.constraints).toBe(3_119)
  })

  it('asks nothing of an absent slot but points and a scalar', async () => {
    const absent = { r8x: 0n, r8y: 1n, s: 0n }
    expect(await accepts(calculator, inputOf({ x: 0n, y: 1n }, 5n, absent, 0))).toBe(true)
    expect(await accepts(calculator, inputOf({ x: 0n, y: 1n }, 5n, absent, 1))).toBe(false)
    expect(await accepts(calculator, inputOf({ x: 0n, y: 1n }, 5n, { ...absent, s: ORDER }, 0))).toBe(false)
  })
})
