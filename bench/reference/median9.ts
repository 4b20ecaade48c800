/** Pays while the median of nine 16-bit values stays below a limit. */
import { median9 } from '../../applets/lib/median'

@unmanaged
class Reading {
  v0: u16
  v1: u16
  v2: u16
  v3: u16
  v4: u16
  v5: u16
  v6: u16
  v7: u16
  v8: u16
}

@unmanaged
class Config {
  limit: u16
  units: u32
}

export const maxUnitsPerFrame: u64 = 1_000_000_000

export function verify(reading: Reading, config: Config): u32 {
  const r = reading
  const median = median9<u16>(r.v0, r.v1, r.v2, r.v3, r.v4, r.v5, r.v6, r.v7, r.v8)
  return median <= config.limit ? config.units : 0
}
