// Projects, their frames and their applets over a real store and the real applet energy-meter. The chain and the circuit build are
// doubles that say what a test wants said: which version is active, and when a build ends.

import { join } from 'node:path'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { buildApplet } from '../../applets/build.ts'
import { checkShape } from '../../circuits/batch-circuit.ts'
import type { CircuitArtefacts } from '../../circuits/build.ts'
import type { Projects } from '../../engine/projects.ts'
import { createApplets, type AppletsContext } from '../../engine/applets.ts'
import { appletId, parseAppletAbi } from '../../engine/core/applet.ts'
import { expectedPin, type CircuitManifest } from '../../engine/core/circuit.ts'
import type { Hex } from '../../engine/core/codec.ts'
import { AttestreamError } from '../../engine/core/errors.ts'
import { encodeFrame, frameFormat, signFrame } from '../../engine/core/frame.ts'
import { configHash } from '../../engine/core/journal.ts'
import { encodeRecord } from '../../engine/core/layout.ts'
import { createEmbeddedDa } from '../../engine/da/embedded.ts'
import { createFrames } from '../../engine/frames.ts'
import { createProjects } from '../../engine/projects.ts'
import type { Store } from '../../engine/store/index.ts'
import { deviceId, newTask, NOW_MS, secretKey, storedFrame, temporaryDirectory, testStore } from './scene.ts'

const PROJECT_ID = 7n
const SHAPE = { cohortSize: 4, frameSize: 4 }
const CONFIG = { maxWatts: 7200, unitsPerKwh: 1500 }

let meter: Uint8Array
let uptime: Uint8Array
beforeAll(async () => {
  const source = (name: string) => join(import.meta.dirname, `../../applets/${name}.ts`)
  meter = await buildApplet(source('energy-meter'))
  uptime = await buildApplet(source('uptime'))
})

const vkHash = (frameSize: number): Hex => `0x${frameSize.toString(16).padStart(64, '0')}`

const manifestOf = (wasm: Uint8Array, shape: { cohortSize: number; frameSize: number }) =>
  ({
    appletId: appletId(wasm),
    r1csSha256: vkHash(100 + shape.frameSize),
    vkHash: vkHash(shape.frameSize),
    setupTranscriptHash: vkHash(0),
    devSetup: true,
    cohortSize: shape.cohortSize,
    frameSize: shape.frameSize,
  }) as CircuitManifest

/** A build that ends at once, with a manifest that fits its shape. */
const built: AppletsContext['build'] = async (wasm, shape) =>
  ({ dir: '/circuit', manifest: manifestOf(wasm, shape) }) as CircuitArtefacts

/** What the chain pins when the project's owner publishes that circuit. */
const pinned = (wasm: Uint8Array, frameSize: number) =>
  expectedPin(manifestOf(wasm, { ...SHAPE, frameSize }), parseAppletAbi(wasm))

async function appletsOver(store: Store, build = built) {
  const da = await createEmbeddedDa(join(temporaryDirectory(), 'da'))
  return createApplets({ store, da, nowMs: () => NOW_MS, tryOut: async () => {}, checkShape, build })
}

async function scene() {
  const { store } = testStore()
  const applets = await appletsOver(store)
  const { appletId: meterId, abi } = await applets.add(meter)
  const other = await applets.add(uptime)
  const config = encodeRecord(abi.config, CONFIG)
  const now = { version: 1, stateEpoch: 0, configHash: configHash(abi.config, config), ...pinned(meter, 4) }
  const stopped = new Set<number>()
  const chain = {
    getProject: async () => ({ configHash: now.configHash, activeVersion: now.version }),
    getVersion: async (_: bigint, version: number) => ({ ...now, version, anchorableUntilTime: 2_000_000_000 }),
    isVersionStopped: async (_: bigint, version: number) => stopped.has(version),
  }
  const projects = createProjects({
    store,
    chain: chain as unknown as Parameters<typeof createProjects>[0]['chain'],
    applets,
    nowMs: () => NOW_MS,
    deviceDomain: () => 0x1234n,
  })
  const build = async (id: Hex, frameSize: number) => {
    applets.buildCircuit(id, { ...SHAPE, frameSize })
    await applets.close()
  }
  await build(meterId, 4)
  await projects.add({ projectId: PROJECT_ID, config: CONFIG })
  return { store, applets, projects, now, stopped, abi, appletId: meterId, otherId: other.appletId, build }
}

