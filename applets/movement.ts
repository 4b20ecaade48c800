/**
 * Pays for movement: `unitsPerMove` whenever the device is at least `thresholdMeters` away from where it was last counted.
 * That position stays until the device has moved far enough, so a slow walk pays as much as a fast one, and standing still with a
 * trembling GPS pays nothing.
 *
 * Rejects positions off the globe, time that does not advance or lies in the future, and ways faster than `maxMetersPerSec` (north-south
 * and east-west parts added up, so up to 1.4 times stricter across than along). The first reading only sets the position: it pays 0.
 */
import { bits, Context, require, requireNotFuture } from './lib/record'
import { eastLength, LENGTH_PER_METER, northLength, reaches } from './lib/position'

@unmanaged
class Reading {
  /** Unix time of the position. */
  timeSec: u32
  /** Micro-degrees, north positive. */
  @bits(28)
  lat: i32
  /** Micro-degrees, east positive. */
  @bits(29)
  lon: i32
}

/** The last counted position. */
@unmanaged
class State {
  /** 0 until the first reading. */
  timeSec: u32
  @bits(28)
  lat: i32
  @bits(29)
  lon: i32
}

@unmanaged
class Config {
  @bits(16)
  thresholdMeters: u32
  @bits(16)
  maxMetersPerSec: u32
  @bits(24)
  unitsPerMove: u32
}

export const maxUnitsPerFrame: u64 = 100_000_000

export function verify(reading: Reading, state: State, config: Config, context: Context): u32 {
  requireNotFuture(reading.timeSec, context)
  require(reading.timeSec > state.timeSec)
  const first = state.timeSec == 0
  const seconds = reading.timeSec - state.timeSec
  const north = northLength(state.lat, reading.lat)
  const east = eastLength(state.lon, reading.lon, reading.lat)
  if (first) return count(reading, state, 0)

  require(north + east <= u64(config.maxMetersPerSec) * seconds * LENGTH_PER_METER)
  if (!reaches(north, east, u64(config.thresholdMeters) * LENGTH_PER_METER)) return 0
  return count(reading, state, config.unitsPerMove)
}

function count(reading: Reading, state: State, units: u32): u32 {
  state.timeSec = reading.timeSec
  state.lat = reading.lat
  state.lon = reading.lon
  return units
}
