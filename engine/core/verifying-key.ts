// The verifying key as bytes: what the chain keeps and vkHash is the hash of.
//
//   alpha(x,y) | beta(x1,x0,y1,y0) | gamma(…) | delta(…) | IC[0](x,y) … IC[n](x,y)          32 bytes each, big-endian

import { keccak_256 } from '@noble/hashes/sha3.js'
import { bytesToHex, bytesToInteger, concatBytes, integerToBytes, type Hex } from './codec.ts'
import { AttestreamError } from './errors.ts'

/** A Groth16 verifying key in snarkjs' JSON shape (the fields that verification needs). */
export interface VerifyingKey {
  readonly protocol: 'groth16'
  readonly curve: 'bn128'
  readonly nPublic: number
  readonly vk_alpha_1: readonly string[]
  readonly vk_beta_2: readonly (readonly string[])[]
  readonly vk_gamma_2: readonly (readonly string[])[]
  readonly vk_delta_2: readonly (readonly string[])[]
  readonly IC: readonly (readonly string[])[]
}

const FIXED_WORDS = 14

/** Bytes of a verifying key: 32·(16 + 2·nPublic). */
export function encodeVerifyingKey(key: VerifyingKey): Uint8Array {
  const g1 = (point: readonly string[]) => [point[0]!, point[1]!]
  const g2 = ([x, y]: readonly (readonly string[])[]) => [x![1]!, x![0]!, y![1]!, y![0]!]
  const words = [
    ...g1(key.vk_alpha_1),
    ...[key.vk_beta_2, key.vk_gamma_2, key.vk_delta_2].flatMap(g2),
    ...key.IC.flatMap(g1),
  ]
  return concatBytes(...words.map((word) => integerToBytes(BigInt(word), 32)))
}

/** Inverse of `encodeVerifyingKey`; throws SEAL_INVALID for another length. */
export function decodeVerifyingKey(bytes: Uint8Array): VerifyingKey {
  const count = bytes.length / 32
  if (!Number.isInteger(count) || count < FIXED_WORDS + 2 || count % 2 !== 0) {
    throw new AttestreamError('SEAL_INVALID', `A verifying key cannot have ${bytes.length} bytes.`)
  }
  const words = Array.from({ length: count }, (_, i) => bytesToInteger(bytes.subarray(32 * i, 32 * i + 32)).toString())
  const g1 = (at: number) => [words[at]!, words[at + 1]!, '1']
  const g2 = (at: number) => [[words[at + 1]!, words[at]!], [words[at + 3]!, words[at + 2]!], ['1', '0']] // prettier-ignore
  const IC = Array.from({ length: (count - FIXED_WORDS) / 2 }, (_, i) => g1(FIXED_WORDS + 2 * i))
  return {
    protocol: 'groth16',
    curve: 'bn128',
    nPublic: IC.length - 1,
    vk_alpha_1: g1(0),
    vk_beta_2: g2(2),
    vk_gamma_2: g2(6),
    vk_delta_2: g2(10),
    IC,
  }
}

/** keccak256 of the encoded key. */
export function verifyingKeyHash(encoded: Uint8Array): Hex {
  return bytesToHex(keccak_256(encoded))
}
