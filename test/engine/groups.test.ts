// Many batches in one transaction, with real proofs on a real chain: groups, the one bad receipt among good ones, a batch that
// somebody else settled, and an operator who ran out of gas money.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTestClient, http } from 'viem'
import { foundry } from 'viem/chains'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createEngine, type Engine, type Receipt, type TaskRecord } from '../../engine/index.ts'
import { settleReceipts } from '../../engine/settle.ts'
import { gasPriceOf } from '../../engine/chain/gas-price.ts'
import { chooseGroups, type GroupRules } from '../../engine/groups.ts'
import type { Task } from '../../engine/store/index.ts'
import { CIRCUITS, CONFIG, SHAPE, createCrashWorld, type CrashWorld } from './crash-world.ts'
import { newTask, NOW_MS } from './scene.ts'

const COHORTS = 3
const START_SEC = 1_735_689_600

describe('which tasks share a transaction', () => {
  const rules: GroupRules = {
    joinsFrom: 'executed',
    maxWaitMs: 500,
    maxSize: 2,
    keyOf: () => 'any',
    nowMs: () => NOW_MS,
    price: { gasPrice: () => undefined, highPercent: 150, maxWaitMs: 60_000 },
  }
  const task = (ordinal: number, state: Task['state'], provenMs = NOW_MS): Task => ({
    ...newTask(ordinal, { state, times: { proven: provenMs } }),
    ordinal,
  })

  it('a lone one goes at once, though others of its cohort are not proven yet when it has waited long enough', () => {
    const alone = task(1, 'proven')
    expect(chooseGroups(rules, [alone], [alone])).toEqual({ groups: [[alone]] })
    const other = task(2, 'executed')
    expect(chooseGroups(rules, [alone], [alone, other])).toEqual({ groups: [], waitMs: 500 })
    const waited = task(1, 'proven', NOW_MS - 500)
    expect(chooseGroups(rules, [waited], [waited, other])).toEqual({ groups: [[waited]] })
  })

  it('none waits for a proof that is further from its end than the wait is long', () => {
    const [ready, other] = [task(1, 'proven', NOW_MS - 200), task(2, 'executed')]
    const choose = (ms: number) => chooseGroups({ ...rules, remainingMs: () => ms }, [ready], [ready, other])
    expect(choose(300)).toEqual({ groups: [], waitMs: 300 })
    expect(choose(301)).toEqual({ groups: [[ready]] })
  })

  it('a full group goes at once, and those beyond are asked for again', () => {
    const ready = [task(1, 'proven'), task(2, 'proven'), task(3, 'proven')]
    const { groups, waitMs } = chooseGroups(rules, ready, [...ready, task(4, 'executed')])
    expect(groups).toEqual([ready.slice(0, 2)])
    expect(waitMs).toBe(0)
  })

  it('D-05 while gas is dear a group waits for more, or for the price to fall, until its oldest is too old or it is full', () => {
    let nowWei = 151n
    const dear = { ...rules, price: { ...rules.price, gasPrice: () => ({ nowWei, medianWei: 100n }) } }
    const alone = task(1, 'proven', NOW_MS - 1000)
    expect(chooseGroups(dear, [alone], [alone])).toEqual({ groups: [], waitMs: 5000 })
    const older = task(1, 'proven', NOW_MS - 59_000)
    expect(chooseGroups(dear, [older], [older])).toEqual({ groups: [], waitMs: 1000 })
    const oldest = task(1, 'proven', NOW_MS - 60_000)
    expect(chooseGroups(dear, [oldest, task(2, 'proven')], [])).toMatchObject({ groups: [[oldest, {}]] })
    expect(chooseGroups(dear, [alone, task(2, 'proven')], [])).toMatchObject({ groups: [[alone, {}]] })
    nowWei = 150n
    expect(chooseGroups(dear, [alone], [alone])).toEqual({ groups: [[alone]] })
  })

  it('the price of gas is that of the next block beside the median of those before', () => {
    expect(gasPriceOf([5n, 1n, 3n, 9n])).toEqual({ nowWei: 9n, medianWei: 3n })
    expect(gasPriceOf([9n])).toBeUndefined()
    expect(gasPriceOf([0n, 0n, 0n])).toBeUndefined()
  })
})

