/** What a device's counter advanced by, when it wraps at its width or starts again from 0. */

/** From one value of a 16-bit counter to a later one, at most one wrap between. */
export function wrapped16(from: u16, to: u16): u32 {
  return (u32(to) - from) & 0xffff
}

/** From one value of a 32-bit counter to a later one, at most one wrap between. */
export function wrapped32(from: u32, to: u32): u32 {
  return to - from
}

/** From one value to a later one of a counter that a restart sets to 0: what it counted before the restart is lost. */
export function sinceReset(from: u32, to: u32): u32 {
  return to >= from ? to - from : to
}
