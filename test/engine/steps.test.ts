// Anchoring and settling when the chain moved on meanwhile: on a real chain, over a real store. No proof is needed to get this far,
// so runner, prover and circuit are left out, and a task is carried only as far as a test needs it.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createChain, type Chain } from '../../engine/chain/chain.ts'
import { AttestreamError, type ErrorCode } from '../../engine/core/errors.ts'
import { encodeFrame, frameFormat, messageHash, signFrame } from '../../engine/core/frame.ts'
import { deviceLeaf } from '../../engine/core/identity.ts'
import { configHash, deviceDomain } from '../../engine/core/journal.ts'
import { encodeRecord } from '../../engine/core/layout.ts'
import { daPointer } from '../../engine/da/embedded.ts'
import { createDeviceDirectory } from '../../engine/devices.ts'
import type { ProjectRecord, ServedVersion } from '../../engine/records.ts'
import { closeBatch, type SequenceContext } from '../../engine/sequence.ts'
import { createSteps, type StepsContext } from '../../engine/steps.ts'
import type { Store, Task } from '../../engine/store/index.ts'
import { CONFIG, createCrashWorld, SHAPE, type CrashWorld } from './crash-world.ts'
import { NOW_MS, secretKey, storedFrame, testStore } from './scene.ts'

let world: CrashWorld
let chain: Chain
beforeAll(async () => {
  world = await createCrashWorld(0)
  chain = await createChain(world.engineChain)
})
afterAll(() => world?.anvil.close())

/** Every test has the next cohort, filled with devices of its own: what the chain keeps of the others is not in its way. */
let cohort = -1
let devices: CrashWorld['devices'] = []
beforeEach(async () => {
  cohort++
  devices = []
  for (let slot = 0; slot < SHAPE.cohortSize; slot++) devices.push(await world.register(100 + 4 * cohort + slot))
})

async function scene() {
  const { abi, projectId, publication } = world
  const { store } = testStore({ devices: false })
  const directory = createDeviceDirectory({ store, chain, nowMs: () => NOW_MS })
  await directory.sync()
  const config = encodeRecord(abi.config, CONFIG)
  const { registry, settlement } = { registry: chain.addresses.devices, settlement: chain.addresses.settlement }
  const domain = { chainId: chain.chainId, registry, settlement, projectId }
  const { activeVersion } = await chain.getProject(projectId)
  const served: { project: ProjectRecord; lacks?: ErrorCode } = {
    project: {
      projectId,
      version: activeVersion,
      appletId: publication.appletId,
      ...SHAPE,
      layoutId: publication.layoutId,
      deviceDomain: deviceDomain(domain),
      config,
      configHash: configHash(abi.config, config),
      createdMs: 0,
      stateEpoch: 0,
      stopped: false,
      former: null,
    },
  }
  const sequenceContext = (project: ServedVersion): SequenceContext => {
    const format = frameFormat(abi.reading, project.frameSize)
    return { store, nowMs: () => NOW_MS, project, layouts: abi, format, pointer: daPointer }
  }
  const steps = createSteps({
    store,
    chain,
    devices: directory,
    nowMs: () => NOW_MS,
    maxGroupSize: 16,
    settleGroupMaxWaitMs: 0,
    highGasPricePercent: 150,
    highGasMaxWaitMs: 0,
    project: () => served.project,
    follow: async () => {
      if (served.lacks) throw new AttestreamError(served.lacks, 'told to')
    },
    sequenceContext,
  } as Partial<StepsContext> as StepsContext)
  const send = (slot: number, sequence: bigint) => putFrame(store, served.project, slot, sequence)
  const close = () => closeBatch(sequenceContext(served.project), cohort)!
  return { store, served, steps, send, close, projectId }
}

function putFrame(store: Store, project: ProjectRecord, slot: number, sequence: bigint): void {
  const format = frameFormat(world.abi.reading, project.frameSize)
  const { deviceId, key } = devices[slot]!
  const readings = [encodeRecord(world.abi.reading, { timeSec: 60, wattHours: 5 })]
  const seed = 100 + 4 * cohort + slot
  const frame = signFrame(format, project.deviceDomain, { deviceId, sequence, readings }, secretKey(seed))
  const place = { deviceId, projectId: project.projectId, cohort, slot, leaf: deviceLeaf(key, deviceId) }
  const content = { bytes: encodeFrame(format, frame), messageHash: messageHash(format, project.deviceDomain, frame) }
  store.putFrames([{ ...storedFrame(0, sequence), ...place, ...content }])
}

const anchorRequest = (task: Task) => {
  const { projectId, version, daPointer: pointer } = task
  return { projectId, cohort, version, identityRoot: task.work.identityRoot, daPointer: pointer }
}

