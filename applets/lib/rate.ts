/** Rate limits over numbers that State keeps. Both reject what is too much; return 0 units before the call to pass it over instead. */
import { require } from './record'

/**
 * The tokens left in a bucket after `elapsed` seconds (or slots) that brought `perStep` tokens each, up to `capacity`, and after
 * `cost` tokens were taken. Rejects when there are not that many. A new device starts with what State starts with: 0.
 */
export function takeTokens(tokens: u32, elapsed: u32, perStep: u32, capacity: u32, cost: u32): u32 {
  const full = u64(tokens) + u64(elapsed) * perStep
  const available = full < u64(capacity) ? u32(full) : capacity
  require(available >= cost)
  return available - cost
}

/** The count of events in this period, this one included: `count` goes on in the same period, and begins anew in another. Rejects more than `most`. */
export function countInPeriod(count: u32, isSamePeriod: bool, most: u32): u32 {
  const before = isSamePeriod ? count : 0
  require(before < most)
  return before + 1
}
