// The plan of a witness: in which order the rows of a circuit give its wires, starting from the inputs alone. A row with one unknown
// wire gives it; where the unknown is a factor, by a division. Bits, quotients and tests for zero are what circom computes beside
// the rows, and are recognised by the rows they leave. circom's convention holds: x / 0 = 0.
//
// Divisions wait until nothing else can be done, so that many of them share one inversion: the ladders of all slots run in step.

import { FIELD_ORDER } from '../../engine/core/field.ts'
import type { R1cs } from '../setup/r1cs.ts'
import { inverse, recogniseDigits, type Digits, type Weighted } from './digits.ts'
import type { Combination, ExtraRow } from './poseidon-rows.ts'
import type { Division, Part, Side, Step } from './steps.ts'
import { isMultiple, ratioOf, replaced, System } from './system.ts'

export interface Derivation {
  readonly steps: readonly Step[]
  /** Wires that no step gives; empty if the plan is whole. */
  readonly missing: readonly number[]
  /** Rows and wires that the plan needs besides. */
  readonly added: readonly ExtraRow[]
  readonly wireCount: number
}

/** Derives the plan from wires that are known. Rows from `ownRows` on were added to find it (poseidon-rows.ts) and go first. */
export function derivePlan(r1cs: R1cs, known: Iterable<number>, ownRows = r1cs.constraintCount): Derivation {
  return new Planner(r1cs, ownRows).derive(known)
}

const MINUS_ONE = FIELD_ORDER - 1n

class Planner {
  private readonly system: System
  private readonly ownRows: number
  private readonly mostRows: number
  private readonly steps: Step[] = []
  /** Rows that a step has used, or that others have taken the place of. */
  private readonly done = new Set<number>()
  private readonly ready: number[] = []
  /** Rows put back for the sake of the plan: shorter ways to the same wires. */
  private readonly readyFirst: number[] = []
  private dividing: number[] = []
  private spelling = new Set<number>()

  constructor(r1cs: R1cs, ownRows: number) {
    this.system = new System(r1cs)
    this.ownRows = ownRows
    this.mostRows = 2 * r1cs.constraintCount
    for (let row = 0; row < r1cs.constraintCount; row++) {
      const wire = this.bitOf(row)
      if (wire !== undefined) this.system.setBit(wire)
    }
  }

  derive(given: Iterable<number>): Derivation {
    for (let row = 0; row < this.system.rowCount; row++) this.consider(row)
    this.learn(0)
    for (const wire of given) this.learn(wire)
    while (
      this.solveAll() ||
      this.spellAll() ||
      this.divideAll() ||
      this.untangle((row) => this.testedSum(row) ?? this.productSum(row)) ||
      this.untangle((row) => this.bitSum(row)) ||
      this.quotientOnce()
    );
    const { wireCount, added } = this.system
    const missing = Array.from({ length: wireCount }, (_, wire) => wire).filter((wire) => !this.system.isKnown(wire))
    return { steps: this.steps, missing, added, wireCount }
  }

  private learn(wire: number): void {
    for (const row of this.system.learn(wire)) this.consider(row)
  }

  private consider(row: number): void {
    if (this.system.unknownCount(row) === 1) (row < this.ownRows ? this.ready : this.readyFirst).push(row)
    this.spelling.add(row)
  }

  private solveAll(): boolean {
    const before = this.steps.length
    for (;;) {
      const row = this.readyFirst.pop() ?? this.ready.pop()
      if (row === undefined) return this.steps.length > before
      if (this.system.unknownCount(row) === 1 && !this.done.has(row)) this.solve(row)
    }
  }

  private solve(row: number): void {
    const { wire, a, b, c } = this.single(row)
    if (a === 0n && b === 0n) {
      this.add({ kind: 'solve', row, wire, factor: inverse(c) }, [wire])
    } else if (c === 0n && (a === 0n || b === 0n)) {
      this.dividing.push(row)
    }
  }

  /** The only unknown wire of a row and its coefficients in the three. */
  private single(row: number): { wire: number; a: bigint; b: bigint; c: bigint } {
    const [a, b, c] = (['a', 'b', 'c'] as const).map((side) => this.system.unknownTerms(side, row)[0])
    return { wire: (a ?? b ?? c)!.wire, a: a?.weight ?? 0n, b: b?.weight ?? 0n, c: c?.weight ?? 0n }
  }

