// Reader of the container that .zkey and .wtns files share (iden3 binary format): a magic word, a version, and numbered sections.
// Sections are found first and read later, piece by piece, straight to where they are used.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

export interface Section {
  readonly offset: number
  readonly size: number
}

/** A container whose sections all lie inside it. */
export interface Container {
  readonly sizeBytes: number
  /** Throws if there is no such section, or if it has not the expected size in bytes. */
  section(id: number, name: string, expectedSize?: number): Section
  /** Fills `into` from a section's byte `from` on. */
  read(section: Section, from: number, into: Uint8Array): void
  close(): void
}

const HEAD_BYTES = 12

type ReadAt = (position: number, into: Uint8Array) => number

/** A container in a file. Throws an Error that says what is wrong with it. */
export function openContainer(path: string, magic: string, version: number): Container {
  const file = openSync(path, 'r')
  const close = () => closeSync(file)
  try {
    const readAt: ReadAt = (position, into) => readSync(file, into, 0, into.length, position)
    return parseContainer(readAt, fstatSync(file).size, magic, version, close)
  } catch (error) {
    close()
    throw error
  }
}

/** A container in memory. */
export function containerOf(bytes: Uint8Array, magic: string, version: number): Container {
  const readAt: ReadAt = (position, into) => {
    const part = bytes.subarray(position, position + into.length)
    into.set(part)
    return part.length
  }
  return parseContainer(readAt, bytes.length, magic, version, () => {})
}

function parseContainer(readAt: ReadAt, size: number, magic: string, version: number, close: () => void): Container {
  const head = exactly(0, HEAD_BYTES)
  if (head.toString('latin1', 0, 4) !== magic) throw new Error(`it does not start with "${magic}"`)
  if (head.readUInt32LE(4) > version) throw new Error(`it has version ${head.readUInt32LE(4)}, not up to ${version}`)
  const sections = new Map<number, Section>()
  let at = HEAD_BYTES
  for (let left = head.readUInt32LE(8); left > 0; left--) {
    const sectionHead = exactly(at, HEAD_BYTES)
    const id = sectionHead.readUInt32LE(0)
    const length = Number(sectionHead.readBigUInt64LE(4))
    at += HEAD_BYTES
    if (at + length > size) throw new Error(`it ends early: section ${id} needs ${length} bytes, ${size - at} are left`)
    if (sections.has(id)) throw new Error(`it has section ${id} twice`)
    sections.set(id, { offset: at, size: length })
    at += length
  }
  return { sizeBytes: size, section, read, close }

  function section(id: number, name: string, expectedSize?: number): Section {
    const found = sections.get(id)
    if (!found) throw new Error(`it has no section ${id} (${name})`)
    if (expectedSize !== undefined && found.size !== expectedSize) {
      throw new Error(`section ${id} (${name}) has ${found.size} bytes; ${expectedSize} are expected`)
    }
    return found
  }

  function read({ offset, size: length }: Section, from: number, into: Uint8Array): void {
    if (from + into.length > length || readAt(offset + from, into) !== into.length) throw new Error('it ends early')
  }

  function exactly(position: number, length: number): Buffer {
    const bytes = Buffer.alloc(length)
    if (readAt(position, bytes) !== length) throw new Error('it ends early')
    return bytes
  }
}
