// Bad input against the real engine over HTTP: everything wrong has its own code and status, and disturbs nothing else.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildApplet } from '../../applets/build.ts'
import { createProject, type DemoProject } from '../../cli/demo/project.ts'
import { verifyAcknowledgement } from '../../engine/chain/typed-data.ts'
import { decodeFrame, encodeFrame, frameFormat, layoutTag } from '../../engine/core/frame.ts'
import { integerToBytes } from '../../engine/core/codec.ts'
import { FIELD_ORDER } from '../../engine/core/field.ts'
import { SUBGROUP_ORDER, type Signature } from '../../engine/core/signature.ts'
import { createDevice, createSecretKey, encodeFrameSequence, publicKey, type Device } from '../../sdk/index.ts'
import { wat } from '../runner/wat.ts'
import { CONFIG, SHAPE } from './settled-job.ts'
import { eventually, openWorld, type TestWorld } from './world.ts'

const OCTETS = 'application/octet-stream'
const SEQUENCE = 'application/vnd.attestream.frames'
const WASM = 'application/wasm'
const TIME_SEC = 1_767_225_600

interface Answer {
  readonly status: number
  readonly text: string
  readonly json: any
}

let world: TestWorld
let project: DemoProject
let projectKey: string
/** Sign well and are never revoked; the tests take turns, so that their frames share batches. */
let meters: Device[]
let meter: Device
let revoked: Device
let foreign: Device

beforeAll(async () => {
  world = await openWorld()
  const { appletId } = await world.api.uploadApplet(await buildApplet('applets/energy-meter.ts'))
  await world.api.waitForCircuit(appletId, SHAPE, () => {})
  project = await createProject(world, world.api, { appletId, config: CONFIG, shape: SHAPE, batches: 16 })
  projectKey = await world.engine.createApiKey(project.projectId)
  meters = []
  for (let i = 0; i < SHAPE.cohortSize; i++) meters.push(await register(project.projectId))
  meter = meters[0]!
  revoked = await register(project.projectId)
  foreign = await register(await projectNotServed())
  await eventually('the devices in the engine', async () =>
    Promise.all([...meters, revoked, foreign].map(({ deviceId }) => world.engine.getDevice(deviceId))).then(
      () => true,
      () => false,
    ),
  )
})
afterAll(() => world?.close())

describe('a frame that is malformed', () => {
  it.each<[string, (frame: Uint8Array) => Uint8Array, number, string]>([
    ['empty', () => new Uint8Array(), 400, 'FRAME_TRUNCATED'],
    ['cut in its header', (frame) => frame.slice(0, 21), 400, 'FRAME_TRUNCATED'],
    ['cut in its signature', (frame) => frame.slice(0, -1), 400, 'FRAME_TRUNCATED'],
    ['longer than it says', (frame) => Uint8Array.of(...frame, 0), 400, 'FRAME_TOO_LONG'],
    ['of an unknown version', (frame) => Uint8Array.of(2, ...frame.slice(1)), 400, 'FRAME_VERSION_UNKNOWN'],
    ['without a reading', (frame) => Uint8Array.of(1, 0, ...frame.slice(2)), 400, 'FRAME_COUNT_INVALID'],
    [
      'with more readings than the version takes',
      (frame) => Uint8Array.of(1, 5, ...frame.slice(2)),
      400,
      'FRAME_COUNT_INVALID',
    ],
    ['of another layout', (frame) => patch(frame, 2, [1, 2, 3, 4]), 422, 'FRAME_LAYOUT_UNKNOWN'],
    ['with S + l (B-01)', resigned(({ s }) => ({ s: s + SUBGROUP_ORDER })), 400, 'FRAME_NOT_CANONICAL'],
    ['with R8.x + r (B-01)', resigned(({ r8x }) => ({ r8x: r8x + FIELD_ORDER })), 400, 'FRAME_NOT_CANONICAL'],
    ['with R8 off the curve (B-01)', resigned(({ r8y }) => ({ r8y: r8y ^ 1n })), 403, 'SIGNATURE_INVALID'],
    ['with R8 the neutral point (B-01)', resigned(() => ({ r8x: 0n, r8y: 1n })), 403, 'SIGNATURE_INVALID'],
    ['with R8 of order two (B-01)', resigned(() => ({ r8x: 0n, r8y: FIELD_ORDER - 1n })), 403, 'SIGNATURE_INVALID'],
    ['with a signature of zeros (B-01)', resigned(() => ({ r8x: 0n, r8y: 0n, s: 0n })), 403, 'SIGNATURE_INVALID'],
  ])('%s', async (_, spoil, status, code) => {
    expect(outcome(await post(OCTETS, spoil(unsent())))).toEqual([status, code])
  })

  it('beyond what a request may carry is refused before it is read', async () => {
    expect(outcome(await post(OCTETS, new Uint8Array(1024 * 1024 + 1)))).toEqual([413, 'BODY_TOO_LARGE'])
  })

  it('of no known content type is refused', async () => {
    expect(outcome(await post('text/plain', unsent()))).toEqual([415, 'MEDIA_TYPE_UNSUPPORTED'])
  })

  it('of a megabyte of noise costs one answer, and the engine stays well', async () => {
    const noise = Uint8Array.from({ length: 1_000_000 }, (_, i) => (i * 197 + 11) % 256)
    expect(outcome(await post(OCTETS, noise))).toEqual([400, 'FRAME_VERSION_UNKNOWN'])
    expect(outcome(await post(SEQUENCE, noise))).toEqual([400, 'REQUEST_INVALID'])
    expect((await call('GET', '/health', {})).json).toMatchObject({ ok: true })
  })
})

