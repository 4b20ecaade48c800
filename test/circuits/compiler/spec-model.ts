/**
 * The integer instructions as the WebAssembly specification defines them (Core 1.0, 4.3.2 "Integer Operations", and the
 * sign-extension operators of 4.3.2 in 2.0), written down from there over unsigned bigints; undefined means a trap.
 * Independent of the compiler and of the engine: a third opinion on every expected value.
 */
type Unary = (width: number, a: bigint) => bigint
type Binary = (width: number, a: bigint, b: bigint) => bigint | undefined

const wrap = (width: number, value: bigint): bigint =>
  ((value % 2n ** BigInt(width)) + 2n ** BigInt(width)) % 2n ** BigInt(width)

/** signed_N. */
const signed = (width: number, value: bigint): bigint =>
  value < 2n ** BigInt(width - 1) ? value : value - 2n ** BigInt(width)

/** ibits_N, the lowest first. */
const bits = (width: number, value: bigint): number[] =>
  Array.from({ length: width }, (_, k) => Number((value / 2n ** BigInt(k)) % 2n))

const number = (list: readonly number[]): bigint => list.reduceRight((total, bit) => total * 2n + BigInt(bit), 0n)

const count = (width: number, b: bigint): number => Number(b % BigInt(width))

function leadingZeros(list: readonly number[]): bigint {
  const at = list.lastIndexOf(1)
  return BigInt(list.length - 1 - at)
}

const bitwise =
  (of: (a: number, b: number) => boolean): Binary =>
  (width, a, b) => {
    const right = bits(width, b)
    return number(bits(width, a).map((bit, k) => (of(bit, right[k]!) ? 1 : 0)))
  }

const compared =
  (isSigned: boolean, holds: (a: bigint, b: bigint) => boolean): Binary =>
  (width, a, b) =>
    (isSigned ? holds(signed(width, a), signed(width, b)) : holds(a, b)) ? 1n : 0n

const extended =
  (from: number): Unary =>
  (width, a) =>
    wrap(width, signed(from, a % 2n ** BigInt(from)))

/** By the name without its type; a result of a comparison is 0 or 1. */
export const UNARY: Readonly<Record<string, Unary>> = {
  clz: (width, a) => leadingZeros(bits(width, a)),
  ctz: (width, a) => leadingZeros(bits(width, a).reverse()),
  popcnt: (width, a) => BigInt(bits(width, a).filter((bit) => bit === 1).length),
  eqz: (_, a) => (a === 0n ? 1n : 0n),
  extend8_s: extended(8),
  extend16_s: extended(16),
  extend32_s: extended(32),
  wrap_i64: (_, a) => a % 2n ** 32n,
  extend_i32_u: (_, a) => a,
  extend_i32_s: (_, a) => wrap(64, signed(32, a)),
}

export const BINARY: Readonly<Record<string, Binary>> = {
  add: (width, a, b) => wrap(width, a + b),
  sub: (width, a, b) => wrap(width, a - b),
  mul: (width, a, b) => wrap(width, a * b),
  div_u: (_, a, b) => (b === 0n ? undefined : a / b),
  rem_u: (_, a, b) => (b === 0n ? undefined : a % b),
  div_s: (width, a, b) => {
    if (b === 0n) return undefined
    const quotient = signed(width, a) / signed(width, b)
    return quotient === 2n ** BigInt(width - 1) ? undefined : wrap(width, quotient)
  },
  rem_s: (width, a, b) => (b === 0n ? undefined : wrap(width, signed(width, a) % signed(width, b))),
  and: bitwise((a, b) => a === 1 && b === 1),
  or: bitwise((a, b) => a === 1 || b === 1),
  xor: bitwise((a, b) => a !== b),
  shl: (width, a, b) => wrap(width, a * 2n ** BigInt(count(width, b))),
  shr_u: (width, a, b) => a / 2n ** BigInt(count(width, b)),
  shr_s: (width, a, b) => {
    const list = bits(width, a)
    return number(list.map((_, k) => list[Math.min(k + count(width, b), width - 1)]!))
  },
  rotl: (width, a, b) => {
    const list = bits(width, a)
    return number(list.map((_, k) => list[(k - count(width, b) + width) % width]!))
  },
  rotr: (width, a, b) => {
    const list = bits(width, a)
    return number(list.map((_, k) => list[(k + count(width, b)) % width]!))
  },
  eq: compared(false, (a, b) => a === b),
  ne: compared(false, (a, b) => a !== b),
  lt_u: compared(false, (a, b) => a < b),
  gt_u: compared(false, (a, b) => a > b),
  le_u: compared(false, (a, b) => a <= b),
  ge_u: compared(false, (a, b) => a >= b),
  lt_s: compared(true, (a, b) => a < b),
  gt_s: compared(true, (a, b) => a > b),
  le_s: compared(true, (a, b) => a <= b),
  ge_s: compared(true, (a, b) => a >= b),
}
