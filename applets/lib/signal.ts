/** Calm for signals that tremble around a bound, and machines of few states. */
import { require } from './record'

/** On from `onAt` upwards, off below `offBelow` ≤ `onAt`, and in between as it was. */
export function hysteresis<T>(isOn: bool, value: T, onAt: T, offBelow: T): bool {
  return value >= onAt || (isOn && value >= offBelow)
}

/** How often in a row `raw` has been true, up to `most`; it counts as pressed when that is `most`. */
export function debounce(count: u32, raw: bool, most: u32): u32 {
  return raw ? (count < most ? count + 1 : most) : 0
}

/** No transition. */
export const REJECT: u8 = 255

/**
 * The state after `event`, from a table with a row of `events` entries for each state. Rejects an event that is not below `events`, a
 * state without a row, and an entry REJECT.
 */
export function transition(table: StaticArray<u8>, events: u32, state: u32, event: u32): u8 {
  require(event < events)
  require(state < u32(table.length) / events)
  const next = table[state * events + event]
  require(next != REJECT)
  return next
}
