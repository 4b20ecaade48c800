/**
 * Runs batches in worker threads, so that an applet can neither block the engine nor take it down.
 *
 * A job that takes too long has its thread killed and fails alone, as does one whose thread dies; other threads keep working and a new
 * one takes the place. Deterministic refusals come back with the codes of run.ts. Retrying is the caller's business.
 */
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { pathToFileURL } from 'node:url'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { Piscina } from 'piscina'
import { AttestreamError, type ErrorCode } from '../core/errors.ts'
import { FUEL_PER_READING, type BatchJob, type BatchResult } from './run.ts'
import type { WorkerAnswer, WorkerTask } from './worker.ts'

export interface RunnerOptions {
  /** Default: the cores of this machine, at most 4. */
  readonly threads?: number
  /** JavaScript heap of a thread; the applet's own memory is bounded by the sandbox. Default 128. */
  readonly memoryMb?: number
  /** Instructions per reading. */
  readonly fuel?: number
  /** Of one job, from the moment a thread takes it. Default 10 s. */
  readonly timeoutMs?: number
}

export interface Runner {
  /** Throws the codes of `runBatch`, APPLET_TIMEOUT or APPLET_RUN_FAILED. */
  run(job: BatchJob): Promise<BatchResult>
  /** Stops the threads; jobs still running fail. */
  close(): Promise<void>
}

const THREADS_MAX = 4
const HEAP_MB = 128
const STACK_MB = 4
const TIMEOUT_MS = 10_000

export function createRunner(options: RunnerOptions = {}): Runner {
  const threads = options.threads ?? Math.min(availableParallelism(), THREADS_MAX)
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS
  const pool = createPool(threads, options.memoryMb ?? HEAP_MB)
  const fuel = options.fuel ?? FUEL_PER_READING
  return { run: (job) => runWithin(pool, { job, fuel }, timeoutMs), close: () => pool.destroy() }
}

function createPool(threads: number, memoryMb: number): Piscina {
  const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
  return new Piscina({
    filename: new URL('./worker.ts', import.meta.url).href,
    execArgv: ['--import', loader],
    minThreads: 1,
    maxThreads: threads,
    resourceLimits: { maxOldGenerationSizeMb: memoryMb, stackSizeMb: STACK_MB },
  })
}

async function runWithin(pool: Piscina, job: Omit<WorkerTask, 'started'>, timeoutMs: number): Promise<BatchResult> {
  const clock = createClock(timeoutMs)
  let answer: WorkerAnswer
  try {
    const task: WorkerTask = { ...job, started: clock.starter }
    answer = (await pool.run(task, { signal: clock.signal, transferList: [clock.starter] })) as WorkerAnswer
  } catch (cause) {
    if (clock.signal.aborted) {
      const message = `The applet ran longer than ${timeoutMs} ms over one batch; its worker was stopped.`
      throw new AttestreamError('APPLET_TIMEOUT', message, { timeoutMs }, { cause })
    }
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new AttestreamError('APPLET_RUN_FAILED', `The applet's worker died: ${why}`, {}, { cause })
  } finally {
    clock.close()
  }
  if ('result' in answer) return answer.result
  const { code, message, details } = answer.error
  throw new AttestreamError(code as ErrorCode, message, details)
}

/** Aborts `signal` so long after the worker has posted to `starter`: a thread's own start, seconds on a busy machine, is not the applet's. */
function createClock(timeoutMs: number): { signal: AbortSignal; starter: MessagePort; close(): void } {
  const { port1, port2 } = new MessageChannel()
  const abort = new AbortController()
  let timer: NodeJS.Timeout | undefined
  port1.once('message', () => {
    timer = setTimeout(() => abort.abort(), timeoutMs)
  })
  const close = (): void => {
    clearTimeout(timer)
    port1.close()
  }
  return { signal: abort.signal, starter: port2, close }
}
