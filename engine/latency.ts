// From event to settlement: how long a batch took from its last frame to its mined receipt, and with what. Each instant is counted in
// one phase, so the phases sum to the whole. Those that end in Wait are neither work nor the chain's time.

import type { TaskRecord } from './records.ts'

/**
 * closeWait: for frames of other devices, or for the cohort's batch before to be executed. anchorWait and settleWait: for others in one
 * transaction, or for a lower price while gas is dear; for the batch before to settle. anchor and settle: until the transaction counts.
 * proveWait: for a free thread, its start and the reading of records.
 */
export const LATENCY_PHASES = [
  'closeWait',
  'publish',
  'anchorWait',
  'anchor',
  'execute',
  'proveWait',
  'witness',
  'prove',
  'settleWait',
  'settle',
] as const

export type LatencyPhase = (typeof LATENCY_PHASES)[number]

export interface Latency {
  /** Milliseconds from the last frame in to the receipt mined. */
  readonly totalMs: number
  readonly phasesMs: Readonly<Record<LatencyPhase, number>>
}

/** Undefined unless the task is settled. */
export function latencyOf({ lastFrameMs, times, begun, witnessMs, proveMs }: TaskRecord): Latency | undefined {
  const { closed, published, anchored, executed, proven, settled } = times
  const [anchor, settle] = [begun.anchored, begun.settled]
  const all = [closed, published, anchored, executed, proven, settled, anchor, settle, witnessMs, proveMs]
  if (all.some((time) => time === undefined || time === null)) return undefined
  const [witness, prove] = [witnessMs!, proveMs!]
  const phasesMs = {
    closeWait: closed! - lastFrameMs,
    publish: published! - closed!,
    anchorWait: anchor! - published!,
    anchor: anchored! - anchor!,
    execute: executed! - anchored!,
    proveWait: proven! - executed! - witness - prove,
    witness,
    prove,
    settleWait: settle! - proven!,
    settle: settled! - settle!,
  }
  return { totalMs: settled! - lastFrameMs, phasesMs }
}
