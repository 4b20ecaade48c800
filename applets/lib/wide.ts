/** a · b / c through 128 bits, for numbers that need all 64. It costs: `mulDiv` and `mulDivWide` of integer.ts do for most. */
import { require } from './record'

const LOW: u64 = 0xffff_ffff

/** a · b / c rounded down. Rejects c = 0 and a result above u64. */
export function mulDiv64(a: u64, b: u64, c: u64): u64 {
  const lowest = (a & LOW) * (b & LOW)
  const first = (a >> 32) * (b & LOW) + (lowest >> 32)
  const second = (a & LOW) * (b >> 32) + (first & LOW)
  const high = (a >> 32) * (b >> 32) + (first >> 32) + (second >> 32)
  return divide128(high, (second << 32) | (lowest & LOW), c)
}

/** Long division by two digits of 32 bits, the divisor shifted until its highest bit is set. */
function divide128(high: u64, low: u64, divisor: u64): u64 {
  require(high < divisor)
  const shift = clz(divisor)
  const by = divisor << shift
  const top = (high << shift) | ((low >> 1) >> (63 - shift))
  const rest = low << shift
  const first = digit(top, rest >> 32, by)
  const between = ((top << 32) | (rest >> 32)) - first * by
  return (first << 32) | digit(between, rest & LOW, by)
}

/** The digit (top · 2^32 + next) / by, where top < by and by ≥ 2^63: the estimate from by's high half is too large by 2 at most. */
function digit(top: u64, next: u64, by: u64): u64 {
  const byHigh = by >> 32
  const byLow = by & LOW
  let estimate = top / byHigh
  let rest = top - estimate * byHigh
  for (let step = 0; step < 2; step++) {
    if (rest > LOW) break
    if (estimate <= LOW && estimate * byLow <= ((rest << 32) | next)) break
    estimate--
    rest += byHigh
  }
  return estimate
}
