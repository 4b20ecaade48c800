/** Pays while a value lies in its limits inside a window of time: four comparisons of 32-bit numbers. */
import { require } from '../../applets/lib/record'

@unmanaged
class Reading {
  timeSec: u32
  milliKelvin: u32
  batteryMillivolts: u32
  /** Signed by the device, not looked at. */
  serial: u32
}

@unmanaged
class Config {
  fromSec: u32
  toSec: u32
  minMilliKelvin: u32
  minMillivolts: u32
  units: u32
}

export const maxUnitsPerFrame: u64 = 1_000_000_000

/** Rejects a reading from outside the window; pays nothing below a limit. */
export function verify(reading: Reading, config: Config): u32 {
  require(reading.timeSec >= config.fromSec && reading.timeSec <= config.toSec)
  if (reading.milliKelvin < config.minMilliKelvin) return 0
  return reading.batteryMillivolts >= config.minMillivolts ? config.units : 0
}
