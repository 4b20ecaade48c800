import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { connect } from 'node:net'
import { Value } from 'typebox/value'
import type { TSchema } from 'typebox'
import { createServer, type Server } from '../../api/server.ts'
import * as schemas from '../../api/schemas.ts'
import { pageOf } from '../../api/page.ts'
import { parseReceipt } from '../../engine/index.ts'
import { FRAME_SEQUENCE, encodeFrameSequence } from '../../sdk/frame-sequence.ts'
import { createClient, createDevice } from '../../sdk/index.ts'
import {
  DA_BYTES,
  DA_POINTER,
  DEVICE_ID,
  DOMAIN,
  FAILED_TASK_ID,
  OTHER_KEY,
  PROJECT_KEY,
  READING,
  SECRET_KEY,
  TASK_ID,
  createEngineDouble,
} from './engine-double.ts'

const ADMIN_KEY = 'admin-key-of-the-tests'
const UNKNOWN_ID = `0x${'ee'.repeat(32)}`

let engine: ReturnType<typeof createEngineDouble>
let server: Server

beforeEach(() => {
  engine = createEngineDouble()
  server = createServer({ engine, adminKey: ADMIN_KEY, bodyLimitBytes: 64 * 1024 })
})
afterEach(() => server.close())

interface Call {
  key?: string
  type?: string
  body?: string | Uint8Array | object
}

async function call(method: 'GET' | 'POST' | 'PUT', url: string, { key, type, body }: Call = {}) {
  const payload = body instanceof Uint8Array ? Buffer.from(body) : body
  const response = await server.app.inject({
    method,
    url,
    headers: { ...(key && { authorization: `Bearer ${key}` }), ...(type && { 'content-type': type }) },
    ...(payload !== undefined && { payload }),
  })
  const isJson = String(response.headers['content-type']).startsWith('application/json')
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  return { status: response.statusCode, headers: response.headers, raw: response.rawPayload, json: isJson ? (response.json() as any) : undefined } // prettier-ignore
}

function newDevice() {
  return createDevice({
    secretKey: SECRET_KEY,
    deviceId: DEVICE_ID,
    deviceDomain: DOMAIN,
    reading: READING,
    frameSize: 4,
  })
}

function frameJson(sequence: string) {
  return {
    deviceId: `${DEVICE_ID}`,
    sequence,
    readings: [{ timeSec: 1, celsius: 2 }],
    signature: { r8x: '1', r8y: '2', s: '3' },
  }
}

