// A project moves from the energy meter to an applet with another State, and its new version is stopped: with real proofs, on a real
// chain, by one engine that is told nothing but a config in advance.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createPublicClient, createTestClient, http } from 'viem'
import { foundry } from 'viem/chains'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildApplet } from '../../applets/build.ts'
import { parseAppletAbi, type AppletAbi } from '../../engine/core/applet.ts'
import { decodeBatchData } from '../../engine/core/batch.ts'
import { expectedPin } from '../../engine/core/circuit.ts'
import type { Hex } from '../../engine/core/codec.ts'
import { deviceDomain } from '../../engine/core/journal.ts'
import { createEngine, type CircuitManifest, type Engine, type TaskRecord } from '../../engine/index.ts'
import { createDevice } from '../../sdk/index.ts'
import { CIRCUITS, CONFIG, SHAPE, createCrashWorld, type CrashWorld } from './crash-world.ts'
import { secretKey } from './scene.ts'

const DELAY_SEC = 600
const SUNSET_SEC = 3600

/** Packs to the word of the meter's config, of 24 and 24 bits: with the same configHash, what was signed before the switch can be drained. */
const CONFIG_WORD = (BigInt(CONFIG.maxWatts) << 24n) + BigInt(CONFIG.unitsPerKwh)
const UPTIME_CONFIG = { unitsPerSlot: CONFIG_WORD >> 32n, maxAgeSec: BigInt.asUintN(32, CONFIG_WORD) }

