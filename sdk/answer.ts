// SPDX-License-Identifier: MIT
// What the engine answers to frames, parsed with suspicion: an acknowledgement counts only for the frame it names.

import type { Acknowledgement } from '../engine/core/acknowledgement.ts'
import type { Hex } from '../engine/core/codec.ts'
import { AttestreamError } from '../engine/core/errors.ts'
import { decodeFrameHeader } from '../engine/core/frame.ts'

/** What became of one frame. With `again` the same bytes may be sent later; without, the engine refused them for good. */
export type FrameOutcome =
  | { readonly acknowledgement: Acknowledgement }
  | { readonly error: { readonly code: string; readonly message: string; readonly again: boolean } }

/** Codes that say: not now. */
const PASSING: readonly string[] = [
  'ENGINE_CLOSED',
  'CHAIN_UNAVAILABLE',
  'CHAIN_UNREACHABLE',
  'DEVICE_QUEUE_FULL',
  'RATE_LIMITED',
  'INTERNAL',
]

/** Outcomes of the frames of one request, in order; throws RESPONSE_INVALID unless there is one for each. */
export function parseResults(body: unknown, frames: readonly Uint8Array[]): FrameOutcome[] {
  const results = isObject(body) ? body['results'] : undefined
  if (!Array.isArray(results) || results.length !== frames.length) {
    throw invalidAnswer(`it has no list of ${frames.length} results`)
  }
  return results.map((result: unknown, i) => parseResult(result, frames[i]!))
}

/** The error of a request that was refused as a whole. */
export function parseFailure(body: unknown): FrameOutcome {
  const { code, message } = failureOf(body)
  return { error: { code, message, again: PASSING.includes(code) } }
}

function parseResult(result: unknown, frame: Uint8Array): FrameOutcome {
  if (!isObject(result) || !isObject(result['acknowledgement'])) return parseFailure(result)
  const fields = result['acknowledgement']
  const acknowledgement = {
    deviceId: integer(fields['deviceId']),
    sequence: integer(fields['sequence']),
    messageHash: integer(fields['messageHash']),
    deadline: integer(fields['deadline']),
    signature: signature(fields['signature']),
  }
  const header = decodeFrameHeader(frame)
  if (acknowledgement.deviceId !== header.deviceId || acknowledgement.sequence !== header.sequence) {
    throw invalidAnswer('an acknowledgement names another frame')
  }
  return { acknowledgement }
}

function failureOf(body: unknown): { code: string; message: string } {
  const error = isObject(body) ? body['error'] : undefined
  if (!isObject(error)) throw invalidAnswer('it has neither an acknowledgement nor an error')
  return { code: text(error['code']), message: text(error['message']) }
}

function integer(value: unknown): bigint {
  if (typeof value !== 'string' || !/^[0-9]{1,78}$/.test(value)) throw invalidAnswer('a number is not a decimal string')
  return BigInt(value)
}

function signature(value: unknown): Hex {
  if (typeof value !== 'string' || !/^0x[0-9a-fA-F]{130}$/.test(value))
    throw invalidAnswer('a signature is not 65 bytes')
  return value as Hex
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw invalidAnswer('a text is missing')
  return value
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** RESPONSE_INVALID. */
export function invalidAnswer(why: string): AttestreamError {
  return new AttestreamError(
    'RESPONSE_INVALID',
    `The answer is not one of an Attestream engine: ${why}. Check the URL.`,
  )
}
