/**
 * Pays for answering: a ping is due every `pingSec`, and an answer counts if it comes within `graceSec` after its ping. Sixteen pings
 * are a window; the first answer with which its window has `minAnswers` pays `unitsPerWindow`, and each window pays once at most, even
 * if Config changes within it.
 *
 * Rejects an answer after the grace, a second one to a ping or one to an earlier ping, one from the future, and one older than
 * `maxAgeSec` when its batch is anchored (so a silent night cannot be answered in the morning). The first answer counts like any other.
 */
import { bits, Context, require, requireNotFuture } from './lib/record'

@unmanaged
class Reading {
  /** Unix time of the answer. */
  timeSec: u32
}

@unmanaged
class State {
  /** Of the newest answer; 0 until the first. */
  timeSec: u32
  /** Answers in its window. */
  @bits(5)
  answers: u32
  /** Whether its window was paid. */
  isPaid: bool
}

@unmanaged
class Config {
  /** From ping to ping; at least 1. */
  @bits(16)
  pingSec: u32
  @bits(16)
  graceSec: u32
  /** 1 to 16. */
  @bits(5)
  minAnswers: u32
  maxAgeSec: u32
  @bits(24)
  unitsPerWindow: u32
}

export const maxUnitsPerFrame: u64 = 100_000_000

const WINDOW_PINGS_LOG2: u32 = 4

export function verify(reading: Reading, state: State, config: Config, context: Context): u32 {
  requireNotFuture(reading.timeSec, context)
  require(u64(reading.timeSec) + config.maxAgeSec >= context.anchorTimeSec)
  const ping = reading.timeSec / config.pingSec
  require(reading.timeSec % config.pingSec <= config.graceSec)
  const lastPing = state.timeSec / config.pingSec
  require(ping > lastPing)
  const sameWindow = ping >> WINDOW_PINGS_LOG2 == lastPing >> WINDOW_PINGS_LOG2
  const answers = sameWindow ? state.answers + 1 : 1
  const wasPaid = sameWindow && state.isPaid
  const isEnough = answers >= config.minAnswers
  state.timeSec = reading.timeSec
  state.answers = answers
  state.isPaid = wasPaid || isEnough
  return isEnough && !wasPaid ? config.unitsPerWindow : 0
}
