// SPDX-License-Identifier: MIT
// A device: its key, its place on chain, and its sequence, which only grows. Two frames are never signed with one
// sequence, so whoever keeps a device over restarts stores `sequence` before sending and passes it in again.

import { createConnectToken } from '../engine/core/connect-token.ts'
import { AttestreamError } from '../engine/core/errors.ts'
import { MAX_FRAME_SIZE, encodeFrame, frameFormat, signFrame } from '../engine/core/frame.ts'
import { encodeRecord, type Layout, type NamedRecord } from '../engine/core/layout.ts'
import { publicKey, type PublicKey } from '../engine/core/signature.ts'

export interface DeviceOptions {
  /** 32 bytes; copied. */
  readonly secretKey: Uint8Array
  /** The identifier under which the key is registered. */
  readonly deviceId: bigint
  /** The project's deviceDomain: `GET /v1/projects/{projectId}`, or computed from chain, contracts and project. */
  readonly deviceDomain: bigint
  /** The applet's Reading layout: `abi.reading`. */
  readonly reading: Layout
  /** Most readings in a frame, fixed by the applet version: 1 to 64. */
  readonly frameSize: number
  /** The last sequence this device has used; frames go on above it. Default 0. */
  readonly sequence?: bigint
}

export interface Device {
  readonly deviceId: bigint
  readonly key: PublicKey
  /** Most readings that `buildFrame` takes. */
  readonly frameSize: number
  /** The last sequence used; store it before sending. */
  readonly sequence: bigint
  /**
   * Signs 1 to frameSize readings under the next sequence and gives the frame's canonical bytes. Send exactly these
   * bytes, again if need be. Throws RECORD_FIELD_*, FRAME_COUNT_INVALID or SEQUENCE_EXHAUSTED, and then uses no sequence.
   */
  buildFrame(readings: readonly NamedRecord[]): Uint8Array
  /** The password for the engine's MQTT broker, with the deviceId as user name; good for five minutes around `timeSec`, seconds since 1970. */
  createConnectToken(timeSec: number): string
}

const LAST_SEQUENCE = (1n << 64n) - 1n

export function createDevice(options: DeviceOptions): Device {
  const { deviceId, deviceDomain, reading, frameSize } = options
  checkFrameSize(frameSize)
  const secretKey = options.secretKey.slice()
  const key = publicKey(secretKey)
  const format = frameFormat(reading, frameSize)
  let sequence = options.sequence ?? 0n
  return {
    deviceId,
    key,
    frameSize,
    get sequence() {
      return sequence
    },
    buildFrame(readings) {
      const records = readings.map((values) => encodeRecord(reading, values))
      const unsigned = { deviceId, sequence: nextSequence(sequence), readings: records }
      const bytes = encodeFrame(format, signFrame(format, deviceDomain, unsigned, secretKey))
      sequence = unsigned.sequence
      return bytes
    },
    createConnectToken: (timeSec) => createConnectToken(secretKey, { deviceId, deviceDomain }, timeSec),
  }
}

function nextSequence(sequence: bigint): bigint {
  if (sequence >= LAST_SEQUENCE) {
    throw new AttestreamError('SEQUENCE_EXHAUSTED', 'The device has used sequence 2^64 − 1; register a new device.')
  }
  return sequence + 1n
}

function checkFrameSize(frameSize: number): void {
  if (!Number.isInteger(frameSize) || frameSize < 1 || frameSize > MAX_FRAME_SIZE) {
    throw new AttestreamError(
      'NUMBER_OUT_OF_RANGE',
      `frameSize is ${frameSize}; expected an integer from 1 to ${MAX_FRAME_SIZE}, as the applet version has it.`,
    )
  }
}
