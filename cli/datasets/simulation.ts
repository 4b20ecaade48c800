/**
 * Readings without a recording: devices that behave as the recordings do, or as physics says, from a seed.
 */
import { airSensor, cooledLorry, weatherStation } from './climate.ts'
import { chargingPoint, household, solarPlant, waterMeter } from './meters.ts'
import { answers, heartbeats, hotspot, parkingBay, relay, vehicle } from './radios.ts'
import { createRandom, type Physics } from './random.ts'
import type { DatasetApplet, Values } from './recording.ts'

export interface Simulation {
  readonly source: string
  readonly devices: ReadonlyMap<string, readonly Values[]>
}

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
  uptime: { noun: 'sensor', source: 'simulated sensors, a heartbeat a minute over a lossy radio', physics: heartbeats },
  'air-quality': { noun: 'sensor', source: 'simulated fine dust, nine samples an hour', physics: airSensor },
  bandwidth: { noun: 'node', source: 'simulated relays, a counter every 20 s', physics: relay },
  'cold-chain': { noun: 'lorry', source: 'simulated cooled lorries, every 10 min', physics: cooledLorry },
  coverage: { noun: 'hotspot', source: 'simulated hotspots that hear each other', physics: hotspot },
  'ev-charging': {
    noun: 'point',
    source: 'simulated charging points, every 5 min of a session',
    physics: chargingPoint,
  },
  liveness: { noun: 'node', source: 'simulated answers to a ping a minute', physics: answers },
  parking: { noun: 'bay', source: 'simulated parking bays', physics: parkingBay },
  solar: { noun: 'plant', source: 'simulated roofs in winter sun, half-hourly', physics: solarPlant },
  water: { noun: 'meter', source: 'simulated water meters, every 15 min', physics: waterMeter },
  weather: { noun: 'station', source: 'simulated stations of one town, every 10 min', physics: weatherStation },
}
