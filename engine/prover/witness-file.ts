// The values in a .wtns file: what provers of our own read of it.

import { FIELD_ORDER } from '../core/field.ts'
import { containerOf } from './sections.ts'

const WTNS = { header: 1, values: 2 } as const
const HEADER_BYTES = 40
export const SCALAR_BYTES = 32

/**
 * The values of a witness, 32 bytes each, little-endian, as a view of `wtns`. Throws an Error if the bytes are no witness over BN254;
 * whether the values are below the order is not looked at.
 */
export function readWitnessValues(wtns: Uint8Array): Uint8Array {
  const file = containerOf(wtns, 'wtns', 2)
  const head = Buffer.alloc(HEADER_BYTES)
  file.read(file.section(WTNS.header, 'header', HEADER_BYTES), 0, head)
  const order = BigInt(`0x${Buffer.from(head.subarray(4, 36)).reverse().toString('hex')}`)
  if (head.readUInt32LE(0) !== SCALAR_BYTES || order !== FIELD_ORDER) throw new Error('the witness is not over BN254')
  const { offset, size } = file.section(WTNS.values, 'values', head.readUInt32LE(36) * SCALAR_BYTES)
  return wtns.subarray(offset, offset + size)
}

/** The first values after the constant 1, in decimal. */
export function publicSignals(values: Uint8Array, count: number): string[] {
  return Array.from({ length: count }, (_, k) => String(readScalar(values, k + 1)))
}

/** Number `k` of scalars of 32 bytes, little-endian. */
export function readScalar(values: Uint8Array, k: number): bigint {
  const bytes = Buffer.from(values.subarray(k * SCALAR_BYTES, (k + 1) * SCALAR_BYTES))
  return BigInt(`0x${bytes.reverse().toString('hex')}`)
}

/** 32 bytes, little-endian. */
export function scalarBytes(value: bigint): Uint8Array {
  return Buffer.from(value.toString(16).padStart(2 * SCALAR_BYTES, '0'), 'hex').reverse()
}
