/**
 * Proves that a constraint system determines its wires: given the inputs, no second witness exists. Propagation from known
 * wires by five rules, each valid for every witness; what they do not reach stays open, which proves nothing.
 *
 *   linear     one unknown in a linear relation, or a product of known forms, is known.
 *   binary     in a linear relation of bounded unknowns whose coefficients outgrow all smaller ones together, with a total
 *              below p, every unknown is known: the digits of a number.
 *   zero       k·x = y and k·z = 0 with k known and y = c·z + known: z is known, whether k is 0 or not (IsZero).
 *   remainder  digits as above, one of which is a sum s that another relation s + t = constant bounds (constant divisor).
 *   quotient   q·d + r = known, r + g = d − 1 with bounded q, r ≥ 0, g ≥ 0: then 1 ≤ d ≤ max r + max g + 1, and two solutions
 *              differ by Δq·d = −Δr with |Δr| < d, which below p leaves only 0 (see Quotient in gadgets.circom).
 */
import { FIELD_ORDER } from '../../../engine/core/field.ts'
import type { Constraint, Form, System } from './system.ts'
import { centred, inverse } from './system.ts'

export type Rule = 'linear' | 'binary' | 'zero' | 'remainder' | 'quotient'

export interface Proof {
  /** By wire: 1 if it is the same in every witness with the same inputs. */
  readonly unique: Uint8Array
  /** How often each rule was used. */
  readonly uses: Readonly<Record<Rule, number>>
  /** Largest value of a wire that is a sum of digits in every witness; undefined if nothing says so. */
  largest(wire: number): bigint | undefined
}

/** What the inputs determine. Needs no assumption about the ranges of the inputs. */
export function proveUnique(system: System, inputs: readonly number[]): Proof {
  return new Propagation(system, inputs).run()
}

/** Wires that no constraint but one reads, in which they are multiplied by a known form that may be 0: `inv` of IsZero. */
export function isIdleInverse(system: System, unique: Uint8Array, wire: number): boolean {
  const [only, ...others] = system.touching[wire]!
  if (only === undefined || others.length > 0) return false
  const { a, b, c } = system.constraints[only]!
  const [side, other] = a.has(wire) ? [a, b] : [b, a]
  const rest = [...other.keys(), ...c.keys()]
  return side.size === 1 && side.has(wire) && !c.has(wire) && rest.every((known) => known === 0 || unique[known] === 1)
}

/** Wires with a factor, from which a form is built: unknown part and the rest. */
type Terms = Map<number, bigint>

/** Nonlinear constraints with a proportional factor `k`: k·x = y for each. */
interface SharedFactor {
  readonly factor: Form
  readonly members: { other: Form; readonly result: Form }[]
}

class Propagation {
  readonly #wireCount: number
  /** Wires, then variables made up on the way. */
  readonly #known: boolean[] = []
  /** Largest value of a variable known to be an integer from 0 on. */
  readonly #most: (bigint | undefined)[] = []
  #relations: Form[] = []
  #stated: readonly Form[] = []
  #products: Constraint[] = []
  #shared: SharedFactor[] = []
  readonly #uses = { linear: 0, binary: 0, zero: 0, remainder: 0, quotient: 0 }

  constructor(system: System, inputs: readonly number[]) {
    this.#wireCount = system.wireCount
    for (let wire = 0; wire < system.wireCount; wire++) this.#variable(false)
    for (const wire of [0, ...inputs]) this.#known[wire] = true
    for (const constraint of system.constraints) this.#classify(constraint)
    this.#shared = sharedFactors(this.#products)
    this.#stated = [...this.#relations]
  }

