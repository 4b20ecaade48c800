import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Field } from '@noble/curves/abstract/modular.js'
import { blake512 } from '@noble/hashes/blake1.js'
import { bytesToInteger } from '../../engine/core/codec.ts'
import { FIELD_ORDER, toField } from '../../engine/core/field.ts'
import { createVerifier, isOnCurve, publicKey, sign, NEUTRAL_POINT, SUBGROUP_ORDER, type PublicKey } from '../../engine/core/signature.ts' // prettier-ignore
import { poseidon } from '../../engine/core/poseidon.ts'

const SECRET_KEY = new Uint8Array(32).fill(9)
const KEY = publicKey(SECRET_KEY)
const MESSAGE = 424242n
const GOOD = sign(SECRET_KEY, MESSAGE)
const verifier = createVerifier(KEY)

const F = Field(FIELD_ORDER)

/** The point of order 2; the two of order 4 lie on y = 0 with 168700·x² = 1. */
const ORDER_2: PublicKey = { x: 0n, y: FIELD_ORDER - 1n }
const ORDER_4: PublicKey = { x: F.sqrt(F.inv(168700n)), y: 0n }

describe('a signature', () => {
  it('holds for its message and key, with and without a table', () => {
    expect(verifier.verify(MESSAGE, GOOD)).toBe(true)
    expect(createVerifier(KEY, 4).verify(MESSAGE, GOOD)).toBe(true)
    expect(verifier.verify(MESSAGE, GOOD, (inputs) => poseidon(inputs))).toBe(true)
  })

  it('holds for any key and message', () => {
    const secret = fc.uint8Array({ minLength: 32, maxLength: 32 })
    const message = fc.bigInt({ min: 0n, max: FIELD_ORDER - 1n })
    fc.assert(
      fc.property(secret, message, (secretKey, text) => {
        const check = createVerifier(publicKey(secretKey))
        expect(check.verify(text, sign(secretKey, text))).toBe(true)
        expect(check.verify(toField(text + 1n), sign(secretKey, text))).toBe(false)
      }),
      { numRuns: 10 },
    )
  }, 60_000)

  it('does not hold for another message, key or any changed part', () => {
    expect(verifier.verify(MESSAGE + 1n, GOOD)).toBe(false)
    expect(createVerifier(publicKey(new Uint8Array(32).fill(8))).verify(MESSAGE, GOOD)).toBe(false)
    for (const change of [
      { s: GOOD.s + 1n },
      { s: 0n },
      { r8x: GOOD.r8y },
      { r8x: FIELD_ORDER - GOOD.r8x },
      { r8y: FIELD_ORDER - GOOD.r8y },
    ]) {
      // prettier-ignore
      expect(verifier.verify(MESSAGE, { ...GOOD, ...change })).toBe(false)
    }
  })

  it('B-01: is not malleable: S + l and coordinates + r are refused', () => {
    expect(verifier.verify(MESSAGE, { ...GOOD, s: GOOD.s + SUBGROUP_ORDER })).toBe(false)
    expect(verifier.verify(MESSAGE, { ...GOOD, s: GOOD.s - SUBGROUP_ORDER })).toBe(false)
    expect(verifier.verify(MESSAGE, { ...GOOD, r8x: GOOD.r8x + FIELD_ORDER })).toBe(false)
    expect(verifier.verify(MESSAGE, { ...GOOD, r8y: GOOD.r8y - FIELD_ORDER })).toBe(false)
  })

  it('B-01: is refused with R8 off the curve, at (0, 0), neutral or with a torsion component', () => {
    const torsioned = [ORDER_2, ORDER_4].map((point) => add({ x: GOOD.r8x, y: GOOD.r8y }, point))
    for (const { x, y } of [{ x: 1n, y: 1n }, { x: 0n, y: 0n }, NEUTRAL_POINT, ORDER_2, ORDER_4, ...torsioned]) {
      expect(verifier.verify(MESSAGE, { ...GOOD, r8x: x, r8y: y })).toBe(false)
    }
    expect(torsioned.every(({ x, y }) => isOnCurve(x, y))).toBe(true)
  })

  it('B-01: cannot be forged with a torsioned R8 even when S fits its challenge', () => {
    // A cofactored equation would accept these; S·B8 = R8 + 8·h·A must not.
    const withR8 = (r8: PublicKey) => {
      const challenge = poseidon([r8.x, r8.y, KEY.x, KEY.y, MESSAGE])
      return verifier.verify(MESSAGE, { r8x: r8.x, r8y: r8.y, s: zeroNonceS(challenge) })
    }
    expect([NEUTRAL_POINT, ORDER_2, ORDER_4].map(withR8)).toEqual([true, false, false])
  })
})

describe('a public key', () => {
  it.each<[string, PublicKey]>([
    ['neutral', NEUTRAL_POINT],
    ['of order 2', ORDER_2],
    ['of order 4', ORDER_4],
    ['off the curve', { x: 1n, y: 1n }],
    ['zero', { x: 0n, y: 0n }],
    ['not canonical', { x: KEY.x + FIELD_ORDER, y: KEY.y }],
    ['negative', { x: KEY.x - FIELD_ORDER, y: KEY.y }],
  ])('that is %s is refused', (_what, key) => {
    expect(() => createVerifier(key)).toThrow(expect.objectContaining({ code: 'CURVE_POINT_INVALID' }))
  })

  it('on the curve passes', () => {
    expect(() => createVerifier(KEY)).not.toThrow()
    expect(isOnCurve(KEY.x, KEY.y)).toBe(true)
  })

  it('with a torsion component verifies exactly what it signed, as in the circuit', () => {
    const torsioned = add(KEY, ORDER_2)
    expect(createVerifier(torsioned).verify(MESSAGE, GOOD)).toBe(false)
    const challenge = poseidon([0n, 1n, torsioned.x, torsioned.y, MESSAGE])
    const own = { r8x: 0n, r8y: 1n, s: zeroNonceS(challenge) }
    expect(createVerifier(torsioned).verify(MESSAGE, own)).toBe(true)
    expect(verifier.verify(MESSAGE, own)).toBe(false)
  })
})

/** S that goes with R8 = neutral (nonce 0): h·a8, where a8 is the key's scalar before its division by 8. */
function zeroNonceS(challenge: bigint): bigint {
  const bytes = blake512(SECRET_KEY).slice(0, 32)
  bytes[0]! &= 0xf8
  bytes[31] = (bytes[31]! & 0x7f) | 0x40
  return (challenge * bytesToInteger(bytes.reverse())) % SUBGROUP_ORDER
}

/** Affine addition on a·x² + y² = 1 + d·x²·y², complete for BabyJubJub. */
function add(p: PublicKey, q: PublicKey): PublicKey {
  const product = F.mul(168696n, F.mul(F.mul(p.x, q.x), F.mul(p.y, q.y)))
  const x = F.div(F.add(F.mul(p.x, q.y), F.mul(p.y, q.x)), F.add(1n, product))
  const y = F.div(F.sub(F.mul(p.y, q.y), F.mul(168700n, F.mul(p.x, q.x))), F.sub(1n, product))
  return { x, y }
}
