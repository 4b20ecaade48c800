/**
 * The integer instructions without traps, on words. Each function takes combinations and returns one whose value
 * modulo 2^width is the instruction's result.
 */
import { UNSIGNED, bitLength, contains, maximum, proven } from './interval.ts'
import type { Lc } from './lc.ts'
import { ONE, ZERO, add, addConstant, addScaled, complement, constantLc, scale, subtract, sum } from './lc.ts'
import type { Live } from './live.ts'
import { rangeOn } from './state.ts'
import type { Words } from './words.ts'

/** Combinations grow lazily up to this many bits before they are reduced. */
const MAX_LAZY_BITS = 240

type Unary = (live: Live, a: Lc, width: number) => Lc
type Binary = (live: Live, a: Lc, b: Lc, width: number) => Lc

export const UNARY: Readonly<Record<string, Unary>> = {
  eqz: (live, a, width) => live.isZero(a, width),
  clz: (live, a, width) => leadingZeros(live.words, live.words.bits(a, width).reverse()),
  ctz: (live, a, width) => leadingZeros(live.words, live.words.bits(a, width)),
  popcnt: (live, a, width) => sum(live.words.bits(a, width)),
  extend8_s: (live, a) => live.signed(a, 8),
  extend16_s: (live, a) => live.signed(a, 16),
  extend32_s: (live, a) => live.signed(a, 32),
  wrap_i64: (_live, a) => a,
  extend_i32_s: (live, a) => live.signed(live.factor(a, 31), 32),
  extend_i32_u: (live, a) => live.unsigned(live.factor(a, 32), 32),
}

export const BINARY: Readonly<Record<string, Binary>> = {
  add: (live, a, b, width) => tame(live.words, add(a, b), width),
  sub: (live, a, b, width) => tame(live.words, subtract(a, b), width),
  mul: multiply,
  and: (live, a, b, width) => bitwiseAnd(live.words, a, b, width),
  or: (live, a, b, width) => bitwiseOr(live.words, a, b, width),
  xor: (live, a, b, width) => bitwiseXor(live.words, a, b, width),
  shl: shiftLeft,
  shr_u: (live, a, b, width) => shiftRight(live, live.unsigned(a, width), b, width, false),
  shr_s: (live, a, b, width) => shiftRight(live, live.signed(a, width), b, width, true),
  rotl: (live, a, b, width) => rotate(live, a, b, width, true),
  rotr: (live, a, b, width) => rotate(live, a, b, width, false),
  eq: (live, a, b, width) => live.isZero(subtract(a, b), width),
  ne: (live, a, b, width) => complement(live.isZero(subtract(a, b), width)),
  lt_s: (live, a, b, width) => live.lessThan(a, b, width, true),
  lt_u: (live, a, b, width) => live.lessThan(a, b, width, false),
  gt_s: (live, a, b, width) => live.lessThan(b, a, width, true),
  gt_u: (live, a, b, width) => live.lessThan(b, a, width, false),
  le_s: (live, a, b, width) => complement(live.lessThan(b, a, width, true)),
  le_u: (live, a, b, width) => complement(live.lessThan(b, a, width, false)),
  ge_s: (live, a, b, width) => complement(live.lessThan(a, b, width, true)),
  ge_u: (live, a, b, width) => complement(live.lessThan(a, b, width, false)),
}

function magnitudeBits(words: Words, lc: Lc): number {
  const { lo, hi } = words.circuit.range(lc)
  return bitLength(maximum(hi, -lo))
}

function tame(words: Words, lc: Lc, width: number, limit = MAX_LAZY_BITS): Lc {
  return magnitudeBits(words, lc) > limit ? words.unsigned(lc, width) : lc
}

function multiply(live: Live, x: Lc, y: Lc, width: number): Lc {
  const { words } = live
  if (x.isConstant) return multiplyByConstant(words, y, x.constant, width)
  if (y.isConstant) return multiplyByConstant(words, x, y.constant, width)
  const a = live.factor(x, width)
  const b = live.factor(y, width)
  const left = magnitudeBits(words, a)
  const right = magnitudeBits(words, b)
  if (left + right <= MAX_LAZY_BITS) return words.circuit.mul(a, b)
  return words.circuit.mul(tame(words, a, width, 2 * width - 16), tame(words, b, width, width))
}

