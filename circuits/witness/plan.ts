// The plan of a witness: in which order the rows of a circuit give its wires, starting from the inputs alone. A row with one unknown
// wire gives it; where the unknown is a factor, by a division. Bits, quotients and tests for zero are what circom computes beside
// the rows, and are recognised by the rows they leave. circom's convention holds: x / 0 = 0.
//
// Divisions wait until nothing else can be done, so that many of them share one inversion: the ladders of all slots run in step.

import { FIELD_ORDER } from '../../engine/core/field.ts'
import type { R1cs, R1csMatrix } from '../setup/r1cs.ts'
import { inverse, recogniseDigits, type Digits, type Weighted } from './digits.ts'
import type { Division, Part, Side, Step } from './steps.ts'

export interface Derivation {
  readonly steps: readonly Step[]
  /** Wires that no step gives; empty if the plan is whole. */
  readonly missing: readonly number[]
}

/** Derives the plan from wires that are known. Rows from `ownRows` on were added to find it (poseidon-rows.ts) and go first. */
export function derivePlan(r1cs: R1cs, known: Iterable<number>, ownRows = r1cs.constraintCount): Derivation {
  return new Planner(r1cs, ownRows).derive(known)
}

interface Boolean2 {
  /** The value of A at which the bit is 1; it is 0 at 0. */
  readonly one: bigint
}

class Planner {
  private readonly r1cs: R1cs
  private readonly steps: Step[] = []
  private readonly known: Uint8Array
  private readonly isBit: Uint8Array
  /** Distinct unknown wires of each row. */
  private readonly unknowns: Uint32Array
  private readonly rowsOf: { readonly start: Uint32Array; readonly row: Uint32Array }
  private readonly used: Uint8Array
  private readonly ready: number[] = []
  /** Rows put back for the sake of the plan: shorter ways to the same wires. */
  private readonly readyFirst: number[] = []
  private readonly ownRows: number
  private dividing: number[] = []
  private spelling = new Set<number>()

  constructor(r1cs: R1cs, ownRows: number) {
    this.r1cs = r1cs
    this.ownRows = ownRows
    this.known = new Uint8Array(r1cs.wireCount)
    this.isBit = new Uint8Array(r1cs.wireCount)
    this.unknowns = new Uint32Array(r1cs.constraintCount)
    this.used = new Uint8Array(r1cs.constraintCount)
    this.rowsOf = this.index()
    for (let row = 0; row < r1cs.constraintCount; row++) {
      const wire = this.bitOf(row)
      if (wire !== undefined) this.isBit[wire] = 1
    }
  }

  derive(given: Iterable<number>): Derivation {
    for (let row = 0; row < this.r1cs.constraintCount; row++) this.consider(row)
    this.learn(0)
    for (const wire of given) this.learn(wire)
    while (this.solveAll() || this.spellAll() || this.divideAll() || this.quotientOnce());
    const missing: number[] = []
    this.known.forEach((isKnown, wire) => isKnown || missing.push(wire))
    return { steps: this.steps, missing }
  }

  /** The rows of each wire, each row once. */
  private index() {
    const { wireCount } = this.r1cs
    const start = new Uint32Array(wireCount + 1)
    this.eachWire((wire) => start[wire + 1]!++)
    for (let wire = 0; wire < wireCount; wire++) start[wire + 1]! += start[wire]!
    const row = new Uint32Array(start[wireCount]!)
    const next = start.slice()
    this.eachWire((wire, at) => {
      row[next[wire]!++] = at
      this.unknowns[at]!++
    })
    return { start, row }
  }

  private eachWire(visit: (wire: number, row: number) => void): void {
    const seen = new Int32Array(this.r1cs.wireCount).fill(-1)
    for (let row = 0; row < this.r1cs.constraintCount; row++) {
      for (const { rowStart, wire } of this.matrices()) {
        for (let t = rowStart[row]!; t < rowStart[row + 1]!; t++) {
          if (seen[wire[t]!] === row) continue
          seen[wire[t]!] = row
          visit(wire[t]!, row)
        }
      }
    }
  }

  private matrices(): R1csMatrix[] {
    return [this.r1cs.a, this.r1cs.b, this.r1cs.c]
  }

