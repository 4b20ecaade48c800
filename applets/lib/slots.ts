/**
 * Counting time slots once each. A window of the last 32 (u32) or 64 (u64) slots is a bitmap, bit 0 the newest slot seen; a card of
 * slots that are numbered from 0 is a bitmap, bit k slot k. T is u32 or u64.
 */
import { require } from './record'

/** Slots of the window that `advance` and `markLate` keep, the newest included. */
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

/** `advance` for 64 slots. */
export function advance64(window: u64, steps: u32): u64 {
  return steps < 64 ? (window << steps) | 1 : 1
}

/** `markLate` for 64 slots. */
export function markLate64(window: u64, age: u32): u64 {
  require(age < 64)
  const slot = (<u64>1) << age
  require((window & slot) == 0)
  return window | slot
}

/** The card with `slot` set. Rejects a slot that is set already or beyond the card. */
export function setOnce<T>(card: T, slot: u32): T {
  require(slot < sizeof<T>() * 8)
  const bit = (<T>1) << (<T>slot)
  require((card & bit) == 0)
  return card | bit
}

/** Whether `slot` is set; slots beyond the card are not. */
export function isSet<T>(card: T, slot: u32): bool {
  return slot < sizeof<T>() * 8 && ((card >> (<T>slot)) & 1) != 0
}

/** How many slots are set. */
export function countSlots<T>(card: T): u32 {
  return <u32>popcnt(card)
}
