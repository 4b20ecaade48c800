/**
 * Counting time slots once each: a window of the last 32 slots as a bitmap, bit 0 the newest slot seen.
 */
import { require } from './record'

export const WINDOW_SLOTS: u32 = 32

/** The window after `newest` has moved ahead by `steps` ≥ 1 slots, the new one marked. */
export function advance(window: u32, steps: u32): u32 {
  return steps < WINDOW_SLOTS ? (window << steps) | 1 : 1
}

/** The window with the slot `age` behind the newest marked. Rejects a slot that was marked or has left the window. */
export function markLate(window: u32, age: u32): u32 {
  require(age < WINDOW_SLOTS)
  const slot = (<u32>1) << age
  require((window & slot) == 0)
  return window | slot
}