describe('keys', () => {
  const KEYED = [
    ['GET', '/v1/applets'],
    ['POST', `/v1/applets/${TASK_ID}/circuits`],
    ['GET', '/v1/projects'],
    ['GET', '/v1/projects/7'],
    ['POST', '/v1/projects/7/keys'],
    ['GET', '/v1/devices?projectId=7'],
    ['GET', '/v1/devices/42'],
    ['GET', '/v1/frames?projectId=7'],
    ['GET', '/v1/frames/42/1'],
    ['GET', '/v1/batches?projectId=7'],
    ['GET', `/v1/batches/${TASK_ID}`],
    ['GET', '/v1/tasks?projectId=7'],
    ['GET', `/v1/tasks/${TASK_ID}`],
    ['POST', `/v1/tasks/${FAILED_TASK_ID}/retry`],
    ['GET', '/v1/settlements?projectId=7'],
    ['GET', '/v1/claims?projectId=7'],
  ] as const
  const shapeOf = (url: string): Call => (url.endsWith('circuits') ? { body: { cohortSize: 4, frameSize: 4 } } : {})

  it.each(KEYED)('are needed for %s %s', async (method, url) => {
    const without = await call(method, url, shapeOf(url))
    expect([without.status, without.json.error.code]).toEqual([401, 'API_KEY_MISSING'])
    expect(without.headers['www-authenticate']).toBe('Bearer')
    const wrong = await call(method, url, { ...shapeOf(url), key: 'wrong' })
    expect([wrong.status, wrong.json.error.code]).toEqual([401, 'API_KEY_INVALID'])
  })

  it.each([
    '/v1/projects/7',
    '/v1/devices?projectId=7',
    '/v1/devices/42',
    '/v1/frames?projectId=7',
    '/v1/batches?projectId=7',
    `/v1/batches/${TASK_ID}`,
    '/v1/tasks?projectId=7',
    `/v1/tasks/${TASK_ID}`,
    '/v1/settlements?projectId=7',
    '/v1/claims?projectId=7',
  ])(
    // prettier-ignore
    'of another project are refused at %s',
    async (url) => {
      const reply = await call('GET', url, { key: OTHER_KEY })
      expect([reply.status, reply.json.error.code]).toEqual([403, 'ACCESS_DENIED'])
      expect((await call('GET', url, { key: PROJECT_KEY })).status).toBe(200)
      expect((await call('GET', url, { key: ADMIN_KEY })).status).toBe(200)
    },
  )

  it('of a project do not reach what only the admin may do', async () => {
    const create = { key: PROJECT_KEY, body: { projectId: '7', config: {} } }
    for (const reply of [
      await call('POST', '/v1/projects', create),
      await call('POST', '/v1/projects/7/keys', { key: PROJECT_KEY }),
      await call('POST', '/v1/applets', { key: PROJECT_KEY, type: 'application/wasm', body: Uint8Array.of(0) }),
      await call('POST', `/v1/applets/${TASK_ID}/circuits`, {
        key: PROJECT_KEY,
        body: { cohortSize: 4, frameSize: 4 },
      }),
      await call('POST', `/v1/tasks/${FAILED_TASK_ID}/retry`, { key: OTHER_KEY }),
    ]) {
      expect([reply.status, reply.json.error.code]).toEqual([403, 'ACCESS_DENIED'])
    }
  })

  it('of a project see its own project in lists without naming it', async () => {
    const projects = await call('GET', '/v1/projects', { key: PROJECT_KEY })
    expect(projects.json.items.map((project: { projectId: string }) => project.projectId)).toEqual(['7'])
    expect((await call('GET', '/v1/tasks', { key: PROJECT_KEY })).json.items).toHaveLength(2)
    const admin = await call('GET', '/v1/tasks', { key: ADMIN_KEY })
    expect([admin.status, admin.json.error.code]).toEqual([400, 'REQUEST_INVALID'])
  })

  it.each(['Basic abc', 'Bearer', 'Bearer a b', 'Bearer ümlaut'])('in the header %s are refused', async (header) => {
    const reply = await server.app.inject({ url: '/v1/projects', headers: { authorization: header } })
    expect(reply.json().error.code).toBe('API_KEY_INVALID')
  })

  it('of the admin must be long', () => {
    expect(() => createServer({ engine, adminKey: 'short' })).toThrow('at least 16')
  })
})

describe('applets', () => {
  const upload = (body: Uint8Array, type = 'application/wasm') =>
    call('POST', '/v1/applets', { key: ADMIN_KEY, type, body })

  it('are uploaded as bytes and read back with ABI, circuits and the same bytes', async () => {
    const wasm = Uint8Array.of(0, 0x61, 0x73, 0x6d)
    const created = await upload(wasm)
    expect(created.status).toBe(201)
    expect(created.json.abi.maxUnitsPerFrame).toBe('137438953472')
    const url = String(created.headers.location)
    expect((await call('GET', url)).json).toEqual(created.json)
    const bytes = await call('GET', `${url}/wasm`)
    expect(new Uint8Array(bytes.raw)).toEqual(wasm)
    expect(bytes.headers['content-type']).toBe('application/wasm')
    const circuit = await call('POST', `${url}/circuits`, { key: ADMIN_KEY, body: { cohortSize: 4, frameSize: 8 } })
    expect([circuit.status, circuit.json.status, circuit.json.frameSize]).toEqual([202, 'building', 8])
  })

  it('of the wrong kind are refused with their own code', async () => {
    expect((await upload(Uint8Array.of(1))).json.error.code).toBe('WASM_MALFORMED')
    expect((await upload(new Uint8Array(256 * 1024))).status).toBe(201)
    const large = await upload(new Uint8Array(256 * 1024 + 1))
    expect([large.status, large.json.error.code]).toEqual([413, 'APPLET_TOO_LARGE'])
    const text = await upload(Uint8Array.of(0x7b, 0x7d), 'application/json')
    expect([text.status, text.json.error.code]).toEqual([415, 'MEDIA_TYPE_UNSUPPORTED'])
    expect((await call('POST', '/v1/applets', { key: ADMIN_KEY })).status).toBe(415)
    expect((await call('GET', `/v1/applets/${UNKNOWN_ID}`)).json.error.code).toBe('APPLET_UNKNOWN')
  })

  it('do not read a body before they know the key', async () => {
    const reply = await call('POST', '/v1/applets', {
      key: 'wrong',
      type: 'application/wasm',
      body: new Uint8Array(300_000),
    })
    expect(reply.json.error.code).toBe('API_KEY_INVALID')
  })
})

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

