// Affine additions, many at a time: all divisions of a batch share one inversion, so an addition costs five multiplications and a
// square. A target must not be queued twice in one batch, nor be a source of it. Targets change when the batch is flushed.

import { add, copy, difference, inverse, isZeroDifference, mul, mulSub, sizeOf, sqr, sqrSub, sub } from './coordinate'
import { copyAffine, isEmpty, setEmpty } from './point'

export const BATCH_SIZE: i32 = 1024

const NEGATIVE: u32 = 1
const DOUBLE: u32 = 2

// Addresses are multiples of four: the two lowest bits of a source are free for its flags.
const targets: usize = memory.data(1024 * 4)
const sources: usize = memory.data(1024 * 4)
const divisors: usize = memory.data(1024 * 72)
/** Product of the divisors before each. */
const prefixes: usize = memory.data(1025 * 72)
const inverted: usize = memory.data(72)
const slope: usize = memory.data(72)
const t0: usize = memory.data(72)
const t1: usize = memory.data(72)

let pending: i32 = 0
/** Grows with every flush; what was queued under another number is done. */
export let batchNumber: u32 = 1

/** target = target ± source, in this batch or at once. Returns whether it is queued. */
export function enqueue<F>(target: usize, source: usize, negative: bool): bool {
  if (isEmpty(source)) return false
  if (isEmpty(target)) {
    copyAffine<F>(target, source, negative)
    return false
  }
  const size = sizeOf<F>()
  const divisor = divisors + <usize>pending * 72
  let flags: u32 = negative ? NEGATIVE : 0
  difference<F>(divisor, source, target)
  if (isZeroDifference<F>(divisor)) {
    if (negative) add<F>(t0, target + size, source + size)
    else sub<F>(t0, target + size, source + size)
    if (!isZeroDifference<F>(t0)) {
      setEmpty(target)
      return false
    }
    add<F>(divisor, target + size, target + size)
    flags |= DOUBLE
  }
  store<u32>(targets + ((<usize>pending) << 2), <u32>target)
  store<u32>(sources + ((<usize>pending) << 2), (<u32>source) | flags)
  if (pending == 0) copy<F>(prefixes + 72, divisor)
  else mul<F>(prefixes + (<usize>pending + 1) * 72, prefixes + <usize>pending * 72, divisor)
  if (++pending == BATCH_SIZE) flush<F>()
  return true
}

export function flush<F>(): void {
  if (pending == 0) return
  batchNumber++
  inverse<F>(inverted, prefixes + <usize>pending * 72)
  for (let k = pending - 1; k >= 0; k--) {
    const divisor = divisors + <usize>k * 72
    if (k > 0) {
      mul<F>(slope, inverted, prefixes + <usize>k * 72)
      mul<F>(inverted, inverted, divisor)
    } else {
      copy<F>(slope, inverted)
    }
    addWithInverse<F>(load<u32>(targets + ((<usize>k) << 2)), load<u32>(sources + ((<usize>k) << 2)))
  }
  pending = 0
}

/** `slope` holds the inverse of the divisor. */
function addWithInverse<F>(target: usize, flagged: u32): void {
  const size = sizeOf<F>()
  const source = <usize>(flagged & ~3)
  const y = target + size
  if (flagged & DOUBLE) {
    sqr<F>(t1, target)
    add<F>(t0, t1, t1)
    add<F>(t0, t0, t1)
  } else if (flagged & NEGATIVE) {
    add<F>(t0, source + size, y)
    negate<F>(t0)
  } else {
    sub<F>(t0, source + size, y)
  }
  mul<F>(slope, t0, slope)
  sqrSub<F>(t0, slope, target, source)
  difference<F>(t1, target, t0)
  mulSub<F>(y, slope, t1, y)
  copy<F>(target, t0)
}

function negate<F>(a: usize): void {
  for (let k: usize = 0; k < sizeOf<F>(); k += 4) store<i32>(a + k, -load<i32>(a + k))
}
