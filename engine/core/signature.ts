// EdDSA-Poseidon on BabyJubJub as circomlib's EdDSAPoseidonVerifier checks it: S·B8 = R8 + 8·h·A with
// h = Poseidon(R8x, R8y, Ax, Ay, message). Key derivation and nonce follow circomlibjs, so that keys and signatures are
// interchangeable with it. Points are validated here: on the curve, not of low order; S below the subgroup order.

import { edwards, type EdwardsPoint } from '@noble/curves/abstract/edwards.js'
import { blake512 } from '@noble/hashes/blake1.js'
import { concatBytes, integerToBytes, bytesToInteger } from './codec.ts'
import { AttestreamError } from './errors.ts'
import { FIELD_ORDER, mod } from './field.ts'
import { poseidon, type Poseidon } from './poseidon.ts'

/** Order l of BabyJubJub's prime-order subgroup; the curve has 8·l points. */
export const SUBGROUP_ORDER = 2736030358979909402780800718157159386076813972158567259200215660948447373041n

/** A device's public key A, affine coordinates in F. */
export interface PublicKey {
  readonly x: bigint
  readonly y: bigint
}

/** R8 affine, S in [0, l). */
export interface Signature {
  readonly r8x: bigint
  readonly r8y: bigint
  readonly s: bigint
}

const Point = edwards({
  p: FIELD_ORDER,
  n: SUBGROUP_ORDER,
  h: 8n,
  a: 168700n,
  d: 168696n,
  Gx: 5299619240641551281634865583518297030282874472190772894086521144482721001553n, // circomlib's Base8
  Gy: 16950150798460657717958625567821834550301663161624707787222815936182638968203n,
})

/** The neutral point, which stands in place of key and R8 in an absent slot. */
export const NEUTRAL_POINT: PublicKey = { x: 0n, y: 1n }

/** Public key of a 32-byte secret key. */
export function publicKey(secretKey: Uint8Array): PublicKey {
  return affine(Point.BASE.multiply(mod(secretScalar(secretKey).scalar >> 3n, SUBGROUP_ORDER)))
}

/** Signs a field element; deterministic. */
export function sign(secretKey: Uint8Array, message: bigint): Signature {
  const { scalar, prefix } = secretScalar(secretKey)
  const key = publicKey(secretKey)
  const nonceBytes = blake512(concatBytes(prefix, integerToBytes(message, 32).reverse()))
  const nonce = mod(bytesToInteger(nonceBytes.reverse()), SUBGROUP_ORDER)
  const r8 = affine(Point.BASE.multiply(nonce))
  const challenge = poseidon([r8.x, r8.y, key.x, key.y, message])
  return { r8x: r8.x, r8y: r8.y, s: mod(nonce + challenge * scalar, SUBGROUP_ORDER) }
}

/** A public key prepared for many verifications: keeps a table of multiples of 8·A (about 100 KB after first use). */
export interface Verifier {
  verify(message: bigint, signature: Signature, hash?: Poseidon): boolean
}

/** Throws CURVE_POINT_INVALID unless the key is on the curve and 8·A is not neutral. Window 0 keeps no table. */
export function createVerifier(key: PublicKey, windowSize = 0): Verifier {
  const key8 = checkedPoint(key, 'public key').multiplyUnsafe(8n)
  if (key8.is0()) throw invalidPoint('public key', 'it has low order')
  if (windowSize > 0) key8.precompute(windowSize)
  return {
    verify(message, { r8x, r8y, s }, hash = poseidon) {
      if (s < 0n || s >= SUBGROUP_ORDER || !isOnCurve(r8x, r8y)) return false
      const challenge = mod(hash([r8x, r8y, key.x, key.y, message]), SUBGROUP_ORDER)
      const right = Point.fromAffine({ x: r8x, y: r8y }).add(key8.multiplyUnsafe(challenge))
      return Point.BASE.multiplyUnsafe(s).equals(right)
    },
  }
}

/** True if (x, y) are canonical field elements on BabyJubJub. */
export function isOnCurve(x: bigint, y: bigint): boolean {
  if (x < 0n || y < 0n || x >= FIELD_ORDER || y >= FIELD_ORDER) return false
  const x2 = mod(x * x, FIELD_ORDER)
  const y2 = mod(y * y, FIELD_ORDER)
  return mod(168700n * x2 + y2 - 1n - 168696n * mod(x2 * y2, FIELD_ORDER), FIELD_ORDER) === 0n
}

function secretScalar(secretKey: Uint8Array): { scalar: bigint; prefix: Uint8Array } {
  if (secretKey.length !== 32) {
    throw new AttestreamError('HEX_INVALID', `A secret key has 32 bytes, got ${secretKey.length}.`)
  }
  const digest = blake512(secretKey)
  const low = digest.slice(0, 32)
  low[0]! &= 0xf8
  low[31] = (low[31]! & 0x7f) | 0x40
  return { scalar: bytesToInteger(low.reverse()), prefix: digest.slice(32) }
}

function checkedPoint({ x, y }: PublicKey, what: string): EdwardsPoint {
  if (!isOnCurve(x, y)) throw invalidPoint(what, 'it is not on the curve')
  return Point.fromAffine({ x, y })
}

function affine(point: EdwardsPoint): PublicKey {
  const { x, y } = point.toAffine()
  return { x, y }
}

function invalidPoint(what: string, why: string): AttestreamError {
  return new AttestreamError('CURVE_POINT_INVALID', `The ${what} is refused: ${why}. Create keys with the device SDK.`)
}
