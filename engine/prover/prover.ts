// The port of provers: from a circuit's files and an input to a Groth16 proof. Every adapter keeps this contract:
//
// - A proof is verified under the circuit's own verifying key before it leaves. Proofs of different adapters are interchangeable.
// - Adapters hold witness calculators, and keys unless a program outside proves, in memory between jobs; files are taken to stay as they
//   are under their name.
// - Jobs may be given at any time; as many run at once as the adapter has threads, the others wait. A job that fails, or a thread
//   that dies, leaves the other jobs alone, and the next attempt reads the files again.
// - Nothing here is constant-time: the witness is the operator's own, and whoever can time the prover can read it.

import type { Groth16Proof } from '../core/seal.ts'
import type { CircuitInput } from '../core/witness.ts'

/** Files of one circuit. */
export interface ProvingFiles {
  readonly witnessWasm: string
  readonly zkey: string
  /** snarkjs' JSON form. */
  readonly verifyingKey: string
  /** Only to name the broken constraint when a proof does not verify. */
  readonly r1cs?: string
}

export interface ProofJob {
  readonly files: ProvingFiles
  readonly input: CircuitInput
}

export interface ProofResult {
  readonly proof: Groth16Proof
  readonly publicSignals: readonly string[]
  readonly witnessMs: number
  readonly proveMs: number
}

/** What a job goes through, in this order; a, b, c and h are the multi-exponentiations. */
export const PROOF_PHASES = ['witness', 'key', 'quotient', 'a', 'b', 'c', 'h', 'check'] as const
export type ProofPhase = (typeof PROOF_PHASES)[number]

export interface ProofProgress {
  /** The phase that begins. */
  readonly phase: ProofPhase
  /** Share of the job's work that lies before it, in [0, 1); an estimate. */
  readonly fraction: number
}

export type OnProgress = (progress: ProofProgress) => void

export interface Prover {
  /**
   * Proves that `input` satisfies the circuit. Throws CIRCUIT_DISAGREES if no witness exists (the native result and the circuit's
   * differ), and PROOF_FAILED if proving or the check of the own proof fails: a damaged or foreign file, a witness that breaks a
   * constraint, memory that does not suffice. An aborted signal rejects with its reason.
   * `onProgress` is told of each phase as it begins; a job that is tried a second time begins again.
   */
  prove(job: ProofJob, signal?: AbortSignal, onProgress?: OnProgress): Promise<ProofResult>
  /** Ends all threads; running jobs fail. */
  close(): Promise<void>
}
