// Ingest: canonical bytes → known device, valid signature, growing sequence → on disk → signed acknowledgement.
// A frame of the same message is answered like the first time; nothing here reads a clock or a key it was not given.

import type { Acknowledgement, DeviceRecord, IngestResult, ProjectRecord } from './records.ts'
import type { Hex } from './core/codec.ts'
import { AttestreamError, isAttestreamError } from './core/errors.ts'
import { decodeFrame, decodeFrameHeader, messageHash, type Frame, type FrameFormat } from './core/frame.ts'
import { MAX_SEQUENCE_STEP } from './core/ledger.ts'
import type { Poseidon } from './core/poseidon.ts'
import type { Store, StoredFrame } from './store/index.ts'
import type { VerifierCache } from './verifier-cache.ts'

export interface IngestContext {
  readonly store: Store
  readonly hash: Poseidon
  readonly verifiers: VerifierCache
  readonly nowMs: () => number
  /** Seconds after receipt by which an acknowledged frame is promised to be anchored. */
  readonly acknowledgeWithinSec: number
  /** Frames of one device that may wait for a batch: more could not be anchored by the deadline they are promised. */
  readonly maxWaitingFrames: number
  readonly signAcknowledgement: (content: Omit<Acknowledgement, 'signature'>) => Hex
  /** For one request: finds a device, on chain when the store does not know it; throws DEVICE_UNKNOWN. */
  readonly createFinder: () => (deviceId: bigint) => Promise<DeviceRecord>
  /** The served project and the format of its frames; throws DEVICE_FOREIGN. */
  readonly projectFormat: (projectId: bigint) => { project: ProjectRecord; format: FrameFormat }
}

type NewFrame = Omit<StoredFrame, 'taskId' | 'dropped'>

type Find = ReturnType<IngestContext['createFinder']>

/**
 * Ingests frames; one result each, in order. All accepted ones are on disk when it returns. Checking a frame takes about a
 * millisecond, so others get their turn after each.
 */
export async function ingestFrames(context: IngestContext, frames: readonly Uint8Array[]): Promise<IngestResult[]> {
  const find = context.createFinder()
  const checked: (NewFrame | IngestResult)[] = []
  for (const bytes of frames) {
    checked.push(await checkOne(context, find, bytes))
    await new Promise(setImmediate)
  }
  return storeFrames(context, checked)
}

async function checkOne(context: IngestContext, find: Find, bytes: Uint8Array): Promise<NewFrame | IngestResult> {
  try {
    return await checkFrame(context, find, bytes)
  } catch (error) {
    return failure(error)
  }
}

async function checkFrame(context: IngestContext, find: Find, bytes: Uint8Array): Promise<NewFrame> {
  const header = decodeFrameHeader(bytes)
  const stored = context.store.frame(header.deviceId, header.sequence)
  if (stored && Buffer.from(stored.bytes).equals(bytes)) return stored
  const device = await find(header.deviceId)
  const { project, format } = context.projectFormat(device.projectId)
  const frame = decodeFrame(format, bytes)
  const message = messageHash(format, project.deviceDomain, frame, context.hash)
  if (stored?.messageHash === message) return stored
  if (stored) throw repeated(frame)
  checkGrowth(frame, device.lastSequence)
  checkSignature(context, device, frame, message)
  return acknowledge(context, device, project, { bytes, messageHash: message, sequence: frame.sequence })
}

function acknowledge(
  context: IngestContext,
  { deviceId, projectId, cohort, slot, key }: DeviceRecord,
  { appletId, frameSize }: ProjectRecord,
  frame: Pick<NewFrame, 'bytes' | 'messageHash' | 'sequence'>,
): NewFrame {
  const receivedMs = context.nowMs()
  const deadline = BigInt(Math.ceil(receivedMs / 1000) + context.acknowledgeWithinSec)
  const content = { deviceId, sequence: frame.sequence, messageHash: frame.messageHash, deadline }
  const acknowledgement = { ...content, signature: context.signAcknowledgement(content) }
  const leaf = context.verifiers.leaf({ deviceId, key })
  return { deviceId, projectId, cohort, slot, leaf, ...frame, appletId, frameSize, receivedMs, acknowledgement }
}

