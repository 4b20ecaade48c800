/** Integer arithmetic that asc has no builtin for. `abs`, `min` and `max` are builtins. */

/** |a − b| of two signed numbers whose difference fits an i32. */
export function distance(a: i32, b: i32): u32 {
  const difference = a - b
  return u32(difference < 0 ? -difference : difference)
}

/** `value`, but at least `low` and at most `high`. */
export function clamp<T>(value: T, low: T, high: T): T {
  return value < low ? low : value > high ? high : value
}
