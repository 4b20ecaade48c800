// Generators for property tests: layouts with any fields, and records that fit them.

import fc from 'fast-check'
import { isSigned, storageBits, type Field, type FieldType, type Layout } from '../../engine/core/layout.ts'

const types: readonly FieldType[] = ['bool', 'u8', 'i8', 'u16', 'i16', 'u32', 'i32', 'u64', 'i64']

const widths = fc.constantFrom(...types).chain((type) => {
  const most = type === 'bool' ? 1 : storageBits(type)
  return fc.record({ type: fc.constant(type), bits: fc.integer({ min: isSigned(type) ? 2 : 1, max: most }) })
})

/** Layouts of 1 to 12 fields of any type and width; offsets are not those of a compiler, the core does not look at them. */
export const layouts: fc.Arbitrary<Layout> = fc
  .array(widths, { minLength: 1, maxLength: 12 })
  .map((fields) => fields.map(({ type, bits }, i): Field => ({ name: `f${i}`, type, bits, offset: 8 * i })))

/** Raw records of a layout. */
export function rawRecord(layout: Layout): fc.Arbitrary<bigint[]> {
  return fc.tuple(...layout.map((field) => fc.bigInt({ min: 0n, max: (1n << BigInt(field.bits)) - 1n })))
}
