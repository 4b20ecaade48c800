// Ingest over a real store, real signatures and the real Poseidon, checked here instead of in threads (frame-check/pool.test.ts).
// Device look-up is a double, the store's devices and nothing behind them: what the directory does about unknown ones is tested with it,
// in devices.test.ts.

import { beforeAll, describe, expect, it } from 'vitest'
import { AttestreamError } from '../../engine/core/errors.ts'
import { frameFormat } from '../../engine/core/frame.ts'
import type { Poseidon } from '../../engine/core/poseidon.ts'
import { checkFrame } from '../../engine/frame-check/check.ts'
import { createFastPoseidon } from '../../engine/frame-check/fast-poseidon.ts'
import { createIngest, type IngestContext } from '../../engine/ingest.ts'
import { createRates } from '../../engine/rates.ts'
import type { IngestResult } from '../../engine/records.ts'
import { createVerifierCache } from '../../engine/frame-check/verifier-cache.ts'
import { device, deviceId, FORMAT, frameBytes, LAYOUTS, NOW_MS, PROJECT, testStore } from './scene.ts'

let hash: Poseidon
beforeAll(async () => {
  hash = await createFastPoseidon()
})

function scene(change: Partial<IngestContext> = {}) {
  const { store } = testStore()
  const find = async (id: bigint) => {
    const known = store.device(id)
    if (known) return known
    throw new AttestreamError('DEVICE_UNKNOWN', `No device ${id}.`)
  }
  let signed = 0
  const verifiers = createVerifierCache(hash)
  const context: IngestContext = {
    store,
    check: async (frames) => frames.map((frame) => checkFrame(frame, hash, verifiers)),
    rates: createRates({}, () => NOW_MS),
    nowMs: () => NOW_MS,
    acknowledgeWithinSec: 60,
    maxWaitingFrames: 256,
    signAcknowledgement: () => `0x${(++signed).toString(16).padStart(130, '0')}`,
    createFinder: () => find,
    projectFormat(projectId) {
      if (projectId === PROJECT.projectId) return { project: PROJECT, format: FORMAT }
      throw new AttestreamError('DEVICE_FOREIGN', `Not project ${projectId}.`)
    },
    ...change,
  }
  const ingest = createIngest(context)
  return { store, context, send: (...frames: Uint8Array[]) => ingest(frames) }
}

const codeOf = (result: IngestResult) => ('failure' in result ? result.failure.code : 'acknowledged')
const codesOf = (results: readonly IngestResult[]) => results.map(codeOf)

function altered(bytes: Uint8Array, at: number, xor = 1): Uint8Array {
  const copy = bytes.slice()
  copy[at]! ^= xor
  return copy
}