describe('adding a project', () => {
  it('refuses one without an active version, without its circuit, with another key, or with another config', async () => {
    const { projects, now, otherId, build } = await scene()
    const add = (change: Partial<typeof now>) => {
      const before = { ...now }
      Object.assign(now, change)
      return projects.add({ projectId: PROJECT_ID, config: CONFIG }).finally(() => Object.assign(now, before))
    }
    await expect(add({ version: 0 })).rejects.toMatchObject({ code: 'PROJECT_VERSION_MISMATCH' })
    await expect(add({ frameSize: 8 })).rejects.toMatchObject({ code: 'CIRCUIT_NOT_READY' })
    await expect(add({ vkHash: vkHash(9) })).rejects.toMatchObject({ code: 'PROJECT_VERSION_MISMATCH' })
    await expect(add({ configHash: 5n })).rejects.toMatchObject({ code: 'PROJECT_CONFIG_MISMATCH' })
    await build(otherId, 4)
    await expect(add(pinned(uptime, 4))).rejects.toMatchObject({ code: 'RECORD_FIELD_UNKNOWN' })
    await add({})
    expect(projects.get(PROJECT_ID)).toMatchObject({ version: 1, frameSize: 4 })
  })

  it.each([
    ['r1csHash', vkHash(9)],
    ['vkHash', vkHash(9)],
    ['setupTranscriptHash', vkHash(9)],
    ['layoutId', 1n],
    ['genesisSequencesHash', 1n],
    ['genesisStatesHash', 1n],
    ['maxUnitsPerFrame', 1n],
    ['devSetup', false],
  ])(
    'refuses a version that pins another %s than that of the circuit built here, and names it',
    async (field, value) => {
      const { projects, now } = await scene()
      Object.assign(now, { [field]: value })
      const refused = { code: 'PROJECT_VERSION_MISMATCH', details: { fields: [field] } }
      await expect(projects.add({ projectId: PROJECT_ID, config: CONFIG })).rejects.toMatchObject(refused)
    },
  )

  it('goes over to a version with the same State, and refuses one with another once there are batches', async () => {
    const { store, projects, now, appletId, otherId, build } = await scene()
    const task = newTask(1)
    store.putTask({ ...task, work: { ...task.work, appletId } }, [])
    await build(appletId, 8)
    Object.assign(now, { version: 2, ...pinned(meter, 8) })
    await projects.add({ projectId: PROJECT_ID, config: CONFIG })
    expect(projects.serving(PROJECT_ID)).toMatchObject({ project: { version: 2 }, format: { frameSize: 8 } })

    await build(otherId, 4)
    Object.assign(now, { version: 3, ...pinned(uptime, 4) })
    const refused = { code: 'PROJECT_STATE_INCOMPATIBLE' }
    await expect(projects.add({ projectId: PROJECT_ID, config: CONFIG })).rejects.toMatchObject(refused)
    expect(projects.get(PROJECT_ID).version).toBe(2)
  })
})

describe('following the chain', () => {
  it('goes over to a version with another State and a config that was handed in, and remembers the one before', async () => {
    const { store, projects, now, appletId, otherId, build } = await scene()
    const task = newTask(1)
    store.putTask({ ...task, work: { ...task.work, appletId } }, [])
    await build(otherId, 4)
    Object.assign(now, { version: 2, stateEpoch: 1, ...pinned(uptime, 4) })
    const lacks = { code: 'PROJECT_CONFIG_MISMATCH' }
    await expect(projects.follow(PROJECT_ID)).rejects.toMatchObject(lacks)
    expect(projects.get(PROJECT_ID).version).toBe(1)

    const config = Object.fromEntries(parseAppletAbi(uptime).config.map(({ name }) => [name, 1]))
    now.configHash = projects.prepareConfig({ projectId: PROJECT_ID, appletId: otherId, config })
    expect(await projects.follow(PROJECT_ID)).toMatchObject({
      version: 2,
      stateEpoch: 1,
      appletId: otherId,
      former: null,
    })
  })

  it('keeps the former version while its config holds, and says when the circuit of the new one is missing', async () => {
    const { projects, now, appletId, build } = await scene()
    Object.assign(now, { version: 2, ...pinned(meter, 8) })
    await expect(projects.follow(PROJECT_ID)).rejects.toMatchObject({ code: 'PROJECT_VERSION_MISMATCH' })
    await build(appletId, 8)
    expect(await projects.follow(PROJECT_ID)).toMatchObject({
      version: 2,
      former: { version: 1, frameSize: 4, anchorableUntilTime: 2_000_000_000 },
    })
  })

  it('takes in nothing under a stopped version, and goes on under the next', async () => {
    const { projects, now, stopped, appletId, build } = await scene()
    stopped.add(1)
    expect(await projects.follow(PROJECT_ID)).toMatchObject({ stopped: true })
    expect(() => projects.serving(PROJECT_ID)).toThrow(expect.objectContaining({ code: 'VERSION_STOPPED' }))
    await build(appletId, 8)
    Object.assign(now, { version: 2, ...pinned(meter, 8) })
    expect(await projects.follow(PROJECT_ID)).toMatchObject({ version: 2, stopped: false })
    expect(projects.serving(PROJECT_ID).project.version).toBe(2)
  })
})

