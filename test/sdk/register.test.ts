import { describe, expect, it } from 'vitest'
import { encodePermission, parseAdmission, parseRotation, type SignedAdmission } from '../../engine/core/admission.ts'
import { registerDevice } from '../../sdk/register.ts'

const SIGNED: SignedAdmission = {
  format: 'attestream.admission.v1',
  chainId: 31337,
  registry: `0x${'11'.repeat(20)}`,
  signature: `0x${'ab'.repeat(65)}`,
  admission: {
    owner: `0x${'22'.repeat(20)}`,
    projectId: 7n,
    keyX: 2n ** 200n,
    keyY: 3n,
    metadataURI: 'urn:x:1',
    deadline: 9n,
  },
}
const HASH = `0x${'cd'.repeat(32)}`

describe('the file of an admission', () => {
  it('is read back as it was written', () => {
    expect(parseAdmission(JSON.parse(JSON.stringify(encodePermission(SIGNED))))).toEqual(SIGNED)
    const { format: _, admission: __, ...common } = SIGNED
    const rotation = { deviceId: 2n ** 64n - 1n, keyX: 1n, keyY: 2n, deadline: 3n }
    const rotated = { format: 'attestream.rotation.v1', ...common, signature: null, rotation } as const
    expect(parseRotation(encodePermission(rotated))).toEqual(rotated)
  })

  it.each([
    null,
    [],
    {},
    { format: 'attestream.rotation.v1' },
    { chainId: '31337' },
    { registry: '0x1' },
    { signature: 'abc' },
    { admission: null },
    ...[
      { owner: 1 },
      { projectId: 7 },
      { keyX: '-1' },
      { keyY: `1${'0'.repeat(78)}` },
      { metadataURI: null },
      { deadline: (2n ** 64n).toString() },
    ].map((change) => ({ admission: { ...(encodePermission(SIGNED) as any).admission, ...change } })),
  ])('is refused if it is another: %j', (change) => {
    const file =
      change && Object.keys(change).length > 0 ? { ...(encodePermission(SIGNED) as object), ...change } : change
    expect(() => parseAdmission(file)).toThrow(expect.objectContaining({ code: 'ADMISSION_INVALID' }))
  })
})

describe('a registration at the expense of an engine', () => {
  const answer = (status: number, body: unknown) => {
    const requests: { url: string; init: RequestInit }[] = []
    const fetch = (async (url: URL, init: RequestInit) => {
      requests.push({ url: url.href, init })
      return new Response(typeof body === 'string' ? body : JSON.stringify(body), { status })
    }) as unknown as typeof globalThis.fetch
    const registered = registerDevice(SIGNED, { url: 'https://engine.example', apiKey: 'ask_1', fetch })
    return { requests, registered }
  }

  it('sends the admission with the key of the project and gives the device', async () => {
    const { requests, registered } = answer(201, { deviceId: '43', cohort: 0, slot: 3, txHash: HASH })
    expect(await registered).toEqual({ deviceId: 43n, cohort: 0, slot: 3, txHash: HASH })
    expect(requests[0]!.url).toBe('https://engine.example/v1/devices')
    expect(requests[0]!.init.headers).toMatchObject({ authorization: 'Bearer ask_1' })
    const body = JSON.parse(requests[0]!.init.body as string) as Record<string, unknown>
    expect(Object.keys(body)).toEqual(['admission', 'signature'])
    expect(body['admission']).toMatchObject({ projectId: '7', keyX: (2n ** 200n).toString() })
  })

  it("throws the engine's error by its code", async () => {
    const error = { code: 'CHAIN_REVERTED', message: 'KeyTaken', details: { args: ['1', '2', '5'] }, requestId: 'r' }
    const refused = answer(409, { error }).registered
    await expect(refused).rejects.toMatchObject({ code: 'CHAIN_REVERTED', details: { args: ['1', '2', '5'] } })
  })

  it.each([
    [200, '<html>'],
    [201, { deviceId: 43 }],
    [201, { deviceId: '43', cohort: 0, slot: 3, txHash: '0x' }],
    [500, { error: { code: 'toString', message: 'x' } }],
    [502, ''],
  ])('throws RESPONSE_INVALID for an answer that is none: %i %j', async (status, body) => {
    await expect(answer(status, body).registered).rejects.toMatchObject({ code: 'RESPONSE_INVALID' })
  })

  it('throws ENGINE_UNREACHABLE without an answer', async () => {
    const fetch = async () => Promise.reject(new TypeError('fetch failed'))
    const registered = registerDevice(SIGNED, { url: 'https://engine.example', apiKey: 'x', fetch })
    await expect(registered).rejects.toMatchObject({ code: 'ENGINE_UNREACHABLE' })
  })
})
