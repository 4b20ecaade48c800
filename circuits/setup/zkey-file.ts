// Reading and writing snarkjs' .zkey container for Groth16 over BN254: numbered sections behind a short header.
//
//   1 protocol   2 constants and points α β γ δ   3 IC   4 A and B terms   5 A   6 B1   7 B2   8 C   9 H   10 contributions

import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import { AttestreamError } from '../../engine/core/errors.ts'

export const ZKEY_SECTION = {
  protocol: 1,
  header: 2,
  ic: 3,
  terms: 4,
  a: 5,
  b1: 6,
  b2: 7,
  c: 8,
  h: 9,
  contributions: 10,
} as const

export type ZkeySections = ReadonlyMap<number, readonly Uint8Array[]>

const MAGIC = 'zkey'
const VERSION = 1

/** Writes a new .zkey file; each section is the concatenation of its parts. */
export function writeZkey(path: string, sections: ZkeySections): void {
  const file = openSync(path, 'wx')
  try {
    const head = Buffer.alloc(12)
    head.write(MAGIC, 'latin1')
    head.writeUInt32LE(VERSION, 4)
    head.writeUInt32LE(sections.size, 8)
    writeAll(file, head)
    for (const [id, parts] of sections) {
      const sectionHead = Buffer.alloc(12)
      sectionHead.writeUInt32LE(id)
      sectionHead.writeBigUInt64LE(BigInt(parts.reduce((size, part) => size + part.length, 0)), 4)
      writeAll(file, sectionHead)
      for (const part of parts) writeAll(file, part)
    }
  } finally {
    closeSync(file)
  }
}

/** At most `limit` bytes from the start of one section; throws ZKEY_INVALID if the file has no such section. */
export function readZkeySection(path: string, id: number, limit: number): Buffer {
  const file = openSync(path, 'r')
  try {
    const head = readAt(file, 0, 12)
    if (head.toString('latin1', 0, 4) !== MAGIC) throw invalid(path, 'it does not start with "zkey"')
    let at = 12
    for (let left = head.readUInt32LE(8); left > 0; left--) {
      const sectionHead = readAt(file, at, 12)
      const size = Number(sectionHead.readBigUInt64LE(4))
      if (sectionHead.readUInt32LE(0) === id) return readAt(file, at + 12, Math.min(size, limit))
      at += 12 + size
    }
    throw invalid(path, `it has no section ${id}`)
  } finally {
    closeSync(file)
  }

  function readAt(handle: number, position: number, length: number): Buffer {
    const bytes = Buffer.alloc(length)
    if (readSync(handle, bytes, 0, length, position) !== length) throw invalid(path, 'it ends early')
    return bytes
  }
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at)
}

function invalid(path: string, why: string): AttestreamError {
  return new AttestreamError('ZKEY_INVALID', `${path} is not a usable proving key: ${why}. Build or download it again.`)
}
