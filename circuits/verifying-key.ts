// The verifying key of a circuit: read from the JSON that snarkjs exports, and encoded as the bytes whose keccak256 is
// vkHash (docs/architecture.md §2). The contracts take exactly these bytes.

import { keccak_256 } from '@noble/hashes/sha3.js'
import { bytesToHex, concatBytes, integerToBytes, type Hex } from '../engine/core/codec.ts'

/** snarkjs' export: decimal coordinates, G2 coordinates as [c0, c1]; the third coordinate of each point is 1. */
export interface SnarkjsVerifyingKey {
  readonly protocol: 'groth16'
  readonly curve: 'bn128'
  readonly nPublic: number
  readonly vk_alpha_1: readonly string[]
  readonly vk_beta_2: readonly (readonly string[])[]
  readonly vk_gamma_2: readonly (readonly string[])[]
  readonly vk_delta_2: readonly (readonly string[])[]
  readonly IC: readonly (readonly string[])[]
}

/** alpha(x,y) beta(x1,x0,y1,y0) gamma(…) delta(…) IC[0](x,y) … IC[n](x,y), 32 bytes each, big-endian. */
export function verifyingKeyBytes(key: SnarkjsVerifyingKey): Uint8Array {
  return concatBytes(
    g1Bytes(key.vk_alpha_1),
    ...[key.vk_beta_2, key.vk_gamma_2, key.vk_delta_2].map(g2Bytes),
    ...key.IC.map(g1Bytes),
  )
}

/** keccak256 of the encoded verifying key. */
export function vkHash(encoded: Uint8Array): Hex {
  return bytesToHex(keccak_256(encoded))
}

function g1Bytes(point: readonly string[]): Uint8Array {
  return concatBytes(...point.slice(0, 2).map(coordinate))
}

function g2Bytes(point: readonly (readonly string[])[]): Uint8Array {
  return concatBytes(...point.slice(0, 2).flatMap(([c0, c1]) => [coordinate(c1!), coordinate(c0!)]))
}

function coordinate(decimal: string): Uint8Array {
  return integerToBytes(BigInt(decimal), 32)
}