/** Decides duplicates and order again without a pause, since other requests may have come in between, then writes all. */
function storeFrames(context: IngestContext, checked: readonly (NewFrame | IngestResult)[]): IngestResult[] {
  const { store } = context
  const waiting = new Map<bigint, number>()
  const fresh = new Map<string, NewFrame>()
  const last = new Map<bigint, bigint>()
  const results = checked.map((entry): IngestResult => {
    if (!('bytes' in entry)) return entry
    try {
      const key = `${entry.deviceId}:${entry.sequence}`
      const same = fresh.get(key) ?? store.frame(entry.deviceId, entry.sequence)
      if (same && same.messageHash !== entry.messageHash) throw repeated(entry)
      if (same) return { acknowledgement: same.acknowledgement }
      checkSequence(entry, last.get(entry.deviceId) ?? store.device(entry.deviceId)!.lastSequence)
      const before = waiting.get(entry.deviceId) ?? store.waitingFrames(entry)
      if (before >= context.maxWaitingFrames) throw queueFull(entry, before)
      waiting.set(entry.deviceId, before + 1)
      last.set(entry.deviceId, entry.sequence)
      fresh.set(key, entry)
      return { acknowledgement: entry.acknowledgement }
    } catch (error) {
      return failure(error)
    }
  })
  if (fresh.size > 0) store.putFrames([...fresh.values()])
  return results
}

/** Against the last sequence in the end: an earlier frame of the same request may be what makes the step small enough. */
function checkSequence(frame: { deviceId: bigint; sequence: bigint }, last: bigint): void {
  checkGrowth(frame, last)
  if (frame.sequence - last > MAX_SEQUENCE_STEP) {
    throw new AttestreamError('SEQUENCE_TOO_FAR', `${came(frame, last)} It may grow by at most 2^32 at once.`, { last })
  }
}

function checkGrowth(frame: { deviceId: bigint; sequence: bigint }, last: bigint): void {
  if (frame.sequence > last) return
  const rule = `A sequence must grow: use ${last + 1n} or more.`
  throw new AttestreamError('SEQUENCE_OUTDATED', `${came(frame, last)} ${rule}`, { last })
}

function came(frame: { deviceId: bigint; sequence: bigint }, last: bigint): string {
  return `Device ${frame.deviceId} sent sequence ${frame.sequence}; its last is ${last}.`
}

function checkSignature(context: IngestContext, device: DeviceRecord, frame: Frame, message: bigint): void {
  if (!device.active) {
    throw new AttestreamError(
      'DEVICE_REVOKED',
      `The key of device ${device.deviceId} is revoked or suspended; its owner confirms or rotates it on chain.`,
    )
  }
  if (!context.verifiers.verify(device, message, frame.signature)) {
    throw new AttestreamError(
      'SIGNATURE_INVALID',
      `The signature does not belong to the registered key of device ${device.deviceId}. Check key, deviceDomain and layout.`,
    )
  }
}

function queueFull({ deviceId }: { deviceId: bigint }, waiting: number): AttestreamError {
  return new AttestreamError(
    'DEVICE_QUEUE_FULL',
    `Device ${deviceId} has ${waiting} frames waiting for a batch; a batch takes one of each device. Send the frame again later.`,
  )
}

function repeated(frame: { deviceId: bigint; sequence: bigint }): AttestreamError {
  return new AttestreamError(
    'SEQUENCE_REPEATED',
    `Device ${frame.deviceId} already sent another frame with sequence ${frame.sequence}; a sequence is used once.`,
  )
}

function failure(error: unknown): IngestResult {
  if (!isAttestreamError(error)) throw error
  return { failure: { code: error.code, message: error.message } }
}