  private learn(wire: number): void {
    if (this.known[wire]) return
    this.known[wire] = 1
    const { start, row } = this.rowsOf
    for (let k = start[wire]!; k < start[wire + 1]!; k++) {
      this.unknowns[row[k]!]!--
      this.consider(row[k]!)
    }
  }

  private consider(row: number): void {
    if (this.unknowns[row] === 1) (row < this.ownRows ? this.ready : this.readyFirst).push(row)
    this.spelling.add(row)
  }

  private solveAll(): boolean {
    const before = this.steps.length
    for (;;) {
      const row = this.readyFirst.pop() ?? this.ready.pop()
      if (row === undefined) break
      this.solve(row)
    }
    return this.steps.length > before
  }

  private solve(row: number): void {
    if (this.unknowns[row] !== 1) return
    const { wire, a, b, c } = this.single(row)
    if (a === 0n && b === 0n) {
      this.add({ kind: 'solve', row, wire, factor: inverse(c) }, [wire])
    } else if (c === 0n && (a === 0n || b === 0n)) {
      this.dividing.push(row)
    }
  }

  /** The only unknown wire of a row and its coefficients in the three. */
  private single(row: number): { wire: number; a: bigint; b: bigint; c: bigint } {
    let wire = 0
    const found = this.matrices().map((matrix) => {
      for (let t = matrix.rowStart[row]!; t < matrix.rowStart[row + 1]!; t++) {
        if (this.known[matrix.wire[t]!]) continue
        wire = matrix.wire[t]!
        return this.r1cs.coefficients[matrix.coefficient[t]!]!
      }
      return 0n
    })
    return { wire, a: found[0]!, b: found[1]!, c: found[2]! }
  }

  private divideAll(): boolean {
    const rows = this.dividing.filter((row) => this.unknowns[row] === 1)
    this.dividing = []
    const divisions: Division[] = []
    const wires = new Set<number>()
    let tests = 0
    for (const row of rows) {
      const { wire, a, b } = this.single(row)
      if (wires.has(wire) || this.known[wire]) continue
      const side = a !== 0n ? 'a' : 'b'
      if (this.isEmpty(this.r1cs.c, row)) {
        if (this.testForZero(row, side, a !== 0n ? a : b, wire)) tests++
        continue
      }
      wires.add(wire)
      divisions.push({ row, wire, side, factor: inverse(a !== 0n ? a : b) })
    }
    if (tests > 0) {
      this.dividing = rows
      return true
    }
    if (divisions.length === 0) return false
    this.add({ kind: 'divide', divisions }, [...wires])
    return true
  }

  private isEmpty(matrix: R1csMatrix, row: number): boolean {
    return matrix.rowStart[row] === matrix.rowStart[row + 1]
  }

  /** in·out = 0 with in·inv = 1 − out: circom's IsZero, out unknown. */
  private testForZero(zero: number, side: Side, coefficient: bigint, wire: number): boolean {
    const { start, row: rows } = this.rowsOf
    for (let k = start[wire]!; k < start[wire + 1]!; k++) {
      const row = rows[k]!
      if (row === zero || this.unknowns[row] !== 2) continue
      const out = this.coefficientOf(this.r1cs.c, row, wire)
      if (out === undefined || !this.sameTest(row, zero, side)) continue
      this.add(
        {
          kind: 'isZero',
          row,
          factor: FIELD_ORDER - inverse(out),
          zero,
          zeroSide: side,
          zeroFactor: FIELD_ORDER - inverse(coefficient),
          wire,
        },
        [wire],
      )
      return true
    }
    return false
  }

  /** Whether a side of `row` is a multiple of the other side of `zero`, and the other a lone wire of no other row. */
  private sameTest(row: number, zero: number, side: Side): boolean {
    const tested = side === 'a' ? this.r1cs.b : this.r1cs.a
    for (const [input, factor] of [
      [this.r1cs.a, this.r1cs.b],
      [this.r1cs.b, this.r1cs.a],
    ] as const) {
      if (factor.rowStart[row + 1]! - factor.rowStart[row]! !== 1) continue
      const lone = factor.wire[factor.rowStart[row]!]!
      if (this.known[lone] || this.rowsOf.start[lone + 1]! - this.rowsOf.start[lone]! !== 1) continue
      if (this.proportional(input, row, tested, zero)) return true
    }
    return false
  }

