// One thread of the native prover: it has a process of its own, which keeps the keys.

import type { KeptByPath } from '../kept-by-path.ts'
import { proveJob, type WorkerJob } from '../worker-job.ts'
import { NativeProcess } from './process.ts'

interface NativeJob extends WorkerJob {
  readonly binary: string
  readonly ceilingBytes: number
}

let native: NativeProcess | undefined
const keys: KeptByPath<string> = { get: async (path) => path, forget: (path) => native?.forget(path) }

export default function prove(job: NativeJob) {
  const process = (native ??= new NativeProcess(job.binary, job.ceilingBytes))
  return proveJob('native', job, keys, (zkey, witness, onPhase) => process.prove(zkey, witness, onPhase))
}
