// Checks frames in worker threads, so that elliptic curves never hold up the event loop. Frames of all requests share one bounded line; a
// thread takes some from its head at a time.

import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { pathToFileURL } from 'node:url'
import { Piscina } from 'piscina'
import { AttestreamError } from '../core/errors.ts'
import type { FrameCheck, Verdict } from './check.ts'

export interface FrameCheckOptions {
  /** Default: the cores of this machine, at most 4. */
  readonly threads?: number
  /** Frames that may wait for a thread; of some 300 bytes each. Default 8,192: some seconds of work. */
  readonly maxWaiting?: number
}

export interface FrameChecks {
  /** One verdict for each frame, in order. Throws ENGINE_BUSY, checking nothing, if they would not fit into the line. */
  check(frames: readonly FrameCheck[]): Promise<Verdict[]>
  /** Ends the threads; what waits fails with ENGINE_CLOSED. */
  close(): Promise<void>
}

interface Waiting {
  readonly frame: FrameCheck
  readonly resolve: (verdict: Verdict) => void
  readonly reject: (reason: unknown) => void
}

const THREADS_MAX = 4
const MAX_WAITING = 8192
/** Some ten milliseconds of work: little enough for an even share, enough to make the message between threads cheap. */
const FRAMES_PER_TURN = 32
const IDLE_MS = 60_000

export function createFrameChecks(options: FrameCheckOptions = {}): FrameChecks {
  const threads = options.threads ?? Math.min(availableParallelism(), THREADS_MAX)
  const maxWaiting = options.maxWaiting ?? MAX_WAITING
  const pool = new Piscina<FrameCheck[], Verdict[]>({
    filename: new URL('./worker.ts', import.meta.url).href,
    execArgv: ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href],
    minThreads: 0,
    maxThreads: threads,
    idleTimeout: IDLE_MS,
  })
  const line: Waiting[] = []
  let busy = 0
  let closed = false

  const giveOut = (): void => {
    while (busy < threads && line.length > 0) {
      const share = Math.min(FRAMES_PER_TURN, Math.ceil(line.length / (threads - busy)))
      busy++
      void run(line.splice(0, share))
    }
  }
  const run = async (turn: readonly Waiting[]): Promise<void> => {
    try {
      const verdicts = await pool.run(turn.map(({ frame }) => frame))
      turn.forEach(({ resolve }, i) => resolve(verdicts[i]!))
    } catch (error) {
      for (const { reject } of turn) reject(closed ? engineClosed() : error)
    }
    busy--
    giveOut()
  }

  return {
    async check(frames) {
      if (closed) throw engineClosed()
      if (line.length + frames.length > maxWaiting) throw engineBusy(line.length)
      const verdicts = frames.map(
        (frame) => new Promise<Verdict>((resolve, reject) => line.push({ frame, resolve, reject })),
      )
      giveOut()
      return Promise.all(verdicts)
    },
    async close() {
      closed = true
      for (const { reject } of line.splice(0)) reject(engineClosed())
      await pool.destroy()
    },
  }
}

function engineBusy(waiting: number): AttestreamError {
  return new AttestreamError(
    'ENGINE_BUSY',
    `${waiting} frames wait for their check already. Keep yours and send them again in a moment, fewer at once.`,
    { retryAfterSec: 1 },
  )
}

function engineClosed(): AttestreamError {
  return new AttestreamError('ENGINE_CLOSED', 'The engine is shutting down; send the frames again later.')
}