  private proportional(x: R1csMatrix, rowX: number, y: R1csMatrix, rowY: number): boolean {
    const terms = this.terms(x, rowX)
    const others = this.terms(y, rowY)
    if (terms.size !== others.size || terms.size === 0) return false
    let ratio: bigint | undefined
    for (const [wire, coefficient] of terms) {
      const other = others.get(wire)
      if (other === undefined) return false
      ratio ??= (other * inverse(coefficient)) % FIELD_ORDER
      if ((coefficient * ratio) % FIELD_ORDER !== other) return false
    }
    return true
  }

  private terms(matrix: R1csMatrix, row: number): Map<number, bigint> {
    const terms = new Map<number, bigint>()
    for (let t = matrix.rowStart[row]!; t < matrix.rowStart[row + 1]!; t++) {
      terms.set(matrix.wire[t]!, this.r1cs.coefficients[matrix.coefficient[t]!]!)
    }
    return terms
  }

  private coefficientOf(matrix: R1csMatrix, row: number, wire: number): bigint | undefined {
    for (let t = matrix.rowStart[row]!; t < matrix.rowStart[row + 1]!; t++) {
      if (matrix.wire[t] === wire) return this.r1cs.coefficients[matrix.coefficient[t]!]!
    }
    return undefined
  }

  /** The wire that a row forces to 0 or 1, if it holds no other. */
  private bitOf(row: number): number | undefined {
    const { a, b, c } = this.r1cs
    const wire = this.onlyWire(a, row)
    if (wire === undefined || this.onlyWire(b, row) !== wire) return undefined
    if (!this.isEmpty(c, row) && this.onlyWire(c, row) !== wire) return undefined
    const at = (matrix: R1csMatrix, value: bigint) =>
      (this.coefficientOf(matrix, row, 0) ?? 0n) + value * (this.coefficientOf(matrix, row, wire) ?? 0n)
    const holds = (value: bigint) => (at(a, value) * at(b, value) - at(c, value)) % FIELD_ORDER === 0n
    return holds(0n) && holds(1n) ? wire : undefined
  }

  private onlyWire(matrix: R1csMatrix, row: number): number | undefined {
    let wire: number | undefined
    for (let t = matrix.rowStart[row]!; t < matrix.rowStart[row + 1]!; t++) {
      if (matrix.wire[t] === 0) continue
      if (wire !== undefined) return undefined
      wire = matrix.wire[t]!
    }
    return wire
  }

  private spellAll(): boolean {
    const before = this.steps.length
    const rows = [...this.spelling]
    this.spelling = new Set()
    for (const row of rows) if (this.unknowns[row]! > 0 && !this.used[row]) this.spell(row)
    return this.steps.length > before
  }

  private spell(row: number): void {
    const { a, b, c } = this.r1cs
    const inA = this.unknownBits(a, row)
    if (inA === undefined) return
    if (inA.length > 0) {
      const shape = this.twoValued(row)
      if (shape === undefined) return
      const terms = inA.map(({ wire, weight }) => ({ wire, weight: FIELD_ORDER - weight }))
      this.spellSide(row, [...terms, { wire: 0, weight: shape.one }])
      return
    }
    const inB = this.unknownBits(b, row)
    const inC = this.unknownBits(c, row)
    if (inB?.length !== 0 || inC === undefined || inC.length < 2) return
    const digits = recogniseDigits(inC)
    if (!digits) return
    const step = { kind: 'digits', row, side: 'product', factor: digits.scale, digits } as const
    this.addDigits({ ...step, constant: complements(digits) })
  }

  /** A = known + Σ unknown stands for one·bit: known = one·bit − Σ unknown. */
  private spellSide(row: number, terms: readonly Weighted[]): void {
    const digits = recogniseDigits(terms)
    if (!digits) return
    const step = { kind: 'digits', row, side: 'a', factor: digits.scale, digits } as const
    this.addDigits({ ...step, constant: complements(digits) })
  }

  private addDigits(step: Extract<Step, { kind: 'digits' }>): void {
    this.add(
      step,
      step.digits.digits.map(({ wire }) => wire).filter((wire) => wire !== 0),
    )
  }

  /** Unknown wires of a combination; undefined if one is no bit. */
  private unknownBits(matrix: R1csMatrix, row: number): Weighted[] | undefined {
    const bits: Weighted[] = []
    for (let t = matrix.rowStart[row]!; t < matrix.rowStart[row + 1]!; t++) {
      const wire = matrix.wire[t]!
      if (this.known[wire]) continue
      if (!this.isBit[wire]) return undefined
      bits.push({ wire, weight: this.r1cs.coefficients[matrix.coefficient[t]!]! })
    }
    return bits
  }