  /** The wire's largest value by a relation between it and digits alone. */
  #ofDigits(wire: number): bigint | undefined {
    for (const relation of this.#stated) {
      const own = relation.get(wire)
      if (own === undefined) continue
      const rest = this.#interval(new Map([...variablesOf(relation)].filter(([variable]) => variable !== wire)), -own)
      const shift = centred((relation.get(0) ?? 0n) * inverse(-own))
      if (rest !== undefined && rest.lo + shift === 0n && rest.hi + shift < FIELD_ORDER) return rest.hi + shift
    }
    return this.#most[wire]
  }

  run(): Proof {
    while (this.#simpleRound() || this.#zeroRound() || this.#remainderRound() || this.#quotientRound());
    const unique = Uint8Array.from({ length: this.#wireCount }, (_, wire) => (this.#known[wire] ? 1 : 0))
    return { unique, uses: this.#uses, largest: (wire) => this.#ofDigits(wire) }
  }

  #variable(known: boolean, most?: bigint): number {
    this.#most.push(most)
    return this.#known.push(known) - 1
  }

  #classify(constraint: Constraint): void {
    const { a, b, c } = constraint
    const factor = constantOf(a) ?? constantOf(b)
    if (factor !== undefined) {
      this.#relations.push(combine(constantOf(a) === undefined ? a : b, factor, c, -1n))
      return
    }
    if (!this.#twoValued(constraint)) this.#products.push(constraint)
  }

  /** (f − u)·(f − v) = 0: a bit is 0 or 1, where f = u + (v − u)·bit. */
  #twoValued({ a, b, c }: Constraint): boolean {
    if (c.size > 0) return false
    const ratio = proportion(variablesOf(b), variablesOf(a))
    if (ratio === undefined) return false
    const gap = centred((b.get(0) ?? 0n) - ratio * (a.get(0) ?? 0n))
    if (gap === 0n) {
      this.#relations.push(a)
      return true
    }
    // a is 0, or −gap/ratio, since then b is 0.
    const step = centred(-gap * inverse(ratio))
    const [wire, coefficient] = [...variablesOf(a)][0]!
    const single = a.size <= 2 && variablesOf(a).size === 1
    const zeroAt = centred(-(a.get(0) ?? 0n) * inverse(coefficient))
    const oneAt = centred((step - (a.get(0) ?? 0n)) * inverse(coefficient))
    if (single && [zeroAt, oneAt].sort().join() === '0,1') this.#most[wire] = 1n
    else this.#relations.push(combine(a, 1n, new Map([[this.#variable(false, 1n), 1n]]), -step))
    return true
  }

  #unknown(form: Form): Terms {
    const terms: Terms = new Map()
    for (const [variable, coefficient] of form) if (!this.#known[variable]) terms.set(variable, coefficient)
    return terms
  }

  #allKnown(form: Form): boolean {
    for (const variable of form.keys()) if (!this.#known[variable]) return false
    return true
  }

  #learn(variables: Iterable<number>, rule: Rule): void {
    for (const variable of variables) this.#known[variable] = true
    this.#uses[rule]++
  }

  /** Linear relations, and products of known forms; true if something was learnt. */
  #simpleRound(): boolean {
    let progress = false
    this.#products = this.#products.filter((constraint) => {
      const { a, b, c } = constraint
      if (!this.#allKnown(a) || !this.#allKnown(b)) return true
      this.#relations.push(combine(c, 1n, new Map([[this.#variable(true), 1n]]), -1n))
      return false
    })
    this.#relations = this.#relations.filter((relation) => {
      const unknown = this.#unknown(relation)
      if (unknown.size === 0) return false
      const rule = unknown.size === 1 ? 'linear' : this.#isPositional(unknown) ? 'binary' : undefined
      if (rule === undefined) return true
      this.#learn(unknown.keys(), rule)
      progress = true
      return false
    })
    return progress
  }

  /** True if the sum of the terms determines each of them. */
  #isPositional(terms: Terms, extra?: { coefficient: bigint; most: bigint }): boolean {
    const list = [...terms].map(([variable, coefficient]) => ({ coefficient, most: this.#most[variable] }))
    if (extra) list.push(extra)
    if (list.some(({ most }) => most === undefined)) return false
    return list.some(({ coefficient }) => {
      const unit = inverse(coefficient)
      const digits = list.map((term) => ({ size: absolute(centred(term.coefficient * unit)), most: term.most! }))
      digits.sort((x, y) => (x.size < y.size ? -1 : x.size > y.size ? 1 : 0))
      let below = 0n
      for (const { size, most } of digits) {
        if (size <= below) return false
        below += size * most
      }
      return below < FIELD_ORDER
    })
  }

  #zeroRound(): boolean {
    let progress = false
    for (const { factor, members } of this.#shared) {
      if (!this.#allKnown(factor)) continue
      for (const vanishing of members) {
        const unknown = this.#unknown(vanishing.other)
        if (unknown.size === 0 || vanishing.result.size > 0) continue
        const isPartner = ({ result }: { result: Form }): boolean =>
          proportion(this.#unknown(result), unknown) !== undefined
        if (!members.some((member) => member !== vanishing && isPartner(member))) continue
        this.#relations.push(combine(unknown, 1n, new Map([[this.#variable(true), 1n]]), -1n))
        this.#uses.zero++
        progress = true
        vanishing.other = new Map()
      }
    }
    return progress
  }

  #remainderRound(): boolean {
    for (const first of this.#relations) {
      for (const second of this.#relations) {
        if (first === second) continue
        for (const bound of this.#variants(first, second)) {
          for (const digits of this.#variants(second, first)) if (this.#remainder(bound, digits)) return true
        }
      }
    }
    return false
  }

  /** The relation, and what is left of it when the other one eliminates a shared unknown. */
  #variants(relation: Form, other: Form): Form[] {
    const out = [relation]
    const mine = this.#unknown(relation)
    const ratios = new Map<bigint, bigint>()
    for (const [variable, coefficient] of this.#unknown(other)) {
      const own = mine.get(variable)
      if (own === undefined) continue
      const ratio = centred(own * inverse(coefficient))
      ratios.set(ratio, ratio)
      if (ratios.size > 3) break
    }
    return [...out, ...[...ratios.keys()].map((ratio) => combine(relation, 1n, other, -ratio))]
  }

  #remainder(bound: Form, digits: Form): boolean {
    const split = this.#split(bound, digits)
    if (split === undefined) return false
    const { shared, rest, ratio, others } = split
    if (others.size === 0) return false
    const known = [...bound].filter(([variable]) => this.#known[variable])
    if (known.some(([variable]) => variable !== 0)) return false
    const total = this.#spread(shared, rest, centred(-(bound.get(0) ?? 0n)))
    if (total === undefined) return false
    if (!this.#isPositional(others, { coefficient: ratio * total.unit, most: total.most })) return false
    this.#learn(others.keys(), 'remainder')
    this.#relations.push(combine(shared, 1n, new Map([[this.#variable(true), 1n]]), -1n))
    return true
  }

  /** Parts of the unknowns: those in both with one ratio (digits = ratio·bound there), and the rest of each. */
  #split(bound: Form, digits: Form): { shared: Terms; rest: Terms; others: Terms; ratio: bigint } | undefined {
    const left = this.#unknown(bound)
    const right = this.#unknown(digits)
    const both = [...left.keys()].filter((variable) => right.has(variable))
    if (both.length === 0) return undefined
    const shared = new Map(both.map((variable) => [variable, left.get(variable)!]))
    const ratio = proportion(new Map(both.map((variable) => [variable, right.get(variable)!])), shared)
    if (ratio === undefined) return undefined
    const without = (terms: Terms): Terms => new Map([...terms].filter(([variable]) => !shared.has(variable)))
    return { shared, rest: without(left), others: without(right), ratio }
  }

  /** With shared = unit·s, rest = unit·t, s + t = total/unit: how many values s has beyond its least. */
  #spread(shared: Terms, rest: Terms, total: bigint): { unit: bigint; most: bigint } | undefined {
    for (const unit of new Set([...shared.values(), ...rest.values()])) {
      const s = this.#interval(shared, unit)
      const t = this.#interval(rest, unit)
      if (s === undefined || t === undefined) continue
      const k = centred(total * inverse(unit))
      if (s.hi - s.lo + t.hi - t.lo + absolute(k - s.lo - t.lo) >= FIELD_ORDER) continue
      const lo = s.lo > k - t.hi ? s.lo : k - t.hi
      const hi = s.hi < k - t.lo ? s.hi : k - t.lo
      if (lo <= hi) return { unit, most: hi - lo }
    }
    return undefined
  }

  /** The integers that `Σ terms / unit` can be. */
  #interval(terms: Form, unit: bigint): { lo: bigint; hi: bigint } | undefined {
    const factor = inverse(unit)
    let [lo, hi] = [0n, 0n]
    for (const [variable, coefficient] of terms) {
      const size = centred(coefficient * factor)
      const most = this.#most[variable]
      if (most === undefined) return undefined
      if (size < 0n) lo += size * most
      else hi += size * most
    }
    return { lo, hi }
  }

  #quotientRound(): boolean {
    for (const { a, b, c } of this.#products) {
      for (const [divisor, quotient] of [
        [a, b],
        [b, a],
      ] as const) {
        if (!this.#allKnown(divisor) || this.#unknown(c).size === 0) continue
        for (const relation of this.#relations) if (this.#quotient(divisor, quotient, c, relation)) return true
      }
    }
    return false
  }

  /** divisor·quotient = result, whose unknown part is −r/u; the relation says r + g + 1 = u'·divisor. */
  #quotient(divisor: Form, quotient: Form, result: Form, relation: Form): boolean {
    const split = this.#split(relation, result)
    if (split === undefined || split.others.size > 0) return false
    const { shared, rest, ratio } = split
    for (const unit of new Set([...shared.values(), ...rest.values()])) {
      const r = this.#interval(shared, unit)
      const g = this.#interval(rest, unit)
      if (r === undefined || g === undefined) continue
      // relation/unit = r + g + known with r, g from lo on: d − 1 is what their excesses add up to.
      const bound = combine(relation, inverse(-unit), new Map([[0, 1n]]), 1n - r.lo - g.lo)
      const scale = proportion(new Map([...bound].filter(([variable]) => this.#known[variable])), divisor)
      if (scale === undefined) continue
      // quotient·divisor = known + ratio·unit·r, so q·d = known − r with q = −quotient/(ratio·unit·scale).
      const q = this.#interval(this.#unknown(quotient), centred(-ratio * unit * scale))
      const most = r.hi - r.lo + g.hi - g.lo + 1n
      if (q === undefined || (q.hi - q.lo + 1n) * most >= FIELD_ORDER) continue
      for (const form of [this.#unknown(quotient), shared])
        this.#relations.push(combine(form, 1n, new Map([[this.#variable(true), 1n]]), -1n))
      this.#uses.quotient++
      this.#products = this.#products.filter((product) => product.c !== result)
      return true
    }
    return false
  }
}

function sharedFactors(constraints: readonly Constraint[]): SharedFactor[] {
  const groups = new Map<string, SharedFactor>()
  for (const { a, b, c } of constraints) {
    for (const [factor, other] of [
      [a, b],
      [b, a],
    ] as const) {
      const scale = [...factor].sort(([v], [w]) => v - w)[0]![1]
      const unit = inverse(scale)
      const key = [...factor]
        .sort(([v], [w]) => v - w)
        .map(([variable, coefficient]) => `${variable}:${centred(coefficient * unit)}`)
        .join()
      const group = groups.get(key) ?? { factor, members: [] }
      group.members.push({ other, result: c })
      groups.set(key, group)
    }
  }
  return [...groups.values()].filter(({ members }) => members.length > 1)
}

function constantOf(form: Form): bigint | undefined {
  return form.size === 0 ? 0n : form.size === 1 ? form.get(0) : undefined
}

function variablesOf(form: Form): Terms {
  return new Map([...form].filter(([variable]) => variable !== 0))
}

/** x·a + y·b without zero terms. */
function combine(a: Form, x: bigint, b: Form, y: bigint): Form {
  const out: Terms = new Map()
  if (x !== 0n) for (const [variable, coefficient] of a) out.set(variable, centred(x * coefficient))
  if (y === 0n) return out
  for (const [variable, coefficient] of b) {
    const total = centred((out.get(variable) ?? 0n) + y * coefficient)
    if (total === 0n) out.delete(variable)
    else out.set(variable, total)
  }
  return out
}

/** k with left = k·right, if both have the same, at least one, variables. */
function proportion(left: Form, right: Form): bigint | undefined {
  if (left.size !== right.size || left.size === 0) return undefined
  let ratio: bigint | undefined
  for (const [variable, coefficient] of left) {
    const other = right.get(variable)
    if (other === undefined) return undefined
    ratio ??= centred(coefficient * inverse(other))
    if (centred(coefficient - ratio * other) !== 0n) return undefined
  }
  return ratio
}

function absolute(value: bigint): bigint {
  return value < 0n ? -value : value
}
