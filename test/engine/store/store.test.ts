import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openDatabase } from '../../../engine/store/database.ts'
import { openStore } from '../../../engine/store/index.ts'
import { sampleReceipt } from '../../core/samples.ts'
import { device, deviceId, newTask, NOW_MS, PROJECT, storedFrame, temporaryDirectory, testStore } from '../scene.ts'

const PAGE = { limit: 50, offset: 0 }
const CIRCUIT = { appletId: PROJECT.appletId, cohortSize: 4, frameSize: 4, progress: null, failure: null, manifest: null, directory: null } as const // prettier-ignore

describe('the store', () => {
  it('gives back after reopening exactly what was put', () => {
    const scene = testStore()
    const frame = storedFrame(0, 5n)
    scene.store.putFrames([frame])
    scene.store.putApplet(PROJECT.appletId, Uint8Array.of(0, 97, 115, 109), 12)
    scene.store.putCircuit({ ...CIRCUIT, status: 'ready', directory: '/circuit' })
    scene.store.putApiKey('0xab', PROJECT.projectId, 1)
    const task = scene.store.putTask(newTask(1), [frame])
    scene.store.putReceipt(task, sampleReceipt(), { state: 'proven', unitsBySlot: [2n ** 40n, 0n, 0n, 0n] })

    const store = scene.reopen()
    expect(store.frame(deviceId(0), 5n)).toEqual({ ...frame, taskId: task.taskId, dropped: null })
    expect(store.device(deviceId(0))).toEqual({ ...device(0), lastSequence: 5n })
    expect(store.project(PROJECT.projectId)).toEqual(PROJECT)
    expect([...store.applet(PROJECT.appletId)!.wasm]).toEqual([0, 97, 115, 109])
    expect(store.circuits(PROJECT.appletId)).toEqual([{ ...CIRCUIT, status: 'ready', directory: '/circuit' }])
    expect(store.apiKeyProject('0xab')).toBe(PROJECT.projectId)
    expect(store.task(task.taskId)).toEqual({ ...task, state: 'proven', unitsBySlot: [2n ** 40n, 0n, 0n, 0n] })
    expect(store.receipt(task.taskId)).toEqual(sampleReceipt())
    expect(store.nextBlock()).toBe(1n)
  })

  it('has on disk what it returned from, without being closed', () => {
    const { directory, store } = testStore()
    store.putFrames([storedFrame(1, 1n)])
    const copy = join(temporaryDirectory(), 'copy')
    mkdirSync(copy)
    for (const name of readdirSync(directory)) copyFileSync(join(directory, name), join(copy, name))
    const seen = openStore(copy)
    expect(seen.frame(deviceId(1), 1n)?.receivedMs).toBe(NOW_MS)
    expect(seen.device(deviceId(1))?.lastSequence).toBe(1n)
    seen.close()
  })

  it('of an earlier version reads the events of the devices once more', () => {
    const path = join(temporaryDirectory(), 'engine.sqlite')
    const earlier = openDatabase(path)
    earlier.exec(
      "insert into chain_cursor values (1, '9'); drop table device_metadata; drop table upgrades; drop table configs; drop index tasks_unsettled; drop table transactions; drop table inclusions; pragma user_version = 1;",
    )
    earlier.close()
    const migrated = openDatabase(path)
    expect(migrated.prepare('select * from chain_cursor').all()).toEqual([])
    migrated.close()
  })

  it('runs each migration once', () => {
    const path = join(temporaryDirectory(), 'engine.sqlite')
    const first = openDatabase(path)
    const version = first.prepare('pragma user_version').get()
    expect(version).toEqual({ user_version: 4 })
    first.exec(`insert into applets values ('a', x'00', 1)`)
    first.close()
    const second = openDatabase(path)
    expect(second.prepare('pragma user_version').get()).toEqual(version)
    expect(second.prepare('select count(*) as n from applets').get()).toEqual({ n: 1 })
    expect(second.prepare('pragma synchronous').get()).toEqual({ synchronous: 2 })
    expect(second.prepare('pragma journal_mode').get()).toEqual({ journal_mode: 'wal' })
    second.close()
  })

  it('is open in one engine at a time, of this process or another', () => {
    const { directory, reopen } = testStore()
    expect(() => openStore(directory)).toThrow(expect.objectContaining({ code: 'STORE_LOCKED' }))
    const script = `import('${new URL('../../../engine/store/index.ts', import.meta.url).href}')
      .then(({ openStore }) => openStore(process.argv[1])).catch((error) => console.log(error.code))`
    const other = spawnSync(process.execPath, ['--import', 'tsx', '-e', script, directory], { encoding: 'utf8' })
    expect(other.stdout.trim()).toBe('STORE_LOCKED')
    reopen()
  })
})

