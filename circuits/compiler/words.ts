/**
 * Words of w bits as linear combinations: a word is `lc mod 2^w` for any integer lc, so addition, truncation and
 * left shifts by constants cost nothing. Bits, comparisons and the canonical unsigned or signed integer of a word cost
 * bits, once per combination.
 */
import type { Circuit } from './circuit.ts'
import { SIGNED, UNSIGNED, ceilDivide, floorDivide, bitLength, contains, proven } from './interval.ts'
import type { Lc } from './lc.ts'
import {
  ONE,
  ZERO,
  addConstant,
  addScaled,
  complement,
  constantLc,
  exactQuotient,
  fromBits,
  signalLc,
  subtract,
} from './lc.ts'

/** Two's complement bits of an integer: `list`, then `sign` repeated for ever. */
export interface IntegerBits {
  list: readonly Lc[]
  sign: Lc
}

/** Above this many terms a combination is not searched for bits it already consists of. */
const MAX_STRUCTURAL_TERMS = 256

export class Words {
  readonly circuit: Circuit
  readonly #bits = new Map<string, IntegerBits>()
  /** Combinations with known bits, by the base that they or their negatives differ from by a constant. */
  readonly #shifted = new Map<string, Lc[]>()
  readonly #raw = new Map<string, Lc[]>()
  readonly #unsigned = new Map<string, Lc>()
  readonly #signed = new Map<string, Lc>()
  readonly #atLeast = new Map<string, Lc>()

  constructor(circuit: Circuit) {
    this.circuit = circuit
  }

  /** Bits 0 to width−1 of the word. */
  bits(lc: Lc, width: number): Lc[] {
    const { list, sign } = this.integerBits(lc)
    return Array.from({ length: width }, (_, k) => list[k] ?? sign)
  }

  hasBits(lc: Lc): boolean {
    return (
      lc.isConstant || this.circuit.isBoolean(lc) || this.#bits.has(lc.key) || this.#structural(lc, false) !== undefined
    )
  }

  /** Declares bits that were computed otherwise, e.g. by a bitwise operation, and returns their combination. */
  define(list: readonly Lc[], sign: Lc = ZERO): Lc {
    const lc = addScaled(fromBits(list), sign, -(1n << BigInt(list.length)))
    if (!lc.isConstant) this.#remember(lc, { list, sign })
    const size = 1n << BigInt(list.length)
    const highest = list.findLastIndex((bit) => bit !== ZERO) + 1
    this.circuit.note(lc, sign === ZERO ? UNSIGNED(highest) : proven(-size, size - 1n))
    return this.circuit.check(lc)
  }

  /** Declares that two combinations are equal for every witness, the second one with known bits. */
  alias(lc: Lc, same: Lc): void {
    this.circuit.note(lc, this.circuit.range(same))
    this.#remember(lc, this.integerBits(same))
  }

  integerBits(lc: Lc): IntegerBits {
    const known = this.#bits.get(lc.key)
    if (known) return known
    const bits = this.#compute(lc)
    this.#remember(lc, bits)
    return bits
  }

  /** Emits the bits of a signal whether or not anything else will need them. */
  checkRange(signal: Lc, width: number): void {
    const list = this.#rawBits(signal, width)
    this.#remember(signal, { list, sign: ZERO })
  }