describe('batches of several cohorts', () => {
  let world: CrashWorld
  let engine: Engine
  const directory = mkdtempSync(join(tmpdir(), 'attestream-groups-'))
  const setBalance = (value: bigint) =>
    createTestClient({ chain: foundry, mode: 'anvil', transport: http(world.anvil.rpcUrl) }).setBalance({
      address: world.operator.address,
      value,
    })

  beforeAll(async () => {
    world = await createCrashWorld(COHORTS * SHAPE.cohortSize)
    let emptied: Promise<void> | undefined
    engine = await createEngine({
      dataDir: directory,
      cacheDir: CIRCUITS,
      chain: world.engineChain,
      settleGroupMaxWaitMs: 600_000,
      // the operator runs dry once everything is anchored
      onTask: (task) => void (task.state === 'anchored' && (emptied ??= setBalance(0n))),
    })
    const { appletId } = await engine.addApplet(world.wasm)
    await engine.buildCircuit(appletId, SHAPE)
    while ((await engine.getApplet(appletId)).circuits[0]?.status === 'building') await new Promise(setImmediate)
    await engine.addProject({ projectId: world.projectId, config: CONFIG })
  })
  afterAll(async () => {
    await engine?.close()
    await world?.anvil.close()
    rmSync(directory, { recursive: true, force: true })
  })

  const tasks = async (): Promise<TaskRecord[]> => (await engine.listTasks({ projectId: world.projectId })).reverse()

  it('are anchored in one transaction, wait for gas money in sight, and are settled though one receipt is bad (C-07, C-08)', async () => {
    // one meter of each cohort: 1 kW for an hour
    const frames = Array.from({ length: COHORTS }, (_, cohort) => {
      const readings = [0, 1].map((i) => ({ timeSec: START_SEC + 3600 * i, wattHours: 1000 * (1 + i) }))
      return world.devices[cohort * SHAPE.cohortSize]!.buildFrame(readings)
    })
    expect((await engine.ingest(frames)).filter((result) => 'failure' in result)).toEqual([])
    await engine.flush()
    const waiting = await tasks()
    expect(waiting.map(({ state, failure }) => [state, failure?.code])).toEqual(
      waiting.map(() => ['proven', 'CHAIN_FUNDS_LOW']),
    )
    expect(waiting[0]!.failure!.message).toMatch(
      new RegExp(`Waiting for funds of ${world.operator.address} .*: it has 0, needs`),
    )
    expect(await engine.health()).toMatchObject({
      ok: true,
      waiting: [{ code: 'CHAIN_FUNDS_LOW', message: waiting[0]!.failure!.message, tasks: COHORTS }],
      transactions: [],
    })
    expect(waiting).toHaveLength(COHORTS)
    expect(new Set(waiting.map((task) => task.anchorTxHash)).size).toBe(1)

    const [first, second, third] = await Promise.all(waiting.map(({ taskId }) => engine.getReceipt(taskId)))
    const forged = { ...second!, seal: swapCoordinates(second!) }
    const isolated = await settleReceipts(world.chain, [first!, forged])
    expect(isolated).toMatchObject([
      { done: { txHash: expect.any(String) } },
      { failed: { details: { error: 'ReceiptRefused', args: [1n, expect.any(String)] } } },
    ])
    const unanchored = { ...second!, journal: { ...second!.journal, batchRoot: 1n } }
    const behind = { ...second!, batchNumber: 1n }
    const others = await settleReceipts(world.chain, [unanchored, behind, third!])
    expect(others).toMatchObject([
      { failed: { details: { error: 'AnchorMismatch' } } },
      {},
      { done: { txHash: expect.any(String) } },
    ])
    expect(others[1]).toBe('later')

    await setBalance(10n ** 18n)
    await engine.flush()
    const settled = await eventuallySettled()
    const byOthers = [isolated[0], others[2]].map((result) => (result as { done: { txHash: string } }).done.txHash)
    expect(settled.map((task) => byOthers.includes(task.settleTxHash!))).toEqual([true, false, true])
    for (let cohort = 0; cohort < COHORTS; cohort++) {
      const page = await world.chain.getCohort(world.projectId, cohort)
      expect(page).toMatchObject({ creditedUnits: [1500n, 0n, 0n, 0n], openAnchors: 0, nextToSettle: 1n })
    }
  })

  it('are settled in one transaction, whose gas they share', async () => {
    const frames = Array.from({ length: COHORTS }, (_, cohort) =>
      world.devices[cohort * SHAPE.cohortSize]!.buildFrame([{ timeSec: START_SEC + 7200, wattHours: 3000 }]),
    )
    await engine.ingest(frames)
    await engine.flush()
    const settled = (await eventuallySettled()).slice(COHORTS)
    expect(new Set(settled.map((task) => task.settleTxHash)).size).toBe(1)
    const { creditedUnits } = await world.chain.getAccount(world.projectId)
    expect(creditedUnits).toBe(BigInt(COHORTS) * 3000n)
    const gas = settled.map((task) => task.settleGas!)
    expect(new Set(gas).size).toBe(1)
    expect(gas[0]).toBeLessThan(waitingGasOfOne)
  })

  const waitingGasOfOne = 330_000n

  /** A flush does not wait for what waits for money; the pause before the next attempt may still run. */
  async function eventuallySettled(): Promise<TaskRecord[]> {
    const endMs = Date.now() + 90_000
    for (;;) {
      const now = await tasks()
      if (now.every((task) => task.state === 'settled') || Date.now() > endMs) return now
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
})

/** A proof whose A and C have changed places: points on the curve that prove nothing. */
function swapCoordinates({ seal }: Receipt): Receipt['seal'] {
  const words = Array.from({ length: 8 }, (_, i) => seal.slice(10 + 64 * i, 74 + 64 * i))
  const swapped = [words[6], words[7], ...words.slice(2, 6), words[0], words[1]]
  return `0x${seal.slice(2, 10)}${swapped.join('')}`
}