describe('frames', () => {
  it('are put all or not at all', () => {
    const { store } = testStore()
    store.putFrames([storedFrame(0, 4n)])
    const bad = { ...storedFrame(0, 4n), messageHash: 1n }
    expect(() => store.putFrames([storedFrame(1, 9n), bad])).toThrow(/UNIQUE/)
    expect(store.frame(deviceId(1), 9n)).toBeUndefined()
    expect(store.device(deviceId(1))!.lastSequence).toBe(0n)
    expect(store.pendingCount()).toBe(1)
  })

  it('sort by sequence over all 64 bits', () => {
    const { store } = testStore()
    const sequences = [2n ** 64n - 1n, 2n ** 63n, 2n ** 63n - 1n, 9n, 10n]
    store.putFrames(sequences.map((sequence) => storedFrame(2, sequence)))
    expect(store.device(deviceId(2))!.lastSequence).toBe(2n ** 64n - 1n)
    expect(store.frame(deviceId(2), 2n ** 63n)!.sequence).toBe(2n ** 63n)
    const order = []
    for (let next = store.nextFrames(7n, 0); next.length > 0; next = store.nextFrames(7n, 0)) {
      order.push(next[0]!.sequence)
      store.dropFrame(next[0]!, 'seen')
    }
    expect(order).toEqual([9n, 10n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n])
  })

  it('wait by cohort, the oldest of each slot first, until a task takes them or they are dropped', () => {
    const { store } = testStore()
    store.putDevices([device(1, { cohort: 3 })], 2n)
    const frames = [storedFrame(3, 8n), storedFrame(0, 2n, { receivedMs: NOW_MS - 9 }), storedFrame(0, 3n)]
    store.putFrames([...frames, storedFrame(1, 1n, { cohort: 3 })])
    expect(store.pendingCohorts()).toEqual([
      { projectId: 7n, cohort: 0, slots: 2, frames: 3, oldestMs: NOW_MS - 9 },
      { projectId: 7n, cohort: 3, slots: 1, frames: 1, oldestMs: NOW_MS },
    ])
    const next = store.nextFrames(7n, 0)
    expect(next.map(({ slot, sequence }) => [slot, sequence])).toEqual([[0, 2n], [3, 8n]]) // prettier-ignore
    store.putTask(newTask(1), next)
    expect(store.nextFrames(7n, 0).map((frame) => frame.sequence)).toEqual([3n])
    store.dropFrame({ deviceId: deviceId(0), sequence: 3n }, 'why')
    expect(store.nextFrames(7n, 0)).toEqual([])
    expect(store.frame(deviceId(0), 3n)!.dropped).toBe('why')
    expect(store.pendingCount()).toBe(1)
  })

  it('keep their sequence when the device changes', () => {
    const { store } = testStore()
    store.putFrames([storedFrame(0, 77n)])
    store.putDevices([device(0, {}, 50)], 9n)
    expect(store.device(deviceId(0))).toEqual({ ...device(0, {}, 50), lastSequence: 77n })
    expect(store.nextBlock()).toBe(9n)
  })

  it('are listed newest first, by device and by task', () => {
    const { store } = testStore()
    store.putFrames([storedFrame(0, 1n), storedFrame(1, 1n), storedFrame(0, 2n)])
    const task = store.putTask(newTask(1), [storedFrame(1, 1n)])
    const listed = (filter: object) => store.frames({ projectId: 7n, ...filter }, PAGE).map((f) => [f.slot, f.sequence])
    expect(listed({})).toEqual([[0, 2n], [1, 1n], [0, 1n]]) // prettier-ignore
    expect(listed({ deviceId: deviceId(0) })).toEqual([[0, 2n], [0, 1n]]) // prettier-ignore
    expect(listed({ taskId: task.taskId })).toEqual([[1, 1n]])
    expect(store.frames({ projectId: 8n }, PAGE)).toEqual([])
  })
})

