// How much memory a circuit takes in a thread of our own prover, at most, from the size of its key alone. It follows what resident-key.ts
// allocates, for a key none of whose points is at infinity and none of whose coefficients comes twice.

import type { KeySize } from '../key-size.ts'
import { GROUPS, SCALAR_BYTES } from './kernel.ts'
import { ELEMENT_BYTES } from './unrolled-field.ts'

const INDEX_BYTES = 4
const TERM_BYTES = 8
/** Pieces of the file, the kernel's tables, and what little else there is. */
const REST_BYTES = 4 * 2 ** 20
/** Of an entry in the table that finds equal coefficients; it has at most four for each term. */
const SLOT_BYTES = 4
/** Working memory of a multi-exponentiation for each point, beside 1 MB; a test holds it against the kernel. */
export const SUM_BYTES = { g1: 160, g2: 280 } as const
/** Of the evaluator of witnesses, which has a memory of its own, and of the .wtns file: for each wire, and each term of the steps. */
const WITNESS_BYTES = { wire: 200, term: 16 } as const

export function keyMemoryBytes({ wires, rows, terms }: KeySize): number {
  const point = (group: 'g1' | 'g2') => 2 * GROUPS[group].coordinateBytes + INDEX_BYTES
  const bases = wires * (2 * point('g1') + point('g2')) + rows * point('g1')
  const factors = rows * ELEMENT_BYTES
  const matrices = 2 * rows * INDEX_BYTES + terms * (TERM_BYTES + ELEMENT_BYTES)
  const slots = 4 * terms * SLOT_BYTES
  const scratch = Math.max((3 * rows + wires) * ELEMENT_BYTES, wires * SUM_BYTES.g2, rows * SUM_BYTES.g1)
  const workspace = (wires + rows) * SCALAR_BYTES + scratch
  const witness = wires * WITNESS_BYTES.wire + terms * WITNESS_BYTES.term
  return bases + factors + matrices + Math.max(slots, workspace) + REST_BYTES + witness
}
