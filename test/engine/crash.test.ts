// kill -9 at every stage of the path of two cohorts' batches, which share their transactions: each engine takes over from the one
// killed before it and is killed one stage further, while the chain lives through all of it. In the end nothing may be lost, and
// nothing paid twice.

import { fork, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createPublicClient, http } from 'viem'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FrameRecord, IngestResult, TaskRecord } from '../../engine/index.ts'
import { fromJson, toJson } from '../../engine/store/json.ts'
import { loadApplet } from '../applets/applet.ts'
import type { Order } from './crash-child.ts'
import { CIRCUITS, CONFIG, SHAPE, createCrashWorld, createGate, type CrashWorld, type Gate } from './crash-world.ts'

type DieAt = TaskRecord['state'] | 'proving'
type Stage =
  { readonly name: string; readonly dieAt: DieAt } | { readonly name: string; readonly transaction: 'before' | 'after' }

/** What follows the first, which is the acknowledgement. The engine's next transaction is the anchor, later the settlement. */
const STAGES: readonly Stage[] = [
  { name: 'after publishing', dieAt: 'published' },
  { name: 'with the number planned, before the anchor is sent', transaction: 'before' },
  { name: 'after the anchor is sent, before it is recorded', transaction: 'after' },
  { name: 'in the middle of two proofs', dieAt: 'proving' },
  { name: 'after proving', dieAt: 'proven' },
  { name: 'after the settlement is sent, before it is recorded', transaction: 'after' },
]
/** The first is the one that the engines die over. */
const BATCHES = 2
const START_SEC = 1_735_689_600
const DEVICES = 5
const COHORTS = 2

/** The readings of a device in a batch: two an hour apart, each device at its own power. */
function readings(device: number, batch: number) {
  return [0, 1].map((i) => {
    const hours = 2 * batch + i
    return { timeSec: START_SEC + 3600 * hours, wattHours: 1_000_000 + (700 + 100 * device) * hours }
  })
}

describe('an engine killed at any stage', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'attestream-crash-'))
  let world: CrashWorld
  let gate: Gate
  let child: ChildProcess
  beforeAll(async () => {
    world = await createCrashWorld(DEVICES)
    gate = await createGate(world.anvil.rpcUrl)
  })
  afterAll(async () => {
    child?.kill('SIGKILL')
    gate?.close()
    await world?.anvil.close()
    rmSync(dataDir, { recursive: true, force: true })
  })

  function launch(dieAt?: DieAt): void {
    const chain = { ...world.engineChain, rpcUrl: gate.rpcUrl }
    const engine = toJson({
      dataDir: join(dataDir, 'engine'),
      cacheDir: CIRCUITS,
      chain,
      settleGroupMaxWaitMs: 600_000,
      proverThreads: 2,
    })
    const env = { ...process.env, ATTESTREAM_CRASH_ENGINE: engine, ATTESTREAM_CRASH_AT: dieAt }
    child = fork(join(import.meta.dirname, 'crash-child.ts'), [], { execArgv: ['--import', 'tsx'], env })
  }

  const death = () => new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)))

  /** An engine that works until it reaches the stage. */
  async function crash(stage: Stage): Promise<void> {
    if ('transaction' in stage) gate.arm(stage.transaction, () => child.kill('SIGKILL'))
    launch('dieAt' in stage ? stage.dieAt : undefined)
    expect(await death(), stage.name).toBe('SIGKILL')
  }

  async function start(): Promise<void> {
    launch()
    expect(await answer()).toBe('ready')
  }

  /** The child's next message, or undefined when it dies first. */
  function answer<T>(): Promise<T | undefined> {
    return new Promise((resolve) => {
      const onMessage = (text: string): void => {
        child.off('exit', onExit)
        resolve(fromJson<T>(text))
      }
      const onExit = (): void => {
        child.off('message', onMessage)
        resolve(undefined)
      }
      child.once('message', onMessage)
      child.once('exit', onExit)
    })
  }

  async function order<T>(command: Order): Promise<T | undefined> {
    const answered = answer<T | { error: string }>()
    child.send(toJson(command))
    const result = await answered
    if (typeof result === 'object' && result !== null && 'error' in result) throw new Error(result.error)
    return result
  }

  it('D-02 D-05 loses no acknowledged frame, and sends and pays none twice', async () => {
    const { projectId, devices } = world
    const wasm = join(dataDir, 'applet.wasm')
    writeFileSync(wasm, world.wasm)
    const batches = Array.from({ length: BATCHES }, (_, batch) =>
      devices.map((device, i) => Buffer.from(device.buildFrame(readings(i, batch))).toString('hex')),
    )
    await start()
    await order({ kind: 'serve', projectId, wasm, config: CONFIG, shape: SHAPE })
    const died = death()
    const acknowledged = await order<IngestResult[]>({ kind: 'ingest', frames: batches[0]!, andDie: true })
    expect(await died).toBe('SIGKILL')
    expect(acknowledged).toHaveLength(DEVICES)
    for (const stage of STAGES) await crash(stage)

    await start()
    const answers = await order<IngestResult[]>({ kind: 'ingest', frames: batches.flat() })
    expect(answers!.slice(0, DEVICES)).toEqual(acknowledged)
    expect(answers!.filter((result) => 'failure' in result)).toEqual([])
    const { tasks, frames } = (await order<{ tasks: TaskRecord[]; frames: FrameRecord[] }>({
      kind: 'flush',
      projectId,
    }))!
    expect(await order({ kind: 'close' })).toBe('closed')

    expect(tasks.map((task) => [task.state, task.cohort, task.batchNumber, task.frames]).sort()).toEqual([
      ['settled', 0, 0n, 4],
      ['settled', 0, 1n, 4],
      ['settled', 1, 0n, 1],
      ['settled', 1, 1n, 1],
    ])
    const transactions = new Set(tasks.flatMap((task) => [task.anchorTxHash, task.settleTxHash]))
    const node = createPublicClient({ transport: http(world.anvil.rpcUrl) })
    const { address } = world.operator
    expect(await node.getTransactionCount({ address }), 'nothing was sent twice').toBe(transactions.size)
    expect(new Set(tasks.slice(COHORTS).map((task) => task.settleTxHash)).size).toBe(1)
    const settled = new Set(tasks.map((task) => task.taskId))
    expect(frames.map((frame) => settled.has(frame.taskId!))).toEqual(batches.flat().map(() => true))

    const run = await loadApplet('energy-meter', CONFIG, BigInt(Math.floor(Date.now() / 1000)))
    const reference = devices.map((_, i) => {
      const { units } = run(batches.flatMap((__, batch) => readings(i, batch)))
      return BigInt(units.reduce((sum: number, n) => sum + Number(n), 0))
    })
    expect(reference[0]).toBeGreaterThan(0n)
    for (let cohort = 0; cohort < COHORTS; cohort++) {
      const page = await world.chain.getCohort(projectId, cohort)
      expect(page.creditedUnits.filter((units) => units > 0n)).toEqual(reference.slice(4 * cohort, 4 * cohort + 4))
      expect(page).toMatchObject({
        openAnchors: 0,
        nextToAnchor: BigInt(BATCHES),
        nextToSettle: BigInt(BATCHES),
      })
    }
    const { reservedUnits, creditedUnits } = await world.chain.getAccount(projectId)
    expect({ reservedUnits, creditedUnits }).toEqual({
      reservedUnits: 0n,
      creditedUnits: reference.reduce((sum, units) => sum + units, 0n),
    })
  })
})
