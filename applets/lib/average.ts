/** Averages over time that lose nothing to rounding: what State keeps is the exact sum. */
import { push, sumOf } from './items'
import { require } from './record'

/**
 * Puts `value` into the window of `count` unsigned items (items.ts) in State and returns their mean, rounded down. Items that were
 * never written count as 0: `fill` the window with the first value.
 */
export function rollingAverage<T>(items: usize, count: u32, value: T): T {
  push<T>(items, count, value)
  return <T>(sumOf<T>(items, count) / count)
}

/**
 * Exponential moving average of weight 1/2^shift, without rounding drift. `scaled` is the average times 2^shift, as State keeps it:
 * the average is `scaled >> shift`, and the first value v sets `v << shift`. Rejects samples of more than 32 − shift bits; 1 ≤ shift ≤ 31.
 */
export function smooth(scaled: u32, sample: u32, shift: u32): u32 {
  require(sample >> (32 - shift) == 0)
  return scaled - (scaled >> shift) + sample
}