describe('a frame of a device that may not send', () => {
  it('unknown (B-04)', async () => {
    const frame = deviceOf(createSecretKey(), 404n).buildFrame(readings(1))
    expect(outcome(await post(OCTETS, frame))).toEqual([404, 'DEVICE_UNKNOWN'])
  })

  it('of a project that this engine does not serve', async () => {
    expect(outcome(await post(OCTETS, foreign.buildFrame(readings(1))))).toEqual([403, 'DEVICE_FOREIGN'])
  })

  it('revoked on chain: its new frames are refused, its acknowledged ones are answered as before (B-04)', async () => {
    const before = revoked.buildFrame(readings(1))
    const first = await post(OCTETS, before)
    expect(first.status).toBe(200)
    await world.chain.revokeDevice(revoked.deviceId, { privateKey: world.owners[0]!.privateKey })
    await eventually('the revocation in the engine', async () => {
      return !(await world.engine.getDevice(revoked.deviceId)).active
    })
    expect(outcome(await post(OCTETS, revoked.buildFrame(readings(1))))).toEqual([403, 'DEVICE_REVOKED'])
    expect((await post(OCTETS, before)).text).toBe(first.text)
  })

  it('signed by another key, or altered after signing', async () => {
    const { deviceId } = meter
    const sequence = 1_000n
    const forged = deviceOf(createSecretKey(), deviceId, sequence).buildFrame(readings(1))
    expect(outcome(await post(OCTETS, forged))).toEqual([403, 'SIGNATURE_INVALID'])
    expect(outcome(await post(OCTETS, patch(unsent(), 29, [9])))).toEqual([403, 'SIGNATURE_INVALID'])
  })

  it('signed for another project, contract or chain (B-02)', async () => {
    const elsewhere = deviceOf(keys.get(meter.deviceId)!, meter.deviceId, meter.sequence, project.deviceDomain + 1n)
    expect(outcome(await post(OCTETS, elsewhere.buildFrame(readings(1))))).toEqual([403, 'SIGNATURE_INVALID'])
  })
})

