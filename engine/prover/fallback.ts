// A prover that asks a second one when the first cannot prove, and says so.

import { AttestreamError, isAttestreamError } from '../core/errors.ts'
import type { Prover } from './prover.ts'

/** Falls back on PROOF_FAILED only, after `onFallback`. If both fail, the error of the first is thrown. */
export function withFallback(first: Prover, second: Prover, onFallback: (error: AttestreamError) => void): Prover {
  return {
    async prove(job, signal, onProgress) {
      try {
        return await first.prove(job, signal, onProgress)
      } catch (error) {
        signal?.throwIfAborted()
        if (isAttestreamError(error) && error.code !== 'PROOF_FAILED') throw error
        onFallback(fallbackNote(error))
        return await second.prove(job, signal, onProgress).catch(() => {
          signal?.throwIfAborted()
          throw error
        })
      }
    },
    async close() {
      await Promise.all([first.close(), second.close()])
    },
  }
}

function fallbackNote(cause: unknown): AttestreamError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new AttestreamError('PROOF_FAILED', `${why}. The slower prover takes this proof.`, {}, { cause })
}
