/**
 * Arrays in records. A record has no arrays, but consecutive fields of one type are one:
 *
 *   @unmanaged class Reading { timeSec: u32; v0: u16; v1: u16; … v8: u16 }
 *   const samples = itemsAt(reading, offsetof<Reading>('v0'))
 *   const largest = maxOf<u16>(samples, 9)
 *
 * T is the fields' type (a wider or narrower one reads across them), and `count` is a constant. Items are read and written at
 * constant places for free; only `pick` takes a computed index.
 */
import { require } from './record'

/** Where the items begin that start with the record's field at `offset`. */
export function itemsAt<R>(record: R, offset: usize): usize {
  return changetype<usize>(record) + offset
}

/** Item `index`, a constant or the counter of a loop. It is not compared with the number of items. */
export function item<T>(items: usize, index: u32): T {
  return load<T>(items + usize(index) * sizeof<T>())
}

/** Replaces item `index`, a constant or the counter of a loop. */
export function setItem<T>(items: usize, index: u32, value: T): void {
  store<T>(items + usize(index) * sizeof<T>(), value)
}

/** Item `index`, computed. Rejects an index that is not below `count`. */
export function pick<T>(items: usize, count: u32, index: u32): T {
  require(index < count)
  return item<T>(items, index)
}

/** Sum of unsigned items. */
export function sumOf<T>(items: usize, count: u32): u64 {
  let sum: u64 = 0
  for (let k: u32 = 0; k < count; k++) sum += u64(item<T>(items, k))
  return sum
}

/** The least item, of `count` ≥ 1; compared as T, signed or unsigned. */
export function minOf<T>(items: usize, count: u32): T {
  let least = item<T>(items, 0)
  for (let k: u32 = 1; k < count; k++) {
    const other = item<T>(items, k)
    least = other < least ? other : least
  }
  return least
}

/** The greatest item, of `count` ≥ 1; compared as T, signed or unsigned. */
export function maxOf<T>(items: usize, count: u32): T {
  let most = item<T>(items, 0)
  for (let k: u32 = 1; k < count; k++) {
    const other = item<T>(items, k)
    most = other > most ? other : most
  }
  return most
}

/** How many items are at least `bound`. */
export function countAtLeast<T>(items: usize, count: u32, bound: T): u32 {
  let found: u32 = 0
  for (let k: u32 = 0; k < count; k++) found += u32(item<T>(items, k) >= bound)
  return found
}

/** Moves every item to the next place, the last one out, and puts `value` first. */
export function push<T>(items: usize, count: u32, value: T): void {
  for (let k: u32 = count - 1; k > 0; k--) setItem<T>(items, k, item<T>(items, k - 1))
  setItem<T>(items, 0, value)
}

/** Sets every item. */
export function fill<T>(items: usize, count: u32, value: T): void {
  for (let k: u32 = 0; k < count; k++) setItem<T>(items, k, value)
}
