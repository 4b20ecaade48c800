// `npm run bench:ingest`: signed frames over HTTP into a real engine. Reports frames per second for one frame and for many frames per
// request, and what the main thread spends on a frame; signatures are checked in other threads. Signing is the devices' work and counted
// apart. The engine's process also reports its own processor time, which says the same on a machine with other work to do.

import { fork, type ChildProcess } from 'node:child_process'
import { frameFormat } from '../engine/core/frame.ts'
import type { LoadMessage, LoadPlan, Round } from './ingest-load.ts'
import { startIngestWorld, type IngestWorld } from './ingest-world.ts'
import { cpuMs, describeMachine } from './machine.ts'
import { profile, type ProfiledPart, type Share } from './profile.ts'
import { signatureRates } from './signature-rate.ts'

const SENDERS = 48
const ROUNDS: readonly Round[] = [
  { name: 'warm-up: tables of multiples', framesPerDevice: 12, framesPerRequest: 1, connections: 16 },
  { name: 'one frame per request', framesPerDevice: 40, framesPerRequest: 1, connections: 16 },
  { name: '256 frames per request', framesPerDevice: 60, framesPerRequest: 256, connections: 4 },
]

/** Who owns the time; what none of them owns is HTTP, JSON and scheduling. */
const PARTS: readonly ProfiledPart[] = [
  { name: 'giving out checks', file: '/engine/frame-check/pool.ts' },
  { name: 'acknowledgement signature', file: '/engine/chain/typed-data.ts' },
  { name: 'decoding', file: '/engine/core/frame.ts', functions: ['decodeFrameHeader'] },
  { name: 'commit', file: '/engine/store/database.ts', functions: ['transaction'] },
  { name: 'look-ups', file: '/engine/store/frames.ts', functions: ['frame'] },
  { name: 'look-ups', file: '/engine/store/catalogue.ts' },
  { name: 'batches due?', file: '/engine/pipeline.ts' },
]

interface RoundResult extends Extract<LoadMessage, { kind: 'sent' }> {
  readonly name: string
  readonly engineCpuMs: number
  readonly shares: readonly Share[]
}

async function main(): Promise<void> {
  console.log(describeMachine())
  const world = await startIngestWorld(SENDERS)
  const load = fork(new URL('./ingest-load.ts', import.meta.url), { execArgv: process.execArgv })
  try {
    await measure(world, load)
  } finally {
    load.disconnect()
    await world.close()
  }
}

async function measure(world: IngestWorld, load: ChildProcess): Promise<void> {
  const signed = await ask(load, { plan: loadPlan(world) }, 'signed')
  console.log(
    `signing   ${signed.frames} frames by ${SENDERS} devices: ${(signed.signMs / signed.frames).toFixed(2)} ms each`,
  )
  const results: RoundResult[] = []
  for (const [i, { name }] of ROUNDS.entries()) {
    const before = cpuMs()
    const [sent, shares] = await profile(PARTS, () => ask(load, { send: i }, 'sent'))
    results.push({ ...sent, name, engineCpuMs: cpuMs() - before, shares })
  }
  printRates(results)
  for (const result of results.slice(1)) printShares(result)
  const samples = signed.samples.map((hex) => new Uint8Array(Buffer.from(hex, 'hex')))
  const { abi, frameSize, deviceDomain } = world.project
  const rates = await signatureRates(frameFormat(abi.reading, frameSize), deviceDomain, world.devices[0]!, samples)
  console.log(`\nsignature checks alone: ${rates.known} per second, ${rates.unknown} for devices not seen before`)
}

function loadPlan({ apiUrl, devices, project }: IngestWorld): LoadPlan {
  return {
    url: apiUrl,
    devices: devices.map(({ deviceId, secretKey }) => ({
      deviceId: deviceId.toString(),
      secretKey: Buffer.from(secretKey).toString('hex'),
    })),
    deviceDomain: project.deviceDomain.toString(),
    reading: project.abi.reading,
    frameSize: project.frameSize,
    rounds: ROUNDS,
  }
}

/** Sends a message to the load and waits for its answer of that kind. */
function ask<K extends LoadMessage['kind']>(
  load: ChildProcess,
  message: object,
  kind: K,
): Promise<Extract<LoadMessage, { kind: K }>> {
  return new Promise((resolve, reject) => {
    load.once('exit', (code) => reject(new Error(`the load ended with ${code}`)))
    load.once('message', (answer: LoadMessage) => {
      load.removeAllListeners('exit')
      if (answer.kind === kind) resolve(answer as Extract<LoadMessage, { kind: K }>)
      else reject(new Error(answer.kind === 'failed' ? answer.message : `unexpected ${answer.kind}`))
    })
    load.send(message)
  })
}

function printRates(results: readonly RoundResult[]): void {
  console.log('\nover HTTP                          frames  requests  frames/s  frames per second of engine CPU')
  for (const { name, frames, requests, wallMs, engineCpuMs } of results) {
    const columns = [frames, requests, rate(frames, wallMs), rate(frames, engineCpuMs)]
    console.log(`  ${name.padEnd(30)}${columns.map((value) => String(value).padStart(10)).join('')}`)
  }
}

function printShares({ name, frames, shares }: RoundResult): void {
  const totalMs = shares.reduce((sum, { ms }) => sum + ms, 0)
  console.log(`\n${name}: ${Math.round((totalMs * 1000) / frames)} µs a frame`)
  for (const share of [...shares].sort((a, b) => b.ms - a.ms)) {
    const percent = `${Math.round((100 * share.ms) / totalMs)} %`
    const label = share.name === 'rest' ? 'rest: HTTP, JSON, scheduling' : share.name
    console.log(
      `  ${label.padEnd(34)}${String(Math.round((share.ms * 1000) / frames)).padStart(6)} µs ${percent.padStart(6)}`,
    )
  }
}

function rate(frames: number, ms: number): number {
  return Math.round((frames * 1000) / ms)
}

await main()