describe('projects, tasks and evidence', () => {
  it('creates projects and keys', async () => {
    const body = { projectId: '9', config: { maxWatts: 11000, price: '1000000000000000000', on: true } }
    const project = await call('POST', '/v1/projects', { key: ADMIN_KEY, body })
    expect([project.status, project.json.config]).toEqual([201, ['11000', '1000000000000000000', '1']])
    const key = await call('POST', '/v1/projects/9/keys', { key: ADMIN_KEY })
    expect([key.status, key.json, key.headers['cache-control']]).toEqual([201, { projectId: '9', apiKey: 'key-of-9' }, 'no-store']) // prettier-ignore
  })

  it.each([
    [{ projectId: 9, config: {} }, 'body.projectId'],
    [{ projectId: '9' }, 'body'],
    [{ projectId: '9', config: { a: 1.5 } }, 'body.config.a'],
    [{ projectId: '9', config: {}, more: 1 }, 'body'],
  ])('names the path of what is wrong in %j', async (body, path) => {
    const { status, json } = await call('POST', '/v1/projects', { key: ADMIN_KEY, body })
    expect([status, json.error.code]).toEqual([400, 'REQUEST_INVALID'])
    expect(json.error.details.problems.map((problem: { path: string }) => problem.path)).toContain(path)
  })

  it('retries a failed task and no other', async () => {
    const retried = await call('POST', `/v1/tasks/${FAILED_TASK_ID}/retry`, { key: PROJECT_KEY })
    expect([retried.status, retried.json.state]).toEqual([202, 'closed'])
    const settled = await call('POST', `/v1/tasks/${TASK_ID}/retry`, { key: PROJECT_KEY })
    expect([settled.status, settled.json.error.code]).toEqual([409, 'TASK_NOT_FAILED'])
  })

  it('filters tasks by state and pages lists', async () => {
    const failed = await call('GET', '/v1/tasks?state=failed', { key: PROJECT_KEY })
    expect(failed.json.items.map((task: { taskId: string }) => task.taskId)).toEqual([FAILED_TASK_ID])
    expect((await call('GET', '/v1/tasks?state=lost', { key: PROJECT_KEY })).json.error.code).toBe('REQUEST_INVALID')
    const first = await call('GET', '/v1/tasks?limit=1', { key: PROJECT_KEY })
    expect([first.json.items.length, first.json.nextOffset]).toEqual([1, 1])
    const rest = await call('GET', '/v1/tasks?limit=5&offset=1', { key: PROJECT_KEY })
    expect([rest.json.items.length, rest.json.nextOffset]).toEqual([1, null])
    for (const query of ['limit=0', 'limit=201', 'limit=x', 'offset=-1', 'surprise=1']) {
      expect((await call('GET', `/v1/tasks?${query}`, { key: PROJECT_KEY })).status).toBe(400)
    }
  })

  it('shows receipts and DA objects to anybody', async () => {
    const receipt = await call('GET', `/v1/receipts/${TASK_ID}`)
    expect(parseReceipt(receipt.json).batchNumber).toBe(12n)
    expect((await call('GET', `/v1/receipts/${UNKNOWN_ID}`)).json.error.code).toBe('RECEIPT_UNKNOWN')
    const object = await call('GET', `/v1/da/${DA_POINTER}`)
    expect(new Uint8Array(object.raw)).toEqual(DA_BYTES)
    expect(object.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'cache-control': 'public, max-age=31536000, immutable',
      'x-content-type-options': 'nosniff',
    })
    const missing = await call('GET', `/v1/da/${UNKNOWN_ID}`)
    expect([missing.json.error.code, missing.headers['cache-control']]).toEqual(['DA_OBJECT_UNKNOWN', 'no-store'])
  })

  it.each<[string, TSchema]>([
    ['/v1/projects/7', schemas.Project],
    ['/v1/devices?projectId=7', pageOf(schemas.Device)],
    ['/v1/frames', pageOf(schemas.Frame)],
    ['/v1/batches', pageOf(schemas.Batch)],
    [`/v1/batches/${TASK_ID}`, schemas.BatchWithFrames],
    ['/v1/tasks', pageOf(schemas.Task)],
    [`/v1/receipts/${TASK_ID}`, schemas.Receipt],
    ['/v1/settlements', pageOf(schemas.Settlement)],
    ['/v1/claims', pageOf(schemas.Claim)],
    ['/health', schemas.Health],
    ['/version', schemas.Version],
    ['/v1/tasks/0x12', schemas.ErrorReply],
  ])('answers %s in the documented shape', async (url, schema) => {
    await call('POST', '/v1/frames', { type: 'application/octet-stream', body: newDevice().buildFrame([{ timeSec: 1, celsius: 1 }]) }) // prettier-ignore
    const { json } = await call('GET', url, { key: PROJECT_KEY })
    expect([...Value.Errors(schema, json)]).toEqual([])
  })
})

