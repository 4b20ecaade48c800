// The threads that check frames: real threads, real signatures.

import { afterAll, describe, expect, it } from 'vitest'
import type { FrameCheck } from '../../../engine/frame-check/check.ts'
import { createFrameChecks } from '../../../engine/frame-check/pool.ts'
import { device, deviceId, FORMAT, frameBytes, PROJECT } from '../scene.ts'

const checks = createFrameChecks({ threads: 2, maxWaiting: 300 })
afterAll(() => checks.close())

function checkOf(bytes: Uint8Array, slot = 0): FrameCheck {
  const { deviceDomain } = PROJECT
  return { bytes, format: FORMAT, deviceDomain, deviceId: deviceId(slot), key: device(slot).key }
}
const forged = (i: number) => {
  const bytes = frameBytes(0, 1n)
  bytes[bytes.length - 1]! ^= 1 + (i % 255)
  return checkOf(bytes)
}

describe('frame checks', () => {
  it('answer in the order of the frames, and say what is wrong with which', async () => {
    const verdicts = await checks.check([
      checkOf(frameBytes(0, 1n)),
      checkOf(frameBytes(1, 1n), 0),
      checkOf(frameBytes(0, 2n).subarray(0, -1)),
      checkOf(frameBytes(2, 1n), 2),
    ])
    expect(verdicts).toMatchObject([
      { signed: true },
      { signed: false },
      { failure: { code: 'FRAME_TRUNCATED' } },
      { signed: true },
    ])
  })

  it('leave the event loop its turns', async () => {
    let turns = 0
    const timer = setInterval(() => turns++, 1)
    const verdicts = await checks.check(Array.from({ length: 200 }, (_, i) => forged(i)))
    clearInterval(timer)
    expect(new Set(verdicts.map((verdict) => 'signed' in verdict && verdict.signed))).toEqual(new Set([false]))
    expect(turns).toBeGreaterThan(10)
  })

  it('D-05 refuse a request that does not fit into the line, and take it when the line is shorter', async () => {
    const flood = checks.check(Array.from({ length: 300 }, (_, i) => forged(i)))
    const late = Array.from({ length: 300 }, () => checkOf(frameBytes(0, 1n)))
    await expect(checks.check(late)).rejects.toMatchObject({ code: 'ENGINE_BUSY', details: { retryAfterSec: 1 } })
    await flood
    expect(await checks.check(late.slice(0, 1))).toMatchObject([{ signed: true }])
  })

  it('end with what waits refused, not forgotten', async () => {
    const closing = createFrameChecks({ threads: 1 })
    const waiting = Array.from({ length: 3 }, () => closing.check(Array.from({ length: 64 }, (_, i) => forged(i))))
    const answers = Promise.allSettled(waiting)
    await closing.close()
    for (const answer of await answers) expect(answer).toMatchObject({ reason: { code: 'ENGINE_CLOSED' } })
    await expect(closing.check([forged(0)])).rejects.toMatchObject({ code: 'ENGINE_CLOSED' })
  })
})
