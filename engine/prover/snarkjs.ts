// The reference adapter: Groth16 proofs by snarkjs, single-threaded, with curve, calculators and keys kept warm.

import { createProverPool, type PoolOptions } from './pool.ts'
import type { Prover } from './prover.ts'

/** A thread takes about 400 MB at 2^16 constraints. */
export function createSnarkjsProver(options: PoolOptions = {}): Prover {
  return createProverPool(new URL('./snarkjs-worker.ts', import.meta.url), options)
}
