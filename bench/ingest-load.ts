// The load of the ingest benchmark, a process of its own so that it does not take the engine's core: signs all frames first,
// then sends rounds of them over kept-alive connections when told to. A connection owns its devices, so that each device's
// frames arrive in their order, and waits for each answer before its next request.

import { Agent, request } from 'node:http'
import { FRAME_SEQUENCE, encodeFrameSequence } from '../sdk/frame-sequence.ts'
import { createDevice, type Layout } from '../sdk/index.ts'

export interface LoadPlan {
  readonly url: string
  /** Integers as decimal text, keys as hexadecimal: the plan goes through process messages. */
  readonly devices: readonly { readonly deviceId: string; readonly secretKey: string }[]
  readonly deviceDomain: string
  readonly reading: Layout
  readonly frameSize: number
  readonly rounds: readonly Round[]
}

export interface Round {
  readonly name: string
  readonly framesPerDevice: number
  readonly framesPerRequest: number
  readonly connections: number
}

export type LoadMessage =
  | { readonly kind: 'signed'; readonly frames: number; readonly signMs: number; readonly samples: string[] }
  | { readonly kind: 'sent'; readonly frames: number; readonly requests: number; readonly wallMs: number }
  | { readonly kind: 'failed'; readonly message: string }

const FIRST_TIME_SEC = 1_767_225_600
/** Frames sent to the engine's process to time the parts of ingest with. */
const SAMPLES = 64

type Frames = readonly (readonly Uint8Array[])[]

let url: URL
let signed: { readonly round: Round; readonly byDevice: Frames }[] = []

process.on('message', (message: { plan: LoadPlan } | { send: number }) => {
  const work = 'plan' in message ? Promise.resolve(signAll(message.plan)) : sendRound(signed[message.send]!)
  work.then(reply, (error: unknown) => reply({ kind: 'failed', message: String(error) }))
})

function reply(message: LoadMessage): void {
  process.send!(message)
}

function signAll(plan: LoadPlan): LoadMessage {
  url = new URL('/v1/frames', plan.url)
  const { frameSize, reading, deviceDomain } = plan
  const startedMs = performance.now()
  const devices = plan.devices.map(({ deviceId, secretKey }) =>
    createDevice({
      deviceId: BigInt(deviceId),
      secretKey: Buffer.from(secretKey, 'hex'),
      deviceDomain: BigInt(deviceDomain),
      reading,
      frameSize,
    }),
  )
  let timeSec = FIRST_TIME_SEC
  const frame = (device: (typeof devices)[number]) =>
    device.buildFrame(Array.from({ length: frameSize }, () => ({ timeSec: timeSec++, wattHours: timeSec % 100_000 })))
  signed = plan.rounds.map((round) => ({
    round,
    byDevice: devices.map((device) => Array.from({ length: round.framesPerDevice }, () => frame(device))),
  }))
  const all = signed.flatMap(({ byDevice }) => byDevice.flat())
  const samples = signed[0]!.byDevice[0]!.slice(0, SAMPLES).map((bytes) => Buffer.from(bytes).toString('hex'))
  return { kind: 'signed', frames: all.length, signMs: performance.now() - startedMs, samples }
}

async function sendRound({ round, byDevice }: { round: Round; byDevice: Frames }): Promise<LoadMessage> {
  const agent = new Agent({ keepAlive: true, maxSockets: round.connections })
  const queues = Array.from({ length: round.connections }, (_, i) =>
    requestBodies(byDevice.filter((_frames, device) => device % round.connections === i), round.framesPerRequest),
  ) // prettier-ignore
  const type = round.framesPerRequest === 1 ? 'application/octet-stream' : FRAME_SEQUENCE
  const startedMs = performance.now()
  await Promise.all(
    queues.map(async (bodies) => {
      for (const body of bodies) await post(agent, type, body)
    }),
  )
  const wallMs = performance.now() - startedMs
  agent.destroy()
  const requests = queues.reduce((total, bodies) => total + bodies.length, 0)
  return { kind: 'sent', frames: byDevice.flat().length, requests, wallMs }
}

/** The devices' frames in turn: first of each, second of each, and so on, in groups. */
function requestBodies(byDevice: Frames, framesPerRequest: number): Uint8Array[] {
  const turns = byDevice[0]?.map((_, turn) => byDevice.map((frames) => frames[turn]!)).flat() ?? []
  if (framesPerRequest === 1) return turns
  const bodies: Uint8Array[] = []
  for (let at = 0; at < turns.length; at += framesPerRequest) {
    bodies.push(encodeFrameSequence(turns.slice(at, at + framesPerRequest)))
  }
  return bodies
}

/** Resolves for 200 only: then every frame of the request was acknowledged. */
function post(agent: Agent, type: string, body: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': type, 'content-length': body.length }
    const outgoing = request(url, { agent, method: 'POST', headers }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('end', () => {
        if (response.statusCode === 200) resolve()
        else reject(new Error(`HTTP ${response.statusCode}: ${text.slice(0, 300)}`))
      })
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}
