// How fast signatures are checked, all checks included: S below the order, R8 on the curve, the equation times the cofactor.

import type { FrameFormat } from '../engine/core/frame.ts'
import { decodeFrame, messageHash } from '../engine/core/frame.ts'
import { publicKey } from '../engine/core/signature.ts'
import { createFastPoseidon } from '../engine/frame-check/fast-poseidon.ts'
import { createVerifierCache, type VerifierCache } from '../engine/frame-check/verifier-cache.ts'
import { median } from './machine.ts'

export interface SignatureRates {
  /** Per second, of a device that has its table of multiples. */
  readonly known: number
  /** Per second, of a device seen for the first time: its key is checked too. */
  readonly unknown: number
}

const REPEATS = 5
/** Frames of a device after which it has its table. */
const WARM_UP = 12

/** @param frames canonical bytes of frames of one device */
export async function signatureRates(
  format: FrameFormat,
  deviceDomain: bigint,
  device: { readonly deviceId: bigint; readonly secretKey: Uint8Array },
  frames: readonly Uint8Array[],
): Promise<SignatureRates> {
  const hash = await createFastPoseidon()
  const { deviceId } = device
  const key = publicKey(device.secretKey)
  const checks = frames.map((bytes) => {
    const frame = decodeFrame(format, bytes)
    const message = messageHash(format, deviceDomain, frame, hash)
    return (cache: VerifierCache) => {
      if (!cache.verify({ deviceId, key }, message, frame.signature)) throw new Error('a good signature is refused')
    }
  })
  const warm = createVerifierCache(hash)
  for (let i = 0; i < WARM_UP; i++) checks[i % checks.length]!(warm)
  return {
    known: rate(checks, () => warm),
    unknown: rate(checks, () => createVerifierCache(hash)),
  }
}

/** Median over repetitions of the whole list. */
function rate(checks: readonly ((cache: VerifierCache) => void)[], cacheOf: () => VerifierCache): number {
  const rates = Array.from({ length: REPEATS }, () => {
    const startedMs = performance.now()
    for (const check of checks) check(cacheOf())
    return (checks.length * 1000) / (performance.now() - startedMs)
  })
  return Math.round(median(rates))
}
