/**
 * What every simulation stands on: seeded chance, and a time to begin.
 */
import type { Values } from './recording.ts'

/** Uniform in [0, 1). */
export type Random = () => number
/** Readings of one device, in order. */
export type Physics = (random: Random, readings: number) => Values[]

/** 2025-01-01 00:00 UTC: before any chain that the demo starts. */
export const START_SEC = 1_735_689_600
export const DAY_SEC = 86_400
export const HOUR_SEC = 3600
export const MINUTE_SEC = 60
/** Micro-degrees of latitude in a metre. */
export const MICRO_DEGREES_PER_METER = 8.983

/** A 32-bit xorshift, warmed up. */
export function createRandom(seed: number): Random {
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

/** A wave through the day, 1 at `peakHour` and -1 half a day later. */
export function dayWave(timeSec: number, peakHour: number): number {
  return Math.cos((2 * Math.PI * ((timeSec % DAY_SEC) - peakHour * HOUR_SEC)) / DAY_SEC)
}

/** About normal: mean 0, deviation 1, never beyond 3. */
export function noise(random: Random): number {
  return 2 * (random() + random() + random() - 1.5)
}