describe('a sequence', () => {
  it('used twice, gone back or too far ahead has its own code each (B-03)', async () => {
    const sent = meter.buildFrame(readings(1))
    expect((await post(OCTETS, sent)).status).toBe(200)
    const from = (sequence: bigint) =>
      deviceOf(keys.get(meter.deviceId)!, meter.deviceId, sequence).buildFrame(readings(2))
    expect(outcome(await post(OCTETS, from(meter.sequence - 1n)))).toEqual([409, 'SEQUENCE_REPEATED'])
    const ahead = meter.sequence + 10n
    expect((await post(OCTETS, from(ahead - 1n))).status).toBe(200)
    expect(outcome(await post(OCTETS, from(ahead - 2n)))).toEqual([409, 'SEQUENCE_OUTDATED'])
    expect(outcome(await post(OCTETS, from(ahead + 2n ** 32n)))).toEqual([409, 'SEQUENCE_TOO_FAR'])
    expect(outcome(await post(OCTETS, from(2n ** 64n - 2n)))).toEqual([409, 'SEQUENCE_TOO_FAR'])
    while (meter.sequence < ahead) meter.buildFrame(readings(1))
  })
})

describe('the JSON form', () => {
  beforeAll(() => void (meter = meters[1]!))

  it('of a good frame is acknowledged like its bytes', async () => {
    const frame = meter.buildFrame(readings(2))
    const first = await post('application/json', jsonOf(frame))
    expect(first.status).toBe(200)
    expect((await post(OCTETS, frame)).text).toBe(first.text)
  })

  it.each<[string, (frame: any) => unknown, number, string]>([
    ['a reading above its width', (f) => withReading(f, { wattHours: '4294967296' }), 400, 'RECORD_FIELD_OUT_OF_RANGE'],
    ['a reading below its width', (f) => withReading(f, { wattHours: '-1' }), 400, 'RECORD_FIELD_OUT_OF_RANGE'],
    ['a reading that is huge', (f) => withReading(f, { wattHours: '9'.repeat(78) }), 400, 'RECORD_FIELD_OUT_OF_RANGE'],
    ['a reading with a fraction', (f) => withReading(f, { wattHours: 1.5 }), 400, 'FRAME_JSON_INVALID'],
    ['a reading of text', (f) => withReading(f, { wattHours: 'much' }), 400, 'FRAME_JSON_INVALID'],
    ['a field too many', (f) => withReading(f, { volts: 230 }), 400, 'RECORD_FIELD_UNKNOWN'],
    ['a field too few', (f) => ({ ...f, readings: [{ timeSec: TIME_SEC }] }), 400, 'RECORD_FIELD_MISSING'],
    ['a reading that is a list', (f) => ({ ...f, readings: [[1, 2]] }), 400, 'FRAME_JSON_INVALID'],
    ['no reading', (f) => ({ ...f, readings: [] }), 400, 'FRAME_COUNT_INVALID'],
    ['five readings', (f) => ({ ...f, readings: Array(5).fill(f.readings[0]) }), 400, 'FRAME_COUNT_INVALID'],
    ['no signature', ({ signature: _, ...f }) => f, 400, 'FRAME_JSON_INVALID'],
    ['a signature beyond 32 bytes', (f) => withSignature(f, { s: `${2n ** 256n}` }), 400, 'NUMBER_OUT_OF_RANGE'],
    ['a negative signature', (f) => withSignature(f, { r8x: '-1' }), 400, 'NUMBER_OUT_OF_RANGE'],
    ['a deviceId beyond 64 bits', (f) => ({ ...f, deviceId: `${2n ** 64n}` }), 400, 'NUMBER_OUT_OF_RANGE'],
    ['a negative deviceId', (f) => ({ ...f, deviceId: '-1' }), 400, 'NUMBER_OUT_OF_RANGE'],
    ['a sequence beyond 64 bits', (f) => ({ ...f, sequence: `${2n ** 64n}` }), 400, 'NUMBER_OUT_OF_RANGE'],
    ['an unknown device', (f) => ({ ...f, deviceId: '404' }), 404, 'DEVICE_UNKNOWN'],
    ['a foreign device', (f) => ({ ...f, deviceId: `${foreign.deviceId}` }), 403, 'DEVICE_FOREIGN'],
    ['null', () => null, 400, 'REQUEST_INVALID'],
    ['a number', () => 7, 400, 'REQUEST_INVALID'],
    ['nothing', () => ({}), 400, 'FRAME_JSON_INVALID'],
  ])('with %s is refused', async (_, spoil, status, code) => {
    expect(outcome(await post('application/json', spoil(jsonOf(unsent()))))).toEqual([status, code])
  })

  it('that is no JSON, or reaches for prototypes, is refused', async () => {
    const send = (text: string) => post('application/json', new TextEncoder().encode(text))
    expect(outcome(await send('{"deviceId":'))).toEqual([400, 'REQUEST_INVALID'])
    expect(outcome(await send('{"__proto__":{"deviceId":"1"}}'))).toEqual([400, 'REQUEST_INVALID'])
  })
})

