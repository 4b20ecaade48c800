// The embedded MQTT broker (3.1.1), for devices and gateways that talk to this engine and nobody else: who connects proves who it is, and
// each reaches its own two topics only. A message is acknowledged (QoS 1) when its frames are on disk or refused, so a sender's
// window holds it back when the engine is busy. Sessions are clean: what was not acknowledged is sent again.

import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { Aedes, type AuthenticateError, type Client, type ConnectPacket, type PublishPacket } from 'aedes'
import { AttestreamError, isAttestreamError, type Engine } from '../../engine/index.ts'
import { verifyConnectToken } from '../../engine/core/connect-token.ts'
import { createMessageLine, isDecided, type MessageAnswer } from '../frame-message.ts'
import { limitPackets } from './packet-limit.ts'
import { framesTopic, resultsTopic } from './topics.ts'

export interface MqttBrokerOptions {
  readonly engine: Engine
  /** Default 127.0.0.1 and a free port. */
  readonly host?: string
  readonly port?: number
  /** Default 10,000. */
  readonly maxConnections?: number
  /** Largest packet; whoever announces a larger one is disconnected. Default 1 MiB. */
  readonly maxPacketBytes?: number
  readonly nowMs?: () => number
  /** Told of failures that are the engine's own. */
  readonly onError?: (error: unknown) => void
}

export interface MqttBroker {
  /** Such as mqtt://127.0.0.1:1883. */
  readonly url: string
  close(): Promise<void>
}

const MAX_CONNECTIONS = 10_000
const PACKET_BYTES = 1024 * 1024
const CONNECT_MS = 10_000
/** Who does not read his answers for so long is disconnected. */
const UNREAD_MS = 10_000
const BAD_CREDENTIALS = 4
const DEVICE = /^\d{1,20}$/
const GATEWAY = /^gateway:([\w.-]{1,64})$/

export async function startMqttBroker(options: MqttBrokerOptions): Promise<MqttBroker> {
  const { engine, host = '127.0.0.1', port = 0, nowMs = Date.now, onError = () => {} } = options
  const senders = new WeakMap<Client, Sender>()
  const owners = new WeakMap<Buffer, string>()
  const sources = new WeakMap<Client, string>()
  const broker = await Aedes.createBroker({
    connectTimeout: CONNECT_MS,
    concurrency: 0, // else a hundred answers that nobody reads hold up those of everybody
    drainTimeout: UNREAD_MS,
    preConnect(_client, packet, done) {
      packet.clean = true
      packet.clientId = sessionOf(packet)
      delete packet.will
      done(null, true)
    },
    authenticate(client, username, password, done) {
      identify(engine, username ?? '', password?.toString() ?? '', nowMs).then(
        (who) => {
          const source = { name: sources.get(client)!, isOpen: () => !client.closed, onError }
          senders.set(client, { ...who, ingest: createMessageLine(engine, source) })
          done(null, true)
        },
        (error: unknown) => {
          if (!isAttestreamError(error)) onError(error)
          done(badCredentials(error), false)
        },
      )
    },
    authorizeSubscribe(client, subscription, done) {
      done(null, subscription.topic === resultsTopic(senders.get(client)!.name) ? subscription : null)
    },
    authorizeForward(client, packet) {
      return owners.get(packet.payload as Buffer) === senders.get(client)?.owner ? packet : null
    },
    authorizePublish(client, packet, done) {
      const sender = client && senders.get(client)
      if (!sender || packet.topic !== framesTopic(sender.name)) {
        return done(new Error('a client publishes to its own frames topic only'))
      }
      packet.retain = false // nobody may read it: it would be kept for nothing
      void answer(sender, packet).then(() => done(null), done)
    },
  })
  const answer = async ({ name, owner, ingest }: Sender, { payload: message, qos }: PublishPacket): Promise<void> => {
    const outcome = await ingest(Buffer.from(message))
    if (!isDecided(outcome)) throw new Error('the engine cannot take the message now')
    const payload = Buffer.from(JSON.stringify(outcome))
    owners.set(payload, owner)
    const packet = { cmd: 'publish', topic: resultsTopic(name), payload, retain: false, dup: false } as const
    broker.publish({ ...packet, qos: qos === 0 ? 0 : 1 }, (error) => (error ? onError(error) : undefined))
  }

  const server = createServer((socket) => {
    limitPackets(socket, options.maxPacketBytes ?? PACKET_BYTES)
    sources.set(broker.handle(socket), socket.remoteAddress ?? 'unknown')
  })
  server.maxConnections = options.maxConnections ?? MAX_CONNECTIONS
  server.listen(port, host)
  await once(server, 'listening')
  return { url: `mqtt://${host}:${(server.address() as AddressInfo).port}`, close: () => close(broker, server) }
}

interface Identity {
  /** `devices/<deviceId>` or `gateways/<name>`. */
  readonly name: string
  /** Gateways of two projects may have one name; answers go to those of the same owner only. */
  readonly owner: string
}

interface Sender extends Identity {
  readonly ingest: (message: Uint8Array) => Promise<MessageAnswer>
}

/**
 * Whose session it is, so that nobody takes over that of another. A device has one: who opened hundreds would have each answer sent
 * hundreds of times.
 */
function sessionOf({ username = '', password, clientId }: ConnectPacket): string {
  if (!GATEWAY.test(username)) return username
  const key = createHash('sha256')
    .update(password ?? '')
    .digest('hex')
  return `${username}/${key}/${clientId}`
}

/**
 * Who connects: a device, by its deviceId as user name and a connect token as password, or a gateway, by `gateway:<name>` and a project's
 * API key. Throws CONNECT_TOKEN_INVALID, API_KEY_INVALID or what finding the device throws.
 */
async function identify(engine: Engine, username: string, password: string, nowMs: () => number): Promise<Identity> {
  const [, gateway] = GATEWAY.exec(username) ?? []
  if (gateway !== undefined) {
    const access = await engine.authorise(password)
    return { name: `gateways/${gateway}`, owner: access.kind === 'project' ? `project ${access.projectId}` : 'admin' }
  }
  if (!DEVICE.test(username))
    throw new AttestreamError('CONNECT_TOKEN_INVALID', 'The user name is neither a deviceId nor gateway:<name>.')
  const { deviceId, projectId, key } = await engine.getDevice(BigInt(username))
  const { deviceDomain } = await engine.getProject(projectId)
  verifyConnectToken(password, key, { deviceId, deviceDomain }, Math.floor(nowMs() / 1000))
  return { name: `devices/${deviceId}`, owner: `device ${deviceId}` }
}

function badCredentials(cause: unknown): AuthenticateError {
  return Object.assign(new Error('bad user name or password', { cause }), { returnCode: BAD_CREDENTIALS as number })
}

async function close(broker: Aedes, server: Server): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  await new Promise<void>((resolve) => broker.close(() => resolve()))
  await closed
}
