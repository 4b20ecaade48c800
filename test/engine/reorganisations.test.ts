// Reorganisations of a real chain under a running engine, with real proofs: what it drops is noticed and done again, and in the end store
// and chain tell the same.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTestClient, http, publicActions, type Hex } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { foundry } from 'viem/chains'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createEngine, type Engine, type TaskRecord } from '../../engine/index.ts'
import { CIRCUITS, CONFIG, SHAPE, createCrashWorld, type CrashWorld } from './crash-world.ts'

const START_SEC = 1_735_689_600

describe('a reorganisation', { timeout: 240_000 }, () => {
  let world: CrashWorld
  let engine: Engine
  const states: string[] = []
  const directory = mkdtempSync(join(tmpdir(), 'attestream-reorganisations-'))
  const node = () =>
    createTestClient({ chain: foundry, mode: 'anvil', transport: http(world.anvil.rpcUrl) }).extend(publicActions)

  beforeAll(async () => {
    world = await createCrashWorld(1)
    engine = await createEngine({
      dataDir: directory,
      cacheDir: CIRCUITS,
      chain: world.engineChain,
      onTask: ({ state }) => void states.push(state),
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

  async function settleFrame(hours: number): Promise<TaskRecord> {
    const readings = [0, 1].map((i) => ({ timeSec: START_SEC + 3600 * (hours + i), wattHours: 1000 * (hours + i) }))
    await engine.ingest([world.devices[0]!.buildFrame(readings)])
    await engine.flush()
    return (await tasks()).at(-1)!
  }

  /** Replaces the latest blocks by others, which hold the given raw transactions. What is sent then comes into a block a minute later. */
  async function reorganise(
    depth: number,
    raw: readonly Hex[],
    until: () => boolean | Promise<boolean>,
  ): Promise<TaskRecord> {
    states.length = 0
    await node().setAutomine(false)
    await node().request({ method: 'anvil_reorg', params: [depth, raw.map((each) => [each, 0])] } as never)
    await node().increaseTime({ seconds: 60 }) // the reorganisation has set the node's clock back
    await node().setAutomine(true)
    await node().mine({ blocks: 1 })
    const endMs = Date.now() + 100_000
    while (!(await until()) && Date.now() < endMs) await new Promise((resolve) => setTimeout(resolve, 50))
    return (await tasks()).at(-1)!
  }

  const isSettledAgain = () => states.includes('settled')

  it('D-05 that drops a settlement: it is sent again under its nonce, or under another if that is used, and paid once', async () => {
    const settled = await settleFrame(0)
    expect(settled.state).toBe('settled')
    const { journal } = await engine.getReceipt(settled.taskId)
    const page = await world.chain.getCohort(world.projectId, 0)
    const isHealed = async () => (await settlementBlock()) !== undefined && (await tasks())[0]!.state === 'settled'
    const { settleTxHash, anchorTxHash } = settled
    expect(await reorganise(1, [], isHealed)).toMatchObject({ state: 'settled', settleTxHash, anchorTxHash })
    expect(await world.chain.getCohort(world.projectId, 0)).toEqual(page)

    const nonce = (await node().getTransactionCount({ address: engine.operator })) - 1
    const other = { to: engine.operator, nonce, gas: 21_000n, gasPrice: 10n ** 11n, chainId: world.anvil.chainId }
    const raw = await privateKeyToAccount(world.operator.privateKey).signTransaction({ ...other, type: 'legacy' })
    const depth = Number((await node().getBlockNumber()) - (await settlementBlock())! + 1n)
    const again = await reorganise(depth, [raw], isSettledAgain)
    expect(states).toEqual(['proven', 'settled'])
    expect(again).toMatchObject({ taskId: settled.taskId, anchorTxHash: settled.anchorTxHash, state: 'settled' })
    expect(again.settleTxHash).not.toBe(settled.settleTxHash)
    expect((await engine.getReceipt(settled.taskId)).journal).toEqual(journal)
    expect(await world.chain.getCohort(world.projectId, 0)).toEqual(page)
    expect((await world.chain.findSettlement(world.projectId, 0, 0n))!.txHash).toBe(again.settleTxHash)
  })

  const settlementBlock = async () => (await world.chain.findSettlement(world.projectId, 0, 0n))?.blockNumber

  it('D-05 that drops an anchor after it was proven: the batch is anchored at another time and proven anew', async () => {
    const settled = await settleFrame(2)
    expect(settled).toMatchObject({ state: 'settled', batchNumber: 1n })
    const { anchorTime } = (await engine.getReceipt(settled.taskId)).journal
    const { blockNumber } = await node().getTransactionReceipt({ hash: settled.anchorTxHash! })
    const again = await reorganise(Number((await node().getBlockNumber()) - blockNumber + 1n), [], isSettledAgain)
    expect(states).toEqual(['published', 'anchored', 'executed', 'proven', 'settled'])
    expect(again).toMatchObject({ taskId: settled.taskId, state: 'settled', batchNumber: 1n })
    const receipt = await engine.getReceipt(settled.taskId)
    expect(receipt.journal.anchorTime).not.toBe(anchorTime)
    const page = await world.chain.getCohort(world.projectId, 0)
    expect(page).toMatchObject({
      openAnchors: 0,
      nextToSettle: 2n,
      nextToAnchor: 2n,
      ledger: receipt.journal.ledgerAfter,
    })
    expect(page.creditedUnits[0]).toBe((await tasks()).reduce((sum, task) => sum + task.unitsBySlot![0]!, 0n))
    expect(page.creditedUnits[0]).toBe(4500n)
  })
})
