import { describe, expect, it } from 'vitest'
import { batchRoot, encodeBatchData } from '../../engine/core/batch.ts'
import { genesisPage } from '../../engine/core/ledger.ts'
import { daPointer } from '../../engine/da/embedded.ts'
import { closeBatch, closeDueBatches, closedProject, taskBatchData, type ClosingRules } from '../../engine/sequence.ts'
import type { Store, Task } from '../../engine/store/index.ts'
import {
  COHORT_SIZE,
  device,
  deviceId,
  LAYOUTS,
  NOW_MS,
  PROJECT,
  sequenceContext,
  storedFrame,
  testStore,
} from './scene.ts'

const close = (store: Store, cohort = 0) => closeBatch(sequenceContext(store), cohort)
const sequences = (store: Store, task: Task) => store.taskFrames(task.taskId).map((f) => [f.slot, f.sequence])

/** As the execute step would leave it. */
function execute(store: Store, task: Task): Task {
  const pageAfter = { ...task.work.pageBefore, sequences: [1n, 2n, 3n, 4n] }
  return store.updateTask(task, { state: 'executed', work: { pageAfter } })
}

describe('closing a batch', () => {
  it('takes the oldest frame of each slot, at most one', () => {
    const { store } = testStore()
    store.putFrames([storedFrame(2, 9n), storedFrame(0, 2n), storedFrame(0, 3n)])
    const task = close(store)!
    expect(sequences(store, task)).toEqual([[0, 2n], [2, 9n]]) // prettier-ignore
    expect(task).toMatchObject({ state: 'closed', frames: 2, readings: 2, version: 1, times: { closed: NOW_MS } })
    const hash = (slot: number, sequence: bigint) => storedFrame(slot, sequence).messageHash
    expect(task.batchRoot).toBe(batchRoot([hash(0, 2n), 0n, hash(2, 9n), 0n]))
    expect(task.work.keys.map((key) => key !== null)).toEqual([true, false, true, false])
    expect(task.work.pageBefore).toEqual(genesisPage(LAYOUTS.state, COHORT_SIZE))
    expect(store.pendingCount()).toBe(1)
  })

  it('waits until the last batch is executed, and starts from its page', () => {
    const { store } = testStore()
    store.putFrames([storedFrame(0, 1n), storedFrame(0, 2n)])
    const first = close(store)!
    expect(close(store)).toBeUndefined()
    const { work } = execute(store, first)
    const second = close(store)!
    expect(sequences(store, second)).toEqual([[0, 2n]])
    expect(second.work.pageBefore).toEqual(work.pageAfter)
    expect(second.taskId).not.toBe(first.taskId)
  })

  it('does nothing when no frame waits, and looks at its own cohort only', () => {
    const { store } = testStore()
    store.putDevices([device(1, { cohort: 1 })], 2n)
    store.putFrames([storedFrame(1, 1n, { cohort: 1 })])
    expect(close(store, 0)).toBeUndefined()
    expect(close(store, 1)).toMatchObject({ cohort: 1, frames: 1 })
  })

  it('drops frames of keys that were changed or revoked, and says why', () => {
    const { store } = testStore()
    store.putFrames([0, 1, 2].flatMap((slot) => [storedFrame(slot, 1n), storedFrame(slot, 2n)]))
    store.putDevices([device(0, {}, 40), device(1, { active: false })], 2n)
    const task = close(store)!
    expect(sequences(store, task)).toEqual([[2, 1n]])
    for (const slot of [0, 1])
      for (const sequence of [1n, 2n])
        expect(store.frame(deviceId(slot), sequence)).toMatchObject({
          taskId: null,
          dropped: expect.stringMatching(/key of the device/),
        })
    expect(store.pendingCount()).toBe(1)
  })

  it('drops frames of a layout that the project has left', () => {
    const { store } = testStore()
    store.putFrames([storedFrame(0, 1n)])
    const context = sequenceContext(store, { project: { ...PROJECT, version: 2, frameSize: 8 } })
    expect(closeBatch(context, 0)).toBeUndefined()
    expect(store.frame(deviceId(0), 1n)!.dropped).toMatch(/Reading layout/)
  })

  it('gives the same bytes again after a restart, though the project has another version and config by then', () => {
    const scene = testStore()
    scene.store.putFrames([storedFrame(0, 1n), storedFrame(3, 4n)])
    const { taskId, daPointer: pointer } = close(scene.store)!
    const store = scene.reopen()
    const task = store.task(taskId)!
    const changed = { ...PROJECT, version: 5, frameSize: 8, config: [7n], configHash: 7n, appletId: '0xbb' as const }
    const project = closedProject(changed, task)
    expect(project).toEqual(PROJECT)
    const bytes = encodeBatchData(LAYOUTS, taskBatchData(sequenceContext(store, { project }), task))
    expect(daPointer(bytes)).toBe(pointer)
  })

  it('makes the same batch again of the frames of one that was undone', () => {
    const { store } = testStore()
    store.putFrames([storedFrame(0, 1n), storedFrame(1, 1n)])
    const first = close(store)!
    store.reopenFrom(first)
    const again = close(store)!
    expect(again).toEqual({ ...first, ordinal: again.ordinal })
  })
})

