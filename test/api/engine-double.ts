// An engine that lives in memory, for the tests of the API alone. Why a double: these tests are about HTTP (parsing, keys,
// statuses, shapes) and must reach every failure of the engine at will; the real engine needs a chain, circuits and
// minutes, and test/e2e drives the API over it. Frames are decoded and verified with the real core.

import { bytesToHex, type Hex } from '../../engine/core/codec.ts'
import { decodeFrame, encodeFrame, frameFormat, messageHash, type FrameFormat } from '../../engine/core/frame.ts'
import { deviceDomain } from '../../engine/core/journal.ts'
import { decodeRecord, encodeRecord } from '../../engine/core/layout.ts'
import { createVerifier, publicKey } from '../../engine/core/signature.ts'
import {
  AttestreamError,
  isAttestreamError,
  type AppletRecord,
  type CircuitRecord,
  type DeviceIdentity,
  type Engine,
  type ErrorCode,
  type FrameRecord,
  type IngestResult,
  type TaskRecord,
} from '../../engine/index.ts'
import { sampleReceipt } from '../core/samples.ts'

export const READING = [
  { name: 'timeSec', type: 'u32', bits: 32, offset: 0 },
  { name: 'celsius', type: 'i16', bits: 12, offset: 4 },
] as const
export const FORMAT: FrameFormat = frameFormat(READING, 4)
export const PROJECT_ID = 7n
export const OTHER_PROJECT_ID = 8n
export const PROJECT_KEY = 'project-seven-key'
export const OTHER_KEY = 'project-eight-key'
export const SECRET_KEY = new Uint8Array(32).fill(3)
export const DEVICE_ID = 42n
export const TASK_ID: Hex = `0x${'a1'.repeat(32)}`
export const FAILED_TASK_ID: Hex = `0x${'a2'.repeat(32)}`
export const DA_POINTER: Hex = `0x${'d0'.repeat(32)}`
export const DA_BYTES = Uint8Array.of(0x41, 0x54, 0x42, 0x31)

const ADDRESS: Hex = `0x${'11'.repeat(20)}`
const chain = { chainId: 31337, settlement: ADDRESS, registry: ADDRESS, applets: ADDRESS }
export const DOMAIN = deviceDomain({ ...chain, projectId: PROJECT_ID })

const NOT_PART: Pick<Engine, 'flush' | 'close'> = { flush: async () => {}, close: async () => {} }

interface FrameJson {
  deviceId: string
  sequence: string
  readings: Record<string, number>[]
  signature?: { r8x: string; r8y: string; s: string }
}

export interface EngineDouble extends Engine {
  /** What health and identity calls throw, to see what leaks. */
  failWith: unknown
  /** What the chain says of the device, other than usual. */
  identity: Partial<DeviceIdentity>
  registered: unknown[]
}

