// The size of a circuit, from the head of its .zkey file: what a job needs is known before it starts.

import { openContainer } from './sections.ts'

export interface KeySize {
  readonly wires: number
  /** Public signals, without the constant wire. */
  readonly publics: number
  /** Rows of the evaluation domain: a power of two. */
  readonly rows: number
  /** Entries of the matrices A and B. */
  readonly terms: number
  readonly fileBytes: number
}

const HEADER = { id: 2, wires: 72, publics: 76, domain: 80, size: 660 } as const
const TERMS = { id: 4, bytes: 44 } as const

/** Throws an Error that says what is wrong with the file. */
export function readKeySize(path: string): KeySize {
  const file = openContainer(path, 'zkey', 1)
  try {
    const head = Buffer.alloc(HEADER.size)
    file.read(file.section(HEADER.id, 'header', HEADER.size), 0, head)
    const terms = Math.ceil((file.section(TERMS.id, 'terms').size - 4) / TERMS.bytes)
    const [wires, publics, rows] = [HEADER.wires, HEADER.publics, HEADER.domain].map((at) => head.readUInt32LE(at))
    return { wires: wires!, publics: publics!, rows: rows!, terms, fileBytes: file.sizeBytes }
  } finally {
    file.close()
  }
}
