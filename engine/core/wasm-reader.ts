/** A bounded cursor over the bytes of a WebAssembly module; it turns whatever is malformed into one kind of error. */
import { AttestreamError } from './errors.ts'

export type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128' | 'funcref' | 'externref'

export const VALUE_TYPES: ReadonlyMap<number, ValueType> = new Map<number, ValueType>([
  [0x7f, 'i32'],
  [0x7e, 'i64'],
  [0x7d, 'f32'],
  [0x7c, 'f64'],
  [0x7b, 'v128'],
  [0x70, 'funcref'],
  [0x6f, 'externref'],
])

export function malformed(offset: number, what: string): AttestreamError {
  return new AttestreamError('WASM_MALFORMED', `Malformed WebAssembly at byte 0x${offset.toString(16)}: ${what}.`, {
    offset,
  })
}

/** A cursor over `bytes[offset, end)`; every read checks the bound first. */
export class Reader {
  readonly bytes: Uint8Array
  offset: number
  readonly end: number

  constructor(bytes: Uint8Array, offset: number, end: number) {
    this.bytes = bytes
    this.offset = offset
    this.end = end
  }

  byte(): number {
    const value = this.offset < this.end ? this.bytes[this.offset] : undefined
    if (value === undefined) throw malformed(this.offset, 'unexpected end')
    this.offset++
    return value
  }

  u32(): number {
    const offset = this.offset
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte()
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) {
        if (value > 0xffffffff) break
        return value
      }
    }
    throw malformed(offset, 'an integer does not fit 32 bits')
  }

  /** Signed LEB128 of at most `width` bits; unused bits of the last byte must repeat the sign. */
  signed(width: number): bigint {
    const offset = this.offset
    let value = 0n
    for (let shift = 0; shift < width; shift += 7) {
      const byte = this.byte()
      value |= BigInt(byte & 0x7f) << BigInt(shift)
      if (byte >= 0x80) continue
      const signed = BigInt.asIntN(shift + 7, value)
      if (signed !== BigInt.asIntN(width, signed)) break
      return signed
    }
    throw malformed(offset, `an integer does not fit ${width} bits`)
  }

  littleEndian(size: number): bigint {
    let value = 0n
    for (let k = 0; k < size; k++) value |= BigInt(this.byte()) << BigInt(8 * k)
    return value
  }

  valueType(): ValueType {
    const offset = this.offset
    const type = VALUE_TYPES.get(this.byte())
    if (type === undefined) throw malformed(offset, 'unknown value type')
    return type
  }

  name(): string {
    const offset = this.offset
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(this.sub(this.u32(), true).rest())
    } catch (error) {
      if (error instanceof AttestreamError) throw error
      throw malformed(offset, 'a name is not UTF-8')
    }
  }

  /** Calls `read` as many times as the leading count says; each entry takes at least a byte, so the count is bounded first. */
  vector(read: () => unknown): void {
    const offset = this.offset
    const count = this.u32()
    if (count > this.end - this.offset) throw malformed(offset, `${count} entries do not fit the section`)
    for (let k = 0; k < count; k++) read()
  }

  /** A reader of the next `size` bytes; moves past them when `advance`. */
  sub(size: number, advance = false): Reader {
    if (size > this.end - this.offset)
      throw malformed(this.offset, `${size} bytes announced, ${this.end - this.offset} left`)
    const part = new Reader(this.bytes, this.offset, this.offset + size)
    if (advance) this.offset += size
    return part
  }

  /** The remaining bytes, not copied. */
  rest(): Uint8Array {
    const bytes = this.bytes.subarray(this.offset, this.end)
    this.offset = this.end
    return bytes
  }
}
