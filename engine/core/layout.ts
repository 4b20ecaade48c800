// Records (Reading, State, Config) and their layouts: declared field widths, packing into field words and into
// bytes, and the layoutId under which a frame is signed. A record in raw form is one unsigned bigint per field in ABI
// order: signed values are two's complement at the declared width.

import { keccak_256 } from '@noble/hashes/sha3.js'
import { bytesToInteger } from './codec.ts'
import { AttestreamError } from './errors.ts'

export type FieldType = 'bool' | 'u8' | 'i8' | 'u16' | 'i16' | 'u32' | 'i32' | 'u64' | 'i64'

/** One field of a record: `bits` is its declared width, `offset` its byte offset in linear memory. */
export interface Field {
  readonly name: string
  readonly type: FieldType
  readonly bits: number
  readonly offset: number
}

export type Layout = readonly Field[]

/** Raw field values in ABI order, each in [0, 2^bits). */
export type RawRecord = readonly bigint[]

/** Field values by name: numbers or bigint, signed where the type is signed. */
export type NamedRecord = Readonly<Record<string, bigint | number | boolean>>

/** Largest packed word, in bits: below the 253 that F holds for sure, and a whole number of bytes. */
export const WORD_BITS = 248

/** Storage width in bits of a field type. */
export function storageBits(type: FieldType): number {
  return type === 'bool' ? 8 : Number(type.slice(1))
}

export function isSigned(type: FieldType): boolean {
  return type.startsWith('i')
}

/** The fields of each packed word, in order. A field never straddles two words. */
export function wordFields(layout: Layout): Field[][] {
  const words: Field[][] = []
  let used = WORD_BITS
  for (const field of layout) {
    if (used + field.bits > WORD_BITS) {
      words.push([])
      used = 0
    }
    words.at(-1)!.push(field)
    used += field.bits
  }
  return words
}

/** Number of packed words of a record, W. */
export function wordCount(layout: Layout): number {
  return wordFields(layout).length
}

/** Packs a raw record into its words, first field most significant. */
export function packWords(layout: Layout, record: RawRecord): bigint[] {
  let index = 0
  return wordFields(layout).map((fields) =>
    fields.reduce((word, field) => (word << BigInt(field.bits)) | record[index++]!, 0n),
  )
}

/** Bytes of a packed reading: its fields as one bit string, zero-padded to whole bytes. */
export function recordBytes(layout: Layout): number {
  return Math.ceil(totalBits(layout) / 8)
}

/** The bit string of a raw record as an integer, padding included: what `recordBytes` bytes carry. */
export function packBits(layout: Layout, record: RawRecord): bigint {
  const bits = layout.reduce((value, field, i) => (value << BigInt(field.bits)) | record[i]!, 0n)
  return bits << BigInt(paddingBits(layout))
}

/** Inverse of `packBits`; throws FRAME_NOT_CANONICAL if padding bits are set. */
export function unpackBits(layout: Layout, packed: bigint): bigint[] {
  const padding = BigInt(paddingBits(layout))
  let bits = packed >> padding
  if (bits << padding !== packed) {
    throw new AttestreamError('FRAME_NOT_CANONICAL', 'The padding bits after the last field of a reading must be zero.')
  }
  const record: bigint[] = []
  for (const field of [...layout].reverse()) {
    record.unshift(BigInt.asUintN(field.bits, bits))
    bits >>= BigInt(field.bits)
  }
  return record
}

/** Raw record of named values; throws RECORD_FIELD_* for a missing, unknown or out-of-range field. */
export function encodeRecord(layout: Layout, values: NamedRecord): bigint[] {
  for (const name of Object.keys(values)) {
    if (!layout.some((field) => field.name === name)) {
      const known = layout.map((field) => field.name).join(', ')
      throw new AttestreamError(
        'RECORD_FIELD_UNKNOWN',
        `Field '${name}' is not declared by the applet; its fields are: ${known}.`,
      )
    }
  }
  return layout.map((field) => encodeField(field, Object.hasOwn(values, field.name) ? values[field.name] : undefined))
}

/** Named values of a raw record; signed types come back signed. */
export function decodeRecord(layout: Layout, record: RawRecord): Record<string, bigint> {
  return Object.fromEntries(
    layout.map((field, i) => [field.name, isSigned(field.type) ? BigInt.asIntN(field.bits, record[i]!) : record[i]!]),
  )
}

/** Throws RECORD_FIELD_* unless there is one raw value for each field and it fits the declared width. */
export function checkRecord(layout: Layout, record: RawRecord): void {
  if (record.length > layout.length) throw tooManyValues(layout, record)
  layout.forEach((field, i) => {
    const raw = record[i]
    if (raw === undefined) throw missing(field)
    if (raw < 0n || raw >> BigInt(field.bits) !== 0n) throw outOfRange(field, raw)
  })
}

/** 31-byte identifier of a reading layout at frame size R: a frame is never read under another layout. */
export function layoutId(reading: Layout, frameSize: number): bigint {
  const fields = reading.map((field) => `${field.name}:${field.type}:${field.bits}`).join(',')
  const text = `attestream.layout.v1:${fields}:R=${frameSize}`
  return bytesToInteger(keccak_256(new TextEncoder().encode(text))) >> 8n
}

function encodeField(field: Field, value: bigint | number | boolean | undefined): bigint {
  if (value === undefined) throw missing(field)
  if (!isInteger(value)) throw outOfRange(field, value)
  const integer = BigInt(value)
  const width = BigInt(field.bits)
  const low = isSigned(field.type) ? -(1n << (width - 1n)) : 0n
  const high = isSigned(field.type) ? 1n << (width - 1n) : 1n << width
  if (integer < low || integer >= high) throw outOfRange(field, integer)
  return BigInt.asUintN(field.bits, integer)
}

/** Values come from untyped callers too: what is no integer is refused, never converted. */
function isInteger(value: unknown): value is bigint | number | boolean {
  return typeof value === 'bigint' || typeof value === 'boolean' || Number.isSafeInteger(value)
}

function totalBits(layout: Layout): number {
  return layout.reduce((bits, field) => bits + field.bits, 0)
}

function paddingBits(layout: Layout): number {
  return recordBytes(layout) * 8 - totalBits(layout)
}

function missing(field: Field): AttestreamError {
  return new AttestreamError(
    'RECORD_FIELD_MISSING',
    `Field '${field.name}' (${field.type}, ${field.bits} bits) is missing.`,
  )
}

/** Objects are not turned into text: their own toString would run. */
function shown(value: unknown): string {
  return typeof value === 'object' ? 'no number' : String(value).slice(0, 40)
}

function tooManyValues(layout: Layout, record: RawRecord): AttestreamError {
  return new AttestreamError(
    'RECORD_FIELD_UNKNOWN',
    `The record has ${record.length} values; the applet declares ${layout.length} fields.`,
  )
}

function outOfRange(field: Field, value: unknown): AttestreamError {
  const kind = isSigned(field.type) ? 'signed' : 'unsigned'
  return new AttestreamError(
    'RECORD_FIELD_OUT_OF_RANGE',
    `Field '${field.name}' is ${shown(value)}; the applet declares ${kind} ${field.bits} bits.`,
    { field: field.name, bits: field.bits },
  )
}