  #compute(lc: Lc): IntegerBits {
    if (lc.isConstant) return constantBits(lc.constant)
    if (this.circuit.isBoolean(lc)) return { list: [lc], sign: ZERO }
    const structural = this.#structural(lc, true)
    if (structural) return structural
    const half = exactQuotient(lc, 2n)
    if (half) {
      const { list, sign } = this.integerBits(half)
      return { list: [ZERO, ...list], sign }
    }
    return this.#decompose(lc)
  }

  /**
   * Decomposes `lc − start` into the fewest bits for which the range spans at most two aligned blocks of 2^m; all higher
   * bits of the integer are then linear in the one block bit.
   */
  #decompose(lc: Lc): IntegerBits {
    const { lo, hi } = this.circuit.range(lc)
    let m = 0
    while ((hi >> BigInt(m)) - (lo >> BigInt(m)) > 1n) m++
    const block = lo >> BigInt(m)
    const oneBlock = block === hi >> BigInt(m)
    const count = oneBlock ? m : m + 1
    const raw = this.#rawBits(addConstant(lc, -(block << BigInt(m))), count)
    const low = raw.slice(0, m)
    const chooser = oneBlock ? ZERO : raw[m]!
    const first = constantBits(block)
    const second = constantBits(block + 1n)
    const top = Math.max(first.list.length, second.list.length)
    const pick = (k: number): Lc =>
      this.circuit.select(chooser, second.list[k] ?? second.sign, first.list[k] ?? first.sign)
    return { list: [...low, ...Array.from({ length: top }, (_, k) => pick(k))], sign: pick(top) }
  }

  #rawBits(lc: Lc, count: number): Lc[] {
    const known = this.#raw.get(lc.key)
    if (known && known.length >= count) return known.slice(0, count)
    const bits = this.circuit.rawBits(lc, count)
    this.#raw.set(lc.key, bits)
    return bits
  }

  /** Terms 2^k·signal that do not overlap: the bits are those of the signals. */
  #structural(lc: Lc, emit: boolean): IntegerBits | undefined {
    if (lc.signals.length > MAX_STRUCTURAL_TERMS) return undefined
    const parts = this.#disjointParts(lc)
    if (parts === undefined || (parts.length === 1 && !this.circuit.isBoolean(parts[0]!.lc))) return undefined
    if (!emit)
      return parts.every(({ lc: part }) => this.circuit.isBoolean(part) || this.#bits.has(part.key))
        ? { list: [], sign: ZERO }
        : undefined
    const list: Lc[] = []
    for (const { lc: part, position, width } of parts) {
      while (list.length < position) list.push(ZERO)
      list.push(...this.bits(part, width))
    }
    return { list, sign: ZERO }
  }

  #disjointParts(lc: Lc): { lc: Lc; position: number; width: number }[] | undefined {
    const parts: { lc: Lc; position: number; width: number }[] = []
    let rest = lc.constant
    for (let k = 0; k < lc.signals.length; k++) {
      const coefficient = lc.coefficients[k]!
      const size = coefficient < 0n ? -coefficient : coefficient
      if ((size & (size - 1n)) !== 0n) return undefined
      const signal = signalLc(lc.signals[k]!)
      const range = this.circuit.range(signal)
      if (range.lo < 0n || (coefficient < 0n && range.hi > 1n)) return undefined
      if (coefficient < 0n) rest -= size
      const part = coefficient < 0n ? complement(signal) : signal
      const width = coefficient < 0n ? 1 : bitLength(range.hi)
      parts.push({ lc: part, position: bitLength(size) - 1, width })
    }
    if (rest < 0n) return undefined
    constantBits(rest).list.forEach((bit, position) => {
      if (bit === ONE) parts.push({ lc: ONE, position, width: 1 })
    })
    parts.sort((a, b) => a.position - b.position)
    const overlaps = parts.some((part, k) => k > 0 && parts[k - 1]!.position + parts[k - 1]!.width > part.position)
    return overlaps ? undefined : parts
  }

  #remember(lc: Lc, bits: IntegerBits): void {
    this.circuit.claims?.spelled(this.circuit.at, lc, bits.list, bits.sign)
    if (lc.isConstant || this.#bits.has(lc.key)) return
    this.#bits.set(lc.key, bits)
    const { scale: factor, base, constant } = lc.split
    if (factor !== 1n && factor !== -1n) return
    if (factor === 1n && !bits.sign.isConstant) {
      const negative = [{ base, kind: 'atMost' as const, bound: -constant - 1n }]
      this.circuit.facts.state(bits.sign, negative, [{ base, kind: 'atLeast', bound: -constant }])
    }
    const list = this.#shifted.get(base.key) ?? []
    list.push(lc)
    this.#shifted.set(base.key, list)
  }

  /** The word as an integer in [0, 2^width), for every witness. */
  unsigned(lc: Lc, width: number): Lc {
    if (contains(UNSIGNED(width), this.circuit.range(lc))) return lc
    if (lc.isConstant) return constantLc(BigInt.asUintN(width, lc.constant))
    const key = `${width}:${lc.key}`
    const known = this.#unsigned.get(key)
    if (known) return known
    const result = this.#reduce(lc, width)
    this.circuit.note(result, UNSIGNED(width))
    this.#remember(result, { list: this.bits(lc, width), sign: ZERO })
    this.#unsigned.set(key, result)
    return result
  }

  #reduce(lc: Lc, width: number): Lc {
    const { list, sign } = this.integerBits(lc)
    const short = addScaled(lc, sign, 1n << BigInt(Math.max(width, list.length)))
    if (list.length <= width) return short
    const high = fromBits(list.slice(width))
    if (high.signals.length + lc.signals.length > width) return fromBits(list.slice(0, width))
    return addScaled(short, high, -(1n << BigInt(width)))
  }

  /** The word as an integer in [−2^(width−1), 2^(width−1)), for every witness. */
  signed(lc: Lc, width: number): Lc {
    if (contains(SIGNED(width), this.circuit.range(lc))) return lc
    if (lc.isConstant) return constantLc(BigInt.asIntN(width, lc.constant))
    const key = `${width}:${lc.key}`
    const known = this.#signed.get(key)
    if (known) return known
    const bits = this.bits(lc, width)
    const top = bits[width - 1]!
    const result = addScaled(this.unsigned(lc, width), top, -(1n << BigInt(width)))
    this.circuit.note(result, SIGNED(width))
    this.#remember(result, { list: bits.slice(0, width - 1), sign: top })
    this.#signed.set(key, result)
    return result
  }

  /** 1 if the integer is at least 0. */
  isNonNegative(lc: Lc): Lc {
    const { lo, hi } = this.circuit.range(lc)
    if (lo >= 0n) return ONE
    if (hi < 0n) return ZERO
    const { scale: factor, base, constant } = lc.split
    if (factor > 0n) return this.#baseAtLeast(base, ceilDivide(-constant, factor))
    return complement(this.#baseAtLeast(base, floorDivide(constant, -factor) + 1n))
  }

  #baseAtLeast(base: Lc, bound: bigint): Lc {
    const key = (at: bigint): string => `${base.key}>=${at}`
    const known = this.#atLeast.get(key(bound))
    if (known) return known
    const below = this.#atLeast.get(key(bound - 1n))
    const above = this.#atLeast.get(key(bound + 1n))
    let result: Lc
    if (below) result = subtract(below, this.circuit.isZero(addConstant(base, 1n - bound)))
    else if (above) result = addScaled(above, this.circuit.isZero(addConstant(base, -bound)), 1n)
    else result = this.#compare(base, bound)
    this.circuit.note(result, UNSIGNED(1))
    if (below && bound === 1n) this.circuit.factors.twins(base, result, below)
    if (above && bound === 0n) this.circuit.factors.twins(base, result, above)
    this.#atLeast.set(key(bound), result)
    const whenTrue = [{ base, kind: 'atLeast' as const, bound }]
    if (!result.isConstant) this.circuit.facts.state(result, whenTrue, [{ base, kind: 'atMost', bound: bound - 1n }])
    return result
  }

  #compare(base: Lc, bound: bigint): Lc {
    if (this.circuit.isBoolean(base)) return base
    const { lo, hi } = this.circuit.range(base)
    const width = Math.max(bitLength(bound - lo - 1n), bitLength(hi - bound)) + 1
    const candidates = [...(this.#shifted.get(base.key) ?? [])]
    if (candidates.length === 0 && this.hasBits(base)) candidates.push(base)
    for (const shifted of candidates) {
      const bits = this.integerBits(shifted)
      const isNegated = shifted.split.scale === -1n
      const target = isNegated ? shifted.constant - bound + 1n : bound + shifted.constant
      if (bits.sign !== ZERO || target < 1n || runCost(bits.list, target) >= width) continue
      const reached = this.#atLeastByRuns(bits.list, target)
      return isNegated ? complement(reached) : reached
    }
    return complement(this.integerBits(addConstant(base, -bound)).sign)
  }

  /** `Σ bits ≥ target`, from the lowest bit up: at a run of ones of target all must be set, at a run of zeros any decides. */
  #atLeastByRuns(bits: readonly Lc[], target: bigint): Lc {
    if (target >> BigInt(bits.length) !== 0n) return ZERO
    let result: Lc = ONE
    for (const { ones, members } of runs(bits, target)) {
      const count = constantLc(BigInt(members.length))
      const total = members.reduce((sum, bit) => addScaled(sum, bit, 1n))
      if (ones) result = this.circuit.mul(this.circuit.isZero(subtract(count, total)), result)
      else {
        const none = this.circuit.isZero(total)
        result = addScaled(ONE, this.circuit.mul(none, complement(result)), -1n)
      }
    }
    return result
  }

  /** 1 if the two words are equal modulo 2^width. */
  equal(a: Lc, b: Lc, width: number): Lc {
    return this.isZeroWord(subtract(a, b), width)
  }

  isZeroWord(lc: Lc, width: number): Lc {
    const { lo, hi } = this.circuit.range(lc)
    const modulus = 1n << BigInt(width)
    const from = ceilDivide(lo, modulus)
    const to = floorDivide(hi, modulus)
    if (from > to) return ZERO
    if (from === to) return this.circuit.isZero(addConstant(lc, -from * modulus))
    if (to - from > 1n || hi - lo > 1n << 120n) return this.circuit.isZero(this.unsigned(lc, width))
    const low = addConstant(lc, -from * modulus)
    return this.circuit.isZero(this.circuit.mul(low, addConstant(low, -modulus)))
  }
}

function constantBits(value: bigint): IntegerBits {
  const sign = value < 0n ? ONE : ZERO
  const length = bitLength(value < 0n ? -value - 1n : value)
  return { list: Array.from({ length }, (_, k) => (((value >> BigInt(k)) & 1n) === 1n ? ONE : ZERO)), sign }
}

function runs(bits: readonly Lc[], target: bigint): { ones: boolean; members: Lc[] }[] {
  const out: { ones: boolean; members: Lc[] }[] = []
  bits.forEach((bit, k) => {
    const ones = ((target >> BigInt(k)) & 1n) === 1n
    const last = out.at(-1)
    if (last?.ones === ones) last.members.push(bit)
    else if (last !== undefined || ones) out.push({ ones, members: [bit] })
  })
  return out
}

function runCost(bits: readonly Lc[], target: bigint): number {
  return runs(bits, target).reduce(
    (total, { members }, k) => total + Math.min(2, members.length * 2 - 2) + (k > 0 ? 1 : 0),
    0,
  )
}
