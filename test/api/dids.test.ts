// Resolution of DIDs over HTTP: statuses, media types and errors of DID Resolution, and the registration that an engine pays for.

import { describe, expect, it } from 'vitest'
import { Value } from 'typebox/value'
import { DidDocument, DidResolutionReply } from '../../api/schemas.ts'
import { createServer } from '../../api/server.ts'
import { AttestreamError } from '../../engine/index.ts'
import { DEVICE_ID, OTHER_KEY, PROJECT_KEY } from './engine-double.ts'
import { ADMIN_KEY, call, engine, freshServer, server } from './harness.ts'

freshServer()

const REGISTRY = `0x${'11'.repeat(20)}`
const DID = `did:attestream:31337:${REGISTRY}:${DEVICE_ID}`

async function resolve(did: string, accept?: string) {
  const headers = accept === undefined ? {} : { accept }
  const response = await server.app.inject({ method: 'GET', url: `/1.0/identifiers/${did}`, headers })
  return { status: response.statusCode, type: response.headers['content-type'], json: response.json() as any } // prettier-ignore
}

describe('GET /1.0/identifiers/{did}', () => {
  it('gives the whole result, without a key', async () => {
    const { status, type, json } = await resolve(DID)
    expect([status, type]).toEqual([200, 'application/did-resolution'])
    expect(Value.Check(DidResolutionReply, json)).toBe(true)
    expect(json).toMatchObject({
      didDocument: { id: DID, controller: `did:pkh:eip155:31337:${REGISTRY}` },
      didDocumentMetadata: { versionId: '5', attestream: { status: 'active', projectId: '7' } },
      didResolutionMetadata: { contentType: 'application/did+ld+json' },
    })
    expect((await resolve(encodeURIComponent(DID))).json).toEqual(json)
  })

  it.each([
    ['application/did-resolution', 'application/did-resolution'],
    ['application/ld+json;profile="https://w3id.org/did-resolution"', 'application/did-resolution'],
    ['application/json', 'application/json'],
    ['text/html, */*;q=0.1', 'application/did-resolution'],
    ['application/did+ld+json;q=0.5, application/did-resolution', 'application/did-resolution'],
    ['application/did+ld+json', 'application/did+ld+json'],
    ['application/did+json', 'application/did+json'],
    ['application/did', 'application/did'],
    ['application/ld+json', 'application/ld+json'],
  ])('answers Accept: %s with %s', async (accept, type) => {
    const reply = await resolve(DID, accept)
    expect([reply.status, String(reply.type).split(';')[0]]).toEqual([200, type])
    const isDocument = !('didDocument' in reply.json)
    expect(isDocument).toBe(!/resolution|\/json/.test(type))
    if (isDocument) expect(Value.Check(DidDocument, reply.json)).toBe(true)
  })

  it.each([
    ['did:attestream:31337:nowhere:1', 400, 'invalidDid'],
    ['nonsense', 400, 'invalidDid'],
    [`${DID}%23key`, 400, 'invalidDid'],
    [`did:attestream:31337:${REGISTRY}:43`, 404, 'notFound'],
    [`did:attestream:1:${REGISTRY}:${DEVICE_ID}`, 404, 'notFound'],
    [`did:attestream:31337:0x${'22'.repeat(20)}:${DEVICE_ID}`, 404, 'notFound'],
    ['did:web:example.com', 501, 'methodNotSupported'],
    [`${DID}?versionId=3`, 501, 'featureNotSupported'],
  ])('answers %s with %i %s', async (did, status, error) => {
    const reply = await resolve(did)
    expect([reply.status, reply.type]).toEqual([status, 'application/did-resolution'])
    expect(reply.json).toMatchObject({ didDocument: null, didDocumentMetadata: {}, didResolutionMetadata: { error } })
    expect(Value.Check(DidResolutionReply, reply.json)).toBe(true)
  })

  it.each(['text/html', 'application/did+ld+json;q=0', ''])('answers Accept: %j with 406', async (accept) => {
    const { status, json } = await resolve(DID, accept)
    expect([status, json.didResolutionMetadata.error]).toEqual([406, 'representationNotSupported'])
  })

  it('B-04 answers 410 and no document for a revoked device, whatever is accepted', async () => {
    engine.identity = { status: 'revoked' }
    for (const accept of [undefined, 'application/did+ld+json']) {
      const { status, type, json } = await resolve(DID, accept)
      expect([status, type, json.didDocument]).toEqual([410, 'application/did-resolution', null])
      expect(json.didDocumentMetadata).toMatchObject({ deactivated: true, attestream: { status: 'revoked' } })
      expect(Value.Check(DidResolutionReply, json)).toBe(true)
    }
  })

  it('tells a failure that is none of the resolution as the API does, and no internals', async () => {
    engine.failWith = new AttestreamError('CHAIN_UNAVAILABLE', 'The node is away.')
    expect(await resolve(DID)).toMatchObject({ status: 503, json: { error: { code: 'CHAIN_UNAVAILABLE' } } })
    engine.failWith = new Error('secret')
    const failed = await resolve(DID)
    expect([failed.status, failed.json.error.code]).toEqual([500, 'INTERNAL'])
    expect(JSON.stringify(failed.json)).not.toContain('secret')
  })
})

