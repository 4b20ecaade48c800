/**
 * Pays for solar energy fed into the grid: `unitsPerKwh` for every kWh generated and not used on site. What was used beyond what was
 * generated is made up for before anything is paid again. Parts of a unit are carried in State.
 *
 * Rejects a counter of generation that runs backwards or made more than the plant at its peak power could in the daylight of the
 * interval, a counter of use that runs backwards, and time that does not advance or lies in the future. Counters of whole watt hours
 * may make a true reading look too large; the next one then covers its time too. The first reading only sets the counters: it pays 0.
 */
import { bits, Context, require, requireNotFuture } from './lib/record'

@unmanaged
class Reading {
  /** Unix time of the reading. */
  timeSec: u32
  /** The inverter's ever growing counter. */
  generatedWattHours: u32
  /** What of it was used on site, ever growing. */
  selfUsedWattHours: u32
}

@unmanaged
class State {
  /** 0 until the first reading. */
  timeSec: u32
  generatedWattHours: u32
  selfUsedWattHours: u32
  /** Generated less self-used, the most that was paid for: the two round differently, so it may seem to fall by one. */
  fedInWattHours: u32
  /** Energy times price not yet paid, in thousandths of a unit. */
  @bits(10)
  milliUnits: u32
}

@unmanaged
class Config {
  /** Of the largest plant. */
  @bits(24)
  peakWatts: u32
  /** Earliest sunrise of the year, seconds after midnight UTC. */
  @bits(17)
  sunriseSec: u32
  /** From the earliest sunrise to the latest sunset; at most 86,400. */
  @bits(17)
  daylightSec: u32
  @bits(24)
  unitsPerKwh: u32
}

export const maxUnitsPerFrame: u64 = 1_000_000_000

const SECONDS_PER_DAY: u64 = 86_400
const SECONDS_PER_HOUR: u64 = 3600
const WATT_HOURS_PER_KWH: u64 = 1000
/** Most watt hours between two readings, 16.8 MWh: more is a counter that ran backwards. */
const STEP_LOG2: u32 = 24
const STEP_MASK: u32 = (1 << STEP_LOG2) - 1

export function verify(reading: Reading, state: State, config: Config, context: Context): u32 {
  requireNotFuture(reading.timeSec, context)
  require(reading.timeSec > state.timeSec)
  const first = state.timeSec == 0
  const daylightSec = daylightUntil(reading.timeSec, config) - daylightUntil(state.timeSec, config)
  const step = reading.generatedWattHours - state.generatedWattHours
  const used = reading.selfUsedWattHours - state.selfUsedWattHours
  const fedIn = reading.generatedWattHours - reading.selfUsedWattHours
  const net = fedIn - state.fedInWattHours
  state.timeSec = reading.timeSec
  state.generatedWattHours = reading.generatedWattHours
  state.selfUsedWattHours = reading.selfUsedWattHours
  if (first) {
    state.fedInWattHours = fedIn
    return 0
  }
  require(step >> STEP_LOG2 == 0)
  require(used >> STEP_LOG2 == 0)
  const generated = step & STEP_MASK
  require(u64(generated) * SECONDS_PER_HOUR <= u64(config.peakWatts) * daylightSec)
  if (net >> 31 != 0) return 0
  require(net <= generated)
  state.fedInWattHours = fedIn
  const milliUnits = u64(net & STEP_MASK) * config.unitsPerKwh + state.milliUnits
  const units = milliUnits / WATT_HOURS_PER_KWH
  require(units >> 32 == 0)
  state.milliUnits = u32(milliUnits % WATT_HOURS_PER_KWH)
  return u32(units)
}

/** Seconds of daylight since some sunrise before the epoch: what lies between two times is the difference. */
function daylightUntil(timeSec: u32, config: Config): u64 {
  const sinceSunrise = u64(timeSec) + 2 * SECONDS_PER_DAY - config.sunriseSec
  const today = sinceSunrise % SECONDS_PER_DAY
  return (sinceSunrise / SECONDS_PER_DAY) * config.daylightSec + min(today, u64(config.daylightSec))
}
