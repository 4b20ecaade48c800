// The adapter of an external prover that the operator installed, with the command line of rapidsnark:
// `<program> <zkey> <wtns> <proof.json> <public.json>`. Nothing of it is in this project, and each of its proofs is verified like any other.

import type { KeySize } from '../key-size.ts'
import { createProverPool, type PoolOptions } from '../pool.ts'
import type { Prover } from '../prover.ts'

export interface RapidsnarkProverOptions extends PoolOptions {
  /** Path of the program. */
  readonly binary: string
}

const THREAD_BYTES = 80 * 2 ** 20
/** A program of this kind maps the file and works in about as much memory again. */
const keyBytes = ({ fileBytes, wires }: KeySize): number => 2 * fileBytes + 4 * 32 * wires

export function createRapidsnarkProver({ binary, ...options }: RapidsnarkProverOptions): Prover {
  const worker = new URL('./rapidsnark-worker.ts', import.meta.url)
  const kind = { name: 'rapidsnark', worker, threadBytes: THREAD_BYTES, keyBytes, prepare: async () => ({ binary }) }
  return createProverPool(kind, options)
}