function multiplyByConstant(words: Words, a: Lc, factor: bigint, width: number): Lc {
  const signed = BigInt.asIntN(width, factor)
  return tame(words, words.circuit.mul(tame(words, a, width, MAX_LAZY_BITS - width), constantLc(signed)), width)
}

/** Number of zero bits before the first one in the list. */
function leadingZeros({ circuit }: Words, bits: readonly Lc[]): Lc {
  let allZero = ONE
  let count = ZERO
  for (const bit of bits) {
    allZero = circuit.mul(allZero, complement(bit))
    count = add(count, allZero)
  }
  circuit.note(count, proven(0n, BigInt(bits.length)))
  return count
}

function bitwiseAnd(words: Words, a: Lc, b: Lc, width: number): Lc {
  const { circuit } = words
  if (a.isConstant && !b.isConstant) return bitwiseAnd(words, b, a, width)
  if (circuit.isBoolean(a) && circuit.isBoolean(b)) return circuit.mul(a, b)
  if (b.isConstant) {
    const mask = BigInt.asUintN(width, b.constant)
    if (mask === 0n) return ZERO
    if ((mask & (mask + 1n)) === 0n) return words.unsigned(a, bitLength(mask))
  }
  const right = words.bits(b, width)
  return words.define(words.bits(a, width).map((bit, k) => circuit.mul(bit, right[k]!)))
}

function bitwiseOr(words: Words, a: Lc, b: Lc, width: number): Lc {
  const { circuit } = words
  const or = (x: Lc, y: Lc): Lc => complement(circuit.mul(complement(x), complement(y)))
  if (circuit.isBoolean(a) && circuit.isBoolean(b)) {
    const result = or(a, b)
    circuit.note(result, proven(0n, 1n))
    if (!result.isConstant)
      circuit.facts.imply(
        result,
        [],
        [
          [a, false],
          [b, false],
        ],
      )
    return result
  }
  const right = words.bits(b, width)
  return words.define(words.bits(a, width).map((bit, k) => or(bit, right[k]!)))
}

function bitwiseXor(words: Words, a: Lc, b: Lc, width: number): Lc {
  if (isAllOnes(b, width)) return addConstant(scale(a, -1n), -1n)
  if (isAllOnes(a, width)) return addConstant(scale(b, -1n), -1n)
  const flip = flips(words, a) ?? flips(words, b)
  if (flip !== undefined) {
    const other = flips(words, a) === undefined ? a : b
    return words.circuit.select(flip, addConstant(scale(other, -1n), -1n), other)
  }
  const xor = (x: Lc, y: Lc): Lc => {
    const result = addScaled(add(x, y), words.circuit.mul(x, y), -2n)
    words.circuit.note(result, proven(0n, 1n))
    return result
  }
  if (words.circuit.isBoolean(a) && words.circuit.isBoolean(b)) return xor(a, b)
  const right = words.bits(b, width)
  return words.define(words.bits(a, width).map((bit, k) => xor(bit, right[k]!)))
}

/** The bit that all bits of the word are equal to, as `x >> 31` gives; undefined for other words. */
function flips({ circuit }: Words, lc: Lc): Lc | undefined {
  const bit = scale(lc, -1n)
  return !lc.isConstant && circuit.isBoolean(bit) ? bit : undefined
}

function isAllOnes(lc: Lc, width: number): boolean {
  return lc.isConstant && BigInt.asIntN(width, lc.constant) === -1n
}

/** The bits of a shift amount, without those that are 0 on this path. */
function amountBits({ words, state }: Live, amount: Lc, width: number): Lc[] {
  const count = width === 32 ? 5 : 6
  const { lo, hi } = rangeOn(words.circuit, state, amount)
  const needed = lo >= 0n ? Math.min(count, bitLength(hi)) : count
  return [...words.bits(amount, needed), ...Array.from({ length: count - needed }, () => ZERO)]
}