  private divideAll(): boolean {
    const rows = this.dividing.filter((row) => this.system.unknownCount(row) === 1 && !this.done.has(row))
    const tests = rows.filter((row) => this.system.isEmpty('c', row) && this.testForZero(row))
    if (tests.length > 0) return true
    this.dividing = []
    const divisions = new Map<number, Division>()
    for (const row of rows) {
      if (this.system.isEmpty('c', row)) continue
      const { wire, a, b } = this.single(row)
      if (divisions.has(wire)) continue
      divisions.set(wire, { row, wire, side: a === 0n ? 'b' : 'a', factor: inverse(a === 0n ? b : a) })
    }
    if (divisions.size === 0) return false
    for (const { row } of divisions.values()) this.done.add(row)
    this.add({ kind: 'divide', divisions: [...divisions.values()] }, [...divisions.keys()])
    return true
  }

  /** in·out = 0 with in·inv = 1 − out: circom's IsZero, out unknown. */
  private testForZero(zero: number): boolean {
    if (this.system.unknownCount(zero) !== 1) return false
    const { wire, a, b } = this.single(zero)
    const side = a === 0n ? 'b' : 'a'
    const row = this.partnerOf(zero, side, wire)
    const out = row === undefined ? undefined : this.system.terms('c', row).get(wire)
    if (row === undefined || out === undefined || this.system.unknownCount(row) !== 2) return false
    const factor = FIELD_ORDER - inverse(out)
    const zeroFactor = FIELD_ORDER - inverse(a === 0n ? b : a)
    this.done.add(zero)
    this.steps.push({ kind: 'isZero', row, factor, zero, zeroSide: side, zeroFactor, wire })
    this.learn(wire)
    return true
  }

  /** The row in·inv = 1 − out of in·out = 0, whose `side` is out; `wire` is one of out's. */
  private partnerOf(zero: number, side: Side, wire: number): number | undefined {
    const tested = this.system.terms(side === 'a' ? 'b' : 'a', zero)
    return this.system.rowsOf(wire).find((row) => {
      if (row === zero || this.done.has(row)) return false
      return this.isInverse(row, 'a', tested) || this.isInverse(row, 'b', tested)
    })
  }

  /** Whether a side of the row is a lone wire of no other row, and the other side a multiple of `tested`. */
  private isInverse(row: number, side: Side, tested: Combination): boolean {
    const factor = this.system.terms(side, row)
    const [lone] = factor.keys()
    if (factor.size !== 1 || lone === undefined || lone === 0 || this.system.isKnown(lone)) return false
    if (this.system.rowsOf(lone).filter((other) => !this.done.has(other)).length !== 1) return false
    return isMultiple(tested, this.system.terms(side === 'a' ? 'b' : 'a', row))
  }

  /** The wire that a row forces to 0 or 1, if it holds no other. */
  private bitOf(row: number): number | undefined {
    const sides = this.system.row(row)
    if (sides.left.size > 2 || sides.right.size > 2 || sides.out.size > 2) return undefined
    const wires = new Set(Object.values(sides).flatMap((terms: Combination) => [...terms.keys()]))
    wires.delete(0)
    const [wire] = wires
    if (wires.size !== 1 || !sides.left.has(wire!) || !sides.right.has(wire!)) return undefined
    const at = (terms: Combination, value: bigint) => (terms.get(0) ?? 0n) + value * (terms.get(wire!) ?? 0n)
    const holds = (value: bigint) =>
      (at(sides.left, value) * at(sides.right, value) - at(sides.out, value)) % FIELD_ORDER === 0n
    return holds(0n) && holds(1n) ? wire : undefined
  }

  private spellAll(): boolean {
    const before = this.steps.length
    const rows = [...this.spelling]
    this.spelling = new Set()
    for (const row of rows) if (this.system.unknownCount(row) > 0 && !this.done.has(row)) this.spell(row)
    return this.steps.length > before
  }

