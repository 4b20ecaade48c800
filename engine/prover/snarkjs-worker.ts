// One thread of the snarkjs prover.

import { readFile } from 'node:fs/promises'
import { loadGroth16 } from './groth16.ts'
import type { ProofJob } from './prover.ts'
import { createKeptByPath, proveJob } from './worker-job.ts'

const keys = createKeptByPath<Uint8Array>((path) => readFile(path))

export default function prove(job: ProofJob) {
  return proveJob('snarkjs', job, keys, async (zkey, witness) => (await loadGroth16()).prove(zkey, witness))
}
