/**
 * Pays an air-quality sensor: `unitsPerWindow` for a window of nine samples of fine dust, at most one window in `pauseSec`. The median
 * of the window counts, so four samples may be wrong without moving it.
 *
 * Rejects a window whose median is above the sensor's full scale, moved more than `maxStep` from the median before, or equals it for
 * the 16th time in a row (a stuck sensor); one within `pauseSec` of the last, and one from the future. The first window sets the
 * median and pays 0.
 */
import { distance } from './lib/integer'
import { median9 } from './lib/median'
import { bits, Context, require, requireNotFuture } from './lib/record'

/** Samples in tenths of a microgram per cubic metre, oldest first. */
@unmanaged
class Reading {
  /** Unix time of the last sample. */
  timeSec: u32
  sample0: u16
  sample1: u16
  sample2: u16
  sample3: u16
  sample4: u16
  sample5: u16
  sample6: u16
  sample7: u16
  sample8: u16
}

@unmanaged
class State {
  /** 0 until the first window. */
  timeSec: u32
  median: u16
  /** Windows in a row with this median, after the first of them. */
  @bits(4)
  repeats: u32
}

@unmanaged
class Config {
  @bits(17)
  fullScale: i32
  maxStep: u16
  @bits(16)
  pauseSec: u32
  @bits(24)
  unitsPerWindow: u32
}

export const maxUnitsPerFrame: u64 = 100_000_000

export function verify(reading: Reading, state: State, config: Config, context: Context): u32 {
  requireNotFuture(reading.timeSec, context)
  require(u64(reading.timeSec) > u64(state.timeSec) + config.pauseSec)
  const median = medianOf(reading)
  require(median <= config.fullScale)
  const first = state.timeSec == 0
  const step = distance(median, state.median)
  const repeats = step == 0 ? state.repeats + 1 : 0
  state.timeSec = reading.timeSec
  state.median = u16(median)
  if (first) return 0

  require(step <= config.maxStep)
  state.repeats = repeats // 16 does not fit: the window is rejected
  return config.unitsPerWindow
}

function medianOf(r: Reading): i32 {
  // prettier-ignore
  return median9<i32>(
    r.sample0, r.sample1, r.sample2, r.sample3, r.sample4, r.sample5, r.sample6, r.sample7, r.sample8,
  )
}