  private spell(row: number): void {
    const inA = this.unknownBits('a', row)
    if (inA === undefined) return
    if (inA.length > 0) {
      const one = this.secondValue(row)
      if (one === undefined) return
      // A = known + Σ unknown stands for one·bit: known = one·bit − Σ unknown.
      const terms = inA.map(({ wire, weight }) => ({ wire, weight: FIELD_ORDER - weight }))
      this.addDigits(row, 'a', [...terms, { wire: 0, weight: one }])
      return
    }
    const inC = this.unknownBits('c', row)
    if (this.system.unknownTerms('b', row).length === 0 && inC !== undefined && inC.length >= 2) {
      this.addDigits(row, 'product', inC)
    }
  }

  private addDigits(row: number, side: 'a' | 'product', terms: readonly Weighted[]): void {
    const digits = recogniseDigits(terms)
    if (!digits) return
    const wires = digits.digits.map(({ wire }) => wire).filter((wire) => wire !== 0)
    this.add({ kind: 'digits', row, side, factor: digits.scale, constant: complements(digits), digits }, wires)
  }

  /** Undefined if an unknown wire is no bit. */
  private unknownBits(side: 'a' | 'c', row: number): Weighted[] | undefined {
    const unknown = this.system.unknownTerms(side, row)
    return unknown.every(({ wire }) => this.system.isBit(wire)) ? unknown : undefined
  }

  /** What A may be besides 0, in a row that lets it be one of two values. */
  private secondValue(row: number): bigint | undefined {
    const { left: a, right: b, out: c } = this.system.row(row)
    const lambda = ratioOf(a, b)
    const kappa = ratioOf(a, c)
    if (lambda === undefined || kappa === undefined || lambda === 0n) return undefined
    // A·(λA + μ) = κA + ν
    const mu = (b.get(0) ?? 0n) - lambda * (a.get(0) ?? 0n)
    const nu = (c.get(0) ?? 0n) - kappa * (a.get(0) ?? 0n)
    const one = ((((kappa - mu) * inverse(lambda)) % FIELD_ORDER) + FIELD_ORDER) % FIELD_ORDER
    return nu % FIELD_ORDER === 0n && one !== 0n ? one : undefined
  }

  /** quotient · divisor = dividend − remainder, with nothing known but divisor and dividend. */
  private quotientOnce(): boolean {
    for (let row = 0; row < this.system.rowCount; row++) {
      if (this.system.unknownCount(row) >= 2 && !this.done.has(row) && this.quotient(row)) return true
    }
    return false
  }

  private quotient(row: number): boolean {
    const [inA, inB, inC] = (['a', 'b', 'c'] as const).map((side) => this.system.unknownTerms(side, row))
    if (inC!.length === 0 || inA!.length > 0 === inB!.length > 0) return false
    const quotient = this.partsOf(inA!.length > 0 ? inA! : inB!)
    const remainder = this.partsOf(inC!)
    if (!quotient || !remainder || quotient.parts.length + remainder.parts.length < 3) return false
    // (q / s)·B = C + R / t, C the known part, so −t·C = q·(−t·B / s) + R.
    const scale = FIELD_ORDER - remainder.scale
    const step = {
      kind: 'quotient',
      row,
      divisorSide: inA!.length > 0 ? 'b' : 'a',
      divisorFactor: (scale * inverse(quotient.scale)) % FIELD_ORDER,
      dividendFactor: scale,
      quotient: quotient.parts,
      remainder: remainder.parts,
    } as const
    this.add(
      step,
      [...quotient.parts, ...remainder.parts].map(({ wire }) => wire),
    )
    return true
  }

  private partsOf(terms: readonly Weighted[]): { parts: Part[]; scale: bigint } | undefined {
    const [first] = terms
    if (terms.length === 1 && !this.system.isBit(first!.wire))
      return { parts: [{ wire: first!.wire, bit: 'whole' }], scale: inverse(first!.weight) }
    if (terms.some(({ wire }) => !this.system.isBit(wire))) return undefined
    const digits = recogniseDigits(terms)
    if (!digits || digits.divisor > 0n || digits.digits.some(({ complement }) => complement)) return undefined
    return { parts: digits.digits.map(({ wire, position }) => ({ wire, bit: position })), scale: digits.scale }
  }

