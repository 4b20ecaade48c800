// Which proof goes where, and when: a pure choice over the waiting jobs and the threads. In order of arrival, for the batches of a cohort
// settle in order, and what came first is waited for longest:
//
// - A thread that holds the job's key is preferred, then an idle one, then a new one. A job never waits for the thread with its key:
//   loading a key takes a tenth of a proof.
// - Memory is counted before it is taken: what each thread takes by itself, and each key in it with all that its proofs need.
// - What does not fit ends idle threads, those first that were used longest ago, with the keys in them; else it waits. Others may pass
//   it as often as MAX_PASSED; from then on whatever becomes free is kept for it.

export interface WaitingJob {
  readonly key: string
  /** What the key takes in a thread, with all that a proof needs. */
  readonly keyBytes: number
  /** How many jobs that came later were started before it. */
  readonly passed: number
  /** Only a new thread will do. */
  readonly fresh: boolean
}

export interface ThreadState {
  readonly status: 'busy' | 'idle' | 'ending'
  /** Bytes of each key in it. */
  readonly keys: ReadonlyMap<string, number>
  /** Grows with each use. */
  readonly lastUse: number
}

export interface PoolLimits {
  readonly threads: number
  readonly totalBytes: number
  /** What a thread takes without any key. */
  readonly threadBytes: number
}

/** Start this job in that thread; or end these threads first and choose again. */
export type Choice<Job, Thread> =
  { readonly job: Job; readonly thread: Thread | 'new' } | { readonly end: readonly Thread[] }

export const MAX_PASSED = 8

/** The next thing to do; undefined if there is nothing until a job ends, comes, or a thread is gone. `jobs` in order of arrival. */
export function choose<Job extends WaitingJob, Thread extends ThreadState>(
  jobs: readonly Job[],
  threads: readonly Thread[],
  limits: PoolLimits,
): Choice<Job, Thread> | undefined {
  for (const job of jobs) {
    const choice = choosePlace(job, threads, limits)
    if (choice === 'soon') return undefined
    if (choice !== 'no') return choice
    if (job.passed >= MAX_PASSED) return undefined
  }
  return undefined
}

/** Whether the job fits a pool that does nothing else. */
export function fits({ keyBytes }: Pick<WaitingJob, 'keyBytes'>, { totalBytes, threadBytes }: PoolLimits): boolean {
  return threadBytes + keyBytes <= totalBytes
}

function choosePlace<Job extends WaitingJob, Thread extends ThreadState>(
  job: Job,
  threads: readonly Thread[],
  limits: PoolLimits,
): Choice<Job, Thread> | 'soon' | 'no' {
  const idle = threads.filter(({ status }) => status === 'idle').sort((a, b) => b.lastUse - a.lastUse)
  const free = limits.totalBytes - sum(threads.map((thread) => bytesOf(thread, limits)))
  if (!job.fresh) {
    const holder = idle.find(({ keys }) => keys.has(job.key))
    if (holder) return { job, thread: holder }
    if (idle[0] && job.keyBytes <= free) return { job, thread: idle[0] }
  }
  const newBytes = limits.threadBytes + job.keyBytes
  if (threads.length < limits.threads && newBytes <= free) return { job, thread: 'new' }
  const ending = threads.filter(({ status }) => status === 'ending')
  const gone: Thread[] = [...ending]
  for (;;) {
    const freed = free + sum(gone.map((thread) => bytesOf(thread, limits)))
    if (threads.length - gone.length < limits.threads && newBytes <= freed) break
    const oldest = idle.pop()
    if (!oldest) return 'no'
    gone.push(oldest)
  }
  const end = gone.filter(({ status }) => status === 'idle')
  return end.length > 0 ? { end } : 'soon'
}

function bytesOf({ keys }: ThreadState, { threadBytes }: PoolLimits): number {
  return threadBytes + sum([...keys.values()])
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
