/**
 * Pays a weather station: `unitsPerReading` for a temperature that its neighbours bear out, at most one in `pauseSec`. The gateway
 * puts the last values of three neighbours beside the station's own; the median of the three is what the station is held against.
 *
 * Rejects a temperature outside the climate's range, farther than `corridorCentiC` from that median, or changed faster than
 * `maxCentiCPerHour` since the last accepted reading; a sensor that said the same to the hundredth 16 times in a row (it is stuck); a
 * reading within `pauseSec` of the last, and one from the future. The first reading has no change to judge and pays 0.
 */
import { distance } from './lib/integer'
import { median3 } from './lib/median'
import { bits, Context, require, requireNotFuture } from './lib/record'

@unmanaged
class Reading {
  /** Unix time of the reading. */
  timeSec: u32
  /** Hundredths of a degree Celsius. */
  @bits(14)
  centiC: i32
  @bits(14)
  neighbourA: i32
  @bits(14)
  neighbourB: i32
  @bits(14)
  neighbourC: i32
}

@unmanaged
class State {
  /** 0 until the first reading. */
  timeSec: u32
  @bits(14)
  centiC: i32
  /** Readings in a row with this temperature, after the first of them. */
  @bits(4)
  repeats: u32
}

@unmanaged
class Config {
  @bits(14)
  minCentiC: i32
  @bits(14)
  maxCentiC: i32
  @bits(12)
  corridorCentiC: u32
  @bits(14)
  maxCentiCPerHour: u32
  @bits(16)
  pauseSec: u32
  @bits(24)
  unitsPerReading: u32
}

export const maxUnitsPerFrame: u64 = 100_000_000

const SECONDS_PER_HOUR: u64 = 3600

export function verify(reading: Reading, state: State, config: Config, context: Context): u32 {
  requireNotFuture(reading.timeSec, context)
  require(u64(reading.timeSec) > u64(state.timeSec) + config.pauseSec)
  require(reading.centiC >= config.minCentiC && reading.centiC <= config.maxCentiC)
  const middle = median3(reading.neighbourA, reading.neighbourB, reading.neighbourC)
  require(distance(reading.centiC, middle) <= config.corridorCentiC)
  const first = state.timeSec == 0
  const seconds = reading.timeSec - state.timeSec
  const change = distance(reading.centiC, state.centiC)
  const repeats = change == 0 ? state.repeats + 1 : 0
  state.timeSec = reading.timeSec
  state.centiC = reading.centiC
  if (first) return 0

  require(u64(change) * SECONDS_PER_HOUR <= u64(config.maxCentiCPerHour) * seconds)
  state.repeats = repeats // 16 does not fit: the reading is rejected
  return config.unitsPerReading
}
