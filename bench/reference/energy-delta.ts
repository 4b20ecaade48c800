/** Pays for energy between two counters of one reading: no State, a price, a cap on power. */
import { bits, require } from '../../applets/lib/record'

@unmanaged
class Reading {
  fromSec: u32
  toSec: u32
  fromWattHours: u32
  toWattHours: u32
}

@unmanaged
class Config {
  @bits(24)
  maxWatts: u32
  @bits(20)
  unitsPerKwh: u32
}

export const maxUnitsPerFrame: u64 = 1_000_000_000

/** Rejects time or counters that run backwards; energy beyond the cap is not paid. */
export function verify(reading: Reading, config: Config): u32 {
  require(reading.toSec >= reading.fromSec)
  require(reading.toWattHours >= reading.fromWattHours)
  const wattSeconds = u64(reading.toWattHours - reading.fromWattHours) * 3600
  const cap = u64(config.maxWatts) * u64(reading.toSec - reading.fromSec)
  const paid = min(wattSeconds, cap)
  const units = (paid * u64(config.unitsPerKwh)) / 3_600_000
  return u32(min<u64>(units, u32.MAX_VALUE))
}
