// What can be said of a frame by arithmetic alone: that its bytes are canonical, which message they carry, and whether the device's key
// signed it. Runs in worker threads; knows neither store nor chain.

import { isAttestreamError } from '../core/errors.ts'
import { decodeFrame, messageHash, type FrameFormat } from '../core/frame.ts'
import type { Poseidon } from '../core/poseidon.ts'
import type { PublicKey } from '../core/signature.ts'
import type { Failure } from '../records.ts'
import type { VerifierCache } from './verifier-cache.ts'

/** A frame and what it is checked against. */
export interface FrameCheck {
  readonly bytes: Uint8Array
  readonly format: FrameFormat
  readonly deviceDomain: bigint
  readonly deviceId: bigint
  readonly key: PublicKey
}

export interface CheckedFrame {
  readonly messageHash: bigint
  /** Of the key in the identity tree. */
  readonly leaf: bigint
  /** Whether `key` signed the message. */
  readonly signed: boolean
}

/** A frame that is not canonical has a failure. */
export type Verdict = CheckedFrame | { readonly failure: Failure }

export function checkFrame(
  { bytes, format, deviceDomain, ...device }: FrameCheck,
  hash: Poseidon,
  verifiers: VerifierCache,
): Verdict {
  try {
    const frame = decodeFrame(format, bytes)
    const message = messageHash(format, deviceDomain, frame, hash)
    const signed = verifiers.verify(device, message, frame.signature)
    return { messageHash: message, leaf: verifiers.leaf(device), signed }
  } catch (error) {
    if (!isAttestreamError(error)) throw error
    return { failure: { code: error.code, message: error.message } }
  }
}
