/**
 * Simulated meters: what runs through wires and pipes.
 */
import type { Values } from './recording.ts'
import { DAY_SEC, dayWave, HOUR_SEC, MINUTE_SEC, START_SEC, type Random } from './random.ts'

const HALF_HOUR_SEC = 1800
const CHARGE_STEP_SEC = 300
const WATER_STEP_SEC = 900
/** The demo's plants wake up with the sun. */
const SOLAR_START_SEC = START_SEC + 8 * HOUR_SEC

/** A base load, more in the evening, and now and then an oven. */
export function household(random: Random, readings: number): Values[] {
  const baseWatts = 80 + 200 * random()
  let wattHours = 1_000_000 + Math.floor(random() * 1e7)
  return Array.from({ length: readings }, (_, i) => {
    const timeSec = START_SEC + i * HALF_HOUR_SEC
    const evening = 1 + 2 * Math.max(0, dayWave(timeSec, 19))
    const ovenWatts = random() < 0.1 ? 2000 : 0
    wattHours += Math.round(((baseWatts * evening * (0.8 + 0.4 * random()) + ovenWatts) * HALF_HOUR_SEC) / HOUR_SEC)
    return { timeSec, wattHours }
  })
}

/** Sun from 07:00 to 17:00 UTC, clouds that come and go, and a household that takes its part first. */
export function solarPlant(random: Random, readings: number): Values[] {
  const peakWatts = 4000 + 5000 * random()
  let [generated, selfUsed, cloud] = [1e6 * random(), 4e5 * random(), 0.3]
  return Array.from({ length: readings }, (_, i) => {
    const timeSec = SOLAR_START_SEC + i * HALF_HOUR_SEC
    cloud = Math.min(0.9, Math.max(0, cloud + 0.4 * (random() - 0.5)))
    const sun = Math.max(0, Math.sin((Math.PI * ((timeSec % DAY_SEC) - 7 * HOUR_SEC)) / (10 * HOUR_SEC)))
    const watts = timeSec % DAY_SEC > 17 * HOUR_SEC ? 0 : peakWatts * sun * (1 - cloud)
    generated += watts / 2
    selfUsed += Math.min(watts, 150 + 600 * random()) / 2
    return { timeSec, generatedWattHours: Math.floor(generated), selfUsedWattHours: Math.floor(selfUsed) }
  })
}

/** Cars come, charge at 11 or 22 kW until the battery nears its end, and leave; the next comes when it comes. */
export function chargingPoint(random: Random, readings: number): Values[] {
  const events: Values[] = []
  let [timeSec, total] = [START_SEC + 7 * HOUR_SEC, 5e6 * random()]
  const push = (event: number) => events.push({ timeSec, wattHours: Math.floor(total), event })
  while (events.length < readings) {
    const watts = random() < 0.6 ? 11_000 : 22_000
    const steps = 3 + Math.floor(random() * 12)
    push(1)
    for (let step = 1; step <= steps; step++) {
      timeSec += CHARGE_STEP_SEC
      total += (watts * (step === steps ? 0.4 : 0.97 + 0.03 * random()) * CHARGE_STEP_SEC) / HOUR_SEC
      push(step === steps ? 2 : 0)
    }
    timeSec += 20 * MINUTE_SEC + Math.floor(random() * 2 * HOUR_SEC)
  }
  return events.slice(0, readings)
}

/** Taps, showers and a washing machine, mostly by day; every quarter of an hour the counter. */
export function waterMeter(random: Random, readings: number): Values[] {
  let liters = Math.floor(random() * 1e6)
  return Array.from({ length: readings }, (_, i) => {
    const timeSec = START_SEC + 6 * HOUR_SEC + i * WATER_STEP_SEC
    const busy = 0.35 + 0.3 * dayWave(timeSec, 13)
    if (random() < busy) liters += Math.floor(1 + 20 * random() + (random() < 0.2 ? 60 : 0))
    return { timeSec, liters }
  })
}
