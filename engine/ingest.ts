// Ingest: canonical bytes → known device, valid signature, growing sequence → on disk → signed acknowledgement.
// A frame of the same message is answered like the first time; nothing here reads a clock or a key it was not given. Requests that are
// checked at the same moment are written in one transaction.

import type { Acknowledgement, DeviceRecord, Failure, IngestResult, ProjectRecord } from './records.ts'
import type { Hex } from './core/codec.ts'
import { AttestreamError, isAttestreamError } from './core/errors.ts'
import { decodeFrameHeader, type FrameFormat } from './core/frame.ts'
import { MAX_SEQUENCE_STEP } from './core/ledger.ts'
import type { CheckedFrame, FrameCheck, Verdict } from './frame-check/check.ts'
import type { Rates } from './rates.ts'
import type { Store, StoredFrame } from './store/index.ts'

export interface IngestContext {
  readonly store: Store
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
  /** One verdict for each; throws ENGINE_BUSY. */
  readonly check: (frames: readonly FrameCheck[]) => Promise<Verdict[]>
  readonly rates: Rates
}

/**
 * Ingests frames; one result each, in order. All accepted ones are on disk when it resolves. `source` is who sends them, such as an
 * address. Throws ENGINE_BUSY or TOO_MANY_REFUSED, having looked at none of them.
 */
export type Ingest = (frames: readonly Uint8Array[], source?: string) => Promise<IngestResult[]>

type NewFrame = Omit<StoredFrame, 'taskId' | 'dropped'>
type Find = ReturnType<IngestContext['createFinder']>

/** A frame whose device and format are known. */
interface Candidate {
  readonly device: DeviceRecord
  readonly project: ProjectRecord
  readonly check: FrameCheck
}

/** After the check: to be written, known already, or refused. */
type Outcome = NewFrame | IngestResult

export function createIngest(context: IngestContext): Ingest {
  const commit = createCommit(context)
  return async (frames, source) => {
    if (source !== undefined) context.rates.admitSource(source)
    const results = await commit(await checkFrames(context, frames))
    if (source !== undefined) context.rates.countRefusals(source, results.filter(isForged).length)
    return results
  }
}

/** Writes what comes in one turn of the event loop in one transaction: a commit waits for the disk, however little it writes. */
function createCommit(context: IngestContext): (outcomes: readonly Outcome[]) => Promise<IngestResult[]> {
  interface Part {
    readonly outcomes: readonly Outcome[]
    readonly resolve: (results: IngestResult[]) => void
    readonly reject: (reason: unknown) => void
  }
  let parts: Part[] = []
  const commit = (): void => {
    const together = parts
    parts = []
    try {
      const results = storeFrames(
        context,
        together.flatMap(({ outcomes }) => outcomes),
      )
      let at = 0
      for (const { outcomes, resolve } of together) resolve(results.slice(at, (at += outcomes.length)))
    } catch (error) {
      for (const { reject } of together) reject(error)
    }
  }
  return (outcomes) =>
    new Promise((resolve, reject) => {
      parts.push({ outcomes, resolve, reject })
      if (parts.length === 1) setImmediate(commit)
    })
}

async function checkFrames(context: IngestContext, frames: readonly Uint8Array[]): Promise<Outcome[]> {
  const find = context.createFinder()
  const candidates: (Candidate | IngestResult)[] = []
  for (const bytes of frames) candidates.push(await settled(() => findCandidate(context, find, bytes)))
  const checks = candidates.flatMap((candidate) => ('check' in candidate ? [candidate.check] : []))
  const verdicts = (checks.length > 0 ? await context.check(checks) : []).values()
  return candidates.map((candidate) =>
    'check' in candidate ? judge(context, candidate, verdicts.next().value!) : candidate,
  )
}

async function settled<T>(work: () => Promise<T>): Promise<T | { failure: Failure }> {
  try {
    return await work()
  } catch (error) {
    return failure(error)
  }
}

/** What the check needs to know; a frame that is stored byte by byte needs none. */
async function findCandidate(context: IngestContext, find: Find, bytes: Uint8Array): Promise<Candidate | IngestResult> {
  const { deviceId, sequence } = decodeFrameHeader(bytes)
  const stored = context.store.frame(deviceId, sequence)
  if (stored && Buffer.from(stored.bytes).equals(bytes)) return { acknowledgement: stored.acknowledgement }
  const device = await find(deviceId)
  checkActive(device)
  context.rates.checkDevice(device)
  const { project, format } = context.projectFormat(device.projectId)
  const { deviceDomain } = project
  return { device, project, check: { bytes, format, deviceDomain, deviceId, key: device.key } }
}

function judge(context: IngestContext, candidate: Candidate, verdict: Verdict): Outcome {
  if ('failure' in verdict) return verdict
  const { device, check } = candidate
  const { sequence } = decodeFrameHeader(check.bytes)
  const frame = { deviceId: device.deviceId, sequence }
  try {
    checkSignature(device, verdict) // first: whatever else is wrong with a forgery, it is counted as one
    const stored = context.store.frame(frame.deviceId, sequence)
    if (stored?.messageHash === verdict.messageHash) return { acknowledgement: stored.acknowledgement }
    if (stored) throw repeated(frame)
    checkGrowth(frame, context.store.device(frame.deviceId)!.lastSequence)
    context.rates.admitFrame(device)
    return acknowledge(context, candidate, sequence, verdict)
  } catch (error) {
    return failure(error)
  }
}

function acknowledge(
  context: IngestContext,
  { device, project, check }: Candidate,
  sequence: bigint,
  { messageHash, leaf }: CheckedFrame,
): NewFrame {
  const { deviceId, projectId, cohort, slot } = device
  const { appletId, frameSize } = project
  const receivedMs = context.nowMs()
  const deadline = BigInt(Math.ceil(receivedMs / 1000) + context.acknowledgeWithinSec)
  const content = { deviceId, sequence, messageHash, deadline }
  const acknowledgement = { ...content, signature: context.signAcknowledgement(content) }
  const place = { deviceId, projectId, cohort, slot, leaf, sequence, messageHash }
  return { ...place, bytes: check.bytes, appletId, frameSize, receivedMs, acknowledgement }
}

/** Decides duplicates and order again without a pause, since other requests may have come in between, then writes all. */
function storeFrames(context: IngestContext, checked: readonly Outcome[]): IngestResult[] {
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

function checkActive({ active, deviceId }: DeviceRecord): void {
  if (active) return
  throw new AttestreamError(
    'DEVICE_REVOKED',
    `The key of device ${deviceId} is revoked or suspended; its owner confirms or rotates it on chain.`,
  )
}

function checkSignature({ deviceId }: DeviceRecord, { signed }: CheckedFrame): void {
  if (signed) return
  throw new AttestreamError(
    'SIGNATURE_INVALID',
    `The signature does not belong to the registered key of device ${deviceId}. Check key, deviceDomain and layout.`,
  )
}

/** Refused after work that only a forger causes on purpose. */
function isForged(result: IngestResult): boolean {
  return (
    'failure' in result && (result.failure.code === 'SIGNATURE_INVALID' || result.failure.code === 'DEVICE_UNKNOWN')
  )
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

function failure(error: unknown): { failure: Failure } {
  if (!isAttestreamError(error)) throw error
  return { failure: { code: error.code, message: error.message } }
}
