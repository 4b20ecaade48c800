// The driver of tasks over a real store. The steps are doubles that count their calls and fail when told: what the real ones do is
// tested with crash.test.ts, on a chain.

import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { AttestreamError, type ErrorCode } from '../../engine/core/errors.ts'
import { TASK_STATES, type TaskState } from '../../engine/core/task.ts'
import { createPipeline, type Step, type StepFrom } from '../../engine/pipeline.ts'
import { closeDueBatches, type ClosingRules } from '../../engine/sequence.ts'
import type { Task } from '../../engine/store/index.ts'
import { newTask, NOW_MS, sequenceContext, storedFrame, testStore } from './scene.ts'

const FROM = ['closed', 'published', 'anchored', 'executed', 'proven'] as const

interface Fault {
  readonly code?: ErrorCode
  /** Calls that fail; then it passes. */
  readonly times?: number
}

function scene() {
  const { store } = testStore()
  const clock = { nowMs: NOW_MS }
  const calls: [string, StepFrom][] = []
  const faults = new Map<string, Fault>()
  const gates = new Map<string, Promise<void>>()
  const changes: [string, TaskState, number][] = []
  const errors: unknown[] = []
  const run = (from: StepFrom) => async (task: Task) => {
    const name = nameOf(task)
    calls.push([name, from])
    await gates.get(`${name}:${from}`)
    const fault = faults.get(`${name}:${from}`)
    const before = calls.filter(([other, state]) => other === name && state === from).length
    if (fault && before <= (fault.times ?? Infinity)) throw new AttestreamError(fault.code ?? 'STEP_FAILED', 'told to')
    return task
  }
  const steps = Object.fromEntries(
    FROM.map((from, i): [StepFrom, Step] => [
      from,
      {
        to: TASK_STATES[i + 1]!,
        isReady: (_, previous) => from !== 'proven' || !previous || previous.state === 'settled',
        run: run(from),
      },
    ]),
  ) as Record<StepFrom, Step>
  const start = (closeAfterMs?: number) => {
    const rules: ClosingRules = {
      store,
      nowMs: () => clock.nowMs,
      closeAfterMs: closeAfterMs ?? 0,
      contextOf: () => sequenceContext(store),
      onError: (error) => errors.push(error),
    }
    const pipeline = createPipeline({
      store,
      steps,
      closeBatches: (force) => (closeAfterMs === undefined ? { closed: 0 } : closeDueBatches(rules, force)),
      nowMs: () => clock.nowMs,
      maxAttempts: 3,
      backoffMs: 100,
      onChange: (task) => changes.push([nameOf(task), task.state, task.attempts]),
      onError: (error) => errors.push(error),
    })
    onTestFinished(() => pipeline.close())
    return pipeline
  }
  const put = (name: number, cohort = 0) => store.putTask(newTask(name, { cohort }), [])
  /** Lets everything happen that needs no time. */
  const quiet = async () => {
    for (let i = 0; i < 60; i++) await new Promise((resolve) => setImmediate(resolve))
  }
  return { store, clock, calls, faults, gates, changes, errors, steps, start, put, quiet }
}

const nameOf = (task: Pick<Task, 'taskId'>) => `${Number(task.taskId)}`

