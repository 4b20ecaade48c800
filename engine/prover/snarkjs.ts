// The reference adapter: Groth16 proofs by snarkjs, single-threaded, with curve, calculators and keys kept warm.

import type { KeySize } from './key-size.ts'
import { createProverPool, type PoolOptions } from './pool.ts'
import type { Prover } from './prover.ts'

/** `npm run bench:prove` prints the memory of a process with one such prover: 221 MB at 2^15 rows, 435 MB at 2^17. */
const THREAD_BYTES = 80 * 2 ** 20
const ROW_BYTES = 2600

export function createSnarkjsProver(options: PoolOptions = {}): Prover {
  const worker = new URL('./snarkjs-worker.ts', import.meta.url)
  const keyBytes = ({ rows }: KeySize): number => rows * ROW_BYTES
  return createProverPool({ name: 'snarkjs', worker, threadBytes: THREAD_BYTES, keyBytes }, options)
}
