/**
 * The few encodings of the WebAssembly binary format that the sandbox writes: LEB128 integers, names, vectors and sections.
 */

type Bytes = Uint8Array | readonly number[]

export function concat(parts: readonly Bytes[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((size, part) => size + part.length, 0))
  let offset = 0
  for (const part of parts) {
    bytes.set(part, offset)
    offset += part.length
  }
  return bytes
}

/** LEB128 of an unsigned 32-bit integer. */
export function unsignedLeb(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value >>> 0
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80)
    rest >>>= 7
  }
  return Uint8Array.from([...bytes, rest])
}

/** LEB128 of a signed 64-bit integer. */
export function signedLeb(value: bigint): Uint8Array {
  const bytes: number[] = []
  let rest = value
  while (rest < -64n || rest > 63n) {
    bytes.push(Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  }
  return Uint8Array.from([...bytes, Number(rest & 0x7fn)])
}

/** Bytes preceded by their number. */
export function byteVector(bytes: Uint8Array): Uint8Array {
  return concat([unsignedLeb(bytes.length), bytes])
}

export function name(text: string): Uint8Array {
  return byteVector(new TextEncoder().encode(text))
}

/** Encoded entries preceded by their number. */
export function vector(entries: readonly Uint8Array[]): Uint8Array {
  return concat([unsignedLeb(entries.length), ...entries])
}

export function section(id: number, payload: Uint8Array): Uint8Array {
  return concat([[id], byteVector(payload)])
}