export function createEngineDouble(): EngineDouble {
  const applets = new Map<Hex, { record: AppletRecord; wasm: Uint8Array }>()
  const frames = new Map<string, FrameRecord>()
  const verifier = createVerifier(publicKey(SECRET_KEY))

  function ingestOne(bytes: Uint8Array): IngestResult {
    try {
      const frame = decodeFrame(FORMAT, bytes)
      if (frame.deviceId !== DEVICE_ID) throw new AttestreamError('DEVICE_UNKNOWN', `No device ${frame.deviceId}.`)
      const hash = messageHash(FORMAT, DOMAIN, frame)
      if (!verifier.verify(hash, frame.signature)) throw new AttestreamError('SIGNATURE_INVALID', 'Wrong signature.')
      return { acknowledgement: keep(frame.sequence, hash, frame.readings).acknowledgement }
    } catch (error) {
      if (isAttestreamError(error)) return { failure: { code: error.code, message: error.message } }
      throw error
    }
  }

  function keep(sequence: bigint, hash: bigint, readings: readonly (readonly bigint[])[]): FrameRecord {
    const key = `${DEVICE_ID}/${sequence}`
    const known = frames.get(key)
    if (known && known.messageHash !== hash)
      throw new AttestreamError('SEQUENCE_REPEATED', `Sequence ${sequence} was used.`)
    const record: FrameRecord = known ?? {
      deviceId: DEVICE_ID,
      sequence,
      projectId: PROJECT_ID,
      messageHash: hash,
      readings: readings.map((reading) => decodeRecord(READING, reading)),
      receivedMs: 1_700_000_000_000 + frames.size,
      taskId: null,
      failure: null,
      acknowledgement: {
        deviceId: DEVICE_ID,
        sequence,
        messageHash: hash,
        deadline: 1_700_000_600n + BigInt(frames.size),
        signature: `0x${'ab'.repeat(65)}`,
      },
    }
    frames.set(key, record)
    return record
  }

  const double: EngineDouble = {
    ...NOT_PART,
    failWith: undefined,
    identity: {},
    registered: [],
    operator: ADDRESS,
    chain,
    addApplet: async (wasm) => {
      if (wasm[0] !== 0) throw new AttestreamError('WASM_MALFORMED', 'It does not start with \\0asm.')
      const appletId = bytesToHex(new Uint8Array(32).fill(wasm.length % 256))
      const record = applet(appletId, wasm.length)
      applets.set(appletId, { record, wasm })
      return record
    },
    buildCircuit: async (appletId, shape) =>
      circuit(required(applets, appletId, 'APPLET_UNKNOWN').record.appletId, shape),
    getApplet: async (appletId) => required(applets, appletId, 'APPLET_UNKNOWN').record,
    getAppletWasm: async (appletId) => required(applets, appletId, 'APPLET_UNKNOWN').wasm,
    listApplets: async (page) => slice([...applets.values()], page).map(({ record }) => record),
    addProject: async ({ projectId, config }) => ({ ...project(projectId), config: Object.values(config).map(BigInt) }),
    prepareConfig: async () => 5n,
    getProject: async (projectId) => {
      if (![PROJECT_ID, OTHER_PROJECT_ID].includes(projectId))
        throw new AttestreamError('PROJECT_UNKNOWN', 'No such project.')
      return project(projectId)
    },
    listProjects: async (page) => slice([project(OTHER_PROJECT_ID), project(PROJECT_ID)], page),
    createApiKey: async (projectId) => `key-of-${projectId}`,
    authorise: async (key) => {
      if (key === PROJECT_KEY) return { kind: 'project', projectId: PROJECT_ID }
      if (key === OTHER_KEY) return { kind: 'project', projectId: OTHER_PROJECT_ID }
      throw new AttestreamError('API_KEY_INVALID', 'The key is not known.')
    },
    getDevice: async (deviceId) => {
      if (deviceId !== DEVICE_ID) throw new AttestreamError('DEVICE_UNKNOWN', `No device ${deviceId}.`)
      return device()
    },
    getDeviceIdentity: async (name) => {
      const { chainId, registry, deviceId } = typeof name === 'bigint' ? { ...chain, deviceId: name } : name
      if (chainId !== chain.chainId || registry !== chain.registry)
        throw new AttestreamError('DID_FOREIGN', 'Elsewhere.')
      if (double.failWith) throw double.failWith
      if (deviceId !== DEVICE_ID) throw new AttestreamError('DEVICE_UNKNOWN', `No device ${deviceId}.`)
      return identity(double.identity)
    },
    registerDevice: async (admission, signature) => {
      if (signature === '0x00') throw new AttestreamError('SPONSORING_OFF', 'Not paid for.')
      double.registered.push(admission)
      return { deviceId: DEVICE_ID + 1n, cohort: 0, slot: 2, txHash: TASK_ID }
    },
    listDevices: async (projectId, page) => slice(projectId === PROJECT_ID ? [device()] : [], page),
    ingest: async (list) => list.map(ingestOne),
    encodeFrameJson: async (json) => {
      const { deviceId, sequence, readings, signature } = json as FrameJson
      if (signature === undefined) throw new AttestreamError('FRAME_JSON_INVALID', 'The frame has no signature.')
      const { r8x, r8y, s } = signature
      return encodeFrame(FORMAT, {
        deviceId: BigInt(deviceId),
        sequence: BigInt(sequence),
        readings: readings.map((reading) => encodeRecord(READING, reading)),
        signature: { r8x: BigInt(r8x), r8y: BigInt(r8y), s: BigInt(s) },
      })
    },
    getFrame: async (deviceId, sequence) => required(frames, `${deviceId}/${sequence}`, 'FRAME_UNKNOWN'),
    listFrames: async (filter, page) =>
      slice(
        [...frames.values()].filter((frame) => frame.projectId === filter.projectId),
        page,
      ),
    getTask: async (taskId) => required(TASKS, taskId, 'TASK_UNKNOWN'),
    listTasks: async ({ projectId, state }, page) =>
      slice(
        [...TASKS.values()].filter((task) => task.projectId === projectId && (!state || task.state === state)),
        page,
      ),
    retryTask: async (taskId) => {
      const found = required(TASKS, taskId, 'TASK_UNKNOWN')
      if (found.state !== 'failed') throw new AttestreamError('TASK_NOT_FAILED', `Task is ${found.state}.`)
      return { ...found, state: 'closed', failure: null }
    },
    getReceipt: async (taskId) => {
      if (taskId !== TASK_ID) throw new AttestreamError('RECEIPT_UNKNOWN', 'No receipt yet.')
      return sampleReceipt()
    },
    listSettlements: async (projectId, page) =>
      slice(
        [
          {
            taskId: TASK_ID,
            projectId,
            cohort: 0,
            batchNumber: 1n,
            txHash: TASK_ID,
            gasUsed: 300_000n,
            units: 2n ** 60n,
            payee: ADDRESS,
            settledMs: 1,
          },
        ],
        page,
      ),
    listClaims: async (_projectId, page) =>
      slice(
        [
          {
            deviceId: DEVICE_ID,
            owner: ADDRESS,
            creditedUnits: 2n ** 60n,
            claimedUnits: 0n,
            pendingUnits: 2n ** 60n,
            pendingWei: 10n ** 24n,
          },
        ],
        page,
      ),
    getDaObject: async (pointer) => {
      if (pointer !== DA_POINTER) throw new AttestreamError('DA_OBJECT_UNKNOWN', 'No such object.')
      return DA_BYTES
    },
    health: async () => {
      if (double.failWith !== undefined) throw double.failWith
      const counts = { pendingFrames: frames.size, openTasks: 0, failedTasks: 1 }
      return { ok: true, chainId: 31337, blockNumber: 12n, ...counts, waiting: [], transactions: [] }
    },
  }
  return double
}

