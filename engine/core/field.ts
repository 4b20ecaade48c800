// The BN254 scalar field F and checks of integer widths. Field elements are bigint in [0, r).

import { AttestreamError } from './errors.ts'

/** Order r of the BN254 scalar field. */
export const FIELD_ORDER = 21888242871839275222246405745257275088548364400416034343698204186575808495617n

/** Order of BN254's base field: curve coordinates are below it. */
export const BASE_FIELD_ORDER = 21888242871839275222246405745257275088696311157297823662689037894645226208583n

/** `value` mod r, in [0, r). */
export function toField(value: bigint): bigint {
  return mod(value, FIELD_ORDER)
}

/** Throws NUMBER_OUT_OF_RANGE unless 0 ≤ value < 2^bits. */
export function checkUint(value: bigint, bits: number, name: string): bigint {
  if (value < 0n || value >> BigInt(bits) !== 0n) {
    throw new AttestreamError(
      'NUMBER_OUT_OF_RANGE',
      `${name} is ${value}; expected an unsigned integer of at most ${bits} bits.`,
    )
  }
  return value
}

/** Throws NUMBER_OUT_OF_RANGE unless 0 ≤ value < r. */
export function checkField(value: bigint, name: string): bigint {
  if (value < 0n || value >= FIELD_ORDER) {
    throw new AttestreamError('NUMBER_OUT_OF_RANGE', `${name} is ${value}; expected a field element in [0, r).`)
  }
  return value
}

/** `value` mod `modulus`, in [0, modulus). */
export function mod(value: bigint, modulus: bigint): bigint {
  const remainder = value % modulus
  return remainder < 0n ? remainder + modulus : remainder
}