describe('stored frames', () => {
  it('are read by the layout that they came in, after the project has gone over to another', async () => {
    const { store, projects, now, abi, appletId, build } = await scene()
    const put = (sequence: bigint, format: ReturnType<Projects['format']>) => {
      const readings = [encodeRecord(abi.reading, { timeSec: 60, wattHours: Number(sequence) })]
      const frame = signFrame(format, 0x1234n, { deviceId: deviceId(0), sequence, readings }, secretKey(0))
      store.putFrames([{ ...storedFrame(0, sequence), bytes: encodeFrame(format, frame), appletId, frameSize: format.frameSize }]) // prettier-ignore
    }
    put(1n, frameFormat(abi.reading, 4))
    await build(appletId, 8)
    Object.assign(now, { version: 2, ...pinned(meter, 8) })
    await projects.add({ projectId: PROJECT_ID, config: CONFIG })
    put(2n, frameFormat(abi.reading, 8))
    const frames = createFrames({ store, projects, devices: { find: () => Promise.reject(new Error('not asked')) } })
    const listed = await frames.listFrames({ projectId: PROJECT_ID })
    expect(listed.map((frame) => frame.readings)).toEqual([
      [{ timeSec: 60n, wattHours: 2n }],
      [{ timeSec: 60n, wattHours: 1n }],
    ])
    expect((await frames.getFrame(deviceId(0), 1n)).readings).toEqual([{ timeSec: 60n, wattHours: 1n }])
    await expect(frames.getFrame(deviceId(0), 3n)).rejects.toMatchObject({ code: 'FRAME_UNKNOWN' })
  })
})

describe('circuit builds', () => {
  it('that a crash interrupted begin again at the next start, and no other', async () => {
    const { store } = testStore()
    const never = await appletsOver(store, () => new Promise(() => {}))
    const { appletId } = await never.add(meter)
    expect(never.buildCircuit(appletId, SHAPE)).toMatchObject({ status: 'building', progress: 'queued' })

    const shapes: number[] = []
    const next = await appletsOver(store, (wasm, shape) => {
      shapes.push(shape.frameSize)
      return built(wasm, shape)
    })
    expect(() => next.circuit(appletId, SHAPE)).toThrow(expect.objectContaining({ code: 'CIRCUIT_NOT_READY' }))
    next.resume()
    await next.close()
    expect(next.circuit(appletId, SHAPE)).toMatchObject({ status: 'ready', directory: '/circuit' })
    next.resume()
    await next.close()
    expect(shapes).toEqual([4])
  })

  it('run once however often they are asked for, and can be tried again after a failure', async () => {
    const { store } = testStore()
    let calls = 0
    const applets = await appletsOver(store, async (wasm, shape) => {
      if (++calls === 1) throw new AttestreamError('CIRCUIT_BUILD_FAILED', 'first')
      return built(wasm, shape)
    })
    onTestFinished(() => applets.close())
    const { appletId } = await applets.add(meter)
    for (let i = 0; i < 3; i++) applets.buildCircuit(appletId, SHAPE)
    await applets.close()
    expect(applets.get(appletId).circuits).toMatchObject([
      { status: 'failed', failure: { code: 'CIRCUIT_BUILD_FAILED' } },
    ])
    applets.buildCircuit(appletId, SHAPE)
    await applets.close()
    expect([applets.get(appletId).circuits[0]!.status, calls]).toEqual(['ready', 2])
  })
})
