// Looks for wires that a prover could change alone: each wire but the constant is raised by one, and every
// constraint it stands in is evaluated again.

import type { R1cs, R1csMatrix } from '../../../circuits/setup/r1cs.ts'
import { FIELD_ORDER } from '../../../engine/core/field.ts'

/** Names of the wires whose change breaks no constraint. `symbols` is circom's .sym file. */
export function openWires(r1cs: R1cs, witness: readonly bigint[], symbols: string): string[] {
  const matrices = [r1cs.a, r1cs.b, r1cs.c]
  const rows = Array.from({ length: r1cs.constraintCount }, (_, row) =>
    matrices.map((m) => rowValue(r1cs, m, row, witness)),
  )
  const broken = new Uint8Array(r1cs.wireCount)
  const changes = new Map<number, [bigint, bigint, bigint]>()
  rows.forEach((values, row) => {
    changes.clear()
    matrices.forEach((matrix, side) => {
      for (let t = matrix.rowStart[row]!; t < matrix.rowStart[row + 1]!; t++) {
        const change = changes.get(matrix.wire[t]!) ?? [0n, 0n, 0n]
        change[side]! += r1cs.coefficients[matrix.coefficient[t]!]!
        changes.set(matrix.wire[t]!, change)
      }
    })
    for (const [wire, [a, b, c]] of changes) {
      if (broken[wire]) continue
      const difference = (values[0]! + a) * (values[1]! + b) - (values[2]! + c)
      if (difference % FIELD_ORDER !== 0n) broken[wire] = 1
    }
  })
  const names = wireNames(symbols)
  return [...broken.keys()].slice(1).flatMap((wire) => (broken[wire] ? [] : [names.get(wire) ?? `wire ${wire}`]))
}

function rowValue(r1cs: R1cs, matrix: R1csMatrix, row: number, witness: readonly bigint[]): bigint {
  let sum = 0n
  for (let t = matrix.rowStart[row]!; t < matrix.rowStart[row + 1]!; t++) {
    sum += r1cs.coefficients[matrix.coefficient[t]!]! * witness[matrix.wire[t]!]!
  }
  return sum
}

/** The first name of each wire: lines are label, wire (−1 if removed), component, name. */
function wireNames(symbols: string): Map<number, string> {
  const names = new Map<number, string>()
  for (const line of symbols.split('\n')) {
    const [, wire, , name] = line.split(',')
    if (name !== undefined && !names.has(Number(wire))) names.set(Number(wire), name)
  }
  return names
}
