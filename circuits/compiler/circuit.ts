/**
 * Builds the IR: allocates signals, emits gadgets, and never emits the same one twice.
 * Every combination has a proven interval, from its signals' ranges or noted when a gadget proves a tighter one.
 * Sizes of gadgets come from these intervals alone (see interval.ts).
 */
import type { ClaimLog } from './claims.ts'
import { dearestPlaces } from './cost-report.ts'
import type { BitsItem, Item, Location } from './ir.ts'
import { itemCost, operands } from './ir.ts'
import type { Proven } from './interval.ts'
import {
  UNSIGNED,
  bitLength,
  ceilDivide,
  contains,
  floorDivide,
  hull,
  intersect,
  maximum,
  minimum,
  product,
  proven,
  scaleShift,
} from './interval.ts'
import type { Lc } from './lc.ts'
import { ONE, ZERO, addConstant, addScaled, complement, scale, signalLc, subtract } from './lc.ts'
import type { Fact } from './facts.ts'
import { Factors } from './factors.ts'
import { FactBook } from './facts.ts'
import type { Effects } from './purity.ts'
import type { CompilerLimits } from './refusal.ts'
import { refuse } from './refusal.ts'

/** Combinations stay below this in absolute value, far from the field's order. */
const MAX_MAGNITUDE = 1n << 248n
const BOOLEAN = UNSIGNED(1)
/** Work of a term that a gadget keeps: it is compared, named and held in memory. */
export const TERM_WORK = 4

export interface Quotient {
  quotient: Lc[]
  remainder: Lc[]
}

export class Circuit {
  readonly items: Item[] = []
  readonly facts = new FactBook()
  readonly factors = new Factors()
  readonly limits: CompilerLimits
  /** What verify reads and writes, while it is executed for an applet that must be pure. */
  effects: Effects | undefined
  /** Where the compiler's beliefs are written down when they are audited (claims.ts). */
  readonly claims: ClaimLog | undefined
  at: Location = { functionName: 'the applet', offset: 0, instruction: 'start' }
  signalCount = 0
  #constraints = 0
  #work = 0
  #instructions = 0
  readonly #signalRanges: Proven[] = []
  readonly #ranges = new Map<string, Proven>()
  readonly #products = new Map<string, Lc>()
  readonly #zeros = new Map<string, Lc>()
  readonly #quotients = new Map<string, Quotient>()

  constructor(limits: CompilerLimits, claims?: ClaimLog) {
    this.limits = limits
    this.claims = claims
  }

  /** A signal whose range is guaranteed elsewhere: an input, or an output of the item being emitted. */
  signal(range: Proven): number {
    this.#signalRanges.push(range)
    this.claims?.signal(this.at, this.signalCount, range)
    return this.signalCount++
  }

  /** Counts work, so that a hostile module is refused in seconds. */
  charge(amount: number): void {
    this.#work += amount
    if (this.#work > this.limits.work) {
      throw refuse(this.at, 'the applet takes too many steps to compile', 'Use fewer turns and smaller arrays.')
    }
  }

  /** Counts instructions that a run of the applet may execute. */
  follow(instructions: number): void {
    this.charge(1)
    this.#instructions += instructions
    if (this.#instructions > this.limits.instructions) {
      throw refuse(
        this.at,
        `the applet may execute more than ${this.limits.instructions} instructions`,
        'Use fewer turns, and loops in place of large copies.',
      )
    }
  }