describe('good frames among bad ones', () => {
  beforeAll(() => void (meter = meters[2]!))

  it('are acknowledged in the same request, in order, and nothing acknowledged is lost', async () => {
    const [first, second] = [meter.buildFrame(readings(1)), meter.buildFrame(readings(2))]
    const forged = patch(second, 29, [9])
    const unknown = deviceOf(createSecretKey(), 405n).buildFrame(readings(1))
    const answer = await post(
      SEQUENCE,
      encodeFrameSequence([unknown, first, first.slice(0, 50), forged, second, first]),
    )
    expect(answer.status).toBe(207)
    expect(answer.json.results.map((result: any) => result.error?.code ?? result.acknowledgement.sequence)).toEqual([
      'DEVICE_UNKNOWN',
      `${meter.sequence - 1n}`,
      'FRAME_TRUNCATED',
      'SIGNATURE_INVALID',
      `${meter.sequence}`,
      `${meter.sequence - 1n}`,
    ])
    for (const sequence of [meter.sequence - 1n, meter.sequence]) {
      const kept = await call('GET', `/v1/frames/${meter.deviceId}/${sequence}`, { key: projectKey })
      expect(kept.status).toBe(200)
    }
  })

  it('are acknowledged as JSON too', async () => {
    const frame = jsonOf(meter.buildFrame(readings(1)))
    const answer = await post('application/json', [{}, frame, withReading(frame, { wattHours: '-1' })])
    expect(answer.status).toBe(207)
    expect(answer.json.results.map((result: any) => result.error?.code ?? 'acknowledged')).toEqual([
      'FRAME_JSON_INVALID',
      'acknowledged',
      'RECORD_FIELD_OUT_OF_RANGE',
    ])
  })
})

describe('a frame that was acknowledged', () => {
  beforeAll(() => void (meter = meters[3]!))

  it('is answered byte for byte like the first time when it is sent again: alone, among many, ten at once', async () => {
    const frame = meter.buildFrame(readings(3))
    const first = await post(OCTETS, frame)
    expect(first.status).toBe(200)
    expect((await post(OCTETS, frame)).text).toBe(first.text)
    const many = await post(SEQUENCE, encodeFrameSequence([frame, frame]))
    expect(many).toMatchObject({ status: 200, json: { results: [first.json, first.json] } })

    const next = meter.buildFrame(readings(3))
    const answers = await Promise.all(Array.from({ length: 10 }, () => post(OCTETS, next)))
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1)
    expect(answers[0]!.status).toBe(200)
  })

  it('has an acknowledgement that the operator signed, and that no other word fits', async () => {
    const { acknowledgement } = (await post(OCTETS, meter.buildFrame(readings(1)))).json
    const content = {
      deviceId: BigInt(acknowledgement.deviceId),
      sequence: BigInt(acknowledgement.sequence),
      messageHash: BigInt(acknowledgement.messageHash),
      deadline: BigInt(acknowledgement.deadline),
      signature: acknowledgement.signature,
    }
    const domain = { chainId: world.chain.chainId, verifyingContract: world.chain.addresses.settlement }
    const { operator } = world.engine
    await verifyAcknowledgement(operator, domain, content)
    for (const field of ['deviceId', 'sequence', 'messageHash', 'deadline'] as const) {
      const altered = verifyAcknowledgement(operator, domain, { ...content, [field]: content[field] + 1n })
      await expect(altered, field).rejects.toMatchObject({ code: 'ACKNOWLEDGEMENT_INVALID' })
    }
  })
})

