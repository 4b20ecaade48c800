/**
 * Pays a radio hotspot for covering its cell: `unitsPerBeacon` for a beacon heard from a neighbour, at most one in `pauseSec`.
 *
 * The first reading sets the hotspot's place, which must lie within `regionMeters` of the middle of the project's region, and pays 0. Rejects a reading from farther than
 * `radiusMeters` from that place (a hotspot that moved is registered anew), a beacon weaker than `minRssiDbm` (noise) or stronger than
 * `maxRssiDbm` (two devices on one desk), one within `pauseSec` of the last, and one from the future.
 */
import { eastLength, LENGTH_PER_METER, northLength, reaches } from './lib/position'
import { bits, Context, require, requireNotFuture } from './lib/record'

@unmanaged
class Reading {
  /** Unix time of the beacon. */
  timeSec: u32
  /** Micro-degrees, north positive: where the hotspot says it is. */
  @bits(28)
  lat: i32
  /** Micro-degrees, east positive. */
  @bits(29)
  lon: i32
  /** Strength at the hotspot's antenna. */
  @bits(9)
  rssiDbm: i32
}

@unmanaged
class State {
  /** Of the last beacon; 0 until the first. */
  timeSec: u32
  /** The hotspot's place. */
  @bits(28)
  lat: i32
  @bits(29)
  lon: i32
}

@unmanaged
class Config {
  /** Middle of the region. */
  @bits(28)
  regionLat: i32
  @bits(29)
  regionLon: i32
  @bits(18)
  regionMeters: u32
  @bits(18)
  radiusMeters: u32
  @bits(9)
  minRssiDbm: i32
  @bits(9)
  maxRssiDbm: i32
  @bits(16)
  pauseSec: u32
  @bits(24)
  unitsPerBeacon: u32
}

export const maxUnitsPerFrame: u64 = 100_000_000

export function verify(reading: Reading, state: State, config: Config, context: Context): u32 {
  requireNotFuture(reading.timeSec, context)
  require(u64(reading.timeSec) > u64(state.timeSec) + config.pauseSec)
  require(reading.rssiDbm >= config.minRssiDbm && reading.rssiDbm <= config.maxRssiDbm)
  const first = state.timeSec == 0
  const lat = first ? config.regionLat : state.lat
  const lon = first ? config.regionLon : state.lon
  const limit = first ? config.regionMeters : config.radiusMeters
  const north = northLength(lat, reading.lat)
  const east = eastLength(lon, reading.lon, reading.lat)
  require(!reaches(north, east, u64(limit) * LENGTH_PER_METER))
  state.timeSec = reading.timeSec
  if (!first) return config.unitsPerBeacon
  state.lat = reading.lat
  state.lon = reading.lon
  return 0
}
