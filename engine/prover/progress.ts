// Progress of a proof, told from its thread to who asked for it.

import { MessageChannel, receiveMessageOnPort, type MessagePort } from 'node:worker_threads'
import { PROOF_PHASES, type OnProgress, type ProofPhase } from './prover.ts'

/** Shares of a job's time, in the order of PROOF_PHASES: energy-meter, 25,860 constraints, by our own prover with its key at hand. */
const SHARES = [0.03, 0.01, 0.1, 0.12, 0.26, 0.19, 0.27, 0.02] as const

export type OnPhase = (phase: ProofPhase) => void

export interface ProgressChannel {
  /** For the thread; to be transferred. */
  readonly port: MessagePort
  /** Tells what has come in and ends. */
  close(): void
}

/** Hands the phases that the thread posts on to `onProgress`. */
export function openProgress(onProgress: OnProgress): ProgressChannel {
  const { port1, port2 } = new MessageChannel()
  const tell = (phase: ProofPhase) => onProgress({ phase, fraction: fractionBefore(phase) })
  port1.on('message', tell)
  const close = (): void => {
    for (let last; (last = receiveMessageOnPort(port1));) tell(last.message as ProofPhase)
    port1.close()
  }
  return { port: port2, close }
}

/** Share of a job's work that lies before a phase. */
export function fractionBefore(phase: ProofPhase): number {
  return SHARES.slice(0, PROOF_PHASES.indexOf(phase)).reduce((sum, share) => sum + share, 0)
}
