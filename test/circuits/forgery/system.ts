/**
 * A constraint system in the shape that attacks need: constraints as maps from wire to coefficient, those that touch a
 * wire found at once, and a check that stops at the first violated one.
 */
import type { R1cs, R1csMatrix } from '../../../circuits/setup/r1cs.ts'
import { FIELD_ORDER } from '../../../engine/core/field.ts'

/** `Σ coefficient·wire`; wire 0 is the constant 1. Coefficients are centred around 0. */
export type Form = ReadonlyMap<number, bigint>

/** a·b = c. */
export interface Constraint {
  readonly a: Form
  readonly b: Form
  readonly c: Form
}

export class System {
  readonly wireCount: number
  readonly constraints: readonly Constraint[]
  /** Indices of the constraints in which a wire stands. */
  readonly touching: readonly number[][]

  constructor(wireCount: number, constraints: readonly Constraint[], touching?: readonly number[][]) {
    this.wireCount = wireCount
    this.constraints = constraints
    if (touching !== undefined) {
      this.touching = touching
      return
    }
    const lists: number[][] = Array.from({ length: wireCount }, () => [])
    constraints.forEach((constraint, index) => {
      for (const wire of wiresOf(constraint)) lists[wire]!.push(index)
    })
    this.touching = lists
  }

  /** The system without these constraints, under the same indices: a circuit whose author forgot a check. */
  without(...indices: readonly number[]): System {
    const empty: Form = new Map()
    const rest = this.constraints.map((constraint, k) =>
      indices.includes(k) ? { a: empty, b: empty, c: empty } : constraint,
    )
    return new System(this.wireCount, rest, this.touching)
  }

  /** The first violated constraint among those that touch the wires (by default among all), or −1. */
  violated(values: readonly bigint[], wires?: Iterable<number>): number {
    if (wires === undefined) return this.constraints.findIndex((constraint) => !holds(constraint, values))
    const seen = new Set<number>()
    for (const wire of wires) {
      for (const index of this.touching[wire]!) {
        if (seen.has(index)) continue
        seen.add(index)
        if (!holds(this.constraints[index]!, values)) return index
      }
    }
    return -1
  }
}

export function wiresOf({ a, b, c }: Constraint): Set<number> {
  return new Set([...a.keys(), ...b.keys(), ...c.keys()].filter((wire) => wire !== 0))
}

export function valueOfForm(form: Form, values: readonly bigint[]): bigint {
  let total = 0n
  for (const [wire, coefficient] of form) total += coefficient * values[wire]!
  return total % FIELD_ORDER
}

function holds({ a, b, c }: Constraint, values: readonly bigint[]): boolean {
  return (valueOfForm(a, values) * valueOfForm(b, values) - valueOfForm(c, values)) % FIELD_ORDER === 0n
}

export function modulo(value: bigint): bigint {
  const rest = value % FIELD_ORDER
  return rest < 0n ? rest + FIELD_ORDER : rest
}

/** The representative in (−p/2, p/2]. */
export function centred(value: bigint): bigint {
  const rest = modulo(value)
  return rest > FIELD_ORDER >> 1n ? rest - FIELD_ORDER : rest
}

/** 1/value; the value must not be 0 in the field. */
export function inverse(value: bigint): bigint {
  let [r0, r1] = [FIELD_ORDER, modulo(value)]
  let [t0, t1] = [0n, 1n]
  while (r1 !== 0n) {
    const quotient = r0 / r1
    ;[r0, r1] = [r1, r0 - quotient * r1]
    ;[t0, t1] = [t1, t0 - quotient * t1]
  }
  if (r0 !== 1n) throw new RangeError('0 has no inverse')
  return modulo(t0)
}

/**
 * The constraints of an .r1cs on the wires that `keep` numbers anew (0 stays 0, undefined leaves the wire out). A
 * constraint must have all its wires kept or none.
 */
export function systemOf(r1cs: R1cs, wireCount: number, keep: (wire: number) => number | undefined): System {
  const form = (matrix: R1csMatrix, row: number): Map<number, bigint> | undefined => {
    const terms = new Map<number, bigint>()
    for (let t = matrix.rowStart[row]!; t < matrix.rowStart[row + 1]!; t++) {
      const wire = keep(matrix.wire[t]!)
      if (wire === undefined) return undefined
      terms.set(wire, centred(r1cs.coefficients[matrix.coefficient[t]!]!))
    }
    return terms
  }
  const constraints: Constraint[] = []
  for (let row = 0; row < r1cs.constraintCount; row++) {
    const [a, b, c] = [form(r1cs.a, row), form(r1cs.b, row), form(r1cs.c, row)]
    if (a && b && c && wiresOf({ a, b, c }).size > 0) constraints.push({ a, b, c })
  }
  return new System(wireCount, constraints)
}
