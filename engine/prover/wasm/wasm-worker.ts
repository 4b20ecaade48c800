// One thread of our own prover.

import { createKeptByPath } from '../kept-by-path.ts'
import { proveJob, type WorkerJob } from '../worker-job.ts'
import { proveWitness } from './proof.ts'
import { loadKey } from './resident-key.ts'

interface WasmJob extends WorkerJob {
  readonly kernel: WebAssembly.Module
}

let setup: Pick<WasmJob, 'kernel' | 'memoryBytes'>
const keys = createKeptByPath(async (path) => loadKey(setup.kernel, path, setup.memoryBytes))

export default function prove(job: WasmJob) {
  setup = job
  return proveJob('wasm', job, keys, async (key, witness, onPhase) => proveWitness(key, witness, onPhase))
}