describe('the pipeline', () => {
  it('takes a task through all steps and notes when each was reached', async () => {
    const { store, calls, changes, start, put } = scene()
    const { taskId } = put(1)
    await start().flush()
    expect(calls.map(([, from]) => from)).toEqual(FROM)
    expect(changes.map(([, state]) => state)).toEqual(TASK_STATES.slice(1, 6))
    expect(Object.keys(store.task(taskId)!.times)).toEqual(TASK_STATES.slice(0, 6))
  })

  it('tries again after growing pauses, then fails the task and says why', async () => {
    const { store, clock, calls, faults, errors, start, put, quiet } = scene()
    const { taskId } = put(1)
    faults.set('1:published', {})
    const pipeline = start()
    const attempts = async () => {
      pipeline.wake()
      await quiet()
      return calls.filter(([, from]) => from === 'published').length
    }
    expect(await attempts()).toBe(1)
    clock.nowMs += 99
    expect(await attempts()).toBe(1)
    clock.nowMs += 1
    expect(await attempts()).toBe(2)
    expect(store.task(taskId)).toMatchObject({ state: 'published', attempts: 2, failure: { code: 'STEP_FAILED' } })
    clock.nowMs += 199
    expect(await attempts()).toBe(2)
    clock.nowMs += 1
    expect(await attempts()).toBe(3)
    clock.nowMs += 1_000_000
    expect(await attempts()).toBe(3)
    expect(store.task(taskId)).toMatchObject({
      state: 'failed',
      attempts: 3,
      failure: { code: 'STEP_FAILED', message: 'told to' },
      times: { failed: NOW_MS + 300 },
      work: { resumeFrom: 'published' },
    })
    expect(errors).toHaveLength(3)
  })

  it.each(['CIRCUIT_DISAGREES', 'APPLET_BUDGET_EXCEEDED', 'DA_OBJECT_CORRUPT'] as const)(
    'fails at once with %s, which another attempt cannot mend',
    async (code) => {
      const { store, calls, faults, start, put } = scene()
      const { taskId } = put(1)
      faults.set('1:executed', { code })
      await start().flush()
      expect(calls.filter(([, from]) => from === 'executed')).toHaveLength(1)
      expect(store.task(taskId)).toMatchObject({ state: 'failed', attempts: 1, failure: { code } })
    },
  )

  it('outlasts a chain that is away for longer than any number of attempts', async () => {
    const { store, clock, faults, start, put, quiet } = scene()
    const { taskId } = put(1)
    faults.set('1:anchored', { code: 'CHAIN_UNAVAILABLE', times: 7 })
    const pipeline = start()
    for (let i = 0; i < 7; i++) {
      pipeline.wake()
      await quiet()
      expect(store.task(taskId)).toMatchObject({ state: 'anchored', attempts: i + 1 })
      clock.nowMs += 100_000
    }
    await pipeline.flush()
    expect(store.task(taskId)).toMatchObject({ state: 'settled', attempts: 0, failure: null })
  })

  it('goes on with a retried task where it stopped, without a pause', async () => {
    const { store, calls, faults, start, put } = scene()
    const { taskId } = put(1)
    faults.set('1:executed', { code: 'CIRCUIT_DISAGREES', times: 1 })
    const pipeline = start()
    await pipeline.flush()
    const failed = store.task(taskId)!
    calls.length = 0
    faults.clear()
    store.updateTask(failed, { state: failed.work.resumeFrom!, attempts: 0, failure: null })
    await pipeline.flush()
    expect(calls.map(([, from]) => from)).toEqual(['executed', 'proven'])
    expect(store.task(taskId)!.state).toBe('settled')
  })

  it('settles the batches of a cohort in their order, though a later one was proven first', async () => {
    const { changes, gates, start, put, quiet } = scene()
    let open = (): void => {}
    gates.set('1:executed', new Promise((resolve) => (open = resolve)))
    put(1)
    put(2)
    const pipeline = start()
    await quiet()
    expect(changes.at(-1)).toEqual(['2', 'proven', 0])
    open()
    await pipeline.flush()
    expect(changes.filter(([, state]) => state === 'settled').map(([name]) => name)).toEqual(['1', '2'])
  })

  it('keeps what is behind a failed batch from settling, and other cohorts going', async () => {
    const { store, faults, start, put } = scene()
    const [first, second, other] = [put(1), put(2), put(3, 1)]
    faults.set('1:executed', { code: 'CIRCUIT_DISAGREES' })
    await start().flush()
    const states = [first, second, other].map(({ taskId }) => store.task(taskId)!.state)
    expect(states).toEqual(['failed', 'proven', 'settled'])
  })

  it.each([
    ['then both settle', undefined, ['settled', 'settled']],
    ['and if the first cannot be proven, the second is not settled', 'CIRCUIT_DISAGREES', ['failed', 'proven']],
  ] as const)(
    "closes, executes and proves a cohort's next batch while the present one is being proven; %s",
    async (_, code, states) => {
      const { store, steps, changes, faults, start, quiet } = scene()
      const execute = steps.anchored.run
      steps.anchored = {
        ...steps.anchored,
        async run(task) {
          const pageAfter = {
            ...task.work.pageBefore,
            sequences: [task.work.pageBefore.sequences[0]! + 1n, 0n, 0n, 0n],
          }
          return store.updateTask((await execute(task))!, { work: { pageAfter } })
        },
      }
      store.putFrames([storedFrame(0, 1n), storedFrame(0, 2n)])
      let open = (): void => {}
      const gate = new Promise<void>((resolve) => (open = resolve))
      const prove = steps.executed.run
      let proofs = 0
      steps.executed = {
        ...steps.executed,
        async run(task) {
          if (proofs++ > 0) return prove(task)
          if (code) faults.set(`${nameOf(task)}:executed`, { code })
          await gate
          return prove(task)
        },
      }
      const pipeline = start(0)
      await quiet()
      const [first, second] = store.openTasks()
      expect([first!.state, second!.state]).toEqual(['executed', 'proven'])
      expect(second!.work.pageBefore).toEqual(first!.work.pageAfter)
      open()
      await pipeline.flush()
      expect([first!, second!].map(({ taskId }) => store.task(taskId)!.state)).toEqual(states)
      const settled = changes.filter(([, state]) => state === 'settled').map(([name]) => name)
      expect(settled).toEqual(code ? [] : [first!, second!].map(nameOf))
    },
  )

  it('looks again when a pause is over or a batch is due, not at the next tick', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] })
    onTestFinished(() => void vi.useRealTimers())
    const { store, clock, calls, faults, start, put, quiet } = scene()
    const pass = async (ms: number) => {
      clock.nowMs += ms
      vi.advanceTimersByTime(ms)
      await quiet()
    }
    put(1, 1)
    faults.set('1:published', { times: 1 })
    store.putFrames([storedFrame(0, 1n)])
    start(230)
    await quiet()
    const tries = () => calls.filter(([name, from]) => name === '1' && from === 'published').length
    await pass(99)
    expect(tries()).toBe(1)
    await pass(2)
    expect(tries()).toBe(2)
    await pass(128)
    expect(store.pendingCount()).toBe(1)
    await pass(3)
    expect(store.pendingCount()).toBe(0)
  })

  it('notes when the work on each state began', async () => {
    const { store, clock, gates, start, put, quiet } = scene()
    let open = (): void => {}
    gates.set('1:anchored', new Promise((resolve) => (open = resolve)))
    const { taskId } = put(1)
    const pipeline = start()
    await quiet()
    clock.nowMs += 70
    open()
    await pipeline.flush()
    const { begun, times } = store.task(taskId)!
    expect([begun.executed, times.executed, begun.proven]).toEqual([NOW_MS, NOW_MS + 70, NOW_MS + 70])
    expect(Object.keys(begun)).toEqual(TASK_STATES.slice(1, 6))
  })

  it('lets an error in one cohort delay no other', async () => {
    const { store, faults, start, put, quiet } = scene()
    put(1)
    const other = put(2, 1)
    faults.set('1:closed', {})
    start()
    await quiet()
    expect(store.task(other.taskId)!.state).toBe('settled')
  })

  it('runs one step of a task at a time', async () => {
    const { calls, gates, start, put, quiet } = scene()
    let open = (): void => {}
    gates.set('1:closed', new Promise((resolve) => (open = resolve)))
    put(1)
    const pipeline = start()
    for (let i = 0; i < 5; i++) {
      pipeline.wake()
      await quiet()
    }
    expect(calls).toEqual([['1', 'closed']])
    open()
  })

  it('goes on after a restart where the store says', async () => {
    const { calls, gates, start, put, quiet } = scene()
    let open = (): void => {}
    gates.set('1:anchored', new Promise((resolve) => (open = resolve)))
    put(1)
    start()
    await quiet()
    gates.clear()
    calls.length = 0
    await start().flush() // a second driver over the same store, as after a crash of the first
    expect(calls.map(([, from]) => from)).toEqual(['anchored', 'executed', 'proven'])
    open()
  })

  it('writes nothing over a task that was undone and closed again while its step ran', async () => {
    const { store, steps, start, put, quiet } = scene()
    let release = (): void => {}
    let waits = 0
    steps.executed = {
      ...steps.executed,
      async run(task) {
        if (waits++ === 0) await new Promise<void>((resolve) => (release = resolve))
        return store.updateTask(task, { batchNumber: BigInt(waits) })
      },
    }
    const old = put(1)
    const pipeline = start()
    await quiet()
    store.reopenFrom(old)
    const again = put(1)
    release()
    await pipeline.flush()
    expect(store.task(again.taskId)).toMatchObject({ ordinal: again.ordinal, state: 'settled', batchNumber: 2n })
  })

  it('closes after the steps under way and starts no other', async () => {
    const { store, calls, gates, start, put, quiet } = scene()
    let open = (): void => {}
    gates.set('1:closed', new Promise((resolve) => (open = resolve)))
    const { taskId } = put(1)
    const pipeline = start()
    await quiet()
    let isClosed = false
    const closing = pipeline.close().then(() => (isClosed = true))
    await quiet()
    expect(isClosed).toBe(false)
    open()
    await closing
    await quiet()
    expect(calls).toHaveLength(1)
    expect(store.task(taskId)!.state).toBe('published')
  })

  it('ends a flush when there is nothing to do, and when it closes', async () => {
    const { gates, start, put, quiet } = scene()
    const pipeline = start()
    await pipeline.flush()
    let open = (): void => {}
    gates.set('1:closed', new Promise((resolve) => (open = resolve)))
    put(1)
    const flushed = pipeline.flush()
    await quiet()
    const closing = pipeline.close()
    open()
    await Promise.all([closing, flushed])
  })
})
