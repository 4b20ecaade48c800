import { describe, expect, it } from 'vitest'
import { decodeFrameSequence } from '../../api/frame-sequence.ts'
import { decodeFrameHeader } from '../../engine/core/frame.ts'
import { createClient, createDevice, type ClientOptions } from '../../sdk/index.ts'

const device = createDevice({
  deviceId: 9n,
  deviceDomain: 1n,
  reading: [{ name: 'timeSec', type: 'u32', bits: 32, offset: 0 }],
  frameSize: 1,
  secretKey: new Uint8Array(32).fill(5),
})
const FRAMES = [1, 2, 3].map((timeSec) => device.buildFrame([{ timeSec }]))
/** 65 bytes; the client does not check what they sign. */
const SIGNATURE = `0x${'07'.repeat(65)}`

type Reply = (frames: Uint8Array[]) => Response | Promise<Response>

/** A client whose n-th request is answered by the n-th reply, the last one repeated; pauses are recorded, not waited. */
function clientWith(replies: Reply[], options: Partial<ClientOptions> = {}) {
  const requests: Uint8Array[][] = []
  const pauses: number[] = []
  const client = createClient({
    url: 'http://engine.test/ignored/path',
    random: () => 1,
    delay: async (ms) => void pauses.push(ms),
    now: () => Date.parse('2026-01-01T00:00:00Z'),
    fetch: async (input, init) => {
      expect(String(input)).toBe('http://engine.test/v1/frames')
      const frames = decodeFrameSequence(init!.body as Uint8Array)
      requests.push(frames)
      return (replies[requests.length - 1] ?? replies.at(-1)!)(frames)
    },
    ...options,
  })
  return { client, requests, pauses }
}

const acknowledge: Reply = (frames) =>
  Response.json({ results: frames.map((frame) => ({ acknowledgement: ack(frame) })) })
const busy =
  (status: number, retryAfter?: string): Reply =>
  () =>
    new Response('busy', { status, headers: retryAfter === undefined ? {} : { 'retry-after': retryAfter } })
const offline: Reply = () => {
  throw new TypeError('fetch failed')
}

function ack(frame: Uint8Array) {
  const { deviceId, sequence } = decodeFrameHeader(frame)
  return { deviceId: `${deviceId}`, sequence: `${sequence}`, messageHash: '5', deadline: '6', signature: SIGNATURE }
}

describe('sending frames', () => {
  it('gives an acknowledgement for each frame, in order', async () => {
    const { client, requests, pauses } = clientWith([acknowledge])
    const outcomes = await client.send(FRAMES)
    expect(outcomes.map((outcome) => 'acknowledgement' in outcome && outcome.acknowledgement.sequence)).toEqual([
      1n,
      2n,
      3n,
    ])
    expect(requests).toEqual([FRAMES])
    expect(pauses).toEqual([])
  })

  it('sends nothing for no frames', async () => {
    const { client, requests } = clientWith([offline])
    expect(await client.send([])).toEqual([])
    expect(requests).toEqual([])
  })

  it('tries again with growing pauses when the network fails or the engine is busy', async () => {
    const { client, requests, pauses } = clientWith([offline, busy(503), busy(429), acknowledge])
    const outcomes = await client.send(FRAMES)
    expect(outcomes.every((outcome) => 'acknowledgement' in outcome)).toBe(true)
    expect(pauses).toEqual([500, 1000, 2000])
    expect(requests).toHaveLength(4)
  })

  it('waits at least as long as Retry-After asks, in seconds or until a date', async () => {
    const { client, pauses } = clientWith(
      [busy(429, '7'), busy(503, 'Thu, 01 Jan 2026 00:00:05 GMT'), busy(503, 'soon'), acknowledge],
      { random: () => 0 },
    )
    await client.send(FRAMES)
    expect(pauses).toEqual([7000, 5000, 0])
  })

  it('gives up after its attempts and says that the frames may be sent again', async () => {
    const { client, requests, pauses } = clientWith([offline], { attempts: 3 })
    const outcomes = await client.send(FRAMES)
    expect(outcomes).toHaveLength(3)
    expect(outcomes.every((outcome) => 'error' in outcome && outcome.error.code === 'ENGINE_UNREACHABLE' && outcome.error.again)).toBe(true) // prettier-ignore
    expect(requests).toHaveLength(3)
    expect(pauses).toHaveLength(2)
  })

  it('sends later groups only after earlier ones were taken, so that sequences stay in order', async () => {
    const many = Array.from({ length: 300 }, (_, i) => FRAMES[i % 3]!)
    const cut = clientWith([offline], { attempts: 1 })
    expect(await cut.client.send(many)).toHaveLength(300)
    expect(cut.requests.map((frames) => frames.length)).toEqual([256])
    const whole = clientWith([acknowledge])
    expect(await whole.client.send(many)).toHaveLength(300)
    expect(whole.requests.map((frames) => frames.length)).toEqual([256, 44])
  })

  it('does not retry what the engine refused for good, and keeps the others', async () => {
    const refuseFirst: Reply = (frames) =>
      Response.json(
        { results: frames.map((frame, i) => (i === 0 ? { error: { code: 'SIGNATURE_INVALID', message: 'no' } } : { acknowledgement: ack(frame) })) }, // prettier-ignore
        { status: 207 },
      )
    const { client, requests } = clientWith([refuseFirst])
    const [first, second] = await client.send(FRAMES)
    expect(first).toEqual({ error: { code: 'SIGNATURE_INVALID', message: 'no', again: false } })
    expect(second).toHaveProperty('acknowledgement')
    expect(requests).toHaveLength(1)
  })

  it.each(['ENGINE_CLOSED', 'RATE_LIMITED'])('sends only those frames again that got %s', async (code) => {
    const notNow: Reply = (frames) =>
      Response.json({ results: frames.map((frame, i) => (i === 1 ? { error: { code, message: 'not now' } } : { acknowledgement: ack(frame) })) }) // prettier-ignore
    const { client, requests } = clientWith([notNow, acknowledge])
    const outcomes = await client.send(FRAMES)
    expect(outcomes.every((outcome) => 'acknowledgement' in outcome)).toBe(true)
    expect(requests[1]).toEqual([FRAMES[1]])
  })

  it('reports a refused request as the outcome of each of its frames', async () => {
    const { client } = clientWith([
      () => Response.json({ error: { code: 'BODY_TOO_LARGE', message: 'big' } }, { status: 413 }),
    ])
    const outcomes = await client.send(FRAMES)
    expect(outcomes).toEqual(FRAMES.map(() => ({ error: { code: 'BODY_TOO_LARGE', message: 'big', again: false } })))
  })

  it.each<[string, Reply]>([
    ['a page that is no JSON', () => new Response('<html>log in</html>')],
    ['too few results', () => Response.json({ results: [] })],
    ['an acknowledgement of another frame', (frames) => Response.json({ results: frames.map(() => ({ acknowledgement: ack(FRAMES[2]!) })) })], // prettier-ignore
    ['an acknowledgement without a deadline', (frames) => Response.json({ results: frames.map((frame) => ({ acknowledgement: { ...ack(frame), deadline: null } })) })], // prettier-ignore
    ['null', () => Response.json(null)],
  ])('never takes %s for an acknowledgement', async (_what, reply) => {
    const { client } = clientWith([reply], { attempts: 2 })
    const outcomes = await client.send(FRAMES)
    expect(outcomes.every((outcome) => 'error' in outcome && outcome.error.again)).toBe(true)
  })
})
