// A batch: at most one frame per slot of one cohort, ordered by slot, with the ledger page before it.
// Its data-availability object carries everything that anybody needs to recompute roots, units and the next page:
//
//   'ATB1' | appletId 32 | deviceDomain 32 | cohort u32 | D u16 | R u16 | config fields | D × (sequence u64, State) |
//   D × (u16 length, frame bytes; length 0 = absent)
//
// Records are packed like readings in a frame: one bit string, zero-padded to whole bytes.

import { ByteReader, concatBytes, integerToBytes } from './codec.ts'
import { AttestreamError } from './errors.ts'
import { decodeFrame, encodeFrame, frameFormat, messageHash, type Frame, type FrameFormat } from './frame.ts'
import { isCohortSize } from './identity.ts'
import { packBits, recordBytes, unpackBits, type Layout, type RawRecord } from './layout.ts'
import type { LedgerPage } from './ledger.ts'
import { SPONGE_TAG, poseidon, sponge, type Poseidon } from './poseidon.ts'

/** Frames by slot; null where a slot has none. `frames.length` = D. */
export interface Batch {
  readonly cohort: number
  readonly frames: readonly (Frame | null)[]
}

/** What a data-availability object carries. */
export interface BatchData {
  readonly appletId: bigint
  readonly deviceDomain: bigint
  readonly frameSize: number
  readonly config: RawRecord
  readonly pageBefore: LedgerPage
  readonly batch: Batch
}

/** The three record layouts of an applet. */
export interface AppletLayouts {
  readonly reading: Layout
  readonly state: Layout
  readonly config: Layout
}

const MAGIC = new TextEncoder().encode('ATB1')

/** Message hash of each slot's frame, 0 where absent. */
export function messageHashes(
  format: FrameFormat,
  deviceDomain: bigint,
  batch: Batch,
  hash: Poseidon = poseidon,
): bigint[] {
  return batch.frames.map((frame) => (frame ? messageHash(format, deviceDomain, frame, hash) : 0n))
}

/** Sponge over the D message hashes. */
export function batchRoot(hashes: readonly bigint[]): bigint {
  return sponge(SPONGE_TAG.batch, hashes)
}

/** Bytes of the data-availability object; its SHA-256 is the pointer. */
export function encodeBatchData(layouts: AppletLayouts, data: BatchData): Uint8Array {
  const { batch, pageBefore, config } = data
  const format = frameFormat(layouts.reading, data.frameSize)
  const frames = batch.frames.map((frame) => (frame ? encodeFrame(format, frame) : new Uint8Array()))
  return concatBytes(
    MAGIC,
    integerToBytes(data.appletId, 32),
    integerToBytes(data.deviceDomain, 32),
    integerToBytes(BigInt(batch.cohort), 4),
    integerToBytes(BigInt(batch.frames.length), 2),
    integerToBytes(BigInt(data.frameSize), 2),
    encodeRawRecord(layouts.config, config),
    ...pageBefore.sequences.flatMap((sequence, slot) => [
      integerToBytes(sequence, 8),
      encodeRawRecord(layouts.state, pageBefore.states[slot]!),
    ]),
    ...frames.flatMap((frame) => [integerToBytes(BigInt(frame.length), 2), frame]),
  )
}

/** Parses a data-availability object; throws BATCH_INVALID or FRAME_* for anything that `encodeBatchData` does not produce. */
export function decodeBatchData(layouts: AppletLayouts, bytes: Uint8Array): BatchData {
  const reader = batchReader(bytes)
  readMagic(reader)
  const appletId = reader.integer(32)
  const deviceDomain = reader.integer(32)
  const cohort = reader.number(4)
  const cohortSize = reader.number(2)
  const frameSize = reader.number(2)
  if (!isCohortSize(cohortSize)) throw invalidBatch(`it names a cohort of ${cohortSize} devices`)
  const config = decodeRawRecord(layouts.config, reader)
  const slots = Array.from({ length: cohortSize }, () => ({
    sequence: reader.integer(8),
    state: decodeRawRecord(layouts.state, reader),
  }))
  const format = frameFormat(layouts.reading, frameSize)
  const frames = slots.map(() => readFrame(format, reader))
  if (reader.remaining > 0) throw invalidBatch(`${reader.remaining} bytes follow the last frame`)
  const pageBefore = { sequences: slots.map((slot) => slot.sequence), states: slots.map((slot) => slot.state) }
  return { appletId, deviceDomain, frameSize, config, pageBefore, batch: { cohort, frames } }
}

function readFrame(format: FrameFormat, reader: ByteReader): Frame | null {
  const length = reader.number(2)
  return length === 0 ? null : decodeFrame(format, reader.take(length))
}

function readMagic(reader: ByteReader): void {
  const magic = reader.take(4)
  if (!magic.every((byte, i) => byte === MAGIC[i])) throw invalidBatch('it does not start with ATB1')
}

function encodeRawRecord(layout: Layout, record: RawRecord): Uint8Array {
  return integerToBytes(packBits(layout, record), recordBytes(layout))
}

function decodeRawRecord(layout: Layout, reader: ByteReader): bigint[] {
  return unpackBits(layout, reader.integer(recordBytes(layout)))
}

function batchReader(bytes: Uint8Array): ByteReader {
  return new ByteReader(bytes, (needed, left) => invalidBatch(`${needed} bytes expected, ${left} left`))
}

function invalidBatch(why: string): AttestreamError {
  return new AttestreamError(
    'BATCH_INVALID',
    `The batch object is malformed: ${why}. Fetch it again by its DA pointer.`,
  )
}
