// SPDX-License-Identifier: MIT
// Registration of a device at the expense of an engine: the project's signed admission goes to the engine, whose operator sends it to
// the chain. Whoever would rather pay sends it there alone. Not part of index.ts: a device in the field needs none of it.

import { encodePermission, type SignedAdmission } from '../engine/core/admission.ts'
import { AttestreamError, type ErrorCode } from '../engine/core/errors.ts'
import { invalidAnswer } from './answer.ts'

export interface RegisterOptions {
  /** The engine's address, such as https://engine.example. */
  readonly url: string
  /** Of the device's project. */
  readonly apiKey: string
  /** How long to wait for the transaction. Default 3 minutes. */
  readonly timeoutMs?: number
  readonly fetch?: typeof globalThis.fetch
}

export interface Registration {
  readonly deviceId: bigint
  readonly cohort: number
  readonly slot: number
  readonly txHash: `0x${string}`
}

const DEFAULT_TIMEOUT_MS = 180_000

/**
 * Asks the engine once. Throws the engine's error by its code, ENGINE_UNREACHABLE or RESPONSE_INVALID; after the last two ask again:
 * a device that is registered already is refused with CHAIN_REVERTED, KeyTaken, whose arguments name it.
 */
export async function registerDevice(signed: SignedAdmission, options: RegisterOptions): Promise<Registration> {
  const { admission, signature } = encodePermission(signed) as { admission: unknown; signature: unknown }
  const request = options.fetch ?? globalThis.fetch
  const response = await request(new URL('/v1/devices', options.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${options.apiKey}` },
    body: JSON.stringify({ admission, signature }),
    redirect: 'error',
    signal: AbortSignal.timeout(options.timeoutMs ?? DEFAULT_TIMEOUT_MS),
  }).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new AttestreamError('ENGINE_UNREACHABLE', `The engine did not answer: ${reason}. Ask again.`, {}, { cause })
  })
  const body: unknown = await response.json().catch(() => undefined)
  return response.ok ? parseRegistration(body) : refuse(body)
}

function parseRegistration(body: unknown): Registration {
  const { deviceId, cohort, slot, txHash } = (body ?? {}) as Record<string, unknown>
  const known = typeof deviceId === 'string' && /^[1-9][0-9]{0,19}$/.test(deviceId)
  if (!known || !Number.isInteger(cohort) || !Number.isInteger(slot) || !/^0x[0-9a-f]{64}$/.test(String(txHash))) {
    throw invalidAnswer('it does not name a device')
  }
  return { deviceId: BigInt(deviceId), cohort: cohort as number, slot: slot as number, txHash: txHash as `0x${string}` }
}

function refuse(body: unknown): never {
  const { code, message, details } = ((body as { error?: unknown } | undefined)?.error ?? {}) as Record<string, unknown>
  if (typeof code !== 'string' || !/^[A-Z][A-Z0-9_]+$/.test(code) || typeof message !== 'string') {
    throw invalidAnswer('it has neither a device nor an error')
  }
  throw new AttestreamError(code as ErrorCode, message, (details ?? {}) as Record<string, unknown>)
}