describe('anchoring', () => {
  it('plans the number before it sends, and records what the chain fixed', async () => {
    const { store, steps, send, close } = await scene()
    send(0, 1n)
    const task = close()
    const planned: (bigint | null)[] = []
    const update = store.updateTask
    store.updateTask = (...args) => {
      planned.push(args[1].batchNumber ?? null)
      return update(...args)
    }
    const anchored = (await steps.published.run(task))!
    expect(planned).toEqual([0n])
    expect(anchored).toMatchObject({ batchNumber: 0n, work: { anchoredConfigHash: task.work.configHash } })
    expect(await chain.getAnchorHash(task.projectId, cohort, 0n)).toBeDefined()
  })

  it('voids an anchor that no task knows, which nothing could settle behind', async () => {
    const { steps, send, close, projectId } = await scene()
    send(0, 1n)
    const task = close()
    await chain.anchor({ ...anchorRequest(task), batchRoot: 99n, expectedNumber: 0n })
    expect(await steps.published.run(task)).toMatchObject({ batchNumber: 1n })
    expect(await chain.getAnchorHash(projectId, cohort, 0n)).toBeUndefined()
    expect(await chain.getCohort(projectId, cohort)).toMatchObject({
      openAnchors: 1,
      nextToSettle: 1n,
      nextToAnchor: 2n,
    })
  })

  it('leaves the open anchors of earlier tasks alone', async () => {
    const { store, steps, send, close, projectId } = await scene()
    send(0, 1n)
    const first = (await steps.published.run(close()))!
    store.updateTask(first, { state: 'executed', work: { pageAfter: first.work.pageBefore } })
    send(0, 2n)
    expect(await steps.published.run(close())).toMatchObject({ batchNumber: 1n })
    expect(await chain.getCohort(projectId, cohort)).toMatchObject({ openAnchors: 2, nextToSettle: 0n })
  })

  it.each([null, 0n])(
    'undoes a batch of a revoked key (number planned: %s) and drops its frame',
    async (batchNumber) => {
      const { store, steps, send, close } = await scene()
      send(0, 1n)
      send(1, 1n)
      const task = store.updateTask(close(), { batchNumber })
      await world.chain.revokeDevice(devices[0]!.deviceId)
      expect(await steps.published.run(task)).toBeUndefined()
      expect(store.task(task.taskId)).toBeUndefined()
      const again = close()
      expect(store.taskFrames(again.taskId).map((frame) => frame.slot)).toEqual([1])
      expect(store.frame(devices[0]!.deviceId, 1n)!.dropped).toMatch(/revoked/)
      expect(await steps.published.run(again)).toMatchObject({ batchNumber: 0n })
    },
  )

  it('waits for the operator when config or version changed, then closes the batch again under the new ones', async () => {
    const { store, served, steps, send, close, projectId } = await scene()
    const { configHash: oldHash, version: oldVersion } = served.project
    const signer = { privateKey: world.owner.privateKey }
    send(0, 1n)
    const task = close()
    served.lacks = 'PROJECT_CONFIG_MISMATCH'
    await chain.setConfig(projectId, 77n, signer)
    await expect(steps.published.run(task)).rejects.toMatchObject({ code: 'PROJECT_CONFIG_MISMATCH' })
    await chain.setConfig(projectId, oldHash, signer)
    const { version } = await chain.publishVersion(projectId, world.publication, signer)
    await chain.activateVersion(projectId, version, signer)
    served.lacks = 'PROJECT_VERSION_MISMATCH'
    await expect(steps.published.run(task)).rejects.toMatchObject({ code: 'PROJECT_VERSION_MISMATCH' })
    expect(store.task(task.taskId)).toBeDefined()

    delete served.lacks
    served.project = { ...served.project, version }
    expect(await steps.published.run(task)).toBeUndefined()
    const again = close()
    expect([task.version, again.version]).toEqual([oldVersion, version])
    expect(await steps.published.run(again)).toMatchObject({ batchNumber: 0n, version })
  })
})

describe('settling', () => {
  it('undoes a batch whose anchor was voided, with all that build on it', async () => {
    const { store, steps, send, close, projectId } = await scene()
    send(0, 1n)
    send(0, 2n)
    const first = (await steps.published.run(close()))!
    store.updateTask(first, { state: 'executed', work: { pageAfter: first.work.pageBefore } })
    const second = (await steps.published.run(close()))!
    await chain.voidFrom(projectId, cohort, 0n)
    expect(await steps.proven.run(store.task(first.taskId)!)).toBeUndefined()
    expect([store.task(first.taskId), store.task(second.taskId)]).toEqual([undefined, undefined])
    expect(store.pendingCount()).toBe(2)
    expect(await steps.published.run(close())).toMatchObject({ batchNumber: 2n })
  })

  it('undoes a batch that the chain anchored under another config than it was closed with', async () => {
    const { store, steps, send, close, projectId } = await scene()
    send(0, 1n)
    const anchored = (await steps.published.run(close()))!
    const other = store.updateTask(anchored, { work: { anchoredConfigHash: 77n } })
    expect(await steps.anchored.run(other)).toBeUndefined()
    expect(store.pendingCount()).toBe(1)
    expect(await chain.getCohort(projectId, cohort)).toMatchObject({ openAnchors: 0, nextToAnchor: 1n })
  })
})
