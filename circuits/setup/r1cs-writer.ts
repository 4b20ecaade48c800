// Writer of .r1cs files (iden3 binary format, version 1, BN254), as r1cs.ts and snarkjs read them.

import { FIELD_ORDER } from '../../engine/core/field.ts'

/** Coefficients in [1, r) by wire. */
export type Combination = ReadonlyMap<number, bigint>

/** a·b = c. */
export type Row = readonly [a: Combination, b: Combination, c: Combination]

/** Wires: 1, outputs, public inputs, private ones. */
export interface R1csSizes {
  readonly wireCount: number
  readonly outputCount: number
  readonly publicInputCount: number
}

const VERSION = 1
const FIELD_BYTES = 32
const SECTION = { header: 1, constraints: 2, labels: 3 } as const

/** Bytes of an .r1cs file without private inputs, whose wires are their own labels. Terms are sorted by wire. */
export function encodeR1cs(rows: readonly Row[], sizes: R1csSizes): Uint8Array {
  return Buffer.concat([
    Buffer.from('r1cs'),
    ...[VERSION, Object.keys(SECTION).length].map(uint32),
    ...section(SECTION.header, [header(rows.length, sizes)]),
    ...section(
      SECTION.constraints,
      rows.flatMap((row) => row.map(encodeCombination)),
    ),
    ...section(
      SECTION.labels,
      Array.from({ length: sizes.wireCount }, (_, wire) => uint64(wire)),
    ),
  ])
}

function header(constraintCount: number, { wireCount, outputCount, publicInputCount }: R1csSizes): Buffer {
  const privateInputCount = 0
  return Buffer.concat([
    uint32(FIELD_BYTES),
    fieldBytes(FIELD_ORDER),
    ...[wireCount, outputCount, publicInputCount, privateInputCount].map(uint32),
    uint64(wireCount),
    uint32(constraintCount),
  ])
}

function section(type: number, parts: readonly Buffer[]): Buffer[] {
  return [uint32(type), uint64(parts.reduce((total, { length }) => total + length, 0)), ...parts]
}

function encodeCombination(terms: Combination): Buffer {
  const sorted = [...terms].sort(([a], [b]) => a - b)
  return Buffer.concat([uint32(sorted.length), ...sorted.flatMap(([wire, value]) => [uint32(wire), fieldBytes(value)])])
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}

function fieldBytes(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(2 * FIELD_BYTES, '0'), 'hex').reverse()
}
