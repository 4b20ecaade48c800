// Frames over MQTT: the embedded broker with real clients, and a Mosquitto of the machine as a broker that somebody else runs. The engine is the
// API's double, which verifies signatures with the real core.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect as connectSocket, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { once } from 'node:events'
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startMqttBridge, type MqttBridge } from '../../api/mqtt/bridge.ts'
import { startMqttBroker, type MqttBroker } from '../../api/mqtt/broker.ts'
import { createConnectToken } from '../../engine/core/connect-token.ts'
import { AttestreamError } from '../../engine/index.ts'
import { encodeFrameSequence } from '../../sdk/frame-sequence.ts'
import { createEngineDouble, DEVICE_ID, DOMAIN, OTHER_KEY, PROJECT_KEY, SECRET_KEY } from './engine-double.ts'
import { newDevice } from './harness.ts'

const NOW_SEC = 1_800_000_000
const FRAMES = `attestream/devices/${DEVICE_ID}/frames`
const RESULTS = `attestream/devices/${DEVICE_ID}/results`
const READING = { timeSec: 60, celsius: -5 }
const place = { deviceId: DEVICE_ID, deviceDomain: DOMAIN }
const token = (timeSec = NOW_SEC, secretKey = SECRET_KEY) => createConnectToken(secretKey, place, timeSec)
const deviceLogin = (password = token()) => ({ username: `${DEVICE_ID}`, password })

const clients: MqttClient[] = []
afterEach(async () => {
  for (const client of clients.splice(0)) await client.endAsync(true)
})

async function connect(url: string, options: IClientOptions = {}): Promise<MqttClient> {
  const client = await connectAsync(url, { reconnectPeriod: 0, protocolVersion: 4, ...options }, false)
  clients.push(client)
  return client
}

/** Subscribes and gives the answers as they come. */
async function answersOf(client: MqttClient, topic: string): Promise<() => Promise<any>> {
  const waiting: ((answer: unknown) => void)[] = []
  const came: unknown[] = []
  client.on('message', (_topic, payload) => {
    const answer = JSON.parse(payload.toString()) as unknown
    const next = waiting.shift()
    if (next) next(answer)
    else came.push(answer)
  })
  await client.subscribeAsync(topic, { qos: 1 })
  return () => (came.length > 0 ? Promise.resolve(came.shift()) : new Promise((resolve) => waiting.push(resolve)))
}

