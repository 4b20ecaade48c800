// The adapter of our own prover: pure WebAssembly, no compiler and no native binary on the user's machine but the AssemblyScript
// compiler that is a package of this project.

import { createProverPool, type PoolOptions } from '../pool.ts'
import type { Prover } from '../prover.ts'
import { loadKernel } from './compile.ts'
import { keyMemoryBytes } from './key-memory.ts'

export interface WasmProverOptions extends PoolOptions {
  /** Keeps the compiled kernel. */
  readonly cacheDir: string
}

/** Of a thread without a key: node, the witness calculator and the check. */
const THREAD_BYTES = 64 * 2 ** 20

export function createWasmProver({ cacheDir, ...options }: WasmProverOptions): Prover {
  let loading: Promise<WebAssembly.Module> | undefined
  const kind = {
    name: 'wasm',
    worker: new URL('./wasm-worker.ts', import.meta.url),
    threadBytes: THREAD_BYTES,
    keyBytes: keyMemoryBytes,
    async prepare() {
      loading ??= loadKernel(cacheDir)
      loading.catch(() => (loading = undefined))
      return { kernel: await loading }
    },
  }
  return createProverPool(kind, options)
}