  range(lc: Lc): Proven {
    if (lc.isConstant) return proven(lc.constant, lc.constant)
    const { scale: factor, base, constant } = lc.split
    return scaleShift(this.#baseRange(base), factor, constant)
  }

  /** Records an interval that the constraints emitted so far enforce for every witness. */
  note(lc: Lc, range: Proven): void {
    this.claims?.interval(this.at, lc, range)
    if (lc.isConstant) return
    const { scale: factor, base, constant } = lc.split
    const lo = range.lo - constant
    const hi = range.hi - constant
    const ofBase =
      factor > 0n
        ? proven(ceilDivide(lo, factor), floorDivide(hi, factor))
        : proven(ceilDivide(-hi, -factor), floorDivide(-lo, -factor))
    this.#ranges.set(base.key, intersect(this.#baseRange(base), ofBase))
  }

  /** `a − b`, whose interval follows from theirs where its own signals would tell less. */
  difference(a: Lc, b: Lc): Lc {
    const [x, y, result] = [this.range(a), this.range(b), subtract(a, b)]
    this.note(result, proven(x.lo - y.hi, x.hi - y.lo))
    return result
  }

  isBoolean(lc: Lc): boolean {
    return contains(BOOLEAN, this.range(lc))
  }

  emit(item: Item): void {
    this.#constraints += itemCost(item)
    if (this.#constraints > this.limits.constraints) {
      throw refuse(
        this.at,
        `the circuit of one reading exceeds ${this.limits.constraints} constraints`,
        'Bits are what a proof costs: narrow the fields with @bits, take fewer turns and smaller arrays.',
        dearestPlaces([...this.items, item]),
      )
    }
    const terms = operands(item).reduce((total, { signals }) => total + signals.length, 0)
    this.charge(item.count + 4 + TERM_WORK * terms)
    this.items.push(item)
  }

  /** Makes sure that a combination stays an integer in the field; refuses otherwise. */
  check(lc: Lc): Lc {
    const { lo, hi } = this.range(lc)
    if (lo < -MAX_MAGNITUDE || hi > MAX_MAGNITUDE) throw this.#tooLarge()
    this.charge(1 + lc.signals.length / 4)
    return lc
  }

  /** `a·b`; products of constants, of equal bits and of a bit with one of its own factors are free. */
  mul(a: Lc, b: Lc): Lc {
    if (a.isConstant) return this.check(scale(b, a.constant))
    if (b.isConstant) return this.check(scale(a, b.constant))
    if (this.isBoolean(a)) return this.#mulBit(a, b)
    return this.isBoolean(b) ? this.#mulBit(b, a) : this.#multiply(a, b)
  }

  #mulBit(bit: Lc, lc: Lc): Lc {
    const result = this.#masked(bit, lc)
    this.factors.product(result, bit, lc, this.isBoolean(lc) ? [bit, lc] : [bit])
    this.claims?.masked(this.at, bit, lc, result)
    return result
  }

