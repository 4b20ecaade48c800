// What the engine's tests share: a real store in a directory of its own, a project of four slots with a device in each, and
// frames that those devices sign. Time stands still unless a test moves it.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { AppletLayouts } from '../../engine/core/batch.ts'
import type { Hex } from '../../engine/core/codec.ts'
import { encodeFrame, frameFormat, messageHash, signFrame } from '../../engine/core/frame.ts'
import { deviceLeaf, EMPTY_LEAF, identityRoot } from '../../engine/core/identity.ts'
import { configHash } from '../../engine/core/journal.ts'
import type { RawRecord } from '../../engine/core/layout.ts'
import { genesisPage } from '../../engine/core/ledger.ts'
import { publicKey } from '../../engine/core/signature.ts'
import type { DeviceRecord, ProjectRecord } from '../../engine/records.ts'
import { daPointer } from '../../engine/da/embedded.ts'
import type { SequenceContext } from '../../engine/sequence.ts'
import { openStore, type NewTask, type Store, type StoredFrame } from '../../engine/store/index.ts'

const u32 = (name: string, offset: number) => ({ name, type: 'u32', bits: 32, offset }) as const

export const LAYOUTS: AppletLayouts = {
  reading: [u32('timeSec', 0), u32('value', 4)],
  state: [u32('lastTimeSec', 0)],
  config: [u32('limit', 0)],
}
export const COHORT_SIZE = 4
export const FORMAT = frameFormat(LAYOUTS.reading, 4)
export const PROJECT: ProjectRecord = {
  projectId: 7n,
  version: 1,
  appletId: `0x${'a1'.repeat(32)}`,
  cohortSize: COHORT_SIZE,
  frameSize: 4,
  layoutId: FORMAT.layoutId,
  deviceDomain: 0x1234n,
  config: [100n],
  configHash: configHash(LAYOUTS.config, [100n]),
  createdMs: 0,
  stateEpoch: 0,
  stopped: false,
  former: null,
}
export const NOW_MS = 1_790_000_000_000
export const OWNER: Hex = `0x${'0e'.repeat(20)}`

export const secretKey = (seed: number) => new Uint8Array(32).fill(seed + 1)
export const deviceId = (slot: number, cohort = 0) => 1000n + BigInt(cohort * COHORT_SIZE + slot)

/** The device of a slot; `seed` other than the slot's is another key. */
export function device(
  slot: number,
  change: Partial<DeviceRecord> = {},
  seed = slot,
): Omit<DeviceRecord, 'lastSequence'> {
  const { cohort = 0 } = change
  const id = deviceId(slot, cohort)
  const key = publicKey(secretKey(seed))
  const times = { registeredSec: NOW_MS / 1000, changedSec: NOW_MS / 1000, changedBlock: 1n }
  const place = { deviceId: id, projectId: PROJECT.projectId, cohort, slot }
  return { ...place, key, owner: OWNER, active: true, status: 'active', ...times, ...change }
}

/** Canonical bytes of a frame by the slot's device. */
export function frameBytes(
  slot: number,
  sequence: bigint,
  { readings = [[1n, 2n]] as readonly RawRecord[], seed = slot, id = deviceId(slot), format = FORMAT } = {},
): Uint8Array {
  const frame = { deviceId: id, sequence, readings }
  return encodeFrame(format, signFrame(format, PROJECT.deviceDomain, frame, secretKey(seed)))
}

/** A frame as ingest stores it. */
export function storedFrame(
  slot: number,
  sequence: bigint,
  change: Partial<StoredFrame> = {},
): Omit<StoredFrame, 'taskId' | 'dropped'> {
  const { cohort = 0 } = change
  const id = deviceId(slot, cohort)
  const hash = messageHash(FORMAT, PROJECT.deviceDomain, { deviceId: id, sequence, readings: [[1n, 2n]] })
  return {
    deviceId: id,
    sequence,
    projectId: PROJECT.projectId,
    cohort,
    slot,
    leaf: deviceLeaf(publicKey(secretKey(slot)), id),
    messageHash: hash,
    bytes: frameBytes(slot, sequence, { id }),
    appletId: PROJECT.appletId,
    frameSize: 4,
    receivedMs: NOW_MS,
    acknowledgement: { deviceId: id, sequence, messageHash: hash, deadline: 9n, signature: '0x00' },
    ...change,
  }
}

/** A task of a batch without frames, for tests of what carries tasks about. */
export function newTask(name: number, change: Partial<NewTask> = {}): NewTask {
  const leaves = Array.from({ length: COHORT_SIZE }, () => EMPTY_LEAF)
  return {
    taskId: `0x${name.toString(16).padStart(64, '0')}`,
    projectId: PROJECT.projectId,
    version: 1,
    cohort: 0,
    state: 'closed',
    frames: 0,
    readings: 0,
    batchRoot: 2n ** 250n + BigInt(name),
    daPointer: `0x${name.toString(16).padStart(64, 'd')}`,
    batchNumber: null,
    attempts: 0,
    failure: null,
    times: { closed: NOW_MS },
    begun: {},
    lastFrameMs: NOW_MS,
    anchorTxHash: null,
    anchorGas: null,
    settleTxHash: null,
    settleGas: null,
    witnessMs: null,
    proveMs: null,
    unitsBySlot: null,
    work: {
      appletId: PROJECT.appletId,
      frameSize: 4,
      config: PROJECT.config,
      configHash: PROJECT.configHash,
      stateEpoch: 0,
      leaves,
      keys: leaves.map(() => null),
      identityRoot: identityRoot(leaves),
      pageBefore: genesisPage(LAYOUTS.state, COHORT_SIZE),
    },
    ...change,
  }
}

/** A directory that is gone after the test. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'attestream-engine-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

export interface TestStore {
  readonly directory: string
  store: Store
  /** Closes the store and opens it again from its file. */
  reopen(): Store
}

/** A new store, with the project's four devices in it when `devices`. */
export function testStore({ devices = true } = {}): TestStore {
  const directory = temporaryDirectory()
  const opened: TestStore = {
    directory,
    store: openStore(directory),
    reopen() {
      opened.store.close()
      opened.store = openStore(directory)
      return opened.store
    },
  }
  onTestFinished(() => opened.store.close())
  if (devices) opened.store.putDevices([0, 1, 2, 3].map((slot) => device(slot)), 1n) // prettier-ignore
  opened.store.putProject(PROJECT)
  return opened
}

export function sequenceContext(store: Store, change: Partial<SequenceContext> = {}): SequenceContext {
  const project = change.project ?? PROJECT
  const format = frameFormat(LAYOUTS.reading, project.frameSize)
  return { store, nowMs: () => NOW_MS, project, layouts: LAYOUTS, format, pointer: daPointer, ...change }
}
