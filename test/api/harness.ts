// What the API's tests share: a server over an engine in memory, made anew for each test, and one way to call it.

import { afterEach, beforeEach } from 'vitest'
import { createServer, type Server } from '../../api/server.ts'
import { createDevice } from '../../sdk/index.ts'
import { DEVICE_ID, DOMAIN, READING, SECRET_KEY, createEngineDouble } from './engine-double.ts'

export const ADMIN_KEY = 'admin-key-of-the-tests'
export const UNKNOWN_ID = `0x${'ee'.repeat(32)}`

export let engine: ReturnType<typeof createEngineDouble>
export let server: Server

/** Call at the top of a test file. */
export function freshServer(): void {
  beforeEach(() => {
    engine = createEngineDouble()
    server = createServer({ engine, adminKey: ADMIN_KEY, bodyLimitBytes: 64 * 1024 })
  })
  afterEach(() => server.close())
}

export interface Call {
  key?: string
  type?: string
  body?: string | Uint8Array | object
}

export async function call(method: 'GET' | 'POST' | 'PUT', url: string, { key, type, body }: Call = {}) {
  const payload = body instanceof Uint8Array ? Buffer.from(body) : body
  const response = await server.app.inject({
    method,
    url,
    headers: { ...(key && { authorization: `Bearer ${key}` }), ...(type && { 'content-type': type }) },
    ...(payload !== undefined && { payload }),
  })
  const isJson = String(response.headers['content-type']).startsWith('application/json')
  return { status: response.statusCode, headers: response.headers, raw: response.rawPayload, json: isJson ? (response.json() as any) : undefined } // prettier-ignore
}

export function newDevice() {
  return createDevice({
    secretKey: SECRET_KEY,
    deviceId: DEVICE_ID,
    deviceDomain: DOMAIN,
    reading: READING,
    frameSize: 4,
  })
}
