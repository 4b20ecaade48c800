import { beforeAll, describe, expect, it } from 'vitest'
import { loadApplet, type RunApplet } from './applet.ts'

const MIDNIGHT = 1_735_776_000
const HOUR = 3600
const CONFIG = {
  maxLitersPerHour: 3000,
  leakSec: 12 * HOUR,
  drySec: HOUR,
  firstLiters: 500,
  unitsPerM3First: 2000,
  unitsPerM3Rest: 300,
}
const at = (hours: number, liters: number) => ({ timeSec: MIDNIGHT + Math.round(hours * HOUR), liters })
const total = (units: readonly (number | 'rejected')[]) => units.reduce((sum: number, each) => sum + Number(each), 0)

describe('water', () => {
  let run: RunApplet
  beforeAll(async () => {
    run = await loadApplet('water', CONFIG, 1_790_000_000n)
  })

  it('pays 0 for the first reading, then each litre at the price of its place in the day', () => {
    const { units, state } = run([at(0, 9000), at(1, 9400), at(2, 9600), at(3, 10_600)])
    expect(units).toEqual([0, 800, 230, 300])
    expect(state).toMatchObject({ dayLiters: 1600n, milliUnits: 0n })
  })

  it('pays many small readings what it pays one large, across the tiers', () => {
    const steps = Array.from({ length: 401 }, (_, i) => at(i / 40, i * 3))
    expect(total(run(steps).units)).toBe(Math.floor(500 * 2 + 700 * 0.3))
  })

  it('starts a new day in the first tier', () => {
    expect(run([at(20, 0), at(23, 600), at(24, 700), at(25, 1200)]).units).toEqual([0, 1030, 200, 830])
  })

  it('rejects more than the pipe lets through, to one litre, and a counter that runs backwards', () => {
    expect(run([at(0, 0), at(1, 3001), at(1, 3000)]).units).toEqual([0, 'rejected', 1750])
    expect(run([at(0, 10), at(1, 9), at(1, 10)]).units).toEqual([0, 'rejected', 0])
    const seconds = Array.from({ length: 10 }, (_, i) => at((i + 1) / HOUR, i + 1))
    expect(new Set(run([at(0, 0), ...seconds]).units.slice(1))).toEqual(new Set(['rejected']))
  })

  it('takes water without a pause for a leak, and pays again after a pause', () => {
    const hourly = Array.from({ length: 14 }, (_, i) => at(i, i * 10))
    const { units, state } = run(hourly)
    expect(units.slice(10)).toEqual([20, 20, 20, 0])
    expect(state['dayLiters']).toBe(120n)
    expect(run([at(14, 130), at(15, 140)], { state }).units).toEqual([0, 20])
  })

  it('needs a whole pause: readings between two drops do not make one', () => {
    const drops = Array.from({ length: 60 }, (_, i) => at(i / 4, Math.floor(i / 3)))
    expect(new Set(run(drops).units.slice(50))).toEqual(new Set([0]))
    const pause = [at(11, 10), at(11.5, 10), at(12 - 1 / HOUR, 10), at(12, 10), at(20, 20)]
    expect(run([at(0, 0), ...pause]).units).toEqual([0, 20, 0, 0, 0, 20])
  })

  it('rejects time that does not advance and the future', () => {
    expect(run([at(1, 0), at(1, 0), at(0, 0)]).units).toEqual([0, 'rejected', 'rejected'])
    expect(run([{ timeSec: MIDNIGHT + 301, liters: 0 }], { anchorTimeSec: BigInt(MIDNIGHT) }).units).toEqual([
      'rejected',
    ])
  })

  it('mints nothing when the first tier is made smaller during a day', () => {
    const { state } = run([at(0, 0), at(1, 400)])
    expect(run([at(2, 500)], { state, config: { firstLiters: 100 } }).units).toEqual([30])
  })
})
