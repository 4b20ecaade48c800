// Takes the verifying key out of a .zkey file. The same result as snarkjs' export, without starting its worker threads, which
// would keep the process alive.

import { BASE_FIELD_ORDER } from '../../engine/core/field.ts'
import type { VerifyingKey } from '../../engine/core/verifying-key.ts'
import { readZkeySection, ZKEY_SECTION } from './zkey-file.ts'

const COORDINATE_BYTES = 32
/** Position of alpha in the header: two field widths, two moduli, three sizes. */
const POINTS_AT = 84
const MONTGOMERY_INVERSE = invert((1n << 256n) % BASE_FIELD_ORDER)

/** The verifying key of a proving key, in snarkjs' JSON form. Throws ZKEY_INVALID. */
export function exportVerifyingKey(zkeyPath: string): VerifyingKey {
  const header = pointCoordinates(readZkeySection(zkeyPath, ZKEY_SECTION.header, Infinity).subarray(POINTS_AT))
  const ic = pointCoordinates(readZkeySection(zkeyPath, ZKEY_SECTION.ic, Infinity))
  const g1 = (from: string[], at: number) => [from[at]!, from[at + 1]!, '1']
  const g2 = (at: number) => [header.slice(at, at + 2), header.slice(at + 2, at + 4), ['1', '0']]
  // alpha1 beta1 beta2 gamma2 delta1 delta2
  return {
    protocol: 'groth16',
    curve: 'bn128',
    nPublic: ic.length / 2 - 1,
    vk_alpha_1: g1(header, 0),
    vk_beta_2: g2(4),
    vk_gamma_2: g2(8),
    vk_delta_2: g2(14),
    IC: Array.from({ length: ic.length / 2 }, (_, i) => g1(ic, 2 * i)),
  }
}

/** Decimal coordinates of little-endian Montgomery points. */
export function pointCoordinates(bytes: Buffer): string[] {
  return Array.from({ length: bytes.length / COORDINATE_BYTES }, (_, i) => {
    const little = bytes.subarray(i * COORDINATE_BYTES, (i + 1) * COORDINATE_BYTES)
    const value = BigInt(`0x${Buffer.from(little).reverse().toString('hex')}`)
    return ((value * MONTGOMERY_INVERSE) % BASE_FIELD_ORDER).toString()
  })
}

function invert(value: bigint): bigint {
  let result = 1n
  for (let base = value, exponent = BASE_FIELD_ORDER - 2n; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = (result * base) % BASE_FIELD_ORDER
    base = (base * base) % BASE_FIELD_ORDER
  }
  return result
}
