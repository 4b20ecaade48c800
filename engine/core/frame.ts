// A frame: 1..R readings of one device under one signature and one sequence number; what a device sends.
//
//   0        1       2            6          14         22                       +96
//   version  count   layoutTag    deviceId   sequence   count × readingBytes     R8x R8y S
//
// Integers are big-endian. The bytes are canonical: decoding and encoding again gives the same bytes, or decoding throws.

import { ByteReader, concatBytes, integerToBytes } from './codec.ts'
import { AttestreamError } from './errors.ts'
import { FIELD_ORDER, checkUint } from './field.ts'
import { checkRecord, layoutId, packBits, packWords, recordBytes, unpackBits, wordCount } from './layout.ts'
import type { Layout, RawRecord } from './layout.ts'
import { SPONGE_TAG, poseidon, sponge, type Poseidon } from './poseidon.ts'
import { SUBGROUP_ORDER, sign, type Signature } from './signature.ts'

const FRAME_VERSION = 1
/** Largest R: the circuit's and the registry's bound, so that the units of a frame fit a lane. */
export const MAX_FRAME_SIZE = 64
const HEADER_BYTES = 22
const SIGNATURE_BYTES = 96

/** Content type of many frames in one request, each after its length as a big-endian u32. */
export const FRAME_SEQUENCE = 'application/vnd.attestream.frames'

/** How the frames of one applet version are read: the Reading layout, R, and the layoutId of both. */
export interface FrameFormat {
  readonly reading: Layout
  readonly frameSize: number
  readonly layoutId: bigint
}

/** What a device signs. `readings` are raw records in ABI order; 1 ≤ readings.length ≤ R. */
export interface UnsignedFrame {
  readonly deviceId: bigint
  readonly sequence: bigint
  readonly readings: readonly RawRecord[]
}

export interface Frame extends UnsignedFrame {
  readonly signature: Signature
}

/** The fields of a frame that can be read before its layout is known. */
export interface FrameHeader {
  readonly count: number
  readonly layoutTag: number
  readonly deviceId: bigint
  readonly sequence: bigint
}

export function frameFormat(reading: Layout, frameSize: number): FrameFormat {
  return { reading, frameSize, layoutId: layoutId(reading, frameSize) }
}

/** First 4 of the 31 bytes of a layoutId; picks the format of a frame, which the signature then confirms. */
export function layoutTag(id: bigint): number {
  return Number(id >> 216n)
}

/** Poseidon sponge over the words of all R places; places from `readings.length` on are zero. */
export function readingsHash(format: FrameFormat, readings: readonly RawRecord[], hash: Poseidon = poseidon): bigint {
  const words = readings.flatMap((reading) => packWords(format.reading, reading))
  const total = format.frameSize * wordCount(format.reading)
  while (words.length < total) words.push(0n)
  return sponge(SPONGE_TAG.readings, words, hash)
}

/** The field element that the device signs. `deviceDomain` binds chain, contracts and project. */
export function messageHash(
  format: FrameFormat,
  deviceDomain: bigint,
  frame: UnsignedFrame,
  hash: Poseidon = poseidon,
): bigint {
  const place = (frame.sequence << 8n) + BigInt(frame.readings.length)
  return hash([deviceDomain, frame.deviceId, format.layoutId, place, readingsHash(format, frame.readings, hash)])
}

/** Signs a frame with a device's 32-byte secret key; throws FRAME_COUNT_INVALID, RECORD_FIELD_* or NUMBER_OUT_OF_RANGE. */
export function signFrame(
  format: FrameFormat,
  deviceDomain: bigint,
  frame: UnsignedFrame,
  secretKey: Uint8Array,
): Frame {
  checkFrame(format, frame)
  return { ...frame, signature: sign(secretKey, messageHash(format, deviceDomain, frame)) }
}

/** Throws unless count, sequence, deviceId and every reading fit the format. */
export function checkFrame(format: FrameFormat, frame: UnsignedFrame): void {
  checkCount(frame.readings.length, format.frameSize)
  checkUint(frame.deviceId, 64, 'deviceId')
  checkUint(frame.sequence, 64, 'sequence')
  for (const reading of frame.readings) checkRecord(format.reading, reading)
}