function constantAmount(amount: Lc, width: number): number | undefined {
  return amount.isConstant ? Number(BigInt.asUintN(width === 32 ? 5 : 6, amount.constant)) : undefined
}

/** 2^(Σ bits[k]·2^k). */
function powerOfTwo({ circuit }: Words, bits: readonly Lc[]): Lc {
  return bits.reduce(
    (power, bit, k) => circuit.mul(power, addConstant(scale(bit, (1n << (1n << BigInt(k))) - 1n), 1n)),
    ONE,
  )
}

function shiftLeft(live: Live, a: Lc, amount: Lc, width: number): Lc {
  const { words } = live
  const fixed = constantAmount(amount, width)
  if (fixed !== undefined) return multiplyByConstant(words, a, 1n << BigInt(fixed), width + 1)
  const bits = amountBits(live, amount, width)
  if (!a.isConstant) return words.circuit.mul(tame(words, a, width, MAX_LAZY_BITS - width), powerOfTwo(words, bits))
  const selectors = oneHot(words, bits)
  const value = BigInt.asUintN(width, a.constant)
  const bit = (position: number): Lc =>
    sum(selectors.filter((_, shift) => shift <= position && ((value >> BigInt(position - shift)) & 1n) === 1n))
  return words.define(Array.from({ length: width }, (_, position) => asBit(words, bit(position))))
}

/** A sum of bits of which at most one is set. */
function asBit({ circuit }: Words, lc: Lc): Lc {
  circuit.note(lc, proven(0n, 1n))
  return lc
}

/** Selector k is 1 exactly if the bits spell k; 2^n − n − 1 products. */
export function oneHot(words: Words, bits: readonly Lc[]): Lc[] {
  let selectors: Lc[] = [ONE]
  for (const bit of bits) {
    const high = selectors.slice(1).map((selector) => words.circuit.mul(selector, bit))
    high.unshift(asBit(words, subtract(bit, sum(high))))
    const low = selectors.map((selector, k) => asBit(words, subtract(selector, high[k]!)))
    selectors = [...low, ...high]
  }
  return selectors
}

/** `a` is the unsigned or signed integer of the word on this path. */
export function shiftRight(live: Live, a: Lc, amount: Lc, width: number, isSigned: boolean): Lc {
  const { words } = live
  const fixed = constantAmount(amount, width)
  const shifted =
    fixed !== undefined
      ? words.bits(a, width).slice(fixed)
      : words
          .bits(words.circuit.mul(a, powerOfTwo(words, amountBits(live, amount, width).map(complement))), 2 * width - 1)
          .slice(width - 1)
  if (fixed === 0) return a
  if (isSigned) return words.define(withoutRepeats(shifted), shifted.at(-1)!)
  const result = words.define(shifted)
  if (fixed !== undefined && contains(UNSIGNED(width), words.circuit.range(a)))
    words.circuit.facts.linkShift(result, a, fixed)
  return result
}

/** Drops high bits equal to the sign bit, which is the last. */
function withoutRepeats(bits: readonly Lc[]): Lc[] {
  const sign = bits.at(-1)!
  return bits.slice(0, bits.findLastIndex((bit) => bit.key !== sign.key) + 1)
}

function rotate(live: Live, a: Lc, amount: Lc, width: number, left: boolean): Lc {
  const { words } = live
  const fixed = constantAmount(amount, width)
  if (fixed !== undefined) {
    const by = left ? fixed : (width - fixed) % width
    const bits = words.bits(a, width)
    return words.define([...bits.slice(width - by), ...bits.slice(0, width - by)])
  }
  const amounts = amountBits(live, amount, width)
  const power = powerOfTwo(words, left ? amounts : amounts.map(complement))
  const spread = words.bits(words.circuit.mul(words.unsigned(a, width), power), 2 * width)
  const rotated = spread.slice(0, width).map((bit, k) => asBit(words, add(bit, spread[k + width]!)))
  return words.define(left ? rotated : [rotated.at(-1)!, ...rotated.slice(0, -1)])
}
