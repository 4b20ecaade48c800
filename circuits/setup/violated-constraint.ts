// Evaluates a constraint system on a witness: how a forged witness is told from a good one, and which constraint it breaks.

import type { R1cs, R1csMatrix } from './r1cs.ts'
import { FIELD_ORDER } from '../../engine/core/field.ts'

/** Index of the first constraint that the witness (one value per wire, w[0] = 1) violates, or −1. */
export function violatedConstraint(r1cs: R1cs, witness: readonly bigint[]): number {
  for (let row = 0; row < r1cs.constraintCount; row++) {
    const [a, b, c] = [r1cs.a, r1cs.b, r1cs.c].map((matrix) => rowValue(r1cs, matrix, row, witness))
    if ((a! * b! - c!) % FIELD_ORDER !== 0n) return row
  }
  return -1
}

function rowValue(r1cs: R1cs, matrix: R1csMatrix, row: number, witness: readonly bigint[]): bigint {
  let sum = 0n
  for (let t = matrix.rowStart[row]!; t < matrix.rowStart[row + 1]!; t++) {
    sum += r1cs.coefficients[matrix.coefficient[t]!]! * witness[matrix.wire[t]!]!
  }
  return sum % FIELD_ORDER
}
