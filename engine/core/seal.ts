// The seal: 4 bytes of the verifying key's hash and the Groth16 proof in the order that the EVM's pairing reads.
//
//   vkHash[0..4] | A.x A.y | B.x1 B.x0 B.y1 B.y0 | C.x C.y          32 bytes each, big-endian

import { bytesToHex, bytesToInteger, concatBytes, hexToBytes, integerToBytes, type Hex } from './codec.ts'
import { AttestreamError } from './errors.ts'
import { BASE_FIELD_ORDER } from './field.ts'
import { SEAL_BYTES } from './receipt.ts'

/** Affine proof coordinates as snarkjs gives and takes them: decimal strings, with the projective 1. */
export interface Groth16Proof {
  readonly pi_a: readonly string[]
  readonly pi_b: readonly (readonly string[])[]
  readonly pi_c: readonly string[]
}

const SELECTOR_BYTES = 4
/** Encodes a proof under a verifying key's hash. */
export function encodeSeal(vkHash: Hex, proof: Groth16Proof): Hex {
  const [bx, by] = proof.pi_b as [string[], string[]]
  const coordinates = [proof.pi_a[0], proof.pi_a[1], bx[1], bx[0], by[1], by[0], proof.pi_c[0], proof.pi_c[1]]
  const words = coordinates.map((coordinate) => integerToBytes(BigInt(coordinate!), 32))
  return bytesToHex(concatBytes(hexToBytes(vkHash, 32).subarray(0, SELECTOR_BYTES), ...words))
}

/** The proof of a seal for the given verifying key; throws SEAL_INVALID if the seal names another key or has a coordinate out of range. */
export function decodeSeal(vkHash: Hex, seal: Hex): Groth16Proof {
  const bytes = hexToBytes(seal, SEAL_BYTES)
  const selector = bytesToHex(bytes.subarray(0, SELECTOR_BYTES))
  if (selector !== vkHash.slice(0, 2 + 2 * SELECTOR_BYTES).toLowerCase()) {
    throw new AttestreamError(
      'SEAL_INVALID',
      `The seal names verifying key ${selector}…; expected ${vkHash.slice(0, 10)}….`,
    )
  }
  const [ax, ay, bx1, bx0, by1, by0, cx, cy] = Array.from({ length: 8 }, (_, i) =>
    coordinate(bytes.subarray(SELECTOR_BYTES + 32 * i, SELECTOR_BYTES + 32 * (i + 1))),
  ) as [string, string, string, string, string, string, string, string]
  return { pi_a: [ax, ay, '1'], pi_b: [[bx0, bx1], [by0, by1], ['1', '0']], pi_c: [cx, cy, '1'] } // prettier-ignore
}

function coordinate(bytes: Uint8Array): string {
  const value = bytesToInteger(bytes)
  // Libraries would reduce larger ones, the EVM refuses them.
  if (value < BASE_FIELD_ORDER) return value.toString()
  throw new AttestreamError(
    'SEAL_INVALID',
    `The seal has the coordinate ${value}; expected less than ${BASE_FIELD_ORDER}.`,
  )
}
