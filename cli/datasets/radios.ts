/**
 * Simulated things that move and talk: vehicles, heartbeats, answers, beacons, traffic, parking bays.
 */
import type { Values } from './recording.ts'
import { dayWave, HOUR_SEC, MICRO_DEGREES_PER_METER, MINUTE_SEC, noise, START_SEC, type Random } from './random.ts'

const GPS_STEP_SEC = 6
const LOST_PACKETS = 0.03
const LATE_PACKETS = 0.02
const TRAFFIC_STEP_SEC = 20
const COUNTER_WRAP = 2 ** 32

/** Drives on a grid of streets at up to 50 km/h, stops at lights, and its GPS trembles. */
export function vehicle(random: Random, readings: number): Values[] {
  let [north, east, heading] = [0, 0, Math.floor(random() * 4)]
  const origin = placeIn(random, 50_000)
  return Array.from({ length: readings }, (_, i) => {
    if (random() < 0.1) heading = (heading + (random() < 0.5 ? 1 : 3)) % 4
    const meters = random() < 0.2 ? 0 : (4 + 10 * random()) * GPS_STEP_SEC
    north += meters * [1, 0, -1, 0][heading]! + 4 * (random() - 0.5)
    east += meters * [0, 1, 0, -1][heading]! + 4 * (random() - 0.5)
    return { timeSec: START_SEC + i * GPS_STEP_SEC, ...moved(origin, north, east) }
  })
}

/** A packet a minute; some are lost, some are heard only after the next. */
export function heartbeats(random: Random, readings: number): Values[] {
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

/** A ping a minute is answered within some seconds; a few are missed. */
export function answers(random: Random, readings: number): Values[] {
  const given: Values[] = []
  for (let minute = 0; given.length < readings; minute++) {
    if (random() < LOST_PACKETS) continue
    given.push({ timeSec: START_SEC + minute * MINUTE_SEC + Math.floor(1 + 12 * random() ** 3) })
  }
  return given
}

/** Hears a neighbour every few minutes, nearer ones louder; its own GPS trembles. */
export function hotspot(random: Random, readings: number): Values[] {
  const place = placeIn(random, 30_000)
  const neighbours = Array.from({ length: 4 }, () => -70 - 40 * random())
  let timeSec = START_SEC
  return Array.from({ length: readings }, () => {
    timeSec += 5 * MINUTE_SEC + Math.floor(random() * 10 * MINUTE_SEC)
    const rssiDbm = Math.round(neighbours[Math.floor(random() * neighbours.length)]! + 4 * noise(random))
    return { timeSec, ...moved(place, 3 * noise(random), 3 * noise(random)), rssiDbm }
  })
}

/** Traffic that swells in the evening, in bursts; the counter wraps every few minutes. */
export function relay(random: Random, readings: number): Values[] {
  let [bytes, load] = [Math.floor(random() * COUNTER_WRAP), 0.3]
  return Array.from({ length: readings }, (_, i) => {
    const timeSec = START_SEC + 18 * HOUR_SEC + i * TRAFFIC_STEP_SEC
    load = Math.min(0.95, Math.max(0.02, load + 0.3 * (random() - 0.5)))
    const bytesPerSec = 6e6 * load * (1 + 0.5 * dayWave(timeSec, 20))
    bytes = (bytes + Math.floor(bytesPerSec * TRAFFIC_STEP_SEC)) % COUNTER_WRAP
    return { timeSec, bytes }
  })
}

/** Cars come and stay for a while; in between the sensor says hourly that it lives. */
export function parkingBay(random: Random, readings: number): Values[] {
  const seen: Values[] = []
  let [timeSec, occupied] = [START_SEC + 7 * HOUR_SEC, 0]
  while (seen.length < readings) {
    let leftSec = Math.floor((occupied ? 15 + 150 * random() : 5 + 90 * random()) * MINUTE_SEC)
    seen.push({ timeSec, occupied })
    for (; leftSec > HOUR_SEC && seen.length < readings; leftSec -= HOUR_SEC) {
      timeSec += HOUR_SEC
      seen.push({ timeSec, occupied })
    }
    timeSec += leftSec
    occupied = 1 - occupied
  }
  return seen
}

interface Place {
  readonly lat: number
  readonly lon: number
}

/** Somewhere within `span` micro-degrees of a town at 46° north. */
function placeIn(random: Random, span: number): Place {
  return { lat: 46_000_000 + Math.floor(random() * span), lon: 7_000_000 + Math.floor(random() * span) }
}

function moved({ lat, lon }: Place, north: number, east: number): Place {
  const lonScale = 1 / Math.cos((46 * Math.PI) / 180)
  return {
    lat: lat + Math.round(north * MICRO_DEGREES_PER_METER),
    lon: lon + Math.round(east * MICRO_DEGREES_PER_METER * lonScale),
  }
}
