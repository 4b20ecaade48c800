/**
 * Fixed point Q16.16: an i32 that counts 1/65536, from −32768 to almost 32768. Import it as a name:
 * `import * as Q16 from './lib/fixed16'`, then `Q16.mul(a, b)`. Comparisons are those of i32.
 * A result out of range rejects the reading.
 */
import { require } from './record'

const FRACTION_BITS: i32 = 16
export const ONE: i32 = 1 << FRACTION_BITS
const FRACTION: i32 = ONE - 1

function fit(value: i64): i32 {
  const narrow = i32(value)
  require(i64(narrow) == value)
  return narrow
}

/** The constant nearest to a decimal literal: `Q16.decimal(0.85)`. Literals only: asc folds it away, a computed float is refused. */
export function decimal(literal: f64): i32 {
  return i32(nearest(literal * 65536.0))
}

/** The integer as Q16.16. Rejects what is not from −32768 to 32767. */
export function fromInteger(value: i32): i32 {
  return fit(i64(value) << FRACTION_BITS)
}

/** The integer at or below. */
export function floor(a: i32): i32 {
  return a >> FRACTION_BITS
}

/** The nearest integer, halves up. */
export function round(a: i32): i32 {
  return i32((i64(a) + (ONE >> 1)) >> FRACTION_BITS)
}

/** The integer towards 0. */
export function trunc(a: i32): i32 {
  return (a + (a < 0 ? FRACTION : 0)) >> FRACTION_BITS
}

/** a + b. Rejects a sum out of range. */
export function add(a: i32, b: i32): i32 {
  return fit(i64(a) + i64(b))
}

/** a − b. Rejects a difference out of range. */
export function sub(a: i32, b: i32): i32 {
  return fit(i64(a) - i64(b))
}

/** −a. Rejects −32768, whose opposite is out of range. */
export function neg(a: i32): i32 {
  return fit(-i64(a))
}

/** a · b rounded down. */
export function mul(a: i32, b: i32): i32 {
  return fit((i64(a) * i64(b)) >> FRACTION_BITS)
}

/** a / b rounded towards 0. Rejects b = 0. */
export function div(a: i32, b: i32): i32 {
  return fit((i64(a) << FRACTION_BITS) / i64(b))
}
