// Frames by way of an MQTT broker that somebody else runs, such as Mosquitto, EMQX or a cloud's: 3.1.1 or 5. Who may publish is the broker's
// business; whose frame it is says the device's signature. Several connections share one subscription, and each acknowledges a message when
// its frames are on disk or refused: while the engine is busy or away, the broker keeps the messages in the sessions of these connections.

import { setTimeout as delay } from 'node:timers/promises'
import { connect, type IPublishPacket, type MqttClient, type Packet } from 'mqtt'
import type { Engine } from '../../engine/index.ts'
import { ingestMessage, isDecided, type MessageSource } from '../frame-message.ts'
import { FRAME_TOPICS, resultsTopic, senderOf } from './topics.ts'

export interface MqttBridgeOptions {
  readonly engine: Engine
  /** Such as mqtts://broker.example:8883. */
  readonly url: string
  readonly username?: string
  readonly password?: string
  /** Names the sessions that the broker keeps; of this engine alone and always the same. Default `attestream`. */
  readonly name?: string
  /** Default 5. */
  readonly protocolVersion?: 4 | 5
  /**
   * Connections of this engine, each with one message in work. Default 8. More than one need a broker with shared subscriptions; with one
   * connection a plain subscription is made. Whoever takes away some ends their sessions at the broker, or messages wait there.
   */
  readonly connections?: number
  /** Told of failures that are the engine's own, and of connections that break; they are made again by themselves. */
  readonly onError?: (error: unknown) => void
}

export interface MqttBridge {
  close(): Promise<void>
}

const CONNECTIONS = 8
const NAME = 'attestream'
const QOS = 1
/** How long the broker keeps a session, and the messages in it, without this engine. */
const SESSION_SEC = 7 * 24 * 3600

/** Between attempts to give the engine a message that it cannot take now. */
const AGAIN_MS = 500

/** Resolves when all connections have subscribed; rejects if one cannot. */
export async function startMqttBridge(options: MqttBridgeOptions): Promise<MqttBridge> {
  const { connections = CONNECTIONS } = options
  const closing = new AbortController()
  const inTurn = createTurns()
  const clients = Array.from({ length: connections }, (_, k) => open(options, k, closing.signal, inTurn))
  const close = async () => {
    closing.abort()
    await Promise.all(clients.map((client) => client.endAsync(true)))
  }
  try {
    await Promise.all(
      clients.map((client) => subscribe(client, connections > 1 ? `$share/${options.name ?? NAME}/` : '')),
    )
    return { close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Messages of a kept session come right behind the connection, so they are listened to before. */
function open(options: MqttBridgeOptions, connection: number, closing: AbortSignal, inTurn: Turns): MqttClient {
  const { engine, url, username, password, protocolVersion = 5, onError = () => {} } = options
  const client = connect(url, {
    clientId: `${options.name ?? NAME}-${connection}`,
    clean: false,
    protocolVersion,
    ...(protocolVersion === 5 && { properties: { sessionExpiryInterval: SESSION_SEC } }),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
  })
  client.on('error', onError)
  client.handleMessage = (packet: Packet, acknowledge) => {
    const { topic, payload } = packet as IPublishPacket
    const sender = senderOf(topic)
    if (sender === undefined) return acknowledge()
    const source = { name: `mqtt:${sender}`, isOpen: () => !closing.aborted, onError }
    void inTurn(sender, () => decide(engine, Buffer.from(payload), source, closing)).then((answer) => {
      if (answer === undefined) return // not acknowledged: the broker gives it out again
      client.publish(resultsTopic(sender), JSON.stringify(answer), { qos: QOS }, (error) => error && onError(error))
      acknowledge()
    })
  }
  return client
}

type Turns = ReturnType<typeof createTurns>

/**
 * One message of a sender after the other, in the order in which they came over all connections: frames of a device that overtook each
 * other would be outdated, and lost.
 */
function createTurns() {
  const last = new Map<string, Promise<unknown>>()
  return async <T>(sender: string, work: () => Promise<T>): Promise<T> => {
    const turn = (last.get(sender) ?? Promise.resolve()).then(work)
    last.set(sender, turn)
    return turn.finally(() => {
      if (last.get(sender) === turn) last.delete(sender)
    })
  }
}

/** Tries until the engine has decided; undefined when the bridge is closed before. */
async function decide(engine: Engine, message: Uint8Array, source: MessageSource, closing: AbortSignal) {
  while (!closing.aborted) {
    const answer = await ingestMessage(engine, message, source)
    if (isDecided(answer)) return answer
    await delay(AGAIN_MS, undefined, { signal: closing }).catch(() => undefined)
  }
  return undefined
}

async function subscribe(client: MqttClient, prefix: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    client.once('connect', () => resolve())
    client.once('error', reject)
    client.once('close', () => reject(new Error('the MQTT broker closed the connection')))
  })
  const topics = FRAME_TOPICS.map((topic) => prefix + topic)
  await client.subscribeAsync(topics, { qos: QOS })
}