describe('projects and keys', () => {
  const newProject = (projectId: string, config: object = CONFIG) =>
    call('POST', '/v1/projects', { key: world.adminKey, type: 'application/json', body: { projectId, config } })

  it('an unknown project', async () => {
    expect(outcome(await call('GET', '/v1/projects/77', { key: world.adminKey }))).toEqual([404, 'PROJECT_UNKNOWN'])
    expect(outcome(await newProject('77'))).toEqual([404, 'PROJECT_UNKNOWN'])
  })

  it('a config that is not the one on chain', async () => {
    const other = { ...CONFIG, unitsPerKwh: 999_999 }
    expect(outcome(await newProject(`${project.projectId}`, other))).toEqual([409, 'PROJECT_CONFIG_MISMATCH'])
    const wide = { ...CONFIG, unitsPerKwh: 2 ** 24 }
    expect(outcome(await newProject(`${project.projectId}`, wide))).toEqual([400, 'RECORD_FIELD_OUT_OF_RANGE'])
  })

  it('a missing, wrong or foreign API key', async () => {
    const path = `/v1/projects/${project.projectId}`
    expect(outcome(await call('GET', path, {}))).toEqual([401, 'API_KEY_MISSING'])
    expect(outcome(await call('GET', path, { key: `${projectKey}x` }))).toEqual([401, 'API_KEY_INVALID'])
    expect(outcome(await call('GET', path, { key: world.adminKey.slice(0, -1) }))).toEqual([401, 'API_KEY_INVALID'])
    expect((await call('GET', path, { key: projectKey })).status).toBe(200)
    const elsewhere = await call('GET', `/v1/devices/${foreign.deviceId}`, { key: projectKey })
    expect(outcome(elsewhere)).toEqual([403, 'ACCESS_DENIED'])
    const upload = await call('POST', '/v1/applets', { key: projectKey, type: WASM, body: new Uint8Array(8) })
    expect(outcome(upload)).toEqual([403, 'ACCESS_DENIED'])
  })
})

describe('an applet', () => {
  const upload = (body: Uint8Array) => call('POST', '/v1/applets', { key: world.adminKey, type: WASM, body })

  it.each<[string, () => Uint8Array, number, string]>([
    [
      'with floats',
      () => wat({ body: '(i32.trunc_f64_s (f64.convert_i32_u (i32.load (local.get $reading))))' }),
      400,
      'APPLET_FLOATS',
    ],
    [
      'with an import',
      () => wat({ body: '(call $now)', memory: '(import "env" "now" (func $now (result i32))) (memory 1 1)' }),
      400,
      'APPLET_IMPORTS',
    ],
    ['with an endless loop', () => wat({ body: '(loop $l (br $l)) (unreachable)' }), 422, 'APPLET_BUDGET_EXCEEDED'],
    ['of 10 MB', () => new Uint8Array(10 * 1024 * 1024), 413, 'APPLET_TOO_LARGE'],
    ['of a byte more than the limit', () => new Uint8Array(256 * 1024 + 1), 413, 'APPLET_TOO_LARGE'],
    ['of garbage', () => Uint8Array.from({ length: 4096 }, (_, i) => (i * 31) % 251), 400, 'WASM_MALFORMED'],
    ['of nothing', () => new Uint8Array(), 400, 'WASM_MALFORMED'],
    ['without its ABI', () => Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0), 400, 'APPLET_ABI_MISSING'],
  ])('%s is refused with its own code', async (_, wasm, status, code) => {
    expect(outcome(await upload(wasm()))).toEqual([status, code])
  })

  it('that is refused leaves the engine as it was', async () => {
    const { items } = (await call('GET', '/v1/applets', { key: world.adminKey })).json
    expect(items).toHaveLength(1)
    expect((await call('GET', '/health', {})).json).toMatchObject({ ok: true, failedTasks: 0 })
  })
})

it('after all this, every acknowledged frame of the good devices is settled', async () => {
  await world.engine.flush()
  const { projectId } = project
  const frames = await world.engine.listFrames({ projectId }, { limit: 200 })
  const good = frames.filter(({ deviceId }) => deviceId !== revoked.deviceId)
  const states = await Promise.all(good.map(async ({ taskId }) => (await world.engine.getTask(taskId!)).state))
  expect(states).toEqual(Array(9).fill('settled'))
})

const keys = new Map<bigint, Uint8Array>()

