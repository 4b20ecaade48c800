// The adapter of our own native prover: C without dependencies, compiled on this machine by the compiler that it has. It runs as a process
// beside each thread: what crashes or is killed there fails its job alone, and the next job starts it again.

import { AttestreamError } from '../../core/errors.ts'
import type { KeySize } from '../key-size.ts'
import { createProverPool, poolBytes, type PoolOptions } from '../pool.ts'
import type { Prover } from '../prover.ts'
import { loadKernel } from '../wasm/compile.ts'
import { buildNativeProver } from './build.ts'

export interface NativeProverOptions extends PoolOptions {
  /** Keeps the compiled binary. */
  readonly cacheDir: string
  /** Default: the first of cc, gcc and clang on the PATH. */
  readonly compiler?: string
}

const MEGABYTE = 2 ** 20
/** Of a thread without a key: node, the witness calculator, the check, and the process beside it. */
const THREAD_BYTES = 80 * MEGABYTE
const POINT_BYTES = { g1: 64 + 4, g2: 128 + 4 } as const
const SCALAR_BYTES = 32
const TERM_BYTES = 40
/** Working memory of a multi-exponentiation in G2 for each point. */
const SUM_BYTES = 200
const REST_BYTES = 4 * MEGABYTE
/** As the .wtns file and the calculator hold it, and as it lies in the pipe. */
const WITNESS_COPIES = 4

export function createNativeProver({ cacheDir, compiler, ...options }: NativeProverOptions): Prover {
  let preparing: Promise<object> | undefined
  const prepare = async () => {
    const kernel = await loadKernel(cacheDir) // computes the witness
    return {
      kernel,
      binary: await buildNativeProver(cacheDir, compiler),
      ceilingBytes: Math.floor(poolBytes(options.memoryMb)),
    }
  }
  const kind = {
    name: 'native',
    worker: new URL('./native-worker.ts', import.meta.url),
    threadBytes: THREAD_BYTES,
    keyBytes: nativeKeyBytes,
    async prepare() {
      preparing ??= prepare()
      return preparing.catch((cause: unknown) => {
        preparing = undefined
        const why = cause instanceof Error ? cause.message : String(cause)
        throw new AttestreamError('PROOF_FAILED', `The native prover cannot be built: ${why}`, {}, { cause })
      })
    },
  }
  return createProverPool(kind, options)
}

/** At most what the process takes for a key and its proofs: what kernel/key.h allocates, for a key none of whose points is at infinity. */
export function nativeKeyBytes({ wires, rows, terms }: KeySize): number {
  const bases = wires * (2 * POINT_BYTES.g1 + POINT_BYTES.g2) + rows * POINT_BYTES.g1
  const matrices = 2 * rows * 4 + terms * TERM_BYTES
  const domain = rows * (1 + 3) * SCALAR_BYTES
  const witness = wires * SCALAR_BYTES * (1 + WITNESS_COPIES)
  return bases + matrices + domain + witness + Math.max(wires, rows) * SUM_BYTES + REST_BYTES
}
