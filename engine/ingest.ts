// Ingest: canonical bytes → known device, valid signature, growing sequence → on disk → signed acknowledgement.
// A frame of the same message is answered like the first time; nothing here reads a clock or a key it was not given.

import type { Acknowledgement, DeviceRecord, IngestResult, ProjectRecord } from './records.ts'
import type { Hex } from './core/codec.ts'
import { AttestreamError, isAttestreamError } from './core/errors.ts'
import { decodeFrame, decodeFrameHeader, messageHash, type Frame, type FrameFormat } from './core/frame.ts'
import { deviceLeaf } from './core/identity.ts'
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
  readonly signAcknowledgement: (content: Omit<Acknowledgement, 'signature'>) => Hex
  /** The device, looked up on chain when the store does not know it; throws DEVICE_UNKNOWN. */
  readonly findDevice: (deviceId: bigint) => Promise<DeviceRecord>
  /** The served project and the format of its frames; throws DEVICE_FOREIGN. */
  readonly projectFormat: (projectId: bigint) => { project: ProjectRecord; format: FrameFormat }
}

type NewFrame = Omit<StoredFrame, 'taskId' | 'dropped'>

/** Ingests frames; one result each, in order. All accepted ones are on disk when it returns. */
export async function ingestFrames(context: IngestContext, frames: readonly Uint8Array[]): Promise<IngestResult[]> {
  const checked: (NewFrame | IngestResult)[] = []
  for (const bytes of frames) checked.push(await checkOne(context, bytes))
  return storeFrames(context.store, checked)
}

async function checkOne(context: IngestContext, bytes: Uint8Array): Promise<NewFrame | IngestResult> {
  try {
    return await checkFrame(context, bytes)
  } catch (error) {
    return failure(error)
  }
}

async function checkFrame(context: IngestContext, bytes: Uint8Array): Promise<NewFrame> {
  const header = decodeFrameHeader(bytes)
  const device = await context.findDevice(header.deviceId)
  const { project, format } = context.projectFormat(device.projectId)
  const frame = decodeFrame(format, bytes)
  const message = messageHash(format, project.deviceDomain, frame, context.hash)
  const stored = context.store.frame(frame.deviceId, frame.sequence)
  if (stored?.messageHash === message) return stored
  if (stored) throw repeated(frame)
  checkSequence(frame, device.lastSequence)
  checkSignature(context, device, frame, message)
  const deadline = BigInt(Math.ceil(context.nowMs() / 1000) + context.acknowledgeWithinSec)
  const content = { deviceId: frame.deviceId, sequence: frame.sequence, messageHash: message, deadline }
  return {
    deviceId: frame.deviceId,
    sequence: frame.sequence,
    projectId: device.projectId,
    cohort: device.cohort,
    slot: device.slot,
    leaf: deviceLeaf(device.key, device.deviceId, context.hash),
    messageHash: message,
    bytes,
    receivedMs: context.nowMs(),
    acknowledgement: { ...content, signature: context.signAcknowledgement(content) },
  }
}

/** Decides duplicates and order again without a pause, since other requests may have come in between, then writes all. */
function storeFrames(store: Store, checked: readonly (NewFrame | IngestResult)[]): IngestResult[] {
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

function checkSequence(frame: { deviceId: bigint; sequence: bigint }, last: bigint): void {
  const came = `Device ${frame.deviceId} sent sequence ${frame.sequence}; its last is ${last}.`
  if (frame.sequence <= last) {
    throw new AttestreamError('SEQUENCE_OUTDATED', `${came} A sequence must grow: use ${last + 1n} or more.`, { last })
  }
  if (frame.sequence - last > MAX_SEQUENCE_STEP) {
    throw new AttestreamError('SEQUENCE_TOO_FAR', `${came} It may grow by at most 2^32 at once.`, { last })
  }
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
