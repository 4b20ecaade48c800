/**
 * Simulated sensors of air and temperature.
 */
import type { Values } from './recording.ts'
import { dayWave, HOUR_SEC, MINUTE_SEC, noise, START_SEC, type Random } from './random.ts'

const SAMPLES = 9
const WEATHER_STEP_SEC = 600
const COLD_STEP_SEC = 600

/** Fine dust that drifts and peaks with the traffic; nine samples an hour, now and then one gone astray. */
export function airSensor(random: Random, readings: number): Values[] {
  let background = 100 + 200 * random()
  return Array.from({ length: readings }, (_, i) => {
    const timeSec = START_SEC + (i + 1) * HOUR_SEC
    background = Math.min(1500, Math.max(30, background + 40 * noise(random)))
    const level = background * (1 + 0.3 * Math.max(0, dayWave(timeSec, 8)))
    const sample = () => Math.max(0, Math.round(random() < 0.03 ? 9000 * random() : level * (1 + 0.05 * noise(random))))
    const samples = Array.from({ length: SAMPLES }, (_, k): [string, number] => [`sample${k}`, sample()])
    return { timeSec, ...Object.fromEntries(samples) }
  })
}

/** A day's warmth and slow weather that four stations of a town share, each with its own small error. */
export function weatherStation(random: Random, readings: number): Values[] {
  let front = 600 * (random() - 0.5)
  const bias = 40 * noise(random)
  return Array.from({ length: readings }, (_, i) => {
    const timeSec = START_SEC + i * WEATHER_STEP_SEC
    front += 5 * noise(random)
    const town = 500 + front + 400 * dayWave(timeSec, 14)
    const read = (offset: number) => Math.round(town + offset + 5 * noise(random))
    return { timeSec, centiC: read(bias), neighbourA: read(30), neighbourB: read(-20), neighbourC: read(60) }
  })
}

/** A cooled lorry between 2 and 7 °C: the compressor comes and goes, and the door is opened at each stop. */
export function cooledLorry(random: Random, readings: number): Values[] {
  let [centiC, cooling] = [400, 1]
  const phaseSec = Math.floor(random() * MINUTE_SEC)
  return Array.from({ length: readings }, (_, i) => {
    const doorWarmth = random() < 0.05 ? 120 : 0
    centiC += (cooling ? -60 : 45) + 10 * noise(random) + doorWarmth
    if (centiC < 280) cooling = 0
    if (centiC > 480) cooling = 1
    return { timeSec: START_SEC + i * COLD_STEP_SEC + phaseSec, centiC: Math.round(centiC) }
  })
}
