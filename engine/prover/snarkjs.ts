// Groth16 proofs by snarkjs, in a small pool of worker threads. Each thread keeps its curve, its witness
// calculators and proving keys warm and proves single-threaded: on two cores two such threads give about a tenth more
// proofs per minute than one snarkjs on both, with less memory. Every proof is verified before it leaves.

import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { Piscina } from 'piscina'
import type { CircuitInput } from '../core/witness.ts'
import { AttestreamError } from '../core/errors.ts'
import type { Groth16Proof } from '../core/seal.ts'

/** Files of one circuit. */
export interface ProvingFiles {
  readonly witnessWasm: string
  readonly zkey: string
  readonly verifyingKey: string
}

export interface ProofResult {
  readonly proof: Groth16Proof
  readonly publicSignals: readonly string[]
  readonly witnessMs: number
  readonly proveMs: number
}

export interface ProofJob {
  readonly files: ProvingFiles
  readonly input: CircuitInput
}

export interface Prover {
  /**
   * Proves that `input` satisfies the circuit. Throws CIRCUIT_DISAGREES if no witness exists (the native result and
   * the circuit's differ) and PROOF_FAILED if proving or the check of the own proof fails.
   */
  prove(job: ProofJob, signal?: AbortSignal): Promise<ProofResult>
  close(): Promise<void>
}

const WORKER = new URL('./snarkjs-worker.ts', import.meta.url).href
const LOADER = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href

/** @param threads proofs at a time; each takes about 400 MB at 2^16 constraints. */
export function createSnarkjsProver({
  threads = 2,
  memoryMb = 2048,
}: { threads?: number; memoryMb?: number } = {}): Prover {
  const pool = new Piscina<ProofJob, ProofResult | { code: 'CIRCUIT_DISAGREES' | 'PROOF_FAILED'; message: string }>({
    filename: WORKER,
    minThreads: 0,
    maxThreads: threads,
    idleTimeout: 600_000,
    execArgv: ['--import', LOADER],
    resourceLimits: { maxOldGenerationSizeMb: memoryMb },
  })
  return {
    async prove(job, signal) {
      const result = await pool.run(job, signal ? { signal } : {}).catch((cause: unknown) => {
        signal?.throwIfAborted()
        const why = cause instanceof Error ? cause.message : String(cause)
        throw new AttestreamError('PROOF_FAILED', `The prover's worker died: ${why}`, {}, { cause })
      })
      if ('code' in result) throw new AttestreamError(result.code, result.message)
      return result
    },
    close: () => pool.destroy(),
  }
}
