/**
 * Pays a water meter's operator by the cubic metre metered: `unitsPerM3First` for the first `firstLiters` of a day, `unitsPerM3Rest`
 * beyond. Parts of a unit are carried in State.
 *
 * Water that runs longer than `leakSec` without a pause of `drySec` is a leak: from then on it pays 0, until there is such a pause.
 * Rejects a counter that runs backwards, more water than the pipe lets through, time that does not advance or lies in the future.
 * The first reading only sets the counter: it pays 0.
 */
import { subtractToZero } from './lib/integer'
import { bits, Context, require, requireNotFuture } from './lib/record'

@unmanaged
class Reading {
  /** Unix time of the reading. */
  timeSec: u32
  /** The meter's ever growing counter, a pulse a litre. */
  liters: u32
}

@unmanaged
class State {
  /** 0 until the first reading. */
  timeSec: u32
  liters: u32
  /** Last reading with water since the one before. */
  flowTimeSec: u32
  /** End of the last pause. */
  dryTimeSec: u32
  /** Of `timeSec`, counted from the epoch. */
  @bits(16)
  day: u32
  /** Paid on that day. */
  @bits(24)
  dayLiters: u32
  /** Litres times price not yet paid, in thousandths of a unit. */
  @bits(10)
  milliUnits: u32
}

@unmanaged
class Config {
  /** Of the pipe. */
  @bits(20)
  maxLitersPerHour: u32
  @bits(24)
  leakSec: u32
  @bits(24)
  drySec: u32
  @bits(24)
  firstLiters: u32
  @bits(20)
  unitsPerM3First: u32
  @bits(20)
  unitsPerM3Rest: u32
}

export const maxUnitsPerFrame: u64 = 1_000_000_000

const SECONDS_PER_DAY: u32 = 86_400
const SECONDS_PER_HOUR: u64 = 3600
const LITERS_PER_M3: u64 = 1000
/** Most litres between two readings, 1,048 m³: more is a counter that ran backwards. */
const STEP_LOG2: u32 = 20
const STEP_MASK: u32 = (1 << STEP_LOG2) - 1

export function verify(reading: Reading, state: State, config: Config, context: Context): u32 {
  requireNotFuture(reading.timeSec, context)
  require(reading.timeSec > state.timeSec)
  const first = state.timeSec == 0
  const seconds = reading.timeSec - state.timeSec
  const step = reading.liters - state.liters
  const day = reading.timeSec / SECONDS_PER_DAY
  const before = day == state.day ? state.dayLiters : 0
  state.timeSec = reading.timeSec
  state.liters = reading.liters
  state.day = day
  state.dayLiters = before
  if (first) {
    state.flowTimeSec = reading.timeSec
    state.dryTimeSec = reading.timeSec
    return 0
  }
  require(step >> STEP_LOG2 == 0)
  const liters = step & STEP_MASK
  require(u64(liters) * SECONDS_PER_HOUR <= u64(config.maxLitersPerHour) * seconds)
  if (isLeak(liters, reading.timeSec, state, config)) return 0
  state.dayLiters = before + liters
  return pay(before, liters, state, config)
}

/** Whether water runs without a pause for too long. A pause may span several readings without water. */
function isLeak(liters: u32, timeSec: u32, state: State, config: Config): bool {
  if (liters != 0) state.flowTimeSec = timeSec
  else if (timeSec - state.flowTimeSec >= config.drySec) state.dryTimeSec = timeSec
  return timeSec - state.dryTimeSec > config.leakSec
}

/** Units for `liters` after the day's first `before`. */
function pay(before: u32, liters: u32, state: State, config: Config): u32 {
  const left = subtractToZero(config.firstLiters, before)
  const cheap = min(liters, left)
  const rest = liters - cheap
  const milliUnits = u64(cheap) * config.unitsPerM3First + u64(rest) * config.unitsPerM3Rest + state.milliUnits
  state.milliUnits = u32(milliUnits % LITERS_PER_M3)
  return u32(milliUnits / LITERS_PER_M3)
}
