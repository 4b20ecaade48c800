/**
 * Readings without a recording: households, vehicles and sensors that behave as the recordings do, from a seed.
 */
import type { DatasetApplet, Values } from './recording.ts'

/** 2025-01-01 00:00 UTC: before any chain that the demo starts. */
const START_SEC = 1_735_689_600
const DAY_SEC = 86_400
const MINUTE_SEC = 60
const HALF_HOUR_SEC = 1800
const GPS_STEP_SEC = 6
/** Micro-degrees of latitude in a metre. */
const MICRO_DEGREES_PER_METER = 8.983
const LOST_PACKETS = 0.03
const LATE_PACKETS = 0.02

export interface Simulation {
  readonly source: string
  readonly devices: ReadonlyMap<string, readonly Values[]>
}

type Random = () => number
type Physics = (random: Random, readings: number) => Values[]

/** Deterministic in all its arguments. */
export function simulate(applet: DatasetApplet, devices: number, readings: number, seed: number): Simulation {
  const { noun, source, physics } = PHYSICS[applet]
  const numbers = Array.from({ length: devices }, (_, i) => i + 1)
  const entries = numbers.map((n): [string, Values[]] => [
    `${noun} ${n}`,
    physics(createRandom(seed * 1000 + n), readings),
  ])
  return { source, devices: new Map(entries) }
}

const PHYSICS: Readonly<Record<DatasetApplet, { noun: string; source: string; physics: Physics }>> = {
  'energy-meter': { noun: 'meter', source: 'simulated household meters, half-hourly', physics: household },
  movement: { noun: 'vehicle', source: 'simulated vehicles in town, a position every 6 s', physics: vehicle },
  uptime: { noun: 'sensor', source: 'simulated sensors, a heartbeat a minute over a lossy radio', physics: sensor },
}

/** A base load, more in the evening, and now and then an oven. */
function household(random: Random, readings: number): Values[] {
  const baseWatts = 80 + 200 * random()
  let wattHours = 1_000_000 + Math.floor(random() * 1e7)
  return Array.from({ length: readings }, (_, i) => {
    const timeSec = START_SEC + i * HALF_HOUR_SEC
    const evening = 1 + 2 * Math.max(0, Math.cos((2 * Math.PI * ((timeSec % DAY_SEC) - 19 * 3600)) / DAY_SEC))
    const ovenWatts = random() < 0.1 ? 2000 : 0
    wattHours += Math.round(((baseWatts * evening * (0.8 + 0.4 * random()) + ovenWatts) * HALF_HOUR_SEC) / 3600)
    return { timeSec, wattHours }
  })
}

/** Drives on a grid of streets at up to 50 km/h, stops at lights, and its GPS trembles. */
function vehicle(random: Random, readings: number): Values[] {
  let [north, east, heading] = [0, 0, Math.floor(random() * 4)]
  const origin = { lat: 46_000_000 + Math.floor(random() * 50_000), lon: 7_000_000 + Math.floor(random() * 50_000) }
  const lonScale = 1 / Math.cos((46 * Math.PI) / 180)
  return Array.from({ length: readings }, (_, i) => {
    if (random() < 0.1) heading = (heading + (random() < 0.5 ? 1 : 3)) % 4
    const meters = random() < 0.2 ? 0 : (4 + 10 * random()) * GPS_STEP_SEC
    north += meters * [1, 0, -1, 0][heading]! + 4 * (random() - 0.5)
    east += meters * [0, 1, 0, -1][heading]! + 4 * (random() - 0.5)
    return {
      timeSec: START_SEC + i * GPS_STEP_SEC,
      lat: origin.lat + Math.round(north * MICRO_DEGREES_PER_METER),
      lon: origin.lon + Math.round(east * MICRO_DEGREES_PER_METER * lonScale),
    }
  })
}

/** A packet a minute; some are lost, some are heard only after the next. */
function sensor(random: Random, readings: number): Values[] {
  const beats: Values[] = []
  const phaseSec = Math.floor(random() * MINUTE_SEC)
  for (let minute = 0; beats.length < readings; minute++) {
    if (random() < LOST_PACKETS) continue
    const beat = { timeSec: START_SEC + minute * MINUTE_SEC + phaseSec }
    const late = beats.length > 0 && random() < LATE_PACKETS
    if (late) beats.splice(-1, 0, beat)
    else beats.push(beat)
  }
  return beats
}

/** Uniform in [0, 1): a 32-bit xorshift, warmed up. */
function createRandom(seed: number): Random {
  let state = Math.imul(seed, 0x9e37_79b1) >>> 0 || 1
  const next = (): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state / 2 ** 32
  }
  for (let i = 0; i < 8; i++) next()
  return next
}
