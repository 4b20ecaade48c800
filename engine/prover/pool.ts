// The pool that adapters have in common: single-threaded provers, by default one per core, under one ceiling of memory. Each computes a
// job's witness and proof. On two cores two such threads give about a tenth more proofs per minute than one prover on both, with less
// memory. What goes where is chosen by schedule.ts.
//
// A thread that dies, traps, or makes a proof that does not verify is not trusted again: it is ended, and its job is tried once more in
// a new thread. The others go on.

import { availableParallelism, totalmem } from 'node:os'
import { AttestreamError } from '../core/errors.ts'
import { readKeySize, type KeySize } from './key-size.ts'
import { openProgress } from './progress.ts'
import type { OnProgress, ProofJob, ProofResult, Prover } from './prover.ts'
import { choose, fits, type PoolLimits, type ThreadState, type WaitingJob } from './schedule.ts'
import { startThread, type ProverThread } from './thread.ts'
import type { Refusal, WorkerJob } from './worker-job.ts'

export interface PoolOptions {
  /** Proofs at a time. Default: the cores that this process may use. */
  readonly threads?: number
  /** Ceiling of all threads together. Default: half of the memory that this process may use. */
  readonly memoryMb?: number
  /** A thread that works longer on one job is taken for hung and ended. Default 30 minutes: some 2^22 constraints with the slowest prover. */
  readonly proofLimitMs?: number
  /** Told when a thread is ended because of what it did; its job is tried again. */
  readonly onSuspect?: (error: AttestreamError) => void
}

/** What an adapter is made of. */
export interface ProverKind {
  readonly name: string
  /** The module that a thread runs; its default export takes a WorkerJob. */
  readonly worker: URL
  /** What a thread takes without any key. */
  readonly threadBytes: number
  /** At most what a key of this size takes in a thread, with all that a proof needs; the worker is told it as `memoryBytes`. */
  readonly keyBytes: (size: KeySize) => number
  /** Adds to each job what the worker needs. */
  readonly prepare?: () => Promise<object>
}

interface Thread extends ThreadState {
  readonly prover: ProverThread
  status: 'busy' | 'idle' | 'ending'
  readonly keys: Map<string, number>
  lastUse: number
  idleTimer?: NodeJS.Timeout
}

interface Waiting extends WaitingJob {
  readonly job: WorkerJob
  readonly signal: AbortSignal | undefined
  readonly onProgress: OnProgress
  settle: (result: Promise<ProofResult>) => void
  passed: number
  fresh: boolean
  /** While it runs. */
  thread?: Thread
}

const MEGABYTE = 2 ** 20
const HEAP_MB = 1024
const IDLE_MS = 600_000
const PROOF_LIMIT_MS = 30 * 60_000

export function createProverPool(kind: ProverKind, options: PoolOptions = {}): Prover {
  return new ProverPool(kind, options)
}

class ProverPool implements Prover {
  private readonly kind: ProverKind
  private readonly limits: PoolLimits
  private readonly onSuspect: (error: AttestreamError) => void
  private readonly proofLimitMs: number
  private readonly keyBytes = new Map<string, number>()
  private waiting: Waiting[] = []
  private threads: Thread[] = []
  private uses = 0
  private closed = false

  constructor(kind: ProverKind, { threads, memoryMb, proofLimitMs, onSuspect }: PoolOptions) {
    this.kind = kind
    this.proofLimitMs = proofLimitMs ?? PROOF_LIMIT_MS
    this.limits = {
      threads: threads ?? availableParallelism(),
      totalBytes: poolBytes(memoryMb),
      threadBytes: kind.threadBytes,
    }
    this.onSuspect = onSuspect ?? (() => {})
  }

  async prove(job: ProofJob, signal?: AbortSignal, onProgress: OnProgress = () => {}): Promise<ProofResult> {
    signal?.throwIfAborted()
    const key = job.files.zkey
    const keyBytes = this.sizeOf(key)
    const whole = { ...job, ...(await this.kind.prepare?.()), memoryBytes: keyBytes }
    signal?.throwIfAborted()
    if (this.closed) throw this.failure('it was closed')
    let abort = (): void => {}
    const proof = new Promise<ProofResult>((settle) => {
      const entry: Waiting = { job: whole, key, keyBytes, signal, onProgress, settle, passed: 0, fresh: false }
      abort = () => this.abort(entry)
      this.waiting.push(entry)
      this.startNext()
    })
    signal?.addEventListener('abort', abort, { once: true })
    return proof.finally(() => signal?.removeEventListener('abort', abort)) // the engine has one signal for all its proofs
  }

  async close(): Promise<void> {
    this.closed = true
    for (const { settle } of this.waiting) settle(Promise.reject(this.failure('it was closed')))
    this.waiting = []
    await Promise.all(this.threads.map((thread) => this.end(thread)))
  }