describe('ingest', () => {
  it('acknowledges what is on disk, with the hash that the device signed and a deadline', async () => {
    const { store, send } = scene()
    const [result] = await send(frameBytes(0, 1n))
    const stored = store.frame(deviceId(0), 1n)!
    expect(result).toEqual({ acknowledgement: stored.acknowledgement })
    expect(stored.acknowledgement).toMatchObject({
      deviceId: deviceId(0),
      sequence: 1n,
      messageHash: stored.messageHash,
      deadline: BigInt(NOW_MS / 1000 + 60),
    })
    expect(stored).toMatchObject({ slot: 0, cohort: 0, appletId: PROJECT.appletId, frameSize: 4, dropped: null })
  })

  it('promises no more frames of a device than may wait, over requests and within one, and takes the rest later', async () => {
    const { store, send } = scene({ maxWaitingFrames: 3 })
    expect(codesOf(await send(frameBytes(0, 1n), frameBytes(0, 2n)))).toEqual(['acknowledged', 'acknowledged'])
    const [third, fourth, other] = await send(frameBytes(0, 3n), frameBytes(0, 4n), frameBytes(1, 1n))
    expect(codesOf([third!, fourth!, other!])).toEqual(['acknowledged', 'DEVICE_QUEUE_FULL', 'acknowledged'])
    expect(store.device(deviceId(0))!.lastSequence).toBe(3n)
    store.dropFrame({ deviceId: deviceId(0), sequence: 1n }, 'makes room')
    expect(codesOf(await send(frameBytes(0, 4n), frameBytes(0, 5n)))).toEqual(['acknowledged', 'DEVICE_QUEUE_FULL'])
  })

  const good = () => frameBytes(0, 1n)
  const refusals: [string, () => Uint8Array][] = [
    ['FRAME_TRUNCATED', () => new Uint8Array()],
    ['FRAME_TRUNCATED', () => good().subarray(0, -1)],
    ['FRAME_TOO_LONG', () => Uint8Array.of(...good(), 0)],
    ['FRAME_VERSION_UNKNOWN', () => altered(good(), 0, 2)],
    ['FRAME_COUNT_INVALID', () => altered(good(), 1)],
    ['FRAME_LAYOUT_UNKNOWN', () => altered(good(), 2)],
    ['FRAME_LAYOUT_UNKNOWN', () => frameBytes(0, 1n, { format: frameFormat(LAYOUTS.reading, 8) })],
    ['FRAME_NOT_CANONICAL', () => good().fill(0xff, -32)],
    ['DEVICE_UNKNOWN', () => frameBytes(0, 1n, { id: 5n })],
    ['SIGNATURE_INVALID', () => altered(good(), 25)],
    ['SIGNATURE_INVALID', () => frameBytes(0, 1n, { seed: 1 })],
    ['SIGNATURE_INVALID', () => altered(good(), good().length - 1)],
    ['SEQUENCE_OUTDATED', () => frameBytes(0, 0n)],
    ['SEQUENCE_TOO_FAR', () => frameBytes(0, 2n ** 32n + 1n)],
  ]
  it.each(refusals)('refuses with %s and goes on with the other frames', async (code, make) => {
    const { store, send } = scene()
    const results = await send(frameBytes(1, 1n), make(), frameBytes(2, 1n))
    expect(codesOf(results)).toEqual(['acknowledged', code, 'acknowledged'])
    expect(store.pendingCount()).toBe(2)
    expect(store.device(deviceId(0))!.lastSequence).toBe(0n)
    expect(codesOf(await send(good()))).toEqual(['acknowledged'])
  })

  it('refuses a revoked device and one of a project that it does not serve', async () => {
    const { store, send } = scene()
    store.putDevices([device(0, { active: false }), device(1, { projectId: 8n, cohort: 0, deviceId: 77n })], 2n)
    expect(codesOf(await send(frameBytes(0, 1n), frameBytes(1, 1n, { id: 77n })))).toEqual([
      'DEVICE_REVOKED',
      'DEVICE_FOREIGN',
    ])
  })

  it('refuses a sequence that was used for another message, and one below the last', async () => {
    const { send } = scene()
    const other = { readings: [[9n, 9n]] }
    expect(codesOf(await send(frameBytes(0, 5n), frameBytes(0, 5n, other)))).toEqual(['acknowledged', 'SEQUENCE_REPEATED']) // prettier-ignore
    expect(codesOf(await send(frameBytes(0, 5n, other), frameBytes(0, 4n)))).toEqual(['SEQUENCE_REPEATED', 'SEQUENCE_OUTDATED']) // prettier-ignore
  })

  it('D-05 counts every forgery as one, be its sequence used, outdated or new', async () => {
    let forgeries = 0
    const rates = { ...createRates({}, () => NOW_MS), countRefusals: (_source: string, count: number) => void (forgeries += count) } // prettier-ignore
    const { context, send } = scene({ rates })
    await send(frameBytes(0, 5n))
    const forge = (bytes: Uint8Array) => altered(bytes, bytes.length - 1)
    const forged = [frameBytes(0, 5n), frameBytes(0, 5n, { readings: [[9n, 9n]] }), frameBytes(0, 4n), frameBytes(0, 6n)].map(forge) // prettier-ignore
    const results = await createIngest(context)(forged, 'somewhere')
    expect(codesOf(results)).toEqual(Array.from({ length: 4 }, () => 'SIGNATURE_INVALID'))
    expect(forgeries).toBe(4)
  })

  it('D-05 spends no check on frames of a device that is revoked, or above its rate', async () => {
    let checked = 0
    const rates = createRates({ deviceFramesPerSec: 1 / 30 }, () => NOW_MS)
    const check: IngestContext['check'] = async (frames) => {
      checked += frames.length
      return frames.map((frame) => checkFrame(frame, hash, createVerifierCache(hash)))
    }
    const { store, send } = scene({ rates, check })
    store.putDevices([device(1, { active: false })], 2n)
    expect(codesOf(await send(frameBytes(0, 1n)))).toEqual(['acknowledged'])
    expect(codesOf(await send(frameBytes(0, 2n), frameBytes(1, 1n)))).toEqual(['RATE_LIMITED', 'DEVICE_REVOKED'])
    expect(checked).toBe(1)
  })

  it('measures a step from the frame before it in the same request', async () => {
    const { send } = scene()
    const results = await send(frameBytes(0, 2n ** 32n), frameBytes(0, 2n ** 33n), frameBytes(0, 2n ** 34n))
    expect(codesOf(results)).toEqual(['acknowledged', 'acknowledged', 'SEQUENCE_TOO_FAR'])
  })

  it('takes the whole range of sequences', async () => {
    const { store, send } = scene()
    store.putFrames([{ ...(await stored(send, store)), sequence: 2n ** 64n - 2n }])
    expect(codesOf(await send(frameBytes(0, 2n ** 64n - 1n)))).toEqual(['acknowledged'])
    expect(store.device(deviceId(0))!.lastSequence).toBe(2n ** 64n - 1n)
  })
  const stored = async (send: ReturnType<typeof scene>['send'], store: ReturnType<typeof scene>['store']) => {
    await send(frameBytes(0, 1n))
    return store.frame(deviceId(0), 1n)!
  }

  it('fails as a whole, acknowledging nothing, when something breaks that is nobody’s frame', async () => {
    const { store, send } = scene({
      createFinder: () => () => Promise.reject(new Error('disk on fire')),
    })
    await expect(send(frameBytes(0, 1n))).rejects.toThrow('disk on fire')
    expect(store.pendingCount()).toBe(0)
  })
})

