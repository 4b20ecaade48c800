// One prover thread: a Piscina of a single worker, so that a job can be given to the thread that holds its key, and one that is ended or
// dies is known to be that one. It has one job at a time, so its death rejects that job and no other.

import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { Piscina } from 'piscina'
import type { ProofResult } from './prover.ts'
import type { Refusal, WorkerJob } from './worker-job.ts'

export interface ProverThread {
  /** Rejects if the thread dies, and when it is ended meanwhile. */
  run(job: WorkerJob): Promise<ProofResult | Refusal>
  /** Ends the thread, also in the middle of WebAssembly, and resolves when its memory is given back. */
  end(): Promise<void>
}

const LOADER = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href

/** `heapMb` bounds what JavaScript values take; memory of WebAssembly and buffers lie outside. */
export function startThread(worker: URL, heapMb: number): ProverThread {
  const pool = new Piscina<WorkerJob, ProofResult | Refusal>({
    filename: worker.href,
    minThreads: 1,
    maxThreads: 1,
    execArgv: ['--import', LOADER],
    resourceLimits: { maxOldGenerationSizeMb: heapMb },
  })
  pool.on('error', () => undefined) // a thread that dies without a job: the next job has another
  let ended: Promise<void> | undefined
  return {
    async run(job) {
      if (ended) throw new Error('it was ended before the job began')
      return pool.run(job, job.progress ? { transferList: [job.progress] } : {})
    },
    end: () => (ended ??= pool.destroy()),
  }
}
