/** Pays while a 12-bit value is high enough and its time stamp lies between Config's age limit and the anchor. */
import { bits, Context, require, requireNotFuture } from '../../applets/lib/record'

@unmanaged
class Reading {
  timeSec: u32
  @bits(12) decikelvin: u16
}

@unmanaged
class Config {
  @bits(20) maxAgeSec: u32
  @bits(12) minDecikelvin: u16
  @bits(16) units: u32
}

export const maxUnitsPerFrame: u64 = 4_194_304

/** Rejects a reading that is too old or from the future; pays nothing below the limit. */
export function verify(reading: Reading, config: Config, context: Context): u32 {
  requireNotFuture(reading.timeSec, context)
  require(u64(reading.timeSec) + config.maxAgeSec >= context.anchorTimeSec)
  return reading.decikelvin >= config.minDecikelvin ? config.units : 0
}
