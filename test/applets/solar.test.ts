import { beforeAll, describe, expect, it } from 'vitest'
import { loadApplet, type RunApplet } from './applet.ts'

const MIDNIGHT = 1_735_776_000
const HOUR = 3600
/** Sun from 06:00 to 18:00. */
const CONFIG = { peakWatts: 10_000, sunriseSec: 6 * HOUR, daylightSec: 12 * HOUR, unitsPerKwh: 1500 }
const at = (hours: number, generatedWattHours: number, selfUsedWattHours = 0) => ({
  timeSec: MIDNIGHT + hours * HOUR,
  generatedWattHours,
  selfUsedWattHours,
})

describe('solar', () => {
  let run: RunApplet
  beforeAll(async () => {
    run = await loadApplet('solar', CONFIG, 1_790_000_000n)
  })

  it('pays 0 for the first reading, then for what was generated and not used on site', () => {
    expect(run([at(8, 5000, 2000), at(9, 9000, 3000), at(10, 11_000, 5000)]).units).toEqual([0, 4500, 0])
  })

  it('pays many small readings what it pays one large', () => {
    const steps = Array.from({ length: 101 }, (_, i) => at(8 + i / 25, i * 7, i * 4))
    expect(run(steps).units.reduce((sum: number, n) => sum + Number(n), 0)).toBe(Math.floor((300 * 1500) / 1000))
  })

  it('lets use beyond generation be made up for, and so pays nothing twice', () => {
    expect(run([at(8, 0, 0), at(9, 100, 101), at(10, 200, 102), at(11, 300, 102)]).units).toEqual([0, 0, 147, 150])
    expect(run([at(8, 0, 0), at(9, 1000, 0), at(10, 1000, 1000), at(11, 2000, 1000)]).units).toEqual([0, 1500, 0, 0])
  })

  it('holds generation against peak power, to one watt hour', () => {
    expect(run([at(8, 0), at(9, 10_000)]).units).toEqual([0, 15_000])
    expect(run([at(8, 0), at(9, 10_001), at(10, 10_001)]).units).toEqual([0, 'rejected', 15_001])
  })

  it('counts daylight only: none at night, the rest of it at dawn and dusk', () => {
    expect(run([at(20, 0), at(29, 1)]).units).toEqual([0, 'rejected'])
    expect(run([at(20, 0), at(30.5, 5000)]).units).toEqual([0, 7500])
    expect(run([at(20, 0), at(30.5, 5001)]).units).toEqual([0, 'rejected'])
    expect(run([at(17, 0), at(23, 10_000)]).units).toEqual([0, 15_000])
    expect(run([at(17, 0), at(23, 10_001)]).units).toEqual([0, 'rejected'])
    expect(run([at(8, 0), at(8 + 72, 360_000)]).units).toEqual([0, 540_000])
    expect(run([at(8, 0), at(8 + 72, 360_001)]).units).toEqual([0, 'rejected'])
  })

  it('knows days that cross midnight UTC', () => {
    const config = { sunriseSec: 20 * HOUR }
    expect(run([at(19, 0), at(22, 20_000)], { config }).units).toEqual([0, 30_000])
    expect(run([at(23, 0), at(26, 30_000)], { config }).units).toEqual([0, 45_000])
    expect(run([at(9, 0), at(12, 1)], { config }).units).toEqual([0, 'rejected'])
  })

  it('gains nothing from splitting the night into seconds', () => {
    const seconds = Array.from({ length: 50 }, (_, i) => at(20 + i / HOUR, i))
    expect(run(seconds).units).toEqual([0, ...Array<string>(49).fill('rejected')])
  })

  it('rejects counters that run backwards and leaves State alone', () => {
    const { units, state } = run([at(8, 1000, 500), at(9, 999, 500), at(10, 1100, 499), at(11, 1100, 500)])
    expect(units).toEqual([0, 'rejected', 'rejected', 150])
    expect(state).toMatchObject({ generatedWattHours: 1100n, fedInWattHours: 600n })
  })

  it('rejects a counter of use that runs backwards while use is made up for', () => {
    const { units, state } = run([at(8, 0, 0), at(9, 100, 500), at(10, 200, 499), at(11, 1000, 500)])
    expect(units).toEqual([0, 0, 'rejected', 750])
    expect(state).toMatchObject({ selfUsedWattHours: 500n, fedInWattHours: 500n })
  })

  it('rejects time that does not advance and the future', () => {
    expect(run([at(8, 0), at(8, 0), at(7, 0)]).units).toEqual([0, 'rejected', 'rejected'])
    const anchorTimeSec = BigInt(MIDNIGHT - 300)
    expect(run([at(0, 0)], { anchorTimeSec }).units).toEqual([0])
    expect(run([at(1 / HOUR, 0)], { anchorTimeSec }).units).toEqual(['rejected'])
  })

  it('rejects what would not fit 32 bits of units', () => {
    const config = { peakWatts: 0xff_ffff, unitsPerKwh: 0xff_ffff }
    expect(run([at(8, 0), at(10, 256_000)], { config }).units).toEqual([0, 256 * 0xff_ffff])
    expect(run([at(8, 0), at(10, 256_001)], { config }).units).toEqual([0, 'rejected'])
  })
})
