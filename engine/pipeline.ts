// The driver of tasks: starts each step whose turn it is, stores what it changed, and looks again.
// The store holds the state, this holds none that matters: after a crash the next pass goes on where the store says.
//
//   closed ─publish─> published ─anchor─> anchored ─execute─> executed ─prove─> proven ─settle─> settled
//                                  any step, after `maxAttempts` or at a final error ─> failed ─retry─> the state before

import type { ErrorCode } from './core/errors.ts'
import type { TaskState } from './core/task.ts'
import { failureOf } from './failure.ts'
import type { Store, Task, TaskChange } from './store/index.ts'

export type StepFrom = Exclude<TaskState, 'settled' | 'failed'>

/** One arrow of the path. `run` is idempotent: it may be called again after a crash in its middle. */
export interface Step {
  readonly to: TaskState
  isReady(task: Task, previous: Task | undefined): boolean
  /** Returns the task with what the step added, or undefined if it was undone: its frames wait for a new batch. */
  run(task: Task): Promise<Task | undefined>
}

export interface PipelineOptions {
  readonly store: Store
  readonly steps: Readonly<Record<StepFrom, Step>>
  /** Closes batches that are due, all that can be when `force`; returns how many it closed. */
  readonly closeBatches: (force: boolean) => number
  readonly nowMs: () => number
  readonly maxAttempts: number
  readonly backoffMs: number
  readonly onChange: (task: Task) => void
  readonly onError: (error: unknown) => void
}

export interface Pipeline {
  /** Looks for work now. */
  wake(): void
  /** Closes everything that waits and resolves when every task is settled, failed, or waits behind a failed one. */
  flush(): Promise<void>
  /** Starts nothing more and waits for the steps under way. */
  close(): Promise<void>
}

/** Errors that another attempt cannot mend. */
const FINAL: readonly ErrorCode[] = ['CIRCUIT_DISAGREES', 'APPLET_BUDGET_EXCEEDED', 'DA_OBJECT_CORRUPT']

/** Errors that say nothing about the task: it is tried again for as long as they last. */
const PASSING: readonly ErrorCode[] = ['CHAIN_UNAVAILABLE']

const POLL_MS = 500

export function createPipeline(options: PipelineOptions): Pipeline {
  const { store, steps, nowMs } = options
  const running = new Map<string, Promise<void>>()
  const notBeforeMs = new Map<string, number>()
  let flushes: (() => void)[] = []
  let closed = false
  let scheduled = false

  const wake = (): void => {
    if (scheduled || closed) return
    scheduled = true
    setImmediate(pass)
  }

  const pass = (): void => {
    scheduled = false
    if (closed) return
    try {
      const closedNow = options.closeBatches(flushes.length > 0)
      const movable = store.openTasks().filter((task) => stepOf(task).isReady(task, store.previousTask(task)))
      movable.forEach(startStep)
      if (closedNow === 0 && running.size === 0 && movable.length === 0) endFlushes()
    } catch (error) {
      options.onError(error)
    }
  }

  const stepOf = (task: Task): Step => steps[task.state as StepFrom]

  const startStep = (task: Task): void => {
    if (running.has(task.taskId) || (notBeforeMs.get(task.taskId) ?? 0) > nowMs()) return
    const run = runStep(task, stepOf(task)).finally(() => {
      running.delete(task.taskId)
      wake()
    })
    running.set(task.taskId, run)
  }

  const runStep = async (task: Task, step: Step): Promise<void> => {
    try {
      const done = await step.run(task)
      notBeforeMs.delete(task.taskId)
      if (!done) return
      const times = { ...done.times, [step.to]: nowMs() }
      options.onChange(store.updateTask(done, { state: step.to, times, failure: null, attempts: 0 }))
    } catch (error) {
      const current = store.task(task.taskId)
      if (closed || current?.ordinal !== task.ordinal) return
      options.onError(error)
      options.onChange(store.updateTask(current, failedAttempt(current, error)))
    }
  }

  const failedAttempt = (task: Task, error: unknown): TaskChange => {
    const attempts = task.attempts + 1
    const failure = failureOf(error)
    const isLast = attempts >= options.maxAttempts && !PASSING.includes(failure.code)
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
      await Promise.allSettled(running.values())
      endFlushes()
    },
  }
}