  #masked(bit: Lc, lc: Lc): Lc {
    const absorbed = this.factors.absorb(bit, lc)
    if (absorbed !== undefined) return absorbed === 'same' ? lc : ZERO
    if (this.isBoolean(lc) && this.factors.absorb(lc, bit) === 'same') return bit
    return this.#multiply(this.factors.substitute(bit, lc), lc)
  }

  #multiply(a: Lc, b: Lc): Lc {
    const result = this.#mulSplit(a, b)
    const range = product(this.range(a), this.range(b))
    this.note(result, a.key === b.key ? proven(maximum(range.lo, 0n), range.hi) : range)
    if (this.isBoolean(a) && this.isBoolean(b))
      this.facts.imply(
        result,
        [
          [a, true],
          [b, true],
        ],
        [],
      )
    return this.check(result)
  }

  #mulSplit(a: Lc, b: Lc): Lc {
    if (a.key === b.key && this.isBoolean(a)) return a
    const x = a.split
    const y = b.split
    const pullX = x.constant !== 0n && y.base.signals.length <= 8
    const pullY = y.constant !== 0n && x.base.signals.length <= 8
    const left = pullX ? x.base : addConstant(scale(x.base, x.scale), x.constant)
    const right = pullY ? y.base : addConstant(scale(y.base, y.scale), y.constant)
    const leftPrimitive = pullX || x.constant === 0n
    const rightPrimitive = pullY || y.constant === 0n
    const factorX = leftPrimitive ? x.scale : 1n
    const factorY = rightPrimitive ? y.scale : 1n
    const core = this.#product(leftPrimitive ? x.base : left, rightPrimitive ? y.base : right)
    let result = scale(core, factorX * factorY)
    if (pullX) result = addScaled(result, rightPrimitive ? y.base : right, x.constant * factorY)
    if (pullY) result = addScaled(result, leftPrimitive ? x.base : left, y.constant * factorX)
    return pullX && pullY ? addConstant(result, x.constant * y.constant) : result
  }

  #product(a: Lc, b: Lc): Lc {
    const [left, right] = a.key < b.key ? [a, b] : [b, a]
    if (left.key === right.key && this.isBoolean(left)) return left
    const key = `${left.key} * ${right.key}`
    const known = this.#products.get(key)
    if (known) return known
    const range = product(this.range(left), this.range(right))
    if (range.lo < -MAX_MAGNITUDE || range.hi > MAX_MAGNITUDE) throw this.#tooLarge()
    const first = this.signal(left.key === right.key ? proven(maximum(range.lo, 0n), range.hi) : range)
    this.emit({ kind: 'mul', left, right, first, count: 1, at: this.at })
    const out = signalLc(first)
    this.#products.set(key, out)
    this.factors.product(
      out,
      left,
      right,
      [left, right].filter((lc) => this.isBoolean(lc)),
    )
    return out
  }

  /** 1 if the integer `lc` is 0, else 0. */
  isZero(lc: Lc): Lc {
    const { lo, hi } = this.range(lc)
    if (lc.isConstant) return lc.constant === 0n ? ONE : ZERO
    if (lo > 0n || hi < 0n) return ZERO
    const { scale: factor, base, constant } = lc.split
    if (constant % factor !== 0n) return ZERO
    const target = -constant / factor
    const of = addConstant(base, -target)
    const known = this.#zeros.get(of.key)
    if (known) return known
    const out = this.#emitIsZero(of)
    this.#zeros.set(of.key, out)
    if (!out.isConstant) {
      const equal = [
        { base, kind: 'atLeast' as const, bound: target },
        { base, kind: 'atMost' as const, bound: target },
      ]
      this.facts.state(out, equal, [{ base, kind: 'not', bound: target }])
    }
    return out
  }

  #emitIsZero(of: Lc): Lc {
    const { lo, hi } = this.range(of)
    if (lo === 0n && hi === 0n) return ONE
    if (lo === 0n && hi === 1n) return complement(of)
    if (lo === -1n && hi === 0n) return addConstant(of, 1n)
    const first = this.signal(BOOLEAN)
    this.emit({ kind: 'isZero', of: this.check(of), first, count: 1, at: this.at })
    return signalLc(first)
  }

  /** Boolean signals of an `lc` proven to lie in [0, 2^count). */
  rawBits(lc: Lc, count: number): Lc[] {
    if (!contains(UNSIGNED(count), this.range(lc)) || count > 252) throw this.#tooLarge()
    const first = this.signalCount
    for (let k = 0; k < count; k++) this.signal(BOOLEAN)
    const item: BitsItem = { kind: 'bits', of: lc, first, count, at: this.at }
    this.emit(item)
    return Array.from({ length: count }, (_, k) => signalLc(first + k))
  }

  /** Bits of quotient and remainder of integers proven non-negative and positive. */
  quotient(dividend: Lc, divisor: Lc): Quotient {
    const key = `${dividend.key} / ${divisor.key}`
    const known = this.#quotients.get(key)
    if (known) return known
    const a = this.range(dividend)
    const b = this.range(divisor)
    if (a.lo < 0n || b.lo < 1n)
      throw refuse(this.at, 'the operands are not proven to be in range', 'Mask or clamp them first.')
    const quotientBits = Math.max(1, bitLength(a.hi / b.lo))
    const remainderBits = Math.max(1, bitLength(minimum(a.hi, b.hi - 1n)))
    const gapBits = Math.max(1, bitLength(b.hi - 1n))
    if (quotientBits + bitLength(b.hi) > 248) throw this.#tooLarge()
    const count = quotientBits + remainderBits
    const first = this.signalCount
    for (let k = 0; k < count; k++) this.signal(BOOLEAN)
    this.emit({ kind: 'quotient', dividend, divisor, quotientBits, remainderBits, gapBits, first, count, at: this.at })
    const bits = Array.from({ length: count }, (_, k) => signalLc(first + k))
    const result = { quotient: bits.slice(0, quotientBits), remainder: bits.slice(quotientBits) }
    this.#quotients.set(key, result)
    return result
  }

  /** `ifSet` where the bit is 1, else `otherwise`: one product, none when they differ by a constant. */
  select(bit: Lc, ifSet: Lc, otherwise: Lc): Lc {
    if (bit.isConstant) return bit.constant === 1n ? ifSet : otherwise
    if (ifSet === ZERO) return this.mul(complement(bit), otherwise)
    const set = given(ifSet, bit, 1n)
    const other = given(otherwise, bit, 0n)
    const result = addScaled(other, this.mul(bit, this.difference(set, other)), 1n)
    const difference = this.difference(ifSet, otherwise)
    const whenSet = this.rangeGiven(difference, bit, true)
    const whenNot = scaleShift(this.rangeGiven(difference, bit, false), -1n, 0n)
    const ofSet = [
      this.rangeGiven(ifSet, bit, true),
      this.rangeGiven(set, bit, true),
      sumOf(this.range(otherwise), whenSet),
    ]
    const ofOther = [
      this.rangeGiven(otherwise, bit, false),
      this.rangeGiven(other, bit, false),
      sumOf(this.range(ifSet), whenNot),
    ]
    const arms = [ofSet.reduce(intersect), ofOther.reduce(intersect)].filter(({ lo, hi }) => lo <= hi)
    if (arms.length > 0) this.note(result, arms.reduce(hull))
    return this.check(result)
  }

  /** Everything that follows, for every witness, from `bit` having the value. */
  implied(bit: Lc, value: boolean): Fact[] {
    const facts = this.facts.facts(bit, value)
    for (const { base, kind, bound } of this.claims === undefined ? [] : facts) {
      if (kind === 'not') continue
      const range = this.range(base)
      const bounds = kind === 'atLeast' ? { lo: bound, hi: range.hi } : { lo: range.lo, hi: bound }
      this.claims?.add('fact', this.at, value ? bit : complement(bit), base, bounds)
    }
    return facts
  }

  /** The interval of `lc` for every witness in which `bit` has this value: proven, since the bit's own constraints imply it. */
  rangeGiven(lc: Lc, bit: Lc, value: boolean): Proven {
    let { lo, hi } = this.range(lc)
    if (lc.isConstant) return proven(lo, hi)
    const { scale: factor, base, constant } = lc.split
    for (const fact of this.implied(bit, value)) {
      if (fact.base.key !== base.key || fact.kind === 'not') continue
      const bound = fact.bound * factor + constant
      if ((fact.kind === 'atLeast') === factor > 0n) lo = maximum(lo, bound)
      else hi = minimum(hi, bound)
    }
    return lo <= hi ? proven(lo, hi) : this.range(lc)
  }

  #baseRange(base: Lc): Proven {
    const known = this.#ranges.get(base.key)
    if (known) return known
    let lo = base.constant
    let hi = base.constant
    base.signals.forEach((signal, k) => {
      const scaled = scaleShift(this.#signalRanges[signal]!, base.coefficients[k]!, 0n)
      lo += scaled.lo
      hi += scaled.hi
    })
    const range = proven(lo, hi)
    this.#ranges.set(base.key, range)
    return range
  }

  #tooLarge(): Error {
    return refuse(
      this.at,
      'an intermediate number exceeds 248 bits before it is reduced',
      'Multiply in steps and cut what is not needed: `x & 0xffff_ffff` keeps 32 bits.',
    )
  }
}

function sumOf(a: Proven, b: Proven): Proven {
  return proven(a.lo + b.lo, a.hi + b.hi)
}

/** The combination with `value` for the bit, where the bit is a signal or its complement. */
function given(lc: Lc, bit: Lc, value: bigint): Lc {
  const [signal] = bit.signals
  if (bit.signals.length !== 1 || signal === undefined) return lc
  const coefficient = lc.coefficients[lc.signals.indexOf(signal)]
  if (coefficient === undefined) return lc
  const worth = (value - bit.constant) / bit.coefficients[0]!
  return addScaled(lc, addConstant(signalLc(signal), -worth), -coefficient)
}
