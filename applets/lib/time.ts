/** The time of day and of the week, from Unix time. An offset is the time zone's, in seconds east of UTC, within ±86,400. */

export const DAY_SEC: u32 = 86_400

/** Seconds since local midnight. */
export function secondOfDay(timeSec: u32, offsetSec: i32): u32 {
  return u32((u64(timeSec) + u64(i32(DAY_SEC) + offsetSec)) % DAY_SEC)
}

/** The local day: 0 is Monday, 6 is Sunday. */
export function weekday(timeSec: u32, offsetSec: i32): u32 {
  const days = u32((u64(timeSec) + u64(i32(DAY_SEC) + offsetSec)) / DAY_SEC)
  return (days + 2) % 7
}

/** Whether `second` of the day lies in [from, to); across midnight when `from` is later than `to`, never when they are equal. */
export function isBetween(second: u32, from: u32, to: u32): bool {
  const isAfterFrom = second >= from
  const isBeforeTo = second < to
  return from <= to ? isAfterFrom && isBeforeTo : isAfterFrom || isBeforeTo
}

/** Number of the period of `lengthSec` that the time falls into, counted from 1970. Rejects a length of 0. */
export function periodOf(timeSec: u32, lengthSec: u32): u32 {
  return timeSec / lengthSec
}
