/**
 * Integer arithmetic that asc has no builtin for. `abs`, `min` and `max` are builtins.
 * What does not fit its type rejects the reading, except in `distance`, which wraps where the difference does not fit an i32.
 */
import { require } from './record'

/** |a − b| of two signed numbers whose difference fits an i32. */
export function distance(a: i32, b: i32): u32 {
  const difference = a - b
  return u32(difference < 0 ? -difference : difference)
}

/** `value`, but at least `low` and at most `high`. */
export function clamp<T>(value: T, low: T, high: T): T {
  return value < low ? low : value > high ? high : value
}

/** a + b. Rejects a sum above u64. */
export function addU64(a: u64, b: u64): u64 {
  const sum = a + b
  require(sum >= a)
  return sum
}

/** a − b, but 0 where b is larger. Unsigned types. */
export function subtractToZero<T>(a: T, b: T): T {
  return a < b ? <T>0 : a - b
}

/** a / b rounded up. Unsigned types; rejects b = 0. */
export function ceilDiv<T>(a: T, b: T): T {
  return a / b + <T>(a % b != 0)
}

/** a / b rounded to the nearest, halves up. Rejects b = 0. */
export function roundDiv(a: u32, b: u32): u32 {
  return u32((u64(a) + (b >> 1)) / b)
}

/** a · b / c rounded down. Rejects c = 0 and a result above u32. */
export function mulDiv(a: u32, b: u32, c: u32): u32 {
  const result = (u64(a) * b) / c
  require(result >> 32 == 0)
  return u32(result)
}

/** a · b / c rounded down, exact through 96 bits. Rejects c = 0 and a result above u64. */
export function mulDivWide(a: u64, b: u32, c: u32): u64 {
  const quotient = a / c
  const rest = ((a - quotient * c) * b) / c
  const low = (quotient & 0xffff_ffff) * b + rest
  const high = (quotient >> 32) * b + (low >> 32)
  require(high >> 32 == 0)
  return (high << 32) | (low & 0xffff_ffff)
}

/** 10^exponent. Rejects exponents above 19. */
export function powerOfTen(exponent: u32): u64 {
  require(exponent < 20)
  return load<u64>(POWERS_OF_TEN + (exponent << 3))
}

// prettier-ignore
const POWERS_OF_TEN = memory.data<u64>([
  1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000, 100_000_000_000,
  1_000_000_000_000, 10_000_000_000_000, 100_000_000_000_000, 1_000_000_000_000_000, 10_000_000_000_000_000,
  100_000_000_000_000_000, 1_000_000_000_000_000_000, 10_000_000_000_000_000_000,
])
