// The prover that an engine's operator chose, and those that stand in for it.

import { AttestreamError } from '../core/errors.ts'
import { withFallback } from './fallback.ts'
import { findCompiler } from './native/build.ts'
import { createNativeProver } from './native/native.ts'
import type { PoolOptions } from './pool.ts'
import type { Prover } from './prover.ts'
import { createRapidsnarkProver } from './rapidsnark/rapidsnark.ts'
import { createSnarkjsProver } from './snarkjs.ts'
import { createWasmProver } from './wasm/wasm.ts'

/**
 * `wasm`: our own, in WebAssembly. `native`: our own, in C, compiled on this machine by the compiler that it has or that is named.
 * `rapidsnark`: the path of a program with rapidsnark's command line, installed by the operator. `snarkjs`: the reference.
 */
export type ProverChoice =
  'wasm' | 'snarkjs' | 'native' | { readonly native: { readonly compiler: string } } | { readonly rapidsnark: string }

/** The chosen prover; what it cannot prove is proved by wasm, and what that cannot, by snarkjs, each time after `onFallback`. */
export async function createChosenProver(
  choice: ProverChoice,
  cacheDir: string,
  options: PoolOptions,
  onFallback: (error: AttestreamError) => void,
): Promise<Prover> {
  const reference = createSnarkjsProver(options)
  if (choice === 'snarkjs') return reference
  const wasm = withFallback(createWasmProver({ ...options, cacheDir }), reference, onFallback)
  if (choice === 'wasm') return wasm
  if (choice !== 'native' && 'rapidsnark' in choice) {
    return withFallback(createRapidsnarkProver({ ...options, binary: choice.rapidsnark }), wasm, onFallback)
  }
  const named = choice === 'native' ? undefined : choice.native.compiler
  const compiler = await findCompiler(named)
  if (compiler !== undefined) {
    return withFallback(createNativeProver({ ...options, cacheDir, compiler }), wasm, onFallback)
  }
  onFallback(noCompiler(named))
  return wasm
}

function noCompiler(named = 'cc, gcc, clang'): AttestreamError {
  return new AttestreamError(
    'PROOF_FAILED',
    `There is no C compiler (${named}) for the native prover. The prover in WebAssembly takes all proofs.`,
  )
}
