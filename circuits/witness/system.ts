// Rows of a constraint system as a planner sees them: which wires are known, how many of a row are not, and rows that it adds.

import { FIELD_ORDER } from '../../engine/core/field.ts'
import type { R1cs, R1csMatrix } from '../setup/r1cs.ts'
import { inverse } from './digits.ts'
import type { Combination, ExtraRow } from './poseidon-rows.ts'

export type RowSide = 'a' | 'b' | 'c'

const SIDES = ['a', 'b', 'c'] as const
const SIDE_OF_ROW = { a: 'left', b: 'right', c: 'out' } as const

export class System {
  readonly added: ExtraRow[] = []
  wireCount: number
  rowCount: number
  private readonly r1cs: R1cs
  private readonly known: boolean[]
  private readonly bits: boolean[]
  /** Distinct unknown wires of each row. */
  private readonly unknowns: number[]
  private readonly rowsStart: Uint32Array
  private readonly rowsList: Uint32Array
  private readonly addedRowsOf = new Map<number, number[]>()

  constructor(r1cs: R1cs) {
    this.r1cs = r1cs
    this.wireCount = r1cs.wireCount
    this.rowCount = r1cs.constraintCount
    this.known = new Array<boolean>(r1cs.wireCount).fill(false)
    this.bits = new Array<boolean>(r1cs.wireCount).fill(false)
    this.unknowns = new Array<number>(r1cs.constraintCount).fill(0)
    this.rowsStart = new Uint32Array(r1cs.wireCount + 1)
    this.eachOwn((wire) => this.rowsStart[wire + 1]!++)
    for (let wire = 0; wire < r1cs.wireCount; wire++) this.rowsStart[wire + 1]! += this.rowsStart[wire]!
    this.rowsList = new Uint32Array(this.rowsStart[r1cs.wireCount]!)
    const next = this.rowsStart.slice()
    this.eachOwn((wire, row) => {
      this.rowsList[next[wire]!++] = row
      this.unknowns[row]!++
    })
  }

  isKnown(wire: number): boolean {
    return this.known[wire]!
  }

  isBit(wire: number): boolean {
    return this.bits[wire]!
  }

  setBit(wire: number): void {
    this.bits[wire] = true
  }

  unknownCount(row: number): number {
    return this.unknowns[row]!
  }

  /** Marks a wire as known; returns its rows. */
  learn(wire: number): readonly number[] {
    if (this.known[wire]) return []
    this.known[wire] = true
    const rows = this.rowsOf(wire)
    for (const row of rows) this.unknowns[row]!--
    return rows
  }

  rowsOf(wire: number): number[] {
    const own = wire < this.r1cs.wireCount ? this.rowsList.subarray(this.rowsStart[wire], this.rowsStart[wire + 1]) : []
    return [...own, ...(this.addedRowsOf.get(wire) ?? [])]
  }

  addWire(): number {
    this.known.push(false)
    this.bits.push(false)
    return this.wireCount++
  }

  addRow(row: ExtraRow): number {
    const wires = new Set(SIDES.flatMap((side) => [...row[SIDE_OF_ROW[side]].keys()]))
    for (const wire of wires) {
      const rows = this.addedRowsOf.get(wire)
      if (rows) rows.push(this.rowCount)
      else this.addedRowsOf.set(wire, [this.rowCount])
    }
    this.added.push(row)
    this.unknowns.push([...wires].filter((wire) => !this.known[wire]).length)
    return this.rowCount++
  }

  row(row: number): ExtraRow {
    return { left: this.terms('a', row), right: this.terms('b', row), out: this.terms('c', row) }
  }

  terms(side: RowSide, row: number): Combination {
    const own = this.r1cs.constraintCount
    if (row >= own) return this.added[row - own]![SIDE_OF_ROW[side]]
    const { rowStart, wire, coefficient } = this.matrix(side)
    const terms = new Map<number, bigint>()
    for (let t = rowStart[row]!; t < rowStart[row + 1]!; t++) {
      terms.set(wire[t]!, this.r1cs.coefficients[coefficient[t]!]!)
    }
    return terms
  }

  isEmpty(side: RowSide, row: number): boolean {
    const own = this.r1cs.constraintCount
    if (row >= own) return this.added[row - own]![SIDE_OF_ROW[side]].size === 0
    const { rowStart } = this.matrix(side)
    return rowStart[row] === rowStart[row + 1]
  }

  /** Unknown wires of a combination with their coefficients. */
  unknownTerms(side: RowSide, row: number): { wire: number; weight: bigint }[] {
    const own = this.r1cs.constraintCount
    const found: { wire: number; weight: bigint }[] = []
    if (row >= own) {
      for (const [wire, weight] of this.terms(side, row)) if (!this.known[wire]) found.push({ wire, weight })
      return found
    }
    const { rowStart, wire, coefficient } = this.matrix(side)
    for (let t = rowStart[row]!; t < rowStart[row + 1]!; t++) {
      if (!this.known[wire[t]!]) found.push({ wire: wire[t]!, weight: this.r1cs.coefficients[coefficient[t]!]! })
    }
    return found
  }

  private matrix(side: RowSide): R1csMatrix {
    return this.r1cs[side]
  }

  private eachOwn(visit: (wire: number, row: number) => void): void {
    const seen = new Int32Array(this.r1cs.wireCount).fill(-1)
    for (let row = 0; row < this.r1cs.constraintCount; row++) {
      for (const side of SIDES) {
        const { rowStart, wire } = this.matrix(side)
        for (let t = rowStart[row]!; t < rowStart[row + 1]!; t++) {
          if (seen[wire[t]!] === row) continue
          seen[wire[t]!] = row
          visit(wire[t]!, row)
        }
      }
    }
  }
}

/** λ with y = λ·x but for constants; undefined if there is none. */
export function ratioOf(x: Combination, y: Combination): bigint | undefined {
  let ratio: bigint | undefined
  for (const [wire, coefficient] of x) {
    if (wire === 0) continue
    const other = y.get(wire) ?? 0n
    ratio ??= (other * inverse(coefficient)) % FIELD_ORDER
    if ((coefficient * ratio) % FIELD_ORDER !== other) return undefined
  }
  for (const wire of y.keys()) if (wire !== 0 && !x.has(wire)) return undefined
  return ratio
}

/** Whether y is a multiple of x, constants included. */
export function isMultiple(x: Combination, y: Combination): boolean {
  if (x.size !== y.size || x.size === 0) return false
  const ratio = ratioOf(x, y)
  return ratio !== undefined && ((x.get(0) ?? 0n) * ratio - (y.get(0) ?? 0n)) % FIELD_ORDER === 0n
}

/** The combination with `wire` replaced. */
export function replaced(combination: Combination, wire: number, by: Combination): Combination {
  const coefficient = combination.get(wire)
  if (coefficient === undefined) return combination
  const result = new Map(combination)
  result.delete(wire)
  for (const [other, factor] of by) {
    const sum = ((result.get(other) ?? 0n) + coefficient * factor) % FIELD_ORDER
    if (sum === 0n) result.delete(other)
    else result.set(other, sum)
  }
  return result
}
