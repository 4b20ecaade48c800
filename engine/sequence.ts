// Sequence: close a batch of a cohort from the frames that wait, at most one per slot, and create its task.
// A cohort's next batch starts from the page that its last batch left, so it is closed once that one is executed.

import type { ProjectRecord, ServedVersion } from './records.ts'
import type { AppletLayouts, BatchData } from './core/batch.ts'
import { batchRoot, encodeBatchData } from './core/batch.ts'
import type { Hex } from './core/codec.ts'
import { decodeFrame, decodeFrameHeader, layoutTag, type FrameFormat } from './core/frame.ts'
import { EMPTY_LEAF, deviceLeaf, identityRoot } from './core/identity.ts'
import { genesisPage, type LedgerPage } from './core/ledger.ts'
import { taskId } from './core/task.ts'
import type { NewTask, PendingCohort, Store, StoredFrame, Task, TaskWork } from './store/index.ts'

export interface SequenceContext {
  readonly store: Store
  readonly nowMs: () => number
  readonly project: ServedVersion
  readonly layouts: AppletLayouts
  readonly format: FrameFormat
  /** SHA-256 of a data-availability object. */
  readonly pointer: (bytes: Uint8Array) => Hex
}

/** A device signs the layout, and the circuit holds the key: neither can be changed afterwards. */
const KEY_CHANGED = 'The key of the device was changed or revoked before the batch was closed.'
const LAYOUT_CHANGED =
  "The project's applet version, and with it the Reading layout, was changed before the batch was closed."

export interface ClosingRules {
  readonly store: Store
  readonly nowMs: () => number
  readonly closeAfterMs: number
  /** Undefined while nothing of the project can be anchored. */
  readonly contextOf: (projectId: bigint, cohort: number) => SequenceContext | undefined
  readonly onError: (error: unknown) => void
}

/**
 * Closes a batch in each cohort that is due: each of its active devices waits with a frame, or its oldest frame has waited
 * long enough; any with a frame when `force`. A cohort that cannot be closed holds up no other. Tells how many were closed, and after
 * how long the next will have waited long enough.
 */
export function closeDueBatches(rules: ClosingRules, force: boolean): { closed: number; waitMs: number | undefined } {
  const { store, nowMs, closeAfterMs, contextOf, onError } = rules
  const isDue = ({ projectId, cohort, slots, oldestMs }: PendingCohort): boolean => {
    if (force || nowMs() - oldestMs >= closeAfterMs) return true
    return slots >= store.cohortDevices(projectId, cohort).filter((device) => device.active).length
  }
  const close = ({ projectId, cohort }: PendingCohort): boolean => {
    try {
      const context = contextOf(projectId, cohort)
      return context !== undefined && closeBatch(context, cohort) !== undefined
    } catch (error) {
      onError(error)
      return false
    }
  }
  const pending = store.pendingCohorts()
  const due = pending.filter(isDue)
  const waits = pending
    .filter((cohort) => !due.includes(cohort))
    .map(({ oldestMs }) => oldestMs + closeAfterMs - nowMs())
  return { closed: due.filter(close).length, waitMs: waits.length > 0 ? Math.min(...waits) : undefined }
}

/**
 * The version that a cohort's next batch is closed under: the one served, or the one before as long as frames in its layout wait
 * that were acknowledged under it, and batches may still be anchored under it.
 */
export function closingVersion(
  store: Pick<Store, 'nextFrames'>,
  project: ProjectRecord,
  cohort: number,
  nowMs: number,
): ServedVersion {
  const { former } = project
  if (!former || former.layoutId === project.layoutId || nowMs >= 1000 * former.anchorableUntilTime) return project
  return store.nextFrames(project.projectId, cohort).some((frame) => isOf(former, frame)) ? former : project
}

/**
 * Closes a batch of the cohort, or returns undefined if no frame waits, the last batch is not executed yet, or the cohort has to be
 * upgraded to the version's State first.
 */
export function closeBatch(context: SequenceContext, cohort: number): Task | undefined {
  const { store, project, layouts } = context
  const pageBefore = cohortPage(context, cohort)
  if (!pageBefore) return undefined
  const leaves = cohortLeaves(context, cohort)
  const frames = currentFrames(context, cohort, leaves)
  if (frames.length === 0) return undefined
  const data = batchData(context, cohort, frames, pageBefore)
  const daPointer = context.pointer(encodeBatchData(layouts, data))
  const hashes = leaves.map((_, slot) => frames.find((frame) => frame.slot === slot)?.messageHash ?? 0n)
  const root = batchRoot(hashes)
  const key = { projectId: project.projectId, version: project.version, cohort, batchRoot: root, daPointer }
  const lastFrameMs = Math.max(...frames.map(({ receivedMs }) => receivedMs))
  const task = newTask(
    key,
    data,
    { nowMs: context.nowMs(), lastFrameMs },
    {
      appletId: project.appletId,
      frameSize: project.frameSize,
      config: project.config,
      configHash: project.configHash,
      stateEpoch: project.stateEpoch,
      leaves,
      keys: data.batch.frames.map((frame) => (frame ? store.device(frame.deviceId)!.key : null)),
      identityRoot: identityRoot(leaves),
      pageBefore,
    },
  )
  return store.putTask(task, frames)
}

