import { beforeAll, describe, expect, it } from 'vitest'
import { loadApplet, type RunApplet } from './applet.ts'

const MIDNIGHT = 1_735_776_000
const MIB = 2 ** 20
const CONFIG = {
  linkBytesPerSec: 10 * MIB,
  tier1Mib: 100,
  tier2Mib: 200,
  unitsPerMib1: 1000,
  unitsPerMib2: 100,
  unitsPerMib3: 10,
}
const at = (seconds: number, bytes: number) => ({ timeSec: MIDNIGHT + seconds, bytes: bytes % 2 ** 32 })
const total = (units: readonly (number | 'rejected')[]) => units.reduce((sum: number, each) => sum + Number(each), 0)

describe('bandwidth', () => {
  let run: RunApplet
  beforeAll(async () => {
    run = await loadApplet('bandwidth', CONFIG, 1_790_000_000n)
  })

  it('pays 0 for the first reading, then each mebibyte at the price of its tier', () => {
    const { units, state } = run([0, 100, 101, 300, 301].map((mib, i) => at(i * 60, mib * MIB)))
    expect(units).toEqual([0, 100_000, 100, 19_900, 10])
    expect(state).toMatchObject({ dayMib: 301n })
  })

  it('pays many small readings what it pays one large, over all tiers', () => {
    const steps = Array.from({ length: 301 }, (_, i) => at(i * 60, 12_345 + Math.floor(i * 1.3 * MIB)))
    expect(total(run(steps).units)).toBe(100_000 + 20_000 + 900)
  })

  it('counts on when the counter wraps', () => {
    expect(run([at(0, 2 ** 32 - 3 * MIB), at(60, 4 * MIB)]).units).toEqual([0, 7000])
    expect(run([at(0, 2 ** 32 - 1), at(60, 2 ** 32)]).units).toEqual([0, 1000])
  })

  it('rejects more than the link carries, to one byte', () => {
    expect(run([at(0, 0), at(10, 100 * MIB)]).units).toEqual([0, 100_000])
    expect(run([at(0, 0), at(10, 100 * MIB + 1)]).units).toEqual([0, 'rejected'])
    expect(run([at(0, 5), at(10, 4), at(20, 5)]).units).toEqual([0, 'rejected', 0])
  })

  it('pays nothing after a gap in which the counter could have wrapped', () => {
    expect(run([at(0, 0), at(409, MIB)]).units).toEqual([0, 1000])
    const { units, state } = run([at(0, 0), at(410, MIB), at(420, 2 * MIB)])
    expect(units).toEqual([0, 0, 1000])
    expect(state).toMatchObject({ dayMib: 1n })
  })

  it('starts a new day at the first tier, and does not return to an old one', () => {
    const DAY = 86_400
    const { units } = run([at(DAY - 120, 0), at(DAY - 60, 150 * MIB), at(DAY, 160 * MIB), at(DAY - 1, 170 * MIB)])
    expect(units).toEqual([0, 105_000, 10_000, 'rejected'])
  })

  it('rejects time that does not advance and the future', () => {
    expect(run([at(0, 0), at(0, 0), at(-1, 0)]).units).toEqual([0, 'rejected', 'rejected'])
    expect(run([at(301, 0)], { anchorTimeSec: BigInt(MIDNIGHT) }).units).toEqual(['rejected'])
  })

  it('holds at the ends of the ranges', () => {
    const config = { linkBytesPerSec: 2 ** 28 - 1, unitsPerMib1: 65_535, tier1Mib: 2 ** 24 - 1 }
    expect(run([at(0, 0), at(16, 2 ** 32 - 16)], { config }).units).toEqual([0, 4095 * 65_535])
    const state = { timeSec: MIDNIGHT, bytes: 0, day: MIDNIGHT / 86_400, dayMib: 2 ** 25 - 1 }
    expect(run([at(10, MIB - 1), at(20, MIB)], { state }).units).toEqual([0, 'rejected'])
  })
})
