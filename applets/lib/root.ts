/**
 * Integer square roots, rounded down, digit by digit. They cost hundreds of constraints: to ask whether something is far enough,
 * compare squares instead. A number that is proven narrower (a narrow field, a product of such) costs less.
 */
import { require } from './record'

/** Largest integer whose square is at most `n`. */
export function isqrt32(n: u32): u32 {
  return root(n, 16)
}

/** Largest integer whose square is at most `n`. */
export function isqrt64(n: u64): u32 {
  return root(n, 32)
}

/** Largest integer whose square is at most `n`, which has at most `2 · digits` bits: rejects more. 1 ≤ digits ≤ 31, a constant. */
export function isqrt(n: u64, digits: u32): u32 {
  require(n >> u64(2 * digits) == 0)
  return root(n, digits)
}

/**
 * Two bits of `n` a step, without restoring: a rest below 0 is mended by the next step. After step k the root has k + 1 bits, and the
 * rest fits k + 3 bits with its sign: the shifts tell the compiler so.
 */
function root(n: u64, digits: u32): u32 {
  let rest: i64 = 0
  let root: i64 = 0
  for (let k: u32 = 0; k < digits; k++) {
    const next = (n >> u64(2 * (digits - 1 - k))) & 3
    rest = 4 * rest + i64(next) + select<i64>(4 * root + 3, -4 * root - 1, rest < 0)
    rest = (rest << i64(61 - k)) >> i64(61 - k)
    root = 2 * root + i64(rest >= 0)
  }
  return u32(root)
}