function required<Key, Value>(map: ReadonlyMap<Key, Value>, key: Key, code: ErrorCode): Value {
  const value = map.get(key)
  if (value === undefined) throw new AttestreamError(code, `There is no ${String(key)}.`)
  return value
}

function slice<Item>(items: Item[], page: { limit?: number; offset?: number } = {}): Item[] {
  const { limit = 50, offset = 0 } = page
  return items.slice(offset, offset + limit)
}

function applet(appletId: Hex, sizeBytes: number): AppletRecord {
  return {
    appletId,
    abi: { parameters: ['reading'], reading: READING, state: [], config: [], maxUnitsPerFrame: 2n ** 37n },
    sizeBytes,
    createdMs: 1,
    circuits: [circuit(appletId, { cohortSize: 4, frameSize: 4 })],
  }
}

function circuit(appletId: Hex, shape: { cohortSize: number; frameSize: number }): CircuitRecord {
  return { appletId, ...shape, status: 'building', progress: 'compiling', failure: null, manifest: null }
}

function project(projectId: bigint) {
  return {
    projectId,
    version: 1,
    appletId: TASK_ID,
    cohortSize: 4,
    frameSize: 4,
    layoutId: FORMAT.layoutId,
    deviceDomain: DOMAIN,
    config: [11_000n],
    configHash: 5n,
    createdMs: 1,
    stateEpoch: 0,
    stopped: false,
    former: null,
  }
}

function device() {
  const key = publicKey(SECRET_KEY)
  return {
    deviceId: DEVICE_ID,
    projectId: PROJECT_ID,
    cohort: 0,
    slot: 1,
    key,
    active: true,
    status: 'active' as const,
    owner: ADDRESS,
    registeredSec: 1_790_000_000,
    changedSec: 1_790_000_000,
    changedBlock: 5n,
    lastSequence: 0n,
  }
}

/** Of the one device, with what `change` says of it. */
function identity(change: Partial<DeviceIdentity>): DeviceIdentity {
  const { active: _active, lastSequence: _lastSequence, ...known } = device()
  return { ...known, chainId: chain.chainId, registry: chain.registry, metadataURI: '', ...change }
}

function task(taskId: Hex, state: TaskRecord['state']): TaskRecord {
  return {
    taskId,
    projectId: PROJECT_ID,
    version: 1,
    cohort: 0,
    state,
    frames: 3,
    readings: 9,
    batchRoot: 2n ** 200n,
    daPointer: DA_POINTER,
    batchNumber: state === 'failed' ? null : 1n,
    attempts: 1,
    failure: state === 'failed' ? { code: 'PROOF_FAILED', message: 'The proof failed.' } : null,
    times: { closed: 1, published: 2 },
    begun: { published: 1 },
    lastFrameMs: 1,
    anchorTxHash: null,
    anchorGas: null,
    settleTxHash: null,
    settleGas: null,
    witnessMs: null,
    proveMs: null,
    unitsBySlot: [1n, 2n, 3n, 0n],
  }
}

const TASKS = new Map<Hex, TaskRecord>([
  [TASK_ID, task(TASK_ID, 'settled')],
  [FAILED_TASK_ID, task(FAILED_TASK_ID, 'failed')],
])
