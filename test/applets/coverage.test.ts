import { beforeAll, describe, expect, it } from 'vitest'
import { loadApplet, type RunApplet } from './applet.ts'

const NOW = 1_700_000_000
const [LAT, LON] = [46_000_000, 7_000_000]
const CONFIG = {
  regionLat: LAT,
  regionLon: LON,
  regionMeters: 5000,
  radiusMeters: 50,
  minRssiDbm: -120,
  maxRssiDbm: -40,
  pauseSec: 300,
  unitsPerBeacon: 9,
}
const METER = 8.983
const at = (seconds: number, northMeters = 0, eastMeters = 0, rssiDbm = -90) => ({
  timeSec: NOW + seconds,
  lat: LAT + Math.round(northMeters * METER),
  lon: LON + Math.round((eastMeters * METER) / Math.cos((46 * Math.PI) / 180)),
  rssiDbm,
})

describe('coverage', () => {
  let run: RunApplet
  beforeAll(async () => {
    run = await loadApplet('coverage', CONFIG, BigInt(NOW + 100_000))
  })

  it('sets the place with the first beacon and pays those after it', () => {
    const { units, state } = run([at(0, 100, 100), at(301, 110, 100), at(602, 100, 95)])
    expect(units).toEqual([0, 9, 9])
    expect(state).toMatchObject({ lat: BigInt(at(0, 100).lat), lon: BigInt(at(0, 0, 100).lon) })
  })

  it('takes a place within the region only', () => {
    expect(run([at(0, 4900)]).units).toEqual([0])
    expect(run([at(0, 0, 4900)]).units).toEqual([0])
    expect(run([at(0, 5100), at(0, 0, -5100), at(0, 3700, 3700)]).units).toEqual(['rejected', 'rejected', 'rejected'])
    expect(run([{ ...at(0), lat: 90_000_001 }]).units).toEqual(['rejected'])
  })

  it('rejects a hotspot that moved, and does not let it creep away', () => {
    expect(run([at(0), at(301, 49), at(602, 0, -49)]).units).toEqual([0, 9, 9])
    expect(run([at(0), at(301, 51), at(301, 0, 51), at(301, 36, 36)]).units).toEqual([
      0,
      'rejected',
      'rejected',
      'rejected',
    ])
    expect(run([0, 40, 80, 120].map((north, i) => at(i * 301, north))).units).toEqual([0, 9, 'rejected', 'rejected'])
  })

  it('rejects noise and neighbours on the same desk, to one decibel', () => {
    const strengths = [-121, -120, -40, -39].map((rssi, i) => at((i + 1) * 301, 0, 0, rssi))
    expect(run([at(0), ...strengths]).units).toEqual([0, 'rejected', 9, 9, 'rejected'])
    expect(run([at(0, 0, 0, -121)]).units).toEqual(['rejected'])
  })

  it('pays one beacon in the pause, and none twice', () => {
    const { units, state } = run([at(0), at(300), at(301), at(301), at(200), at(601), at(602)])
    expect(units).toEqual([0, 'rejected', 9, 'rejected', 'rejected', 'rejected', 9])
    expect(state['timeSec']).toBe(BigInt(NOW + 602))
    expect(run([at(0), at(0), at(1)], { config: { pauseSec: 0 } }).units).toEqual([0, 'rejected', 9])
  })

  it('rejects the future', () => {
    expect(run([at(300)], { anchorTimeSec: BigInt(NOW) }).units).toEqual([0])
    expect(run([at(301)], { anchorTimeSec: BigInt(NOW) }).units).toEqual(['rejected'])
  })
})
