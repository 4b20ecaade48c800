/**
 * Pays for being there: `unitsPerSlot` for every slot of 60 seconds in which the device sent a heartbeat, each slot once.
 * Heartbeats may come out of order within the last 32 slots.
 *
 * Rejects a second heartbeat in a slot, one that is more than 31 slots behind the newest, one from the future, and one older than
 * `maxAgeSec` when its batch is anchored (so a silent week cannot be filled in afterwards). The first heartbeat pays 0 and closes the
 * slots before it.
 */
import { bits, Context, require, requireNotFuture } from './lib/record'
import { advance, markLate } from './lib/slots'

@unmanaged
class Reading {
  /** Unix time of the heartbeat. */
  timeSec: u32
}

@unmanaged
class State {
  /** Newest slot seen; 0 until the first heartbeat. */
  @bits(27)
  newestSlot: u32
  /** Bit i: the slot i before the newest has been paid. */
  window: u32
}

@unmanaged
class Config {
  @bits(24)
  unitsPerSlot: u32
  maxAgeSec: u32
}

export const maxUnitsPerFrame: u64 = 100_000_000

const SLOT_SEC: u32 = 60
const ALL_PAID: u32 = 0xffff_ffff

export function verify(reading: Reading, state: State, config: Config, context: Context): u32 {
  requireNotFuture(reading.timeSec, context)
  require(u64(reading.timeSec) + config.maxAgeSec >= context.anchorTimeSec)
  const slot = reading.timeSec / SLOT_SEC
  const newest = state.newestSlot
  if (newest == 0) {
    state.newestSlot = slot
    state.window = ALL_PAID
    return 0
  }
  if (slot > newest) {
    state.newestSlot = slot
    state.window = advance(state.window, slot - newest)
  } else {
    state.window = markLate(state.window, newest - slot)
  }
  return config.unitsPerSlot
}
