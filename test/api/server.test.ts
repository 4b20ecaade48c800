import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import type { TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { pageOf } from '../../api/page.ts'
import * as schemas from '../../api/schemas.ts'
import { createServer } from '../../api/server.ts'
import { parseReceipt } from '../../engine/index.ts'
import { DA_BYTES, DA_POINTER, FAILED_TASK_ID, OTHER_KEY, PROJECT_KEY, TASK_ID } from './engine-double.ts'
import { ADMIN_KEY, UNKNOWN_ID, call, engine, freshServer, newDevice, server, type Call } from './harness.ts'

freshServer()

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
  it('says 503 while the engine is not well, and what it waits for', async () => {
    const hash = `0x${'12'.repeat(32)}` as const
    const account = `0x${'34'.repeat(20)}` as const
    const transaction = {
      account,
      nonce: 3,
      action: 'settle batch 1',
      taskIds: [hash],
      txHash: hash,
      attempts: 2,
      sinceMs: 1,
    }
    engine.health = async () => ({
      ok: false,
      chainId: 1,
      blockNumber: null,
      pendingFrames: 0,
      openTasks: 0,
      failedTasks: 0,
      waiting: [{ code: 'CHAIN_FUNDS_LOW', message: 'Waiting for funds of 0x12', tasks: 2 }],
      transactions: [{ ...transaction, trouble: { code: 'CHAIN_FEE_CAPPED', message: 'dear' } }],
    })
    const { status, json } = await call('GET', '/health')
    expect([status, json.ok]).toEqual([503, false])
    expect(json.waiting).toEqual([{ code: 'CHAIN_FUNDS_LOW', message: 'Waiting for funds of 0x12', tasks: 2 }])
    expect(json.transactions).toMatchObject([{ nonce: 3, trouble: { code: 'CHAIN_FEE_CAPPED' } }])
  })

  it('asks the engine for its health once for many who ask at the same time', async () => {
    const { health } = engine
    let asked = 0
    engine.health = async () => {
      asked++
      return health()
    }
    const replies = await Promise.all(Array.from({ length: 20 }, () => call('GET', '/health')))
    expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 200))
    expect(asked).toBe(1)
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
        "/1.0/identifiers/{did}",
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
        "/v1/devices/{deviceId}/did",
        "/v1/frames",
        "/v1/frames/{deviceId}/{sequence}",
        "/v1/projects",
        "/v1/projects/{projectId}",
        "/v1/projects/{projectId}/configs",
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
