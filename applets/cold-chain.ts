/**
 * Pays for keeping goods cold: `unitsPerHour` for the time between two readings that both lie between `minCentiC` and `maxCentiC` and
 * are at most `maxGapSec` apart. Parts of a unit are carried in State.
 *
 * Time that is not covered like this is in doubt. A shipment in doubt for more than `doubtLimitSec` in all is spoilt: it pays nothing
 * any more. Rejects time that does not advance or lies in the future. The first reading starts the shipment and pays 0.
 */
import { bits, Context, require, requireNotFuture } from './lib/record'

@unmanaged
class Reading {
  /** Unix time of the reading. */
  timeSec: u32
  /** Hundredths of a degree Celsius. */
  @bits(15)
  centiC: i32
}

@unmanaged
class State {
  /** 0 until the first reading. */
  timeSec: u32
  /** Whether the last reading was cold. */
  cold: bool
  /** Time in doubt, at most all that fits. */
  @bits(24)
  doubtSec: u32
  /** Seconds times price not yet paid, in 3600ths of a unit. */
  @bits(12)
  unitSeconds: u32
}

@unmanaged
class Config {
  @bits(15)
  minCentiC: i32
  @bits(15)
  maxCentiC: i32
  @bits(16)
  maxGapSec: u32
  @bits(23)
  doubtLimitSec: u32
  @bits(24)
  unitsPerHour: u32
}

export const maxUnitsPerFrame: u64 = 100_000_000

const SECONDS_PER_HOUR: u64 = 3600
const DOUBT_MAX_SEC: u64 = 0xff_ffff

export function verify(reading: Reading, state: State, config: Config, context: Context): u32 {
  requireNotFuture(reading.timeSec, context)
  require(reading.timeSec > state.timeSec)
  const first = state.timeSec == 0
  const seconds = reading.timeSec - state.timeSec
  const cold = reading.centiC >= config.minCentiC && reading.centiC <= config.maxCentiC
  const covered = cold && state.cold && seconds <= config.maxGapSec
  state.timeSec = reading.timeSec
  state.cold = cold
  if (first) return 0

  const doubtSec = u64(state.doubtSec) + (covered ? 0 : seconds)
  state.doubtSec = u32(min(doubtSec, DOUBT_MAX_SEC))
  if (!covered || doubtSec > u64(config.doubtLimitSec)) return 0
  const unitSeconds = u64(seconds) * config.unitsPerHour + state.unitSeconds
  state.unitSeconds = u32(unitSeconds % SECONDS_PER_HOUR)
  return u32(unitSeconds / SECONDS_PER_HOUR)
}
