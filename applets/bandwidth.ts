/**
 * Pays a node for traffic it relayed, by the mebibyte: `unitsPerMib1` for the first `tier1Mib` of a day, `unitsPerMib2` for the
 * next `tier2Mib`, `unitsPerMib3` beyond. A price belongs to the day's running total, and the counter's own mebibytes
 * are counted, so splitting traffic into many readings changes nothing.
 *
 * The counter has 32 bits and wraps, as routers' do. Rejects time that does not advance or lies in the future, and more bytes than the
 * link carries in the time. After a gap in which the link could have wrapped the counter, nobody knows the bytes: such a reading sets
 * the counter and pays 0, like the first.
 */
import { bits, Context, require, requireNotFuture } from './lib/record'

@unmanaged
class Reading {
  /** Unix time of the reading. */
  timeSec: u32
  /** Bytes relayed, modulo 2^32. */
  bytes: u32
}

@unmanaged
class State {
  /** 0 until the first reading. */
  timeSec: u32
  bytes: u32
  /** Of `timeSec`, counted from the epoch. */
  @bits(16)
  day: u32
  /** Paid on that day. */
  @bits(25)
  dayMib: u32
}

@unmanaged
class Config {
  /** Of the fastest link. The counter wraps in 2^32 bytes: readings must be closer together than that. */
  @bits(28)
  linkBytesPerSec: u32
  @bits(24)
  tier1Mib: u32
  @bits(24)
  tier2Mib: u32
  @bits(16)
  unitsPerMib1: u32
  @bits(16)
  unitsPerMib2: u32
  @bits(16)
  unitsPerMib3: u32
}

export const maxUnitsPerFrame: u64 = 1_000_000_000

const SECONDS_PER_DAY: u32 = 86_400
const MIB_LOG2: u32 = 20
/** The counter wraps after so many mebibytes, less one. */
const MIB_MASK: u32 = 0xfff

export function verify(reading: Reading, state: State, config: Config, context: Context): u32 {
  requireNotFuture(reading.timeSec, context)
  require(reading.timeSec > state.timeSec)
  const capacity = u64(reading.timeSec - state.timeSec) * config.linkBytesPerSec
  const bytes = reading.bytes - state.bytes
  const mib = ((reading.bytes >> MIB_LOG2) - (state.bytes >> MIB_LOG2)) & MIB_MASK
  const day = reading.timeSec / SECONDS_PER_DAY
  const before = day == state.day ? state.dayMib : 0
  state.timeSec = reading.timeSec
  state.bytes = reading.bytes
  state.day = day
  state.dayMib = before
  if (capacity >> 32 != 0) return 0

  require(bytes <= u32(capacity))
  const after = before + mib
  state.dayMib = after
  return u32(price(after, config) - price(before, config))
}

/** Units for the first `mib` of a day. */
function price(mib: u32, config: Config): u64 {
  const tier1 = min(mib, config.tier1Mib)
  const tier2 = min(mib - tier1, config.tier2Mib)
  const tier3 = mib - tier1 - tier2
  return u64(tier1) * config.unitsPerMib1 + u64(tier2) * config.unitsPerMib2 + u64(tier3) * config.unitsPerMib3
}
