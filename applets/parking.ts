/**
 * Pays a parking sensor for reporting its bay: `unitsPerChange` for every arrival and departure, and `unitsPerBeat` for a sign of life
 * in between, at most one in `beatSec`.
 *
 * Rejects a change that stays less than `minStaySec` after the one before (a magnet waved over the sensor), more than `maxChanges`
 * changes in a day, a sign of life too early, time that does not advance or lies in the future. The first reading sets the bay's state
 * and pays 0.
 */
import { bits, Context, require, requireNotFuture } from './lib/record'

@unmanaged
class Reading {
  /** Unix time of the reading. */
  timeSec: u32
  occupied: bool
}

@unmanaged
class State {
  /** 0 until the first reading. */
  timeSec: u32
  /** Of the last change. */
  changeTimeSec: u32
  occupied: bool
  /** Of `timeSec`, counted from the epoch. */
  @bits(16)
  day: u32
  /** Changes on that day. */
  changes: u8
}

@unmanaged
class Config {
  @bits(16)
  beatSec: u32
  @bits(16)
  minStaySec: u32
  maxChanges: u8
  @bits(24)
  unitsPerChange: u32
  @bits(24)
  unitsPerBeat: u32
}

export const maxUnitsPerFrame: u64 = 100_000_000

const SECONDS_PER_DAY: u32 = 86_400

export function verify(reading: Reading, state: State, config: Config, context: Context): u32 {
  requireNotFuture(reading.timeSec, context)
  require(reading.timeSec > state.timeSec)
  const first = state.timeSec == 0
  const sinceReading = reading.timeSec - state.timeSec
  const sinceChange = reading.timeSec - state.changeTimeSec
  const changed = reading.occupied != state.occupied
  const day = reading.timeSec / SECONDS_PER_DAY
  const changes = (day == state.day ? u32(state.changes) : 0) + u32(changed && !first)
  state.timeSec = reading.timeSec
  state.occupied = reading.occupied
  state.day = day
  state.changes = u8(changes)
  if (first) {
    state.changeTimeSec = reading.timeSec
    return 0
  }
  if (!changed) {
    require(sinceReading >= config.beatSec)
    return config.unitsPerBeat
  }
  require(sinceChange >= config.minStaySec && changes <= config.maxChanges)
  state.changeTimeSec = reading.timeSec
  return config.unitsPerChange
}