  /**
   * Undoes an elimination of circom's: where a sum of unknown wires stands for one value, that value gets a wire of its own and takes
   * the place of one of the sum's wires everywhere.
   */
  private untangle(sumIn: (row: number) => { sum: Combination; isBit: boolean } | undefined): boolean {
    const end = this.system.rowCount
    let found = false
    for (let row = 0; row < end && this.system.rowCount < this.mostRows; row++) {
      if (this.system.unknownCount(row) < 2 || this.done.has(row)) continue
      const value = sumIn(row)
      if (!value) continue
      this.substitute(value.sum, value.isBit)
      found = true
    }
    return found
  }

  private substitute(sum: Combination, isBit: boolean): void {
    const own = this.system.addWire()
    if (isBit) this.system.setBit(own)
    const wire = this.pivotOf(sum)
    // wire = (own − the others) / its coefficient
    const factor = inverse(sum.get(wire)!)
    const others = [...sum].filter(([other]) => other !== wire)
    const value = new Map(others.map(([other, weight]) => [other, ((FIELD_ORDER - weight) * factor) % FIELD_ORDER]))
    value.set(own, factor)
    for (const row of this.system.rowsOf(wire)) {
      if (this.done.has(row)) continue
      this.done.add(row)
      const { left, right, out } = this.system.row(row)
      const [a, b, c] = [left, right, out].map((terms) => replaced(terms, wire, value))
      this.consider(this.system.addRow({ left: a!, right: b!, out: c! }))
    }
    this.consider(this.system.addRow({ left: new Map(), right: new Map(), out: new Map([...sum, [own, MINUS_ONE]]) }))
  }

  /** Of a sum's unknown wires the one that the fewest other rows define. */
  private pivotOf(sum: Combination): number {
    let best = { wire: 0, cost: Infinity }
    for (const wire of sum.keys()) {
      if (this.system.isKnown(wire)) continue
      const rows = this.system.rowsOf(wire).filter((row) => !this.done.has(row))
      const definitions = rows.filter((row) => {
        const terms = this.system.terms('c', row)
        return terms.has(wire) && ratioOf(sum, terms) === undefined
      })
      const cost = (this.system.isBit(wire) ? 1e9 : 0) + definitions.length * 1e5 + rows.length
      if (cost < best.cost) best = { wire, cost }
    }
    return best.wire
  }

  /** The sum that a test for zero gives. */
  private testedSum(zero: number): { sum: Combination; isBit: boolean } | undefined {
    if (!this.system.isEmpty('c', zero)) return undefined
    const [inA, inB] = (['a', 'b'] as const).map((side) => this.system.unknownTerms(side, zero))
    if (inA!.length > 0 === inB!.length > 0) return undefined
    const side = inA!.length > 0 ? 'a' : 'b'
    if (this.partnerOf(zero, side, [...inA!, ...inB!][0]!.wire) === undefined) return undefined
    return { sum: this.system.terms(side, zero), isBit: false }
  }

  /** The sum that a product of known factors gives. */
  private productSum(row: number): { sum: Combination; isBit: boolean } | undefined {
    if (this.system.isEmpty('a', row)) return undefined
    if (this.system.unknownTerms('a', row).length + this.system.unknownTerms('b', row).length > 0) return undefined
    return { sum: this.system.terms('c', row), isBit: false }
  }

  /** A sum that is one of two values. */
  private bitSum(row: number): { sum: Combination; isBit: boolean } | undefined {
    const unknown = this.system.unknownTerms('a', row)
    if (unknown.length < 2 || unknown.every(({ wire }) => this.system.isBit(wire))) return undefined
    const one = this.secondValue(row)
    if (one === undefined) return undefined
    const factor = inverse(one)
    const terms = [...this.system.terms('a', row)]
    return { sum: new Map(terms.map(([wire, weight]) => [wire, (weight * factor) % FIELD_ORDER])), isBit: true }
  }

  private add(step: Step, wires: readonly number[]): void {
    this.steps.push(step)
    if ('row' in step) this.done.add(step.row)
    for (const wire of wires) this.learn(wire)
  }
}

/** What complemented digits add to the value. */
function complements({ digits }: Digits): bigint {
  return digits.reduce((sum, { complement, position }) => (complement ? sum + (1n << BigInt(position)) : sum), 0n)
}
