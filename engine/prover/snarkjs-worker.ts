// One thread of the snarkjs prover.

import { readFile } from 'node:fs/promises'
import { loadGroth16 } from './groth16.ts'
import { createKeptByPath } from './kept-by-path.ts'
import type { OnPhase } from './progress.ts'
import { proveJob, type WorkerJob } from './worker-job.ts'

const keys = createKeptByPath<Uint8Array>((path) => readFile(path))

export default function prove(job: WorkerJob) {
  return proveJob('snarkjs', job, keys, async (zkey, witness, onPhase) =>
    (await loadGroth16()).prove(zkey, witness, phaseLogger(onPhase)),
  )
}

/** What snarkjs says as it goes, by phase. */
const BEGINNINGS = {
  'Reading Wtns': 'quotient',
  'Reading A Points': 'a',
  'Reading B1 Points': 'b',
  'Reading C Points': 'c',
  'Reading H Points': 'h',
} as const

function phaseLogger(onPhase: OnPhase) {
  return {
    debug(message: string) {
      if (message in BEGINNINGS) onPhase(BEGINNINGS[message as keyof typeof BEGINNINGS])
    },
  }
}