  /** What the key takes in a thread; throws PROOF_FAILED if it cannot be read, or never fits. */
  private sizeOf(zkey: string): number {
    const { limits } = this
    let keyBytes = this.keyBytes.get(zkey)
    try {
      keyBytes ??= this.kind.keyBytes(readKeySize(zkey))
    } catch (error) {
      throw this.failure(`the proving key ${zkey} cannot be used: ${(error as Error).message}`)
    }
    if (!fits({ keyBytes }, limits)) {
      const [needed, ceiling] = [keyBytes + limits.threadBytes, limits.totalBytes].map((bytes) =>
        Math.ceil(bytes / MEGABYTE),
      )
      throw this.failure(`a proof with ${zkey} needs ${needed} MB; the ceiling of this prover is ${ceiling} MB`)
    }
    this.keyBytes.set(zkey, keyBytes)
    return keyBytes
  }

  private startNext(): void {
    for (;;) {
      const choice = this.closed ? undefined : choose(this.waiting, this.threads, this.limits)
      if (!choice) return
      if ('end' in choice) return choice.end.forEach((thread) => void this.end(thread))
      const place = this.waiting.indexOf(choice.job)
      for (const before of this.waiting.slice(0, place)) before.passed++
      this.waiting.splice(place, 1)
      choice.job.settle(this.run(choice.job, choice.thread === 'new' ? this.startThread() : choice.thread))
    }
  }

  private startThread(): Thread {
    const prover = startThread(this.kind.worker, Math.min(HEAP_MB, this.limits.totalBytes / MEGABYTE))
    const thread: Thread = { prover, status: 'idle', keys: new Map(), lastUse: 0 }
    this.threads.push(thread)
    return thread
  }

  private async run(entry: Waiting, thread: Thread): Promise<ProofResult> {
    const { job, key, keyBytes, signal, onProgress } = entry
    clearTimeout(thread.idleTimer)
    thread.status = 'busy'
    thread.lastUse = ++this.uses
    thread.keys.set(key, keyBytes)
    entry.thread = thread
    const { port, close } = openProgress(onProgress)
    let isHung = false
    const limit = setTimeout(() => {
      isHung = true
      void thread.prover.end()
    }, this.proofLimitMs).unref()
    const result = await thread.prover
      .run({ ...job, progress: port })
      .catch((cause: unknown): Refusal => {
        const message = isHung ? `there was no proof after ${this.proofLimitMs / 1000} s` : died(cause)
        return { code: 'PROOF_FAILED', message, isSuspect: true }
      })
      .finally(close)
    clearTimeout(limit)
    delete entry.thread
    if (signal?.aborted) throw signal.reason
    if ('code' in result && result.isSuspect) return this.tryElsewhere(entry, thread, result)
    if ('code' in result && result.code === 'PROOF_FAILED') this.forget(key, thread)
    this.rest(thread)
    if ('code' in result) throw new AttestreamError(result.code, result.message)
    return result
  }

  private tryElsewhere(entry: Waiting, thread: Thread, { message }: Refusal): Promise<ProofResult> {
    void this.end(thread)
    this.forget(entry.key, thread)
    if (this.closed) throw this.failure('it was closed')
    const error = new AttestreamError('PROOF_FAILED', message)
    if (entry.fresh) throw error
    this.onSuspect(new AttestreamError('PROOF_FAILED', `${message}. Its thread was ended; a new one takes this proof.`))
    return new Promise((settle) => {
      this.waiting.unshift(Object.assign(entry, { settle, fresh: true, passed: 0 }))
      this.startNext()
    })
  }

  private abort(entry: Waiting): void {
    if (entry.thread) return void this.end(entry.thread)
    const place = this.waiting.indexOf(entry)
    if (place < 0) return
    this.waiting.splice(place, 1)
    entry.settle(Promise.reject(entry.signal!.reason))
    this.startNext()
  }

  private rest(thread: Thread): void {
    if (thread.status !== 'busy') return
    thread.status = 'idle'
    thread.idleTimer = setTimeout(() => void this.end(thread), IDLE_MS).unref()
    this.startNext()
  }

  private async end(thread: Thread): Promise<void> {
    thread.status = 'ending'
    clearTimeout(thread.idleTimer)
    await thread.prover.end()
    this.threads = this.threads.filter((other) => other !== thread)
    this.startNext()
  }

  /** The worker does so too when a proof fails: the next attempt reads the file again. */
  private forget(key: string, thread: Thread): void {
    this.keyBytes.delete(key)
    thread.keys.delete(key)
  }

  private failure(why: string): AttestreamError {
    return new AttestreamError('PROOF_FAILED', `${this.kind.name} could not prove: ${why}`)
  }
}

function died(cause: unknown): string {
  return `The prover's worker died: ${cause instanceof Error ? cause.message : String(cause)}`
}

/** What a pool may take in all: by default half of the machine's memory, or of the container's. */
export function poolBytes(memoryMb: number | undefined): number {
  return memoryMb === undefined ? availableBytes() / 2 : memoryMb * MEGABYTE
}

/** Of the machine, or of the container if that is less. */
function availableBytes(): number {
  const limit = process.constrainedMemory()
  return limit && limit > 0 ? Math.min(limit, totalmem()) : totalmem()
}