describe('a project that goes over to another applet', () => {
  const directory = mkdtempSync(join(tmpdir(), 'attestream-upgrade-'))
  let world: CrashWorld
  let engine: Engine
  let uptime: { appletId: Hex; abi: AppletAbi; manifest: CircuitManifest }
  let emptyAtAnchor = false
  let startSec: number

  beforeAll(async () => {
    world = await createCrashWorld(1)
    await world.chain.setDelay(world.projectId, DELAY_SEC)
    engine = await createEngine({
      dataDir: directory,
      cacheDir: CIRCUITS,
      chain: world.engineChain,
      closeAfterMs: 3_600_000,
      onTask: (task) => void (emptyAtAnchor && task.state === 'anchored' && node().setBalance(operator(0n))),
    })
    await serve(world.wasm)
    const wasm = await buildApplet('applets/uptime.ts')
    uptime = { ...(await serve(wasm)), abi: parseAppletAbi(wasm) }
    startSec = await chainTimeSec()
  })
  afterAll(async () => {
    await engine?.close()
    await world?.anvil.close()
    rmSync(directory, { recursive: true, force: true })
  })

  const node = () => createTestClient({ chain: foundry, mode: 'anvil', transport: http(world.anvil.rpcUrl) })
  const operator = (value: bigint) => ({ address: world.operator.address, value })
  const chainTimeSec = async () =>
    Number((await createPublicClient({ transport: http(world.anvil.rpcUrl) }).getBlock()).timestamp)

  async function serve(wasm: Uint8Array) {
    const { appletId } = await engine.addApplet(wasm)
    await engine.buildCircuit(appletId, SHAPE)
    for (;;) {
      const { status, manifest } = (await engine.getApplet(appletId)).circuits[0]!
      if (status === 'ready') return { appletId, manifest: manifest! }
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  async function publish(resetsState: boolean): Promise<number> {
    const pin = expectedPin(uptime.manifest, uptime.abi)
    const publication = { ...pin, resetsState, verifyingKey: uptime.manifest.verifyingKey }
    const { version } = await world.chain.publishVersion(world.projectId, publication)
    await world.chain.activateVersion(world.projectId, version, {}, SUNSET_SEC)
    const early = world.chain.applyActivation(world.projectId, version, SUNSET_SEC)
    await expect(early).rejects.toMatchObject({ details: { error: 'ChangeNotDue' } })
    await node().increaseTime({ seconds: DELAY_SEC })
    await node().mine({ blocks: 1 })
    await world.chain.applyActivation(world.projectId, version, SUNSET_SEC)
    return version
  }

  const tasks = async (): Promise<TaskRecord[]> => (await engine.listTasks({ projectId: world.projectId })).reverse()
  const credited = async () => (await world.chain.getCohort(world.projectId, 0)).creditedUnits[0]!

  async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
    const endMs = Date.now() + 120_000
    while (!(await holds())) {
      if (Date.now() > endMs) throw new Error(`${what}: not in time`)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }

  /** The device with the new firmware, going on above its last sequence. */
  function heartbeats(sequence: bigint, ...timesSec: number[]): Uint8Array {
    const { chainId, addresses } = world.chain
    const { devices: registry, settlement } = addresses
    const domain = deviceDomain({ chainId, registry, settlement, projectId: world.projectId })
    const place = { secretKey: secretKey(0), deviceId: world.devices[0]!.deviceId, deviceDomain: domain, sequence }
    const device = createDevice({ ...place, reading: uptime.abi.reading, frameSize: SHAPE.frameSize })
    return device.buildFrame(timesSec.map((timeSec) => ({ timeSec })))
  }

  const ingest = async (frame: Uint8Array) => (await engine.ingest([frame]))[0]!

  it('drains what was acknowledged, upgrades the cohort, and pays no frame twice (B-03)', async () => {
    await engine.addProject({ projectId: world.projectId, config: CONFIG })
    const meter = world.devices[0]!
    const first = meter.buildFrame(
      [0, 1].map((h) => ({ timeSec: startSec - 7200 + 3600 * h, wattHours: 1000 * (1 + h) })),
    )
    const acknowledged = await ingest(first)
    await engine.flush()
    expect(await credited()).toBe(1500n)

    const waiting = meter.buildFrame([{ timeSec: startSec, wattHours: 4000 }])
    expect(await ingest(waiting)).toHaveProperty('acknowledgement')
    const { projectId } = world
    const prepared = await engine.prepareConfig({ projectId, appletId: uptime.appletId, config: UPTIME_CONFIG })
    expect(prepared).toBe((await engine.getProject(projectId)).configHash)
    expect(await publish(true)).toBe(2)
    await eventually('the new version', async () => (await engine.getProject(world.projectId)).version === 2)
    const late = await ingest(meter.buildFrame([{ timeSec: startSec + 60, wattHours: 4100 }]))
    expect(late).toMatchObject({ failure: { code: 'FRAME_LAYOUT_UNKNOWN' } })

    await engine.flush()
    expect((await tasks()).map(({ version, state }) => [version, state])).toEqual([
      [1, 'settled'],
      [1, 'settled'],
    ])
    expect(await credited()).toBe(4500n)

    const nowSec = await chainTimeSec()
    expect(await ingest(heartbeats(2n, nowSec - 130, nowSec - 70, nowSec - 10))).toHaveProperty('acknowledgement')
    await engine.flush()
    const [, , upgraded] = await tasks()
    expect(upgraded).toMatchObject({ version: 2, state: 'settled', batchNumber: 2n })
    expect(await credited()).toBe(4500n + 2n * UPTIME_CONFIG.unitsPerSlot)
    const { pageBefore } = decodeBatchData(uptime.abi, await engine.getDaObject(upgraded!.daPointer))
    expect(pageBefore.sequences[0]).toBe(2n)
    expect(pageBefore.states[0]).toEqual([0n, 0n])

    expect(await ingest(first)).toEqual(acknowledged)
    expect(await ingest(heartbeats(0n, nowSec))).toMatchObject({ failure: { code: 'SEQUENCE_REPEATED' } })
    await engine.flush()
    expect(await tasks()).toHaveLength(3)
  })

  it('voids what a stopped version holds, keeps its frames, and settles them under the next (C-09)', async () => {
    emptyAtAnchor = true
    const nowSec = await chainTimeSec()
    const kept = heartbeats(3n, nowSec, nowSec + 60, nowSec + 120)
    expect(await ingest(kept)).toHaveProperty('acknowledgement')
    await engine.flush()
    emptyAtAnchor = false
    expect((await tasks())[3]).toMatchObject({ state: 'proven', failure: { code: 'CHAIN_FUNDS_LOW' } })
    await world.chain.stopVersion(world.projectId, 2)
    await node().setBalance(operator(10n ** 18n))
    await eventually('the voided task', async () => (await tasks())[3]!.state === 'voided')
    expect((await tasks())[3]!.failure).toMatchObject({ code: 'VERSION_STOPPED' })
    expect(await world.chain.getCohort(world.projectId, 0)).toMatchObject({ openAnchors: 0, nextToAnchor: 4n })
    expect((await world.chain.getAccount(world.projectId)).reservedUnits).toBe(0n)
    await eventually('the stop', async () => (await engine.getProject(world.projectId)).stopped)
    expect(await ingest(heartbeats(4n, nowSec))).toMatchObject({ failure: { code: 'VERSION_STOPPED' } })
    expect(await engine.health()).toMatchObject({ pendingFrames: 1, openTasks: 0 })

    expect(await publish(false)).toBe(3)
    await eventually('the next version', async () => (await engine.getProject(world.projectId)).version === 3)
    await engine.flush()
    const last = (await tasks()).at(-1)!
    expect(last).toMatchObject({ version: 3, state: 'settled', batchNumber: 4n })
    expect(last.unitsBySlot![0]).toBeGreaterThan(0n)
  })
})