/** Canonical bytes of a frame. */
export function encodeFrame(format: FrameFormat, frame: Frame): Uint8Array {
  checkFrame(format, frame)
  const size = recordBytes(format.reading)
  const { r8x, r8y, s } = frame.signature
  return concatBytes(
    Uint8Array.of(FRAME_VERSION, frame.readings.length),
    integerToBytes(BigInt(layoutTag(format.layoutId)), 4),
    integerToBytes(frame.deviceId, 8),
    integerToBytes(frame.sequence, 8),
    ...frame.readings.map((reading) => integerToBytes(packBits(format.reading, reading), size)),
    ...[r8x, r8y, s].map((value) => integerToBytes(value, 32)),
  )
}

/** Reads the header of a frame; throws FRAME_TRUNCATED or FRAME_VERSION_UNKNOWN. */
export function decodeFrameHeader(bytes: Uint8Array): FrameHeader {
  const reader = frameReader(bytes)
  const version = reader.number(1)
  if (version !== FRAME_VERSION) {
    throw new AttestreamError(
      'FRAME_VERSION_UNKNOWN',
      `The frame's first byte is ${version}; this engine reads version ${FRAME_VERSION}. Build frames with the device SDK.`,
    )
  }
  const count = reader.number(1)
  return { count, layoutTag: reader.number(4), deviceId: reader.integer(8), sequence: reader.integer(8) }
}

/** Parses canonical bytes; throws FRAME_* for anything else. The signature's ranges are checked, its validity is not. */
export function decodeFrame(format: FrameFormat, bytes: Uint8Array): Frame {
  const header = decodeFrameHeader(bytes)
  if (header.layoutTag !== layoutTag(format.layoutId)) {
    throw new AttestreamError(
      'FRAME_LAYOUT_UNKNOWN',
      `The frame's layout tag is ${header.layoutTag}; this applet version expects ${layoutTag(format.layoutId)}.`,
    )
  }
  checkCount(header.count, format.frameSize)
  checkLength(bytes, frameBytes(format, header.count))
  const reader = frameReader(bytes.subarray(HEADER_BYTES))
  const size = recordBytes(format.reading)
  const readings = Array.from({ length: header.count }, () => unpackBits(format.reading, reader.integer(size)))
  const signature = checkSignatureRange({ r8x: reader.integer(32), r8y: reader.integer(32), s: reader.integer(32) })
  return { deviceId: header.deviceId, sequence: header.sequence, readings, signature }
}

/** Length of a frame with `count` readings. */
export function frameBytes(format: FrameFormat, count: number): number {
  return HEADER_BYTES + count * recordBytes(format.reading) + SIGNATURE_BYTES
}

/** Throws FRAME_NOT_CANONICAL unless R8 is a pair of field elements and S is below the subgroup order. */
function checkSignatureRange(signature: Signature): Signature {
  const { r8x, r8y, s } = signature
  if ([r8x, r8y].some((v) => v < 0n || v >= FIELD_ORDER) || s < 0n || s >= SUBGROUP_ORDER) {
    throw new AttestreamError(
      'FRAME_NOT_CANONICAL',
      'The signature is out of range; expected R8x, R8y below the field order and S below the subgroup order.',
    )
  }
  return signature
}

function checkCount(count: number, frameSize: number): void {
  if (count < 1 || count > frameSize) {
    throw new AttestreamError('FRAME_COUNT_INVALID', `The frame holds ${count} readings; expected 1 to ${frameSize}.`)
  }
}

function checkLength(bytes: Uint8Array, expected: number): void {
  if (bytes.length < expected) throw truncated(expected, bytes.length)
  if (bytes.length > expected) {
    throw new AttestreamError('FRAME_TOO_LONG', `The frame has ${bytes.length} bytes; its header declares ${expected}.`)
  }
}

function frameReader(bytes: Uint8Array): ByteReader {
  return new ByteReader(bytes, (needed, left) => truncated(needed, left))
}

function truncated(needed: number, left: number): AttestreamError {
  return new AttestreamError('FRAME_TRUNCATED', `The frame ends early: ${needed} bytes expected, ${left} left.`)
}
