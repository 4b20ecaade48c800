// Reader of circom's .r1cs files (iden3 binary format, version 1, BN254). Terms are kept in flat arrays with the distinct
// coefficients in one table, so that a circuit of a million terms stays small.

import { readFileSync } from 'node:fs'
import { AttestreamError } from '../../engine/core/errors.ts'
import { FIELD_ORDER } from '../../engine/core/field.ts'

/** One of the three matrices: the terms of row c are those from rowStart[c] up to rowStart[c + 1]. */
export interface R1csMatrix {
  readonly rowStart: Uint32Array
  readonly wire: Uint32Array
  /** Index into `R1cs.coefficients`. */
  readonly coefficient: Uint32Array
}

/** Constraints (a·w)·(b·w) = c·w over wires w; w[0] = 1, then the public signals, then the rest. */
export interface R1cs {
  readonly wireCount: number
  /** Outputs and public inputs, without w[0]. */
  readonly publicCount: number
  readonly constraintCount: number
  readonly coefficients: readonly bigint[]
  readonly a: R1csMatrix
  readonly b: R1csMatrix
  readonly c: R1csMatrix
}

const HEADER_SECTION = 1
const CONSTRAINT_SECTION = 2
const TERM_BYTES = 36

/** Reads an .r1cs file; throws R1CS_INVALID if it is not one over BN254. */
export function readR1cs(path: string): R1cs {
  return parseR1cs(readFileSync(path))
}

/** Parses the bytes of an .r1cs file; throws R1CS_INVALID. */
export function parseR1cs(file: Buffer): R1cs {
  try {
    const sections = readSections(file)
    const header = readHeader(sections.get(HEADER_SECTION))
    return { ...header, ...readConstraints(sections.get(CONSTRAINT_SECTION), header.constraintCount) }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new AttestreamError('R1CS_INVALID', `The constraint file is unusable: ${why}. Compile the circuit again.`)
  }
}

function readSections(file: Buffer): Map<number, Buffer> {
  if (file.toString('latin1', 0, 4) !== 'r1cs' || file.readUInt32LE(4) !== 1)
    throw new Error('it is not r1cs version 1')
  const sections = new Map<number, Buffer>()
  let at = 12
  for (let left = file.readUInt32LE(8); left > 0; left--) {
    const size = Number(file.readBigUInt64LE(at + 4))
    if (at + 12 + size > file.length) throw new Error('a section passes the end of the file')
    sections.set(file.readUInt32LE(at), file.subarray(at + 12, at + 12 + size))
    at += 12 + size
  }
  return sections
}

function readHeader(header: Buffer | undefined) {
  if (!header || header.readUInt32LE(0) !== 32) throw new Error('its field is not 32 bytes wide')
  if (readInteger(header, 4) !== FIELD_ORDER) throw new Error('its field is not that of BN254')
  return {
    wireCount: header.readUInt32LE(36),
    publicCount: header.readUInt32LE(40) + header.readUInt32LE(44),
    constraintCount: header.readUInt32LE(60),
  }
}

function readConstraints(section: Buffer | undefined, constraintCount: number) {
  if (!section) throw new Error('it has no constraints section')
  const table = new CoefficientTable()
  const builders = [0, 1, 2].map(() => new MatrixBuilder(constraintCount, Math.floor(section.length / TERM_BYTES)))
  let at = 0
  for (let row = 0; row < constraintCount; row++) {
    for (const builder of builders) {
      const terms = section.readUInt32LE(at)
      at += 4
      for (let t = 0; t < terms; t++, at += TERM_BYTES) {
        builder.push(section.readUInt32LE(at), table.index(section, at + 4))
      }
      builder.endRow(row)
    }
  }
  const [a, b, c] = builders.map((builder) => builder.build())
  return { coefficients: table.values, a: a!, b: b!, c: c! }
}

/** Distinct coefficients; a circuit of a hundred thousand constraints has a few thousand of them. */
class CoefficientTable {
  readonly values: bigint[] = []
  private readonly indexOf = new Map<string, number>()

  index(bytes: Buffer, at: number): number {
    const key = bytes.toString('latin1', at, at + 32)
    const known = this.indexOf.get(key)
    if (known !== undefined) return known
    this.indexOf.set(key, this.values.length)
    return this.values.push(readInteger(bytes, at)) - 1
  }
}

class MatrixBuilder {
  private readonly rowStart: Uint32Array
  private readonly wire: Uint32Array
  private readonly coefficient: Uint32Array
  private size = 0

  constructor(rows: number, maxTerms: number) {
    this.rowStart = new Uint32Array(rows + 1)
    this.wire = new Uint32Array(maxTerms)
    this.coefficient = new Uint32Array(maxTerms)
  }

  push(wire: number, coefficient: number): void {
    this.wire[this.size] = wire
    this.coefficient[this.size++] = coefficient
  }

  endRow(row: number): void {
    this.rowStart[row + 1] = this.size
  }

  build(): R1csMatrix {
    return {
      rowStart: this.rowStart,
      wire: this.wire.slice(0, this.size),
      coefficient: this.coefficient.slice(0, this.size),
    }
  }
}

function readInteger(bytes: Buffer, at: number): bigint {
  return (
    bytes.readBigUInt64LE(at) |
    (bytes.readBigUInt64LE(at + 8) << 64n) |
    (bytes.readBigUInt64LE(at + 16) << 128n) |
    (bytes.readBigUInt64LE(at + 24) << 192n)
  )
}
