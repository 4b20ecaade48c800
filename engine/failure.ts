// How an error is stored and shown.

import { isAttestreamError } from './core/errors.ts'
import type { Failure } from './records.ts'

/** Code and message of a coded error; any other error is STEP_FAILED with its text. */
export function failureOf(error: unknown): Failure {
  if (isAttestreamError(error)) return { code: error.code, message: error.message }
  return { code: 'STEP_FAILED', message: error instanceof Error ? error.message : String(error) }
}
