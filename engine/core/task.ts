// A task: run the applet on a batch, prove it and settle it. The unit of retry; its id is the hash of its defining fields.

import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, concatBytes, hexToBytes, integerToBytes, type Hex } from './codec.ts'

/**
 * Steps of a task, in order; `failed` is final until a person retries it. A `voided` task is over: its anchor, if it had one, is void,
 * and its frames wait for another batch.
 */
export const TASK_STATES = [
  'closed',
  'published',
  'anchored',
  'executed',
  'proven',
  'settled',
  'failed',
  'voided',
] as const

export type TaskState = (typeof TASK_STATES)[number]

/** What defines a task: the same batch of the same project under the same version is the same task. */
export interface TaskKey {
  readonly projectId: bigint
  readonly version: number
  readonly cohort: number
  readonly batchRoot: bigint
  readonly daPointer: Hex
}

/** SHA-256 over the defining fields. */
export function taskId(key: TaskKey): Hex {
  return bytesToHex(
    sha256(
      concatBytes(
        integerToBytes(key.projectId, 8),
        integerToBytes(BigInt(key.version), 4),
        integerToBytes(BigInt(key.cohort), 4),
        integerToBytes(key.batchRoot, 32),
        hexToBytes(key.daPointer, 32),
      ),
    ),
  )
}