describe('a duplicate', () => {
  it('is answered like the first time: later, in one request, and in requests at the same time', async () => {
    const { store, send } = scene()
    const frame = frameBytes(0, 1n)
    const [first, second] = await send(frame, frame)
    const [third] = await send(frame)
    const fourth = (await Promise.all([send(frameBytes(0, 2n), frame), send(frame), send(frame)])).map((r) => r.at(-1))
    expect(codeOf(first!)).toBe('acknowledged')
    for (const again of [second, third, ...fourth]) expect(again).toEqual(first)

    const racing = frameBytes(1, 1n)
    const answers = await Promise.all([send(racing), send(racing), send(frameBytes(2, 1n), racing)])
    const [one, two, three] = answers.map((results) => results.at(-1)!)
    expect(codeOf(one!)).toBe('acknowledged')
    expect([two, three]).toEqual([one, one])
    expect(store.pendingCount()).toBe(4)
  })

  it('is answered though its device was revoked, or its layout replaced, since', async () => {
    const { store, context, send } = scene()
    const frame = frameBytes(0, 1n)
    const first = await send(frame)
    store.putDevices([device(0, { active: false })], 2n)
    expect(await send(frame)).toEqual(first)
    const format = frameFormat(LAYOUTS.reading, 8)
    const upgraded = { ...context, projectFormat: () => ({ project: { ...PROJECT, frameSize: 8 }, format }) }
    const ingest = createIngest(upgraded)
    expect(await ingest([frame])).toEqual(first)
    expect(codesOf(await ingest([frameBytes(1, 1n)]))).toEqual(['FRAME_LAYOUT_UNKNOWN'])
  })

  it('D-05 without its signature is a forgery, though the message is known', async () => {
    const { send } = scene()
    await send(frameBytes(0, 1n))
    const again = frameBytes(0, 1n)
    again.set(frameBytes(0, 2n).subarray(-96), again.length - 96)
    expect(codesOf(await send(again))).toEqual(['SIGNATURE_INVALID'])
  })
})

describe('requests at the same time', () => {
  it('that use one sequence for two messages: one is taken, the other refused', async () => {
    const { store, send } = scene()
    const rival = frameBytes(0, 1n, { readings: [[7n, 7n]] })
    const results = (await Promise.all([send(frameBytes(0, 1n)), send(rival)])).flat()
    expect(codesOf(results).sort()).toEqual(['SEQUENCE_REPEATED', 'acknowledged'])
    expect(store.pendingCount()).toBe(1)
  })

  it('that overtake each other: what came to disk later with an older sequence is refused', async () => {
    let letGo = (): void => {}
    const held = new Promise<void>((resolve) => (letGo = resolve))
    const { store, context } = scene()
    const slow = createIngest({ ...context, check: (frames) => held.then(() => context.check(frames)) })
    const late = slow([frameBytes(1, 1n), frameBytes(2, 1n), frameBytes(0, 1n)])
    expect(codesOf(await createIngest(context)([frameBytes(0, 2n)]))).toEqual(['acknowledged'])
    letGo()
    expect(codesOf(await late)).toEqual(['acknowledged', 'acknowledged', 'SEQUENCE_OUTDATED'])
    expect(store.device(deviceId(0))!.lastSequence).toBe(2n)
  })

  it('are written together, and each hears of its own frames', async () => {
    const { store, send } = scene()
    let transactions = 0
    const { putFrames } = store
    store.putFrames = (frames) => (transactions++, putFrames(frames))
    const requests = [0, 1, 2].map((slot) => send(frameBytes(slot, 1n), frameBytes(slot, 0n)))
    expect((await Promise.all(requests)).map(codesOf)).toEqual(
      [0, 1, 2].map(() => ['acknowledged', 'SEQUENCE_OUTDATED']),
    )
    expect(transactions).toBe(1)
  })

  it('all fail if the disk does, and nothing is acknowledged', async () => {
    const { store, send } = scene()
    store.putFrames = () => {
      throw new Error('disk is full')
    }
    const answers = await Promise.allSettled([send(frameBytes(0, 1n)), send(frameBytes(1, 1n))])
    expect(answers.map((answer) => answer.status)).toEqual(['rejected', 'rejected'])
    expect(store.pendingCount()).toBe(0)
  })
})

