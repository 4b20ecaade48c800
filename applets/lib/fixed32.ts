/**
 * Fixed point Q32.32: an i64 that counts 1/2^32, from −2^31 to almost 2^31. Import it as a name:
 * `import * as Q32 from './lib/fixed32'`. Comparisons are those of i64. A result out of range rejects the reading.
 */
import { mulDiv64 } from './wide'
import { require } from './record'

const FRACTION_BITS: i64 = 32
export const ONE: i64 = 1 << FRACTION_BITS
const FRACTION: i64 = ONE - 1

/** The constant nearest to a decimal literal: `Q32.decimal(0.85)`. Literals only: asc folds it away, a computed float is refused. */
export function decimal(literal: f64): i64 {
  return i64(nearest(literal * 4294967296.0))
}

/** The integer as Q32.32; every i32 fits. */
export function fromInteger(value: i32): i64 {
  return i64(value) << FRACTION_BITS
}

/** The integer at or below. */
export function floor(a: i64): i32 {
  return i32(a >> FRACTION_BITS)
}

/** The nearest integer, halves up. Rejects 2^31. */
export function round(a: i64): i32 {
  const half = (a >> (FRACTION_BITS - 1)) + 1
  require(half >> 32 == half >> 63)
  return i32(half >> 1)
}

/** The integer towards 0. */
export function trunc(a: i64): i32 {
  return i32((a + (a < 0 ? FRACTION : 0)) >> FRACTION_BITS)
}

/** a + b. Rejects a sum out of range. */
export function add(a: i64, b: i64): i64 {
  const sum = a + b
  require(((a ^ sum) & (b ^ sum)) >= 0)
  return sum
}

/** a − b. Rejects a difference out of range. */
export function sub(a: i64, b: i64): i64 {
  const difference = a - b
  require(((a ^ b) & (a ^ difference)) >= 0)
  return difference
}

/** −a. Rejects −2^31, whose opposite is out of range. */
export function neg(a: i64): i64 {
  require(a != i64.MIN_VALUE)
  return -a
}

/** a · b rounded down, exact through 128 bits. */
export function mul(a: i64, b: i64): i64 {
  const aHigh = a >> FRACTION_BITS
  const bHigh = b >> FRACTION_BITS
  const aLow = a & FRACTION
  const bLow = b & FRACTION
  const first = aHigh * bLow + i64(u64(aLow * bLow) >> FRACTION_BITS)
  const second = aLow * bHigh + (first & FRACTION)
  const high = aHigh * bHigh + (first >> FRACTION_BITS) + (second >> FRACTION_BITS)
  require(high == i64(i32(high)))
  return (high << FRACTION_BITS) + (second & FRACTION)
}

/** a / b rounded towards 0. Rejects b = 0. */
export function div(a: i64, b: i64): i64 {
  const negative = a < 0 != b < 0
  const size = mulDiv64(magnitude(a), u64(ONE), magnitude(b))
  require(size <= u64(i64.MAX_VALUE) + u64(negative))
  return negative ? -i64(size) : i64(size)
}

function magnitude(a: i64): u64 {
  return u64(a < 0 ? -a : a)
}
