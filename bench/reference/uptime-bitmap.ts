/** Pays for each minute out of 16 in which one of 16 heartbeats falls; a minute with two is paid once. */
import { bits, require } from '../../applets/lib/record'

@unmanaged
class Reading {
  fromSec: u32
  t0: u32
  t1: u32
  t2: u32
  t3: u32
  t4: u32
  t5: u32
  t6: u32
  t7: u32
  t8: u32
  t9: u32
  t10: u32
  t11: u32
  t12: u32
  t13: u32
  t14: u32
  t15: u32
}

@unmanaged
class Config {
  @bits(24)
  unitsPerSlot: u32
}

export const maxUnitsPerFrame: u64 = 1_000_000_000

const HEARTBEATS: usize = 16
const SLOTS: u32 = 16
const SLOT_SEC: u32 = 60

/** Rejects a heartbeat before the first minute or after the last. */
export function verify(reading: Reading, config: Config): u32 {
  let mask: u32 = 0
  for (let k: usize = 1; k <= HEARTBEATS; k++) {
    const seconds = load<u32>(changetype<usize>(reading) + (k << 2)) - reading.fromSec
    require(seconds < SLOTS * SLOT_SEC)
    mask |= (<u32>1) << (seconds / SLOT_SEC)
  }
  return popcnt(mask) * config.unitsPerSlot
}
