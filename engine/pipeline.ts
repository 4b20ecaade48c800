// The driver of tasks: starts each step whose turn it is, stores what it changed, and looks again.
// The store holds the state, this holds none that matters: after a crash the next pass goes on where the store says.
//
//   closed ─publish─> published ─anchor─> anchored ─execute─> executed ─prove─> proven ─settle─> settled
//                                  any step, after `maxAttempts` or at a final error ─> failed ─retry─> the state before
//                                  a step whose version was stopped ─> voided

import type { ErrorCode } from './core/errors.ts'
import type { TaskState } from './core/task.ts'
import { failureOf } from './failure.ts'
import type { Store, Task, TaskChange } from './store/index.ts'

export type StepFrom = Exclude<TaskState, 'settled' | 'failed' | 'voided'>

/** One arrow of the path. `run` is idempotent: it may be called again after a crash in its middle. */
export interface Step {
  readonly to: TaskState
  /** `before`: ready tasks of the same step, older than this one. */
  isReady(task: Task, previous: Task | undefined, before: readonly Task[]): boolean
  /** Returns the task with what the step added, or undefined if it was undone: its frames wait for a new batch. */
  run(task: Task): Promise<Task | undefined>
  /** A step that takes several tasks at once. */
  readonly together?: Together
}

export interface Together {
  /** Of the ready tasks, oldest first, the groups that go now; the rest waits for others, and is asked for again after `waitMs`. */
  choose(ready: readonly Task[], open: readonly Task[]): { groups: readonly (readonly Task[])[]; waitMs?: number }
  /** One outcome for each task, in order. */
  run(tasks: readonly Task[]): Promise<readonly Outcome[]>
}

/** What became of one of several tasks: as of `Step.run`, or `later` if it waits behind one that failed. */
export type Outcome = { readonly done: Task | undefined } | { readonly failed: unknown } | 'later'

export interface PipelineOptions {
  readonly store: Store
  readonly steps: Readonly<Record<StepFrom, Step>>
  /** Closes batches that are due, all that can be when `force`; tells how many, and after how long the next is due. */
  readonly closeBatches: (force: boolean) => { readonly closed: number; readonly waitMs?: number | undefined }
  readonly nowMs: () => number
  readonly maxAttempts: number
  readonly backoffMs: number
  readonly onChange: (task: Task) => void
  readonly onError: (error: unknown) => void
}

export interface Pipeline {
  /** Looks for work now. */
  wake(): void
  /** Closes everything that waits and resolves when every task is settled, failed, waits for somebody to act, or behind such a one. */
  flush(): Promise<void>
  /** Starts nothing more and waits for the steps under way. */
  close(): Promise<void>
}

/** Errors that another attempt cannot mend. */
const FINAL: readonly ErrorCode[] = ['CIRCUIT_DISAGREES', 'APPLET_BUDGET_EXCEEDED', 'DA_OBJECT_CORRUPT']

/** Errors that say nothing about the task: it is tried again for as long as they last. */
const PASSING: readonly ErrorCode[] = [
  'CHAIN_UNAVAILABLE',
  'CHAIN_UNREACHABLE',
  'CHAIN_NONCE_CONFLICT',
  'CHAIN_FEE_LOW',
  'COHORT_NUMBERS_USED',
]

/** Errors that end when somebody acts: the task waits, shows what for, and goes on by itself. A flush does not wait with it. */
const AWAITING: readonly ErrorCode[] = [
  'CHAIN_FUNDS_LOW',
  'CHAIN_FEE_CAPPED',
  'PROJECT_ESCROW_LOW',
  'PROJECT_BUDGET_EXCEEDED',
  'PROJECT_CONFIG_MISMATCH',
  'PROJECT_VERSION_MISMATCH',
  'PROJECT_STATE_INCOMPATIBLE',
]

/** Looks although nothing asks for it: whatever is due at a known time has a timer of its own. */
const POLL_MS = 500