describe('batches that are due', () => {
  const rules = (store: Store, change: Partial<ClosingRules> = {}): ClosingRules => ({
    store,
    nowMs: () => NOW_MS,
    closeAfterMs: 1000,
    contextOf: (projectId) => sequenceContext(store, { project: { ...PROJECT, projectId } }),
    onError: (error) => {
      throw error
    },
    ...change,
  })

  it('are those of which every active device waits with a frame', () => {
    const { store } = testStore()
    store.putFrames([0, 1, 2].map((slot) => storedFrame(slot, 1n)))
    expect(closeDueBatches(rules(store), false).closed).toBe(0)
    store.putFrames([storedFrame(3, 1n)])
    expect(closeDueBatches(rules(store), false).closed).toBe(1)
    expect(store.openTasks()).toMatchObject([{ frames: 4 }])
  })

  it('do not wait for a device that is not active', () => {
    const { store } = testStore()
    store.putDevices([device(3, { active: false })], 2n)
    store.putFrames([0, 1, 2].map((slot) => storedFrame(slot, 1n)))
    expect(closeDueBatches(rules(store), false).closed).toBe(1)
  })

  it('are those whose oldest frame has waited long enough', () => {
    const { store } = testStore()
    store.putFrames([storedFrame(0, 1n), storedFrame(1, 1n, { receivedMs: NOW_MS + 400 })])
    expect(closeDueBatches(rules(store, { nowMs: () => NOW_MS + 999 }), false).closed).toBe(0)
    expect(closeDueBatches(rules(store, { nowMs: () => NOW_MS + 1000 }), false).closed).toBe(1)
  })

  it('are all that have a frame when forced', () => {
    const { store } = testStore()
    store.putDevices([device(0, { cohort: 1 })], 2n)
    store.putFrames([storedFrame(0, 1n), storedFrame(0, 1n, { cohort: 1 })])
    expect(closeDueBatches(rules(store), true).closed).toBe(2)
  })

  it('are closed though another cohort cannot be', () => {
    const { store } = testStore()
    store.putDevices([device(0, { cohort: 1, projectId: 6n })], 2n)
    store.putFrames([storedFrame(0, 1n, { cohort: 1, projectId: 6n }), storedFrame(0, 1n)])
    const errors: unknown[] = []
    const contextOf = (projectId: bigint) => {
      if (projectId === 6n) throw new Error('not served any more')
      return sequenceContext(store)
    }
    expect(closeDueBatches(rules(store, { contextOf, onError: (error) => errors.push(error) }), true).closed).toBe(1)
    expect(errors).toEqual([new Error('not served any more')])
  })
})