describe('the embedded broker', () => {
  let engine: ReturnType<typeof createEngineDouble>
  let broker: MqttBroker
  beforeEach(async () => {
    engine = createEngineDouble()
    broker = await startMqttBroker({ engine, nowMs: () => NOW_SEC * 1000, maxPacketBytes: 10_000 })
  })
  afterEach(() => broker.close())

  it('takes a frame, then many in one message, and says what became of each', async () => {
    const client = await connect(broker.url, deviceLogin())
    const next = await answersOf(client, RESULTS)
    const device = newDevice()
    await client.publishAsync(FRAMES, Buffer.from(device.buildFrame([READING])), { qos: 1 })
    expect(await next()).toMatchObject({ results: [{ acknowledgement: { deviceId: '42', sequence: '1' } }] })
    const [second, third] = [device.buildFrame([READING]), device.buildFrame([READING])]
    third[30]! ^= 1
    await client.publishAsync(FRAMES, Buffer.from(encodeFrameSequence([second, third])), { qos: 1 })
    expect(await next()).toMatchObject({
      results: [{ acknowledgement: { sequence: '2' } }, { error: { code: 'SIGNATURE_INVALID' } }],
    })
    await client.publishAsync(FRAMES, Buffer.from([0, 0, 0, 9, 1]), { qos: 1 })
    expect(await next()).toMatchObject({ error: { code: 'REQUEST_INVALID' } })
  })

  it('acknowledges a message only when its frames are kept, and waits while the engine is busy', async () => {
    const client = await connect(broker.url, deviceLogin())
    const { ingest } = engine
    let tries = 0
    engine.ingest = async (frames, source) => {
      if (++tries < 3) throw new AttestreamError('ENGINE_BUSY', 'full')
      return ingest(frames, source)
    }
    await client.publishAsync(FRAMES, Buffer.from(newDevice().buildFrame([READING])), { qos: 1 })
    expect(tries).toBe(3)
    expect((await engine.getFrame(DEVICE_ID, 1n)).sequence).toBe(1n)
  })

  it('lets a gateway with a project key send for many devices', async () => {
    const client = await connect(broker.url, { username: 'gateway:roof-7', password: PROJECT_KEY })
    const next = await answersOf(client, 'attestream/gateways/roof-7/results')
    await client.publishAsync('attestream/gateways/roof-7/frames', Buffer.from(newDevice().buildFrame([READING])), { qos: 1 }) // prettier-ignore
    expect(await next()).toMatchObject({ results: [{ acknowledgement: { sequence: '1' } }] })
  })

  const strangers: [string, IClientOptions][] = [
    ['nobody', {}],
    ['a token of another key', deviceLogin(token(NOW_SEC, new Uint8Array(32).fill(4)))],
    ['an old token', deviceLogin(token(NOW_SEC - 301))],
    ['a token of the future', deviceLogin(token(NOW_SEC + 301))],
    ['a token with another time than the signed one', deviceLogin(token().replace(/^\d+/, `${NOW_SEC + 1}`))],
    ['a word in place of a token', deviceLogin('secret')],
    ['a device that nobody registered', { username: '43', password: token() }],
    ['a gateway without a key', { username: 'gateway:roof-7', password: 'guess' }],
    ['a gateway of a name that is a topic', { username: 'gateway:a/../b', password: PROJECT_KEY }],
  ]
  it.each(strangers)('refuses %s', async (_who, login) => {
    await expect(connect(broker.url, login)).rejects.toMatchObject({ code: 4 })
  })

  it('takes tokens within five minutes of its clock', async () => {
    for (const offset of [-300, 300]) await connect(broker.url, deviceLogin(token(NOW_SEC + offset)))
  })

  it('lets nobody publish or listen on the topics of others', async () => {
    const client = await connect(broker.url, deviceLogin())
    for (const topic of ['#', 'attestream/#', 'attestream/devices/43/results', 'attestream/devices/+/frames', FRAMES]) {
      await expect(client.subscribeAsync(topic)).rejects.toThrow()
    }
    const closed = new Promise((resolve) => client.once('close', resolve as () => void))
    client.publish('attestream/devices/43/frames', Buffer.from(newDevice().buildFrame([READING])), { qos: 1 })
    await closed
    await expect(engine.getFrame(DEVICE_ID, 1n)).rejects.toMatchObject({ code: 'FRAME_UNKNOWN' })
  })

  it('does not hand the session of one user to another who takes its client id', async () => {
    const device = await connect(broker.url, { ...deviceLogin(), clientId: 'same' })
    const gateway = await connect(broker.url, { username: 'gateway:g', password: PROJECT_KEY, clientId: 'same' })
    await device.publishAsync(FRAMES, Buffer.from(newDevice().buildFrame([READING])), { qos: 1 })
    expect([device.connected, gateway.connected]).toEqual([true, true])
  })

  it('D-05 keeps gateways of two projects apart that have one name and one client id', async () => {
    const login = (password: string) => ({ username: 'gateway:roof-7', password, clientId: 'same' })
    const ours = await connect(broker.url, login(PROJECT_KEY))
    const theirs = await connect(broker.url, login(OTHER_KEY))
    const heard: string[] = []
    theirs.on('message', (topic) => heard.push(topic))
    await theirs.subscribeAsync('attestream/gateways/roof-7/results')
    const next = await answersOf(ours, 'attestream/gateways/roof-7/results')
    await ours.publishAsync('attestream/gateways/roof-7/frames', Buffer.from(newDevice().buildFrame([READING])), { qos: 1 }) // prettier-ignore
    expect(await next()).toMatchObject({ results: [{ acknowledgement: { sequence: '1' } }] })
    await theirs.publishAsync('attestream/gateways/roof-7/frames', Buffer.from([9]), { qos: 1 })
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect([ours.connected, theirs.connected, heard.length]).toEqual([true, true, 1])
  })

  it('D-05 has one session for a device, however many client ids it thinks of', async () => {
    const first = await connect(broker.url, { ...deviceLogin(), clientId: 'a' })
    const closed = new Promise((resolve) => first.once('close', resolve as () => void))
    await connect(broker.url, { ...deviceLogin(), clientId: 'b' })
    await closed
  })

  it('B-03 ingests what a device sends at once in its order, be the engine slow or busy in between', async () => {
    const { ingest } = engine
    let calls = 0
    engine.ingest = async (frames, source) => {
      if (++calls === 1) throw new AttestreamError('ENGINE_BUSY', 'full')
      return ingest(frames, source)
    }
    const client = await connect(broker.url, deviceLogin())
    const device = newDevice()
    const frames = Array.from({ length: 9 }, () => device.buildFrame([READING]))
    const order: bigint[] = []
    const inner = engine.ingest
    engine.ingest = async (some, source) => {
      const results = await inner(some, source)
      for (const result of results) if ('acknowledgement' in result) order.push(result.acknowledgement.sequence)
      return results
    }
    await Promise.all(frames.map((frame) => client.publishAsync(FRAMES, Buffer.from(frame), { qos: 1 })))
    expect(order.map(Number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it('D-05 disconnects who announces a packet larger than it takes, before it comes', async () => {
    const client = await connect(broker.url, deviceLogin())
    const closed = new Promise((resolve) => client.once('close', resolve as () => void))
    client.publish(FRAMES, Buffer.alloc(20_000), { qos: 1 })
    await closed
    const { port } = new URL(broker.url)
    const socket = connectSocket(Number(port), '127.0.0.1')
    socket.on('error', () => {})
    socket.write(Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f])) // CONNECT of 256 MB
    await once(socket, 'close')
  })
})

const mosquitto = spawnSync('mosquitto', ['-h']).error ? undefined : 'mosquitto'

describe.skipIf(!mosquitto)('a broker of somebody else (skipped where no mosquitto is installed)', () => {
  let child: ChildProcess
  let url: string
  let directory: string
  beforeAll(async () => {
    const port = await freePort()
    directory = mkdtempSync(join(tmpdir(), 'attestream-mosquitto-'))
    const config = join(directory, 'mosquitto.conf')
    writeFileSync(config, `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence false\n`)
    child = spawn(mosquitto!, ['-c', config], { stdio: 'ignore' })
    url = `mqtt://127.0.0.1:${port}`
    await listening(port)
  })
  afterAll(async () => {
    child.kill()
    await once(child, 'exit')
    rmSync(directory, { recursive: true })
  })

  it.each([4, 5] as const)('carries frames and answers over protocol %i', async (protocolVersion) => {
    const engine = createEngineDouble()
    const bridge: MqttBridge = await startMqttBridge({ engine, url, protocolVersion, connections: 2 })
    try {
      const client = await connect(url, { protocolVersion })
      const next = await answersOf(client, RESULTS)
      const device = newDevice()
      const sent = [1, 2, 3, 4].map(() => device.buildFrame([READING]))
      await Promise.all(sent.map((frame) => client.publishAsync(FRAMES, Buffer.from(frame), { qos: 1 })))
      const answers = [await next(), await next(), await next(), await next()]
      const sequences = answers.map(({ results }) => results[0].acknowledgement.sequence as string)
      expect(sequences.sort()).toEqual(['1', '2', '3', '4'])
    } finally {
      await bridge.close()
    }
  })

  it('keeps what comes while the engine is away', async () => {
    const engine = createEngineDouble()
    const options = { engine, url, name: 'kept', connections: 2 }
    await (await startMqttBridge(options)).close()
    const client = await connect(url)
    const next = await answersOf(client, RESULTS)
    await client.publishAsync(FRAMES, Buffer.from(newDevice().buildFrame([READING])), { qos: 1 })
    const bridge = await startMqttBridge(options)
    try {
      expect(await next()).toMatchObject({ results: [{ acknowledgement: { sequence: '1' } }] })
    } finally {
      await bridge.close()
    }
  })

  it('has nothing acknowledged by an engine that is shutting down', async () => {
    let asked = (): void => {}
    const wasAsked = new Promise<void>((resolve) => (asked = resolve))
    const closing = createEngineDouble()
    closing.ingest = async () => {
      asked()
      throw new AttestreamError('ENGINE_CLOSED', 'shutting down')
    }
    const options = { url, name: 'restarting', connections: 1, protocolVersion: 4 as const }
    const first = await startMqttBridge({ ...options, engine: closing })
    const client = await connect(url)
    const next = await answersOf(client, RESULTS)
    await client.publishAsync(FRAMES, Buffer.from(newDevice().buildFrame([READING])), { qos: 1 })
    await wasAsked
    await first.close()
    const second = await startMqttBridge({ ...options, engine: createEngineDouble() })
    expect(await next()).toMatchObject({ results: [{ acknowledgement: { sequence: '1' } }] })
    await second.close()
  })

  it('keeps messages for an engine that is busy', async () => {
    const engine = createEngineDouble()
    const { ingest } = engine
    let tries = 0
    engine.ingest = async (frames, source) => {
      if (++tries < 3) throw new AttestreamError('ENGINE_BUSY', 'full')
      return ingest(frames, source)
    }
    const bridge = await startMqttBridge({ engine, url, connections: 1 })
    try {
      const client = await connect(url)
      const next = await answersOf(client, RESULTS)
      await client.publishAsync(FRAMES, Buffer.from(newDevice().buildFrame([READING])), { qos: 1 })
      expect(await next()).toMatchObject({ results: [{ acknowledgement: { sequence: '1' } }] })
    } finally {
      await bridge.close()
    }
  })
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function listening(port: number): Promise<void> {
  for (;;) {
    const socket = connectSocket(port, '127.0.0.1')
    const opened = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true))
      socket.once('error', () => resolve(false))
    })
    socket.destroy()
    if (opened) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