export function createPipeline(options: PipelineOptions): Pipeline {
  const { store, steps, nowMs } = options
  const running = new Map<string, Promise<void>>()
  const begunMs = new Map<string, number>()
  const notBeforeMs = new Map<string, number>()
  let flushes: (() => void)[] = []
  let closed = false
  let scheduled = false
  let alarm: NodeJS.Timeout | undefined
  let alarmMs = Infinity

  const wake = (): void => {
    if (scheduled || closed) return
    scheduled = true
    setImmediate(pass)
  }

  const pass = (): void => {
    scheduled = false
    if (closed) return
    try {
      const { closed: closedNow, waitMs } = options.closeBatches(flushes.length > 0)
      const open = store.openTasks()
      const movable = readyTasks(open)
      for (const [from, ready] of movable) startSteps(steps[from], ready, open)
      wakeAfter(waitMs, ...[...notBeforeMs.values()].map((dueMs) => dueMs - nowMs()))
      if (closedNow === 0 && running.size === 0 && [...movable.values()].flat().every(awaits)) endFlushes()
    } catch (error) {
      options.onError(error)
    }
  }

  const readyTasks = (open: readonly Task[]): Map<StepFrom, Task[]> => {
    const ready = new Map<StepFrom, Task[]>()
    for (const task of open) {
      const from = task.state as StepFrom
      const before = (ready.get(from) ?? []).filter(isFree)
      if (steps[from].isReady(task, store.previousTask(task), before))
        ready.set(from, [...(ready.get(from) ?? []), task])
    }
    return ready
  }

  const awaits = ({ taskId, failure }: Task): boolean =>
    failure !== null && AWAITING.includes(failure.code) && (notBeforeMs.get(taskId) ?? 0) > nowMs()

  const isFree = ({ taskId }: Task): boolean => !running.has(taskId) && (notBeforeMs.get(taskId) ?? 0) <= nowMs()

  const startSteps = (step: Step, ready: readonly Task[], open: readonly Task[]): void => {
    const free = ready.filter(isFree)
    if (!step.together) return free.forEach((task) => startGroup(step, [task]))
    if (free.length === 0) return
    const { groups, waitMs } = step.together.choose(free, open)
    for (const group of groups) startGroup(step, group)
    wakeAfter(waitMs)
  }

  /** At the earliest of these times, of those that lie ahead. */
  const wakeAfter = (...waitsMs: readonly (number | undefined)[]): void => {
    const waits = waitsMs.filter((waitMs) => waitMs !== undefined && waitMs > 0) as number[]
    const dueMs = performance.now() + Math.min(...waits)
    if (dueMs >= alarmMs) return
    clearTimeout(alarm)
    alarmMs = dueMs
    alarm = setTimeout(
      () => {
        alarmMs = Infinity
        wake()
      },
      Math.min(...waits) + 1,
    ).unref()
  }

  const startGroup = (step: Step, tasks: readonly Task[]): void => {
    for (const { taskId } of tasks) begunMs.set(taskId, nowMs())
    const run = runStep(step, tasks).finally(() => {
      for (const { taskId } of tasks) {
        running.delete(taskId)
        begunMs.delete(taskId)
      }
      wake()
    })
    for (const { taskId } of tasks) running.set(taskId, run)
  }

  const runStep = async (step: Step, tasks: readonly Task[]): Promise<void> => {
    const outcomes = await outcomesOf(step, tasks)
    tasks.forEach((task, i) => {
      const outcome = outcomes[i]!
      if (outcome === 'later') return
      try {
        if ('failed' in outcome) throw outcome.failed
        finish(step, task, outcome.done)
      } catch (error) {
        fail(task, error)
      }
    })
  }

  const finish = (step: Step, task: Task, done: Task | undefined): void => {
    notBeforeMs.delete(task.taskId)
    if (!done) return
    const times = { ...done.times, [step.to]: nowMs() }
    const begun = { ...done.begun, [step.to]: begunMs.get(task.taskId)! }
    options.onChange(store.updateTask(done, { state: step.to, times, begun, failure: null, attempts: 0 }))
  }

  const fail = (task: Task, error: unknown): void => {
    const current = store.task(task.taskId)
    if (closed || current?.ordinal !== task.ordinal || current.state !== task.state) return
    options.onError(error)
    options.onChange(store.updateTask(current, failedAttempt(current, error)))
  }

  const failedAttempt = (task: Task, error: unknown): TaskChange => {
    const attempts = task.attempts + 1
    const failure = failureOf(error)
    const isLast =
      attempts >= options.maxAttempts && !PASSING.includes(failure.code) && !AWAITING.includes(failure.code)
    if (!isLast && !FINAL.includes(failure.code)) {
      notBeforeMs.set(task.taskId, nowMs() + options.backoffMs * 2 ** Math.min(attempts - 1, 6))
      return { attempts, failure }
    }
    notBeforeMs.delete(task.taskId)
    const times = { ...task.times, failed: nowMs() }
    return { attempts, failure, state: 'failed', times, work: { resumeFrom: task.state } }
  }

  const endFlushes = (): void => {
    const ended = flushes
    flushes = []
    for (const end of ended) end()
  }

  const timer = setInterval(wake, POLL_MS)
  timer.unref()
  wake()

  return {
    wake,
    flush: () =>
      new Promise((resolve) => {
        flushes.push(resolve)
        wake()
      }),
    async close() {
      closed = true
      clearInterval(timer)
      clearTimeout(alarm)
      await Promise.allSettled(running.values())
      endFlushes()
    },
  }
}

async function outcomesOf(step: Step, tasks: readonly Task[]): Promise<readonly Outcome[]> {
  try {
    if (step.together) return await step.together.run(tasks)
    return [{ done: await step.run(tasks[0]!) }]
  } catch (error) {
    return tasks.map(() => ({ failed: error }))
  }
}