describe('tasks', () => {
  it('that are undone give their frames back, with all later ones of their cohort and no other', () => {
    const { store } = testStore()
    const frames = [1n, 2n, 3n].map((sequence) => storedFrame(0, sequence))
    store.putFrames(frames)
    const [first, second] = frames.map((frame, i) => store.putTask(newTask(i + 1), [frame]))
    const other = store.putTask(newTask(9, { cohort: 1 }), [])
    store.putReceipt(second!, sampleReceipt(), {})
    store.reopenFrom(second!)
    expect(store.openTasks().map((task) => task.taskId)).toEqual([first!.taskId, other.taskId])
    expect(store.receipt(second!.taskId)).toBeUndefined()
    expect(store.nextFrames(7n, 0).map((frame) => frame.sequence)).toEqual([2n])
  })

  it('whose anchor is lost keep their batch and its number, and nothing that was made of the anchor', () => {
    const { store } = testStore()
    const times = { closed: 1, published: 2, anchored: 3, executed: 4, proven: 5 }
    const planned = store.putTask(newTask(1, { begun: times, times, batchNumber: 4n }), [])
    const proof = { unitsBySlot: [1n], witnessMs: 1, proveMs: 2, anchorGas: 3n, state: 'proven' } as const
    const task = store.putReceipt(planned, sampleReceipt(), proof)
    const back = store.setBackTask(task)
    const kept = { closed: 1, published: 2 }
    const undone = { unitsBySlot: null, witnessMs: null, proveMs: null, anchorGas: null }
    expect(back).toMatchObject({ state: 'published', batchNumber: 4n, ...undone })
    expect([back.times, back.begun]).toEqual([kept, kept])
    expect(store.receipt(task.taskId)).toBeUndefined()
    expect(store.task(task.taskId)).toEqual(back)
  })

  it('of an earlier version are read with what it did not write', () => {
    const path = temporaryDirectory()
    const earlier = openStore(path)
    const { taskId } = earlier.putTask(newTask(1), [])
    earlier.close()
    const database = openDatabase(join(path, 'engine.sqlite'))
    database.exec("update tasks set record = json_remove(record, '$.begun', '$.lastFrameMs', '$.witnessMs')")
    database.close()
    const store = openStore(path)
    expect(store.task(taskId)).toMatchObject({ begun: {}, lastFrameMs: NOW_MS, witnessMs: null })
    store.close()
  })

  it('that were undone are changed by nobody, not even when the same batch is closed again', () => {
    const { store } = testStore()
    const old = store.putTask(newTask(1), [])
    store.reopenFrom(old)
    const gone = expect.objectContaining({ code: 'TASK_UNKNOWN' })
    expect(() => store.updateTask(old, { state: 'published' })).toThrow(gone)
    expect(() => store.putReceipt(old, sampleReceipt(), {})).toThrow(gone)
    expect(store.receipt(old.taskId)).toBeUndefined()

    const again = store.putTask(newTask(1), [])
    expect(() => store.putReceipt(old, sampleReceipt(), {})).toThrow(gone)
    store.reopenFrom(old)
    expect(store.task(old.taskId)).toEqual(again)
    expect(again.ordinal).toBeGreaterThan(old.ordinal)
    expect(store.receipt(old.taskId)).toBeUndefined()
  })

  it('know who came before them in their cohort', () => {
    const { store } = testStore()
    const [a, b, c] = [1, 2, 3].map((name) => store.putTask(newTask(name, { cohort: name === 2 ? 1 : 0 }), []))
    expect(store.previousTask(a!)).toBeUndefined()
    expect(store.previousTask(b!)).toBeUndefined()
    expect(store.previousTask(c!)?.taskId).toBe(a!.taskId)
    expect(store.latestTask(7n, 0)?.taskId).toBe(c!.taskId)
    expect(store.newestTask(7n)?.taskId).toBe(c!.taskId)
    expect(store.newestTask(8n)).toBeUndefined()
  })

  it('are counted and listed by state', () => {
    const { store } = testStore()
    const states = ['settled', 'failed', 'proven', 'closed'] as const
    states.forEach((state, i) => store.putTask(newTask(i, { state }), []))
    expect(store.taskCounts()).toEqual({ open: 2, failed: 1 })
    expect(store.tasks({ projectId: 7n, state: 'failed' }, PAGE).map((task) => task.state)).toEqual(['failed'])
    expect(store.tasks({ projectId: 7n }, { limit: 2, offset: 1 }).map((task) => task.state)).toEqual(['proven', 'failed']) // prettier-ignore
    expect(store.unsettledTasks(7n, 0).map((task) => task.state)).toEqual(['failed', 'proven', 'closed'])
  })

  it('keep the pointers alive of what is not settled, and of the latest settled batch of each cohort', () => {
    const { store } = testStore()
    const put = (name: number, cohort: number, state: 'settled' | 'failed' | 'proven') =>
      store.putTask(newTask(name, { cohort, state }), []).daPointer
    put(1, 0, 'settled')
    const latest = [put(2, 0, 'settled'), put(4, 1, 'settled')]
    const unsettled = [put(3, 0, 'proven'), put(5, 1, 'failed')]
    expect(store.livePointers()).toEqual(new Set([...latest, ...unsettled]))
  })
})
