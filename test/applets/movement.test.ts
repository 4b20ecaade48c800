import { beforeAll, describe, expect, it } from 'vitest'
import { loadApplet, type RunApplet } from './applet.ts'

const NOW = 1_700_000_000
const CONFIG = { thresholdMeters: 100, maxMetersPerSec: 50, unitsPerMove: 3 }
const at = (seconds: number, lat: number, lon: number) => ({
  timeSec: NOW + seconds,
  lat: Math.round(lat * 1e6),
  lon: Math.round(lon * 1e6),
})
/** Degrees of latitude in a metre on a sphere of 6,371 km. */
const DEGREES_PER_METER = 360 / (2 * Math.PI * 6_371_000)

describe('movement', () => {
  let run: RunApplet
  beforeAll(async () => {
    run = await loadApplet('movement', CONFIG, BigInt(NOW + 100_000_000))
  }, 60_000)

  it('pays 0 for the first position and for every move of the threshold', () => {
    const { units, state } = run([at(0, 0, 0), at(60, 0.001, 0), at(120, 0.001, 0.001)])
    expect(units).toEqual([0, 3, 3])
    expect(state).toEqual({ timeSec: BigInt(NOW + 120), lat: 1000n, lon: 1000n })
  })

  it('adds up a slow walk and ignores a trembling position', () => {
    const walk = Array.from({ length: 11 }, (_, i) => at(i * 10, i * 20 * DEGREES_PER_METER, 0))
    expect(run(walk).units.filter((units) => units === 3)).toHaveLength(2)
    const tremble = Array.from({ length: 20 }, (_, i) => at(i * 10, 0, (i % 2) * 20 * DEGREES_PER_METER))
    expect(new Set(run(tremble).units)).toEqual(new Set([0]))
  })

  it.each([0, -10.9, 45, 59.9])('measures within 2 % at latitude %d, in all directions', (lat) => {
    for (let degrees = 0; degrees < 360; degrees += 30) {
      const angle = (degrees * Math.PI) / 180
      const away = (meters: number) =>
        at(
          60,
          lat + meters * Math.cos(angle) * DEGREES_PER_METER,
          (meters * Math.sin(angle) * DEGREES_PER_METER) / Math.cos((lat * Math.PI) / 180),
        )
      expect(run([at(0, lat, 0), away(102)]).units).toEqual([0, 3])
      expect(run([at(0, lat, 0), away(98)]).units).toEqual([0, 0])
    }
  })

  it('goes the short way round at 180° east', () => {
    expect(run([at(0, 10, 179.9999), at(60, 10, -179.9999)]).units).toEqual([0, 0])
    expect(run([at(0, 10, 179.9999), at(60, 10, -179.998)]).units).toEqual([0, 3])
  })

  it('rejects what is too fast, until enough time has passed', () => {
    const { units } = run([at(0, 0, 0), at(10, 1000 * DEGREES_PER_METER, 0), at(21, 1000 * DEGREES_PER_METER, 0)])
    expect(units).toEqual([0, 'rejected', 3])
  })

  it('pays one move for a flight round half the globe', () => {
    expect(run([at(0, -45, 0), at(1_000_000, 45, 179)]).units).toEqual([0, 3])
  })

  it('rejects time that does not advance and the future', () => {
    expect(run([at(0, 0, 0), at(0, 0, 0)]).units).toEqual([0, 'rejected'])
    expect(run([at(301, 0, 0)], { anchorTimeSec: BigInt(NOW) }).units).toEqual(['rejected'])
    expect(run([at(300, 0, 0)], { anchorTimeSec: BigInt(NOW) }).units).toEqual([0])
  })

  it.each([
    [90.000001, 0],
    [-90.000001, 0],
    [0, 180.000001],
    [0, -180.000001],
    [134, 268],
    [-134, -268],
  ])('rejects a position off the globe: %d, %d', (lat, lon) => {
    expect(run([at(0, lat, lon)]).units).toEqual(['rejected'])
  })

  it('accepts the corners of the globe', () => {
    for (const [lat, lon] of [
      [90, 180],
      [-90, -180],
    ] as const)
      expect(run([at(0, lat, lon)]).units).toEqual([0])
  })
})