  /** A row that lets its A be one of two values, 0 and `one`. */
  private twoValued(row: number): Boolean2 | undefined {
    const a = this.terms(this.r1cs.a, row)
    const b = this.terms(this.r1cs.b, row)
    const c = this.terms(this.r1cs.c, row)
    const lambda = ratioOf(a, b)
    const kappa = ratioOf(a, c)
    if (lambda === undefined || kappa === undefined || lambda === 0n) return undefined
    // A·(λA + μ) = κA + ν
    const mu = (b.get(0) ?? 0n) - lambda * (a.get(0) ?? 0n)
    const nu = (c.get(0) ?? 0n) - kappa * (a.get(0) ?? 0n)
    if (nu % FIELD_ORDER !== 0n) return undefined
    const one = (((kappa - mu) * inverse(lambda)) % FIELD_ORDER) + FIELD_ORDER
    return one % FIELD_ORDER === 0n ? undefined : { one: one % FIELD_ORDER }
  }

  /** quotient · divisor = dividend − remainder, with nothing known but divisor and dividend. */
  private quotientOnce(): boolean {
    for (let row = 0; row < this.r1cs.constraintCount; row++) {
      if (this.unknowns[row]! >= 2 && !this.used[row] && this.quotient(row)) return true
    }
    return false
  }

  private quotient(row: number): boolean {
    const { a, b, c } = this.r1cs
    const unknown = [a, b, c].map((matrix) => this.unknownTerms(matrix, row))
    const [inA, inB, inC] = unknown as [Weighted[], Weighted[], Weighted[]]
    if (inC.length === 0 || inA.length > 0 === inB.length > 0) return false
    const divisorSide = inA.length > 0 ? 'b' : 'a'
    const quotient = this.partsOf(inA.length > 0 ? inA : inB)
    const remainder = this.partsOf(inC)
    if (!quotient || !remainder || quotient.parts.length + remainder.parts.length < 3) return false
    // (q / s)·B = C₀ + (R / t): with t·C₀ = dividend·sign, the divisor is −B·t/s.
    const dividendFactor = (FIELD_ORDER - remainder.scale) % FIELD_ORDER
    const step = {
      kind: 'quotient',
      row,
      divisorSide,
      divisorFactor: ((FIELD_ORDER - remainder.scale) * inverse(quotient.scale)) % FIELD_ORDER,
      dividendFactor: FIELD_ORDER - dividendFactor,
      quotient: quotient.parts,
      remainder: remainder.parts,
    } as const
    this.add(
      step,
      [...quotient.parts, ...remainder.parts].map(({ wire }) => wire),
    )
    return true
  }

  private unknownTerms(matrix: R1csMatrix, row: number): Weighted[] {
    return [...this.terms(matrix, row)]
      .filter(([wire]) => !this.known[wire])
      .map(([wire, weight]) => ({ wire, weight }))
  }

  private partsOf(terms: readonly Weighted[]): { parts: Part[]; scale: bigint } | undefined {
    const [first] = terms
    if (terms.length === 1 && !this.isBit[first!.wire])
      return { parts: [{ wire: first!.wire, bit: 'whole' }], scale: inverse(first!.weight) }
    if (terms.some(({ wire }) => !this.isBit[wire])) return undefined
    const digits = recogniseDigits(terms)
    if (!digits || digits.divisor > 0n || digits.digits.some(({ complement }) => complement)) return undefined
    return { parts: digits.digits.map(({ wire, position }) => ({ wire, bit: position })), scale: digits.scale }
  }

  private add(step: Step, wires: readonly number[]): void {
    this.steps.push(step)
    if ('row' in step) this.used[step.row] = 1
    for (const wire of wires) this.learn(wire)
  }
}

function complements(digits: Digits): bigint {
  return digits.digits.reduce(
    (sum, { complement, position }) => (complement ? sum + (1n << BigInt(position)) : sum),
    0n,
  )
}

/** λ with y = λ·x but for constants; undefined if there is none. */
function ratioOf(x: ReadonlyMap<number, bigint>, y: ReadonlyMap<number, bigint>): bigint | undefined {
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
