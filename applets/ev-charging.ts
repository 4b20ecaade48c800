/**
 * Pays a charging point: `unitsPerKwh` for every kWh it delivers in a session, up to `sessionWattHours` a session. An interval with a
 * mean power below `minWatts` is a car that only stands there: it pays nothing. Parts of a unit are carried in State.
 *
 * A session is start, any number of meter values, stop. Rejects a start within a session or less than `pauseSec` after the last one
 * (so the cap is not reset by stopping for a second), a value or a stop outside one, a counter that runs backwards, time that does
 * not advance or lies in the future, and more power than the point has. The first reading must be a start; a start pays 0.
 */
import { subtractToZero } from './lib/integer'
import { bits, Context, require, requireNotFuture } from './lib/record'

@unmanaged
class Reading {
  /** Unix time of the event. */
  timeSec: u32
  /** The point's ever growing counter. */
  wattHours: u32
  /** 0 meter value, 1 start, 2 stop. */
  @bits(2)
  event: u32
}

@unmanaged
class State {
  /** Of the last event; 0 until the first. */
  timeSec: u32
  wattHours: u32
  charging: bool
  /** Paid in this session. */
  @bits(20)
  sessionWattHours: u32
  /** Energy times price not yet paid, in thousandths of a unit. */
  @bits(10)
  milliUnits: u32
}

@unmanaged
class Config {
  /** Of the strongest point. */
  @bits(20)
  maxWatts: u32
  @bits(20)
  minWatts: u32
  /** Most that a session pays for: a large battery. */
  @bits(20)
  sessionWattHours: u32
  /** Between a stop and the next start. */
  @bits(16)
  pauseSec: u32
  @bits(20)
  unitsPerKwh: u32
}

export const maxUnitsPerFrame: u64 = 1_000_000_000

const START: u32 = 1
const STOP: u32 = 2
const SECONDS_PER_HOUR: u64 = 3600
const WATT_HOURS_PER_KWH: u64 = 1000
/** Most watt hours between two events, 1 MWh: more is a counter that ran backwards. */
const STEP_LOG2: u32 = 20
const STEP_MASK: u32 = (1 << STEP_LOG2) - 1

export function verify(reading: Reading, state: State, config: Config, context: Context): u32 {
  requireNotFuture(reading.timeSec, context)
  require(reading.timeSec > state.timeSec && reading.event <= STOP)
  const seconds = reading.timeSec - state.timeSec
  const step = reading.wattHours - state.wattHours
  require(state.timeSec == 0 || step >> STEP_LOG2 == 0)
  const wattHours = step & STEP_MASK
  const charging = state.charging
  const start = reading.event == START
  require(charging != start)
  state.timeSec = reading.timeSec
  state.wattHours = reading.wattHours
  state.charging = reading.event != STOP
  if (start) {
    require(seconds > config.pauseSec)
    state.sessionWattHours = 0
    return 0
  }

  const wattSeconds = u64(wattHours) * SECONDS_PER_HOUR
  require(wattSeconds <= u64(config.maxWatts) * seconds)
  // The counter shows whole watt hours: one of them may be older than the interval.
  if (wattSeconds < u64(config.minWatts) * seconds + SECONDS_PER_HOUR) return 0
  const paid = min(wattHours, subtractToZero(config.sessionWattHours, state.sessionWattHours))
  state.sessionWattHours += paid

  const milliUnits = u64(paid) * config.unitsPerKwh + state.milliUnits
  state.milliUnits = u32(milliUnits % WATT_HOURS_PER_KWH)
  return u32(milliUnits / WATT_HOURS_PER_KWH)
}
