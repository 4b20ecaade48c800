// From an applet's results to the next ledger page: the fold of protocol.md §6, natively. The circuit computes the same.
//
//   frame absent or sequence rule broken → 0 units, page unchanged
//   else                                  → last sequence = the frame's, State after its readings, units summed and saturated

import type { Batch } from './batch.ts'
import type { RawRecord } from './layout.ts'
import { isNextSequence, type LedgerPage } from './ledger.ts'

/** What the applet made of one slot's readings, in order; a rejected reading has 0 units. `nextState` is raw, after the last reading. */
export interface SlotResult {
  readonly units: readonly bigint[]
  readonly accepted: readonly boolean[]
  readonly nextState: RawRecord
}

/** What a slot hands to the runner: its State before, and the readings of its frame in order, raw in ABI order. */
export interface SlotJob {
  readonly state: RawRecord
  readonly readings: readonly RawRecord[]
}

export interface Execution {
  readonly pageAfter: LedgerPage
  /** Units credited per slot, each at most maxUnitsPerFrame. */
  readonly unitsBySlot: readonly bigint[]
  /** Per slot and reading: counted by the applet. Readings of a frame that breaks the sequence rule are not. */
  readonly accepted: readonly (readonly boolean[])[]
}

/** The jobs of a batch, slot by slot: no readings for a slot that does not count. */
export function slotJobs(batch: Batch, page: LedgerPage): SlotJob[] {
  return batch.frames.map((frame, slot) => ({
    state: page.states[slot]!,
    readings: frame && isNextSequence(frame.sequence, page.sequences[slot]!) ? frame.readings : [],
  }))
}

/** Folds the runner's results over the page before. */
export function applyResults(
  batch: Batch,
  page: LedgerPage,
  results: readonly SlotResult[],
  maxUnitsPerFrame: bigint,
): Execution {
  const counts = batch.frames.map(
    (frame, slot) => frame !== null && isNextSequence(frame.sequence, page.sequences[slot]!),
  )
  return {
    pageAfter: {
      sequences: page.sequences.map((last, slot) => (counts[slot] ? batch.frames[slot]!.sequence : last)),
      states: page.states.map((state, slot) => (counts[slot] ? results[slot]!.nextState : state)),
    },
    unitsBySlot: results.map((result, slot) => (counts[slot] ? saturate(result.units, maxUnitsPerFrame) : 0n)),
    accepted: batch.frames.map((frame, slot) =>
      counts[slot] ? results[slot]!.accepted : (frame?.readings ?? []).map(() => false),
    ),
  }
}

function saturate(units: readonly bigint[], max: bigint): bigint {
  const sum = units.reduce((total, value) => total + value, 0n)
  return sum > max ? max : sum
}
