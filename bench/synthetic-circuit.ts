// A circuit of any size written directly as constraints, with a witness of the make-up that measurements on signature circuits showed:
// one wire in ten is 0, one in ten 1, the others are of full width; half of the wires are in no B; some five coefficients a constraint.

import { writeFileSync } from 'node:fs'
import { encodeR1cs, type Row } from '../circuits/setup/r1cs-writer.ts'
import { FIELD_ORDER } from '../engine/core/field.ts'

const PUBLIC_INPUTS = 8
const WTNS_VERSION = 2
const VALUE_BYTES = 32
const MULTIPLIER = 0x2545f4914f6cdd1d9e3779b97f4a7c15bf58476d1ce4e5b994d049bb133111ebn

export interface SyntheticCircuit {
  readonly r1cs: Uint8Array
  readonly wtns: Uint8Array
}

/** The same circuit and witness for the same number of constraints. */
export function syntheticCircuit(constraints: number): SyntheticCircuit {
  const values = [1n, ...Array.from({ length: PUBLIC_INPUTS }, (_, k) => spread(k))]
  const rows: Row[] = []
  for (let k = 0; k < constraints; k++) {
    const wire = values.length
    if (k % 5 === 0) {
      values.push(spread(k) & 1n)
      rows.push([new Map([[wire, 1n]]), new Map([[wire, 1n], [0, FIELD_ORDER - 1n]]), new Map()]) // prettier-ignore
      continue
    }
    const [x, y, z] = [1, 3, 7].map((step) => wire - 1 - ((step * k) % Math.min(wire - 1, 1000))) as [
      number,
      number,
      number,
    ]
    const factors = [new Map([[x, 1n], [y, spread(k)]]), new Map([[z & ~1, 1n], [0, BigInt(k)]])] as const // prettier-ignore
    rows.push([...factors, new Map([[wire, 1n]])])
    values.push((sum(factors[0], values) * sum(factors[1], values)) % FIELD_ORDER)
  }
  const sizes = { wireCount: values.length, outputCount: 0, publicInputCount: PUBLIC_INPUTS }
  return { r1cs: encodeR1cs(rows, sizes), wtns: encodeWitness(values) }
}

/** Writes both files. */
export function writeSyntheticCircuit(constraints: number, r1csPath: string, wtnsPath: string): void {
  const { r1cs, wtns } = syntheticCircuit(constraints)
  writeFileSync(r1csPath, r1cs)
  writeFileSync(wtnsPath, wtns)
}

function sum(combination: ReadonlyMap<number, bigint>, values: readonly bigint[]): bigint {
  return [...combination].reduce(
    (total, [wire, coefficient]) => (total + values[wire]! * coefficient) % FIELD_ORDER,
    0n,
  )
}

/** Different numbers of full width without randomness. */
function spread(k: number): bigint {
  const mixed = (BigInt(k + 1) * MULTIPLIER) % FIELD_ORDER
  return (mixed * mixed) % FIELD_ORDER
}

function encodeWitness(values: readonly bigint[]): Uint8Array {
  const header = Buffer.alloc(8 + VALUE_BYTES)
  header.writeUInt32LE(VALUE_BYTES, 0)
  scalarBytes(FIELD_ORDER).copy(header, 4)
  header.writeUInt32LE(values.length, 4 + VALUE_BYTES)
  const start = Buffer.alloc(12)
  start.write('wtns')
  start.writeUInt32LE(WTNS_VERSION, 4)
  start.writeUInt32LE(2, 8)
  return Buffer.concat([start, ...section(1, [header]), ...section(2, values.map(scalarBytes))])
}

function section(id: number, parts: readonly Buffer[]): Buffer[] {
  const head = Buffer.alloc(12)
  head.writeUInt32LE(id, 0)
  head.writeBigUInt64LE(BigInt(parts.reduce((total, { length }) => total + length, 0)), 4)
  return [head, ...parts]
}

function scalarBytes(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(2 * VALUE_BYTES, '0'), 'hex').reverse()
}