describe('rates', () => {
  it('D-05 a device beyond its rate is asked to wait; forgeries in its name cost it nothing', async () => {
    let timeMs = NOW_MS
    const nowMs = () => timeMs
    const { send } = scene({ rates: createRates({ deviceFramesPerSec: 0.1 }, nowMs), nowMs })
    const forged = Array.from({ length: 10 }, (_, i) => altered(frameBytes(0, 1n), 100, 1 + i))
    expect(new Set(codesOf(await send(...forged)))).toEqual(new Set(['SIGNATURE_INVALID']))
    const four = await send(frameBytes(0, 1n), frameBytes(0, 2n), frameBytes(0, 3n), frameBytes(0, 4n))
    expect(codesOf(four)).toEqual(['acknowledged', 'acknowledged', 'acknowledged', 'RATE_LIMITED'])
    expect(codesOf(await send(frameBytes(1, 1n), frameBytes(0, 3n)))).toEqual(['acknowledged', 'acknowledged'])
    timeMs += 10_000
    expect(codesOf(await send(frameBytes(0, 4n), frameBytes(0, 5n)))).toEqual(['acknowledged', 'RATE_LIMITED'])
  })

  it('a project has a share of its own over all its devices', async () => {
    const { send } = scene({ rates: createRates({ projectFramesPerSec: 0.1 }, () => NOW_MS) })
    const results = await send(...[0, 1, 2, 3].map((slot) => frameBytes(slot, 1n)))
    expect(codesOf(results)).toEqual(['acknowledged', 'acknowledged', 'acknowledged', 'RATE_LIMITED'])
  })

  it('D-05 a source of forgeries is turned away before they are checked; others are not', async () => {
    let timeMs = NOW_MS
    const { context } = scene({ rates: createRates({ forgeriesPerSec: 0.1 }, () => timeMs) })
    let checked = 0
    const check: IngestContext['check'] = (frames) => ((checked += frames.length), context.check(frames))
    const ingest = createIngest({ ...context, check })
    const forged = altered(frameBytes(0, 1n), 25)
    await ingest([forged, forged, forged, frameBytes(3, 9n, { id: 5n })], 'attacker')
    await expect(ingest([frameBytes(0, 1n)], 'attacker')).rejects.toMatchObject({
      code: 'TOO_MANY_REFUSED',
      details: { retryAfterSec: 20 },
    })
    expect(checked).toBe(3)
    expect(codesOf(await ingest([frameBytes(0, 1n)], 'somebody else'))).toEqual(['acknowledged'])
    timeMs += 20_000
    expect(codesOf(await ingest([frameBytes(1, 1n)], 'attacker'))).toEqual(['acknowledged'])
  })
})

describe('the verifier cache', () => {
  it('follows a rotated key at once, before and after it has made a table', async () => {
    const { store, send } = scene()
    for (let sequence = 1n; sequence <= 10n; sequence++) {
      expect(codesOf(await send(frameBytes(0, sequence)))).toEqual(['acknowledged'])
    }
    store.putDevices([device(0, {}, 60)], 2n)
    expect(codesOf(await send(frameBytes(0, 11n), frameBytes(0, 11n, { seed: 60 })))).toEqual(['SIGNATURE_INVALID', 'acknowledged']) // prettier-ignore
    store.putDevices([device(0)], 3n)
    expect(codesOf(await send(frameBytes(0, 12n, { seed: 60 }), frameBytes(0, 12n)))).toEqual(['SIGNATURE_INVALID', 'acknowledged']) // prettier-ignore
  })

  it('drops the least recently used key and knows it again later', async () => {
    const { send } = scene({ check: checkWith(createVerifierCache(hash, 2)) })
    for (const slot of [0, 1, 2, 0, 1]) {
      const sequence = slot === 2 ? 1n : undefined
      expect(codesOf(await send(frameBytes(slot, sequence ?? next(slot))))).toEqual(['acknowledged'])
    }
  })
  const checkWith =
    (verifiers: ReturnType<typeof createVerifierCache>): IngestContext['check'] =>
    async (frames) =>
      frames.map((frame) => checkFrame(frame, hash, verifiers))
  const used = [0n, 0n]
  const next = (slot: number) => (used[slot] = used[slot]! + 1n)
})
