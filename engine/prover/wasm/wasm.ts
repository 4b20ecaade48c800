// The adapter of our own prover: pure WebAssembly, no compiler and no native binary on the user's machine but the AssemblyScript
// compiler that is a package of this project.

import { createProverPool, DEFAULT_MEMORY_MB, type PoolOptions } from '../pool.ts'
import type { Prover } from '../prover.ts'
import { loadKernel } from './compile.ts'

export interface WasmProverOptions extends PoolOptions {
  /** Keeps the compiled kernel. */
  readonly cacheDir: string
}

/** A thread takes about 100 MB and 1 KB a constraint. */
export function createWasmProver({ cacheDir, ...options }: WasmProverOptions): Prover {
  const ceilingBytes = (options.memoryMb ?? DEFAULT_MEMORY_MB) * 2 ** 20
  let loading: Promise<WebAssembly.Module> | undefined
  return createProverPool(new URL('./wasm-worker.ts', import.meta.url), options, async () => {
    loading ??= loadKernel(cacheDir)
    loading.catch(() => (loading = undefined))
    return { kernel: await loading, ceilingBytes }
  })
}