/** The project as it was when the task's batch was closed, whatever it was changed to since. */
export function closedProject(project: ServedVersion, task: Task): ServedVersion {
  const { appletId, frameSize, config, configHash, leaves, stateEpoch } = task.work
  const closed = { version: task.version, appletId, frameSize, cohortSize: leaves.length, config, configHash }
  return { ...project, ...closed, stateEpoch }
}

/** What the batch's data-availability object carries; the same at any time, given the context of its `closedProject`. */
export function taskBatchData(context: SequenceContext, task: Task): BatchData {
  return batchData(context, task.cohort, context.store.taskFrames(task.taskId), task.work.pageBefore)
}

function batchData(
  { project, format }: SequenceContext,
  cohort: number,
  stored: readonly StoredFrame[],
  pageBefore: LedgerPage,
): BatchData {
  const frames = Array.from({ length: project.cohortSize }, (_, slot) => {
    const frame = stored.find((entry) => entry.slot === slot)
    return frame ? decodeFrame(format, frame.bytes) : null
  })
  const { deviceDomain, frameSize, config } = project
  return { appletId: BigInt(project.appletId), deviceDomain, frameSize, config, pageBefore, batch: { cohort, frames } }
}

function cohortPage({ store, project, layouts }: SequenceContext, cohort: number): LedgerPage | undefined {
  const latest = store.latestTask(project.projectId, cohort)
  if (!latest) return genesisPage(layouts.state, project.cohortSize)
  const upgrade = store.cohortUpgrade(project.projectId, cohort)
  const last = upgrade?.afterOrdinal === latest.ordinal ? upgrade : { ...latest.work, page: latest.work.pageAfter }
  return last.stateEpoch === project.stateEpoch ? last.page : undefined
}

function cohortLeaves({ store, project }: SequenceContext, cohort: number): bigint[] {
  const leaves = Array.from({ length: project.cohortSize }, () => EMPTY_LEAF)
  for (const device of store.cohortDevices(project.projectId, cohort)) {
    if (device.active) leaves[device.slot] = deviceLeaf(device.key, device.deviceId)
  }
  return leaves
}

/** The oldest waiting frame of each slot. Frames that no batch can prove any more are dropped, with the reason. */
function currentFrames(
  { store, project, format }: SequenceContext,
  cohort: number,
  leaves: readonly bigint[],
): StoredFrame[] {
  const tag = layoutTag(format.layoutId)
  const served = store.project(project.projectId)
  const isDraining = served?.former?.version === project.version && served.version !== project.version
  const outdated = (frame: StoredFrame): string | undefined => {
    if (frame.leaf !== leaves[frame.slot]) return KEY_CHANGED
    return decodeFrameHeader(frame.bytes).layoutTag === tag ? undefined : LAYOUT_CHANGED
  }
  for (;;) {
    const waiting = store.nextFrames(project.projectId, cohort)
    const frames = isDraining ? waiting.filter((frame) => isOf(project, frame)) : waiting
    const dropped = frames.filter((frame) => outdated(frame) !== undefined)
    if (dropped.length === 0) return frames
    for (const frame of dropped) store.dropFrame(frame, outdated(frame)!)
  }
}

function isOf({ appletId, frameSize }: ServedVersion, frame: StoredFrame): boolean {
  return frame.appletId === appletId && frame.frameSize === frameSize
}

function newTask(
  key: Parameters<typeof taskId>[0],
  data: BatchData,
  { nowMs, lastFrameMs }: { nowMs: number; lastFrameMs: number },
  work: TaskWork,
): NewTask {
  const present = data.batch.frames.filter((frame) => frame !== null)
  return {
    ...key,
    taskId: taskId(key),
    state: 'closed',
    frames: present.length,
    readings: present.reduce((sum, frame) => sum + frame.readings.length, 0),
    batchNumber: null,
    attempts: 0,
    failure: null,
    times: { closed: nowMs },
    begun: {},
    lastFrameMs,
    anchorTxHash: null,
    anchorGas: null,
    settleTxHash: null,
    settleGas: null,
    witnessMs: null,
    proveMs: null,
    unitsBySlot: null,
    work,
  }
}
