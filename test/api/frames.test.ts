import { describe, expect, it } from 'vitest'
import { FRAME_SEQUENCE, encodeFrameSequence } from '../../sdk/frame-sequence.ts'
import { createClient } from '../../sdk/index.ts'
import { DEVICE_ID, OTHER_KEY, PROJECT_KEY } from './engine-double.ts'
import { ADMIN_KEY, call, freshServer, newDevice, server } from './harness.ts'

freshServer()

function frameJson(sequence: string) {
  return {
    deviceId: `${DEVICE_ID}`,
    sequence,
    readings: [{ timeSec: 1, celsius: 2 }],
    signature: { r8x: '1', r8y: '2', s: '3' },
  }
}

describe('frames', () => {
  const OCTETS = 'application/octet-stream'
  const post = (type: string, body: Uint8Array | object) => call('POST', '/v1/frames', { type, body })

  it('are acknowledged one by one, and a duplicate like the first time', async () => {
    const frame = newDevice().buildFrame([{ timeSec: 60, celsius: -5 }])
    const first = await post(OCTETS, frame)
    expect(first.status).toBe(200)
    expect(first.json.acknowledgement).toMatchObject({ deviceId: '42', sequence: '1' })
    await post(OCTETS, newDevice().buildFrame([{ timeSec: 60, celsius: 6 }]))
    expect(await post(OCTETS, frame).then(({ status, json }) => [status, json])).toEqual([200, first.json])
  })

  it('are answered alone with the status of their error', async () => {
    const device = newDevice()
    const frame = device.buildFrame([{ timeSec: 60, celsius: -5 }])
    await post(OCTETS, frame)
    const forged = frame.slice()
    forged[25]! ^= 1
    const again = newDevice().buildFrame([{ timeSec: 61, celsius: -5 }])
    const outcomes = []
    for (const bytes of [
      frame.subarray(0, 40),
      Uint8Array.of(...frame, 0),
      forged,
      again,
      Uint8Array.of(9, ...frame.subarray(1)),
    ]) {
      const { status, json } = await post(OCTETS, bytes)
      outcomes.push([status, json.error.code])
    }
    expect(outcomes).toEqual([
      [400, 'FRAME_TRUNCATED'],
      [400, 'FRAME_TOO_LONG'],
      [403, 'SIGNATURE_INVALID'],
      [409, 'SEQUENCE_REPEATED'],
      [400, 'FRAME_VERSION_UNKNOWN'],
    ])
  })

  it('come many at a time, and a bad one disturbs no other', async () => {
    const device = newDevice()
    const [first, second] = [
      device.buildFrame([{ timeSec: 1, celsius: 1 }]),
      device.buildFrame([{ timeSec: 2, celsius: 2 }]),
    ]
    const mixed = await post(
      FRAME_SEQUENCE,
      encodeFrameSequence([first, new Uint8Array(), Uint8Array.of(1, 2, 3), second]),
    )
    expect(mixed.status).toBe(207)
    expect(mixed.json.results.map((result: { error?: { code: string } }) => result.error?.code ?? 'ok')).toEqual([
      'ok',
      'FRAME_TRUNCATED',
      'FRAME_TRUNCATED',
      'ok',
    ])
    expect((await post(FRAME_SEQUENCE, encodeFrameSequence([first, second]))).status).toBe(200)
  })

  it('of a sequence whose lengths do not add up are all refused', async () => {
    const frame = newDevice().buildFrame([{ timeSec: 1, celsius: 1 }])
    const whole = encodeFrameSequence([frame])
    for (const body of [
      whole.subarray(0, -1),
      Uint8Array.of(...whole, 0, 0),
      Uint8Array.of(255, 255, 255, 255, 1),
      new Uint8Array(8192),
    ]) {
      const { status, json } = await post(FRAME_SEQUENCE, body)
      expect([status, json.error.code]).toEqual([400, 'REQUEST_INVALID'])
    }
    expect((await call('GET', '/v1/frames?projectId=7', { key: ADMIN_KEY })).json.items).toEqual([])
  })

  it('have a JSON form, alone or in an array with a result for each', async () => {
    const one = await post('application/json', frameJson('5'))
    expect([one.status, one.json.error.code]).toEqual([403, 'SIGNATURE_INVALID'])
    const many = await post('application/json', [frameJson('5'), {}, null, { signature: 1 }])
    expect(many.status).toBe(207)
    expect(many.json.results.map((result: { error: { code: string } }) => result.error.code)).toEqual([
      'SIGNATURE_INVALID',
      'FRAME_JSON_INVALID',
      'INTERNAL',
      'INTERNAL',
    ])
    expect(JSON.stringify(many.json)).not.toMatch(/Cannot|undefined|TypeError/)
  })

  it.each<[string, string, Uint8Array | string, string, number]>([
    ['application/json', 'an empty array', '[]', 'REQUEST_INVALID', 400],
    ['application/json', 'a number', '3', 'REQUEST_INVALID', 400],
    ['application/json', 'cut off', '{', 'REQUEST_INVALID', 400],
    ['application/json', 'empty', '', 'REQUEST_INVALID', 400],
    ['application/json', 'a prototype', '{"__proto__":{"admin":true}}', 'REQUEST_INVALID', 400],
    ['application/json', 'a constructor', '{"a":{"constructor":{"prototype":{}}}}', 'REQUEST_INVALID', 400],
    ['text/plain', 'text', 'hello', 'MEDIA_TYPE_UNSUPPORTED', 415],
    ['application/wasm', 'an applet', Uint8Array.of(0), 'MEDIA_TYPE_UNSUPPORTED', 415],
    ['application/octet-stream', 'too large', 'x'.repeat(64 * 1024 + 1), 'BODY_TOO_LARGE', 413],
    ['application/octet-stream', 'empty', new Uint8Array(), 'FRAME_TRUNCATED', 400],
  ])('as %s that is %s are refused', async (type, _what, body, code, status) => {
    const reply = await call('POST', '/v1/frames', { type, body })
    expect([reply.json.error.code, reply.status]).toEqual([code, status])
    expect(({} as { admin?: boolean }).admin).toBeUndefined()
  })

  it('are read back by device and sequence', async () => {
    await post(OCTETS, newDevice().buildFrame([{ timeSec: 60, celsius: -5 }]))
    const { json } = await call('GET', '/v1/frames/42/1', { key: PROJECT_KEY })
    expect(json.readings).toEqual([{ timeSec: '60', celsius: '-5' }])
    expect((await call('GET', '/v1/frames/42/2', { key: PROJECT_KEY })).json.error.code).toBe('FRAME_UNKNOWN')
    expect((await call('GET', '/v1/frames/42/1', { key: OTHER_KEY })).json.error.code).toBe('ACCESS_DENIED')
    expect((await call('GET', `/v1/devices/${2n ** 64n}`, { key: PROJECT_KEY })).json.error.code).toBe(
      'REQUEST_INVALID',
    )
  })

  it('travel from the SDK over a real connection', async () => {
    const url = await server.listen()
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:/)
    const device = newDevice()
    const frames = [device.buildFrame([{ timeSec: 1, celsius: 1 }]), Uint8Array.of(...device.buildFrame([{ timeSec: 2, celsius: 1 }]), 0)] // prettier-ignore
    const [good, bad] = await createClient({ url }).send(frames)
    expect(good).toMatchObject({ acknowledgement: { deviceId: 42n, sequence: 1n } })
    expect(bad).toMatchObject({ error: { code: 'FRAME_TOO_LONG', again: false } })
  })
})