function deviceOf(secretKey: Uint8Array, deviceId: bigint, sequence = 0n, domain = project.deviceDomain): Device {
  const { frameSize } = SHAPE
  return createDevice({ secretKey, deviceId, deviceDomain: domain, reading: project.abi.reading, frameSize, sequence })
}

/** A well-signed frame of the good device whose sequence is not used up. */
function unsent(): Uint8Array {
  return deviceOf(keys.get(meter.deviceId)!, meter.deviceId, meter.sequence).buildFrame(readings(1))
}

function readings(count: number) {
  return Array.from({ length: count }, (_, i) => ({ timeSec: TIME_SEC + 60 * i, wattHours: 1000 + i }))
}

function format() {
  return frameFormat(project.abi.reading, SHAPE.frameSize)
}

function resigned(change: (signature: Signature) => Partial<Signature>): (frame: Uint8Array) => Uint8Array {
  return (frame) => {
    const { signature } = decodeFrame(format(), frame)
    const { r8x, r8y, s } = { ...signature, ...change(signature) }
    return patch(
      frame,
      frame.length - 96,
      [r8x, r8y, s].flatMap((value) => [...integerToBytes(value, 32)]),
    )
  }
}

function patch(frame: Uint8Array, at: number, bytes: readonly number[]): Uint8Array {
  const out = frame.slice()
  out.set(bytes, at)
  return out
}

function jsonOf(bytes: Uint8Array): any {
  const { deviceId, sequence, readings: raw, signature } = decodeFrame(format(), bytes)
  expect(encodeFrame(format(), { deviceId, sequence, readings: raw, signature })).toEqual(bytes)
  expect(layoutTag(format().layoutId)).toBe(new DataView(bytes.buffer, bytes.byteOffset).getUint32(2))
  const { r8x, r8y, s } = signature
  return {
    deviceId: `${deviceId}`,
    sequence: `${sequence}`,
    readings: raw.map(([timeSec, wattHours]) => ({ timeSec: Number(timeSec), wattHours: `${wattHours}` })),
    signature: { r8x: `${r8x}`, r8y: `${r8y}`, s: `${s}` },
  }
}

function withReading(frame: any, change: object): object {
  return { ...frame, readings: [{ ...frame.readings[0], ...change }] }
}

function withSignature(frame: any, change: object): object {
  return { ...frame, signature: { ...frame.signature, ...change } }
}

async function register(projectId: bigint): Promise<Device> {
  const { chain, projectOwner, owners } = world
  const owner = owners[0]!
  const secretKey = createSecretKey()
  const { x: keyX, y: keyY } = publicKey(secretKey)
  const deadline = BigInt(Math.floor(Date.now() / 1000)) + 600n
  const admission = { owner: owner.address, projectId, keyX, keyY, metadataURI: 'urn:test', deadline }
  const signature = await chain.signAdmission(projectOwner.privateKey, admission)
  const { deviceId } = await chain.registerDevice(admission, signature, { privateKey: owner.privateKey })
  keys.set(deviceId, secretKey)
  return deviceOf(secretKey, deviceId)
}

async function projectNotServed(): Promise<bigint> {
  const { chain, projectOwner, operator } = world
  const terms = await chain.getProject(project.projectId)
  const { projectId } = await chain.createProject(
    { ...terms, owner: projectOwner.address, admitter: projectOwner.address, sequencer: operator.address },
    { privateKey: projectOwner.privateKey },
  )
  return projectId
}

function outcome({ status, json }: Answer): [number, string] {
  return [status, json?.error?.code]
}

async function post(type: string, body: unknown): Promise<Answer> {
  return call('POST', '/v1/frames', { type, body })
}

async function call(
  method: string,
  path: string,
  { key, type, body }: { key?: string; type?: string; body?: unknown },
): Promise<Answer> {
  const response = await fetch(new URL(path, world.apiUrl), {
    method,
    headers: { ...(key && { authorization: `Bearer ${key}` }), ...(type && { 'content-type': type }) },
    ...(body !== undefined && { body: body instanceof Uint8Array ? body.slice() : JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, text, json: JSON.parse(text) }
}
