/**
 * Pays for electric energy: `unitsPerKwh` for every kWh that the meter's counter advanced since the last accepted reading.
 * Parts of a unit are carried in State, so many small readings pay as much as one large.
 *
 * Rejects a counter that runs backwards (a replaced meter is a new device), time that does not advance or lies in the future, and
 * energy faster than the fuse allows. A counter of whole watt hours may make a true reading look too fast; the next one then covers
 * its time too. The first reading only sets the counter: it pays 0.
 */
import { bits, Context, require, requireNotFuture } from './lib/record'

@unmanaged
class Reading {
  /** Unix time of the reading. */
  timeSec: u32
  /** The meter's ever growing counter. */
  wattHours: u32
}

@unmanaged
class State {
  /** 0 until the first reading. */
  lastTimeSec: u32
  lastWattHours: u32
  /** Energy times price not yet paid, in thousandths of a unit. */
  @bits(10)
  milliUnits: u32
}

@unmanaged
class Config {
  /** Largest mean power between two readings: the fuse. */
  @bits(24)
  maxWatts: u32
  @bits(24)
  unitsPerKwh: u32
}

export const maxUnitsPerFrame: u64 = 1_000_000_000

const SECONDS_PER_HOUR: u64 = 3600
const WATT_HOURS_PER_KWH: u64 = 1000

export function verify(reading: Reading, state: State, config: Config, context: Context): u32 {
  requireNotFuture(reading.timeSec, context)
  require(reading.timeSec > state.lastTimeSec)
  const seconds = reading.timeSec - state.lastTimeSec
  const first = state.lastTimeSec == 0
  state.lastTimeSec = reading.timeSec
  const lastWattHours = state.lastWattHours
  state.lastWattHours = reading.wattHours
  if (first) return 0

  require(reading.wattHours >= lastWattHours)
  const wattHours = reading.wattHours - lastWattHours
  requireWithinFuse(wattHours, seconds, config.maxWatts)

  const milliUnits = u64(wattHours) * config.unitsPerKwh + state.milliUnits
  const units = milliUnits / WATT_HOURS_PER_KWH
  require(units >> 32 == 0)
  state.milliUnits = u32(milliUnits - units * WATT_HOURS_PER_KWH)
  return u32(units)
}

function requireWithinFuse(wattHours: u32, seconds: u32, maxWatts: u32): void {
  require(u64(wattHours) * SECONDS_PER_HOUR <= u64(maxWatts) * seconds)
}