describe('GET /v1/devices/{deviceId}/did', () => {
  it('gives the same result, and 200 for a revoked device: that it is there is known', async () => {
    const { status, json } = await call('GET', `/v1/devices/${DEVICE_ID}/did`)
    expect(status).toBe(200)
    expect(json).toEqual((await resolve(DID)).json)
    engine.identity = { status: 'revoked' }
    const revoked = await call('GET', `/v1/devices/${DEVICE_ID}/did`)
    expect([revoked.status, revoked.json.didDocument]).toEqual([200, null])
  })

  it('answers errors as the API does', async () => {
    expect(await call('GET', '/v1/devices/43/did')).toMatchObject({
      status: 404,
      json: { error: { code: 'DEVICE_UNKNOWN' } },
    })
    expect((await call('GET', '/v1/devices/x/did')).json.error.code).toBe('REQUEST_INVALID')
  })

  it('tells where frames go if the server knows its own address', async () => {
    const named = createServer({ engine, adminKey: ADMIN_KEY, publicUrl: 'https://engine.example' })
    const { didDocument } = (await named.app.inject(`/v1/devices/${DEVICE_ID}/did`)).json<any>() // prettier-ignore
    await named.close()
    const frames = {
      id: `${DID}#frames`,
      type: 'AttestreamFrames',
      serviceEndpoint: 'https://engine.example/v1/frames',
    }
    expect(didDocument.service).toEqual([frames])
    expect((await call('GET', `/v1/devices/${DEVICE_ID}/did`)).json.didDocument).not.toHaveProperty('service')
  })
})

describe('POST /v1/devices', () => {
  const admission = { owner: REGISTRY, projectId: '7', keyX: '1', keyY: '2', metadataURI: '', deadline: '1790000000' }
  const body = { admission, signature: `0x${'ab'.repeat(65)}` }

  it('registers at the expense of the engine, for a key of the project', async () => {
    const { status, headers, json } = await call('POST', '/v1/devices', { key: PROJECT_KEY, body })
    expect([status, headers.location]).toEqual([201, '/v1/devices/43'])
    expect(json).toMatchObject({ deviceId: '43', cohort: 0, slot: 2 })
    expect(engine.registered).toEqual([
      { owner: REGISTRY, projectId: 7n, keyX: 1n, keyY: 2n, metadataURI: '', deadline: 1790000000n },
    ])
  })

  it('takes nothing without a key of that project, and nothing malformed', async () => {
    expect((await call('POST', '/v1/devices', { body })).status).toBe(401)
    expect((await call('POST', '/v1/devices', { key: OTHER_KEY, body })).status).toBe(403)
    for (const change of [
      { owner: '0x1' },
      { keyX: (2n ** 256n).toString() },
      { deadline: '-1' },
      { metadataURI: 'a'.repeat(2049) },
      { extra: 1 },
    ]) {
      const altered = { ...body, admission: { ...admission, ...change } }
      const { status, json } = await call('POST', '/v1/devices', { key: PROJECT_KEY, body: altered })
      expect([status, json.error.code]).toEqual([400, 'REQUEST_INVALID'])
    }
    const off = await call('POST', '/v1/devices', { key: PROJECT_KEY, body: { ...body, signature: '0x00' } })
    expect([off.status, off.json.error.code]).toEqual([403, 'SPONSORING_OFF'])
    expect(engine.registered).toEqual([])
  })
})
