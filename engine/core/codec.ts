// Bytes ⇄ integers and hex, and a small reader and writer for binary layouts. All integers are big-endian.

import { AttestreamError } from './errors.ts'

export type Hex = `0x${string}`

/** Lower-case `0x…` of the bytes. */
export function bytesToHex(bytes: Uint8Array): Hex {
  let text = ''
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0')
  return `0x${text}`
}

/** Bytes of `0x…` hexadecimal; throws HEX_INVALID unless well-formed and, when `length` is given, of that many bytes. */
export function hexToBytes(hex: string, length?: number): Uint8Array {
  if (!/^0x([0-9a-fA-F]{2})*$/.test(hex) || (length !== undefined && hex.length !== 2 + 2 * length)) {
    const expected = length === undefined ? 'an even number of hexadecimal digits' : `${length} bytes`
    throw new AttestreamError('HEX_INVALID', `Got '${abbreviate(hex)}'; expected 0x followed by ${expected}.`)
  }
  const bytes = new Uint8Array((hex.length - 2) / 2)
  for (let i = 0; i < bytes.length; i++) bytes[i] = parseInt(hex.slice(2 + 2 * i, 4 + 2 * i), 16)
  return bytes
}

/** Unsigned big-endian integer of the bytes. */
export function bytesToInteger(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(bytesToHex(bytes))
}

/** `length` big-endian bytes of a non-negative integer below 2^(8·length). */
export function integerToBytes(value: bigint, length: number): Uint8Array {
  const hex = value === 0n ? '' : value.toString(16) // a record without fields: 0 in no bytes
  if (value < 0n || hex.length > 2 * length) {
    throw new AttestreamError('NUMBER_OUT_OF_RANGE', `${value} does not fit ${length} unsigned bytes.`)
  }
  return hexToBytes(`0x${hex.padStart(2 * length, '0')}`)
}

/** `0x…` of a non-negative integer in exactly `length` bytes. */
export function integerToHex(value: bigint, length: number): Hex {
  return bytesToHex(integerToBytes(value, length))
}

export function concatBytes(...parts: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((size, part) => size + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

/** Reads a binary layout front to back; `onShort` makes the error for missing bytes. */
export class ByteReader {
  readonly bytes: Uint8Array
  private at = 0
  private readonly onShort: (needed: number, left: number) => Error

  constructor(bytes: Uint8Array, onShort: (needed: number, left: number) => Error) {
    this.bytes = bytes
    this.onShort = onShort
  }

  get remaining(): number {
    return this.bytes.length - this.at
  }

  take(length: number): Uint8Array {
    if (length > this.remaining) throw this.onShort(length, this.remaining)
    this.at += length
    return this.bytes.subarray(this.at - length, this.at)
  }

  integer(length: number): bigint {
    return bytesToInteger(this.take(length))
  }

  number(length: 1 | 2 | 4): number {
    return Number(this.integer(length))
  }
}

function abbreviate(text: string): string {
  return text.length > 40 ? `${text.slice(0, 37)}…` : text
}