describe('the server', () => {
  it('says 503 while the engine is not well', async () => {
    engine.health = async () => ({
      ok: false,
      chainId: 1,
      blockNumber: null,
      pendingFrames: 0,
      openTasks: 0,
      failedTasks: 0,
    })
    const { status, json } = await call('GET', '/health')
    expect([status, json.ok]).toEqual([503, false])
  })

  it.each([new Error('password=hunter2 at /etc/secret'), 'a string', null, { statusCode: 400, message: 'hunter2' }])(
    'never tells what an unknown failure says: %s',
    async (failure) => {
      engine.failWith = failure
      const reply = await call('GET', '/health')
      expect([reply.status, reply.json.error.code]).toEqual([500, 'INTERNAL'])
      expect(JSON.stringify(reply.json)).not.toContain('hunter2')
      expect(reply.json.error.requestId).toBe(reply.headers['x-request-id'])
    },
  )

  it('answers unknown routes, methods and broken paths in its own shape', async () => {
    for (const [method, url] of [
      ['GET', '/v2/x'],
      ['PUT', '/v1/projects'],
      ['GET', '/v1/frames/42'],
      ['GET', '/../package.json'],
    ] as const) {
      // prettier-ignore
      const { status, json } = await call(method, url)
      expect([status, json.error.code]).toEqual([404, 'ROUTE_UNKNOWN'])
    }
    expect((await call('GET', '/v1/devices/%zz', { key: ADMIN_KEY })).json.error.code).toBe('REQUEST_INVALID')
    expect((await call('GET', `/v1/devices/${'1'.repeat(500)}`, { key: ADMIN_KEY })).json.error.code).toMatch(/REQUEST_INVALID|ROUTE_UNKNOWN/) // prettier-ignore
  })

  it('answers bytes that are no HTTP in its own shape', async () => {
    const { port } = new URL(await server.listen())
    const text = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), '127.0.0.1', () => socket.write('NONSENSE\r\n\r\n'))
      let received = ''
      socket
        .on('data', (data) => (received += data))
        .on('end', () => resolve(received))
        .on('error', reject)
    })
    expect(text).toContain('400 Bad Request')
    expect(text).toContain('"code":"REQUEST_INVALID"')
  })

  it('describes every route in an OpenAPI 3.1 document with examples', async () => {
    const { json } = await call('GET', '/openapi.json')
    expect(json.openapi).toBe('3.1.0')
    expect(Object.keys(json.paths).sort()).toMatchInlineSnapshot(`
      [
        "/health",
        "/v1/applets",
        "/v1/applets/{appletId}",
        "/v1/applets/{appletId}/circuits",
        "/v1/applets/{appletId}/wasm",
        "/v1/batches",
        "/v1/batches/{taskId}",
        "/v1/claims",
        "/v1/da/{daPointer}",
        "/v1/devices",
        "/v1/devices/{deviceId}",
        "/v1/frames",
        "/v1/frames/{deviceId}/{sequence}",
        "/v1/projects",
        "/v1/projects/{projectId}",
        "/v1/projects/{projectId}/keys",
        "/v1/receipts/{taskId}",
        "/v1/settlements",
        "/v1/tasks",
        "/v1/tasks/{taskId}",
        "/v1/tasks/{taskId}/retry",
        "/version",
      ]
    `)
    expect(Object.keys(json.paths['/v1/frames'].post.requestBody.content)).toEqual([
      'application/octet-stream',
      'application/vnd.attestream.frames',
      'application/json',
    ])
    expect(json.paths['/v1/frames'].post.requestBody.content['application/json']).toHaveProperty('examples.example2')
    expect(json.paths['/v1/frames'].post.security).toBeUndefined()
    expect(json.paths['/v1/projects'].post.security).toEqual([{ bearer: [] }])
    expect(json.paths['/v1/applets'].post.requestBody.content).toHaveProperty('application/wasm')
  })
})
