import { beforeAll, describe, expect, it } from 'vitest'
import { loadApplet, type RunApplet } from './applet.ts'

const NOW = 1_700_000_000
const CONFIG = { maxWatts: 7200, unitsPerKwh: 1500 }
const at = (seconds: number, wattHours: number) => ({ timeSec: NOW + seconds, wattHours })

describe('energy-meter', () => {
  let run: RunApplet
  beforeAll(async () => {
    run = await loadApplet('energy-meter', CONFIG, BigInt(NOW + 100_000))
  }, 60_000)

  it('pays 0 for the first reading and for every kWh after it', () => {
    const { units, state } = run([at(0, 5_000_000), at(3600, 5_001_000), at(7200, 5_003_000)])
    expect(units).toEqual([0, 1500, 3000])
    expect(state).toEqual({ lastTimeSec: BigInt(NOW + 7200), lastWattHours: 5_003_000n, milliUnits: 0n })
  })

  it('loses nothing by rounding: small steps pay as much as one large', () => {
    const steps = Array.from({ length: 101 }, (_, i) => at(i * 60, i * 7))
    const { units, state } = run(steps)
    expect(units.reduce((sum: number, n) => sum + Number(n), 0)).toBe(Math.floor((700 * 1500) / 1000))
    expect(state['milliUnits']).toBe(0n)
    expect(run([at(0, 0), at(60, 1), at(120, 2)]).units).toEqual([0, 1, 2])
    expect(run([at(0, 0), at(60, 1), at(120, 2)], { config: { unitsPerKwh: 1 } }).state['milliUnits']).toBe(2n)
  })

  it('pays 0 and accepts when the counter stands still', () => {
    expect(run([at(0, 9), at(1, 9)]).units).toEqual([0, 0])
  })

  it('rejects a counter that runs backwards and leaves State alone', () => {
    const { units, state } = run([at(0, 1000), at(60, 999), at(120, 1002)])
    expect(units).toEqual([0, 'rejected', 3])
    expect(state['lastWattHours']).toBe(1002n)
  })

  it('rejects time that does not advance', () => {
    expect(run([at(0, 0), at(0, 0), at(-1, 0), at(1, 0)]).units).toEqual([0, 'rejected', 'rejected', 0])
  })

  it('rejects energy faster than the fuse, to one watt hour', () => {
    expect(run([at(0, 0), at(3600, 7200)]).units).toEqual([0, 10_800])
    expect(run([at(0, 0), at(3600, 7201)]).units).toEqual([0, 'rejected'])
    expect(run([at(0, 0), at(1, 7202), at(3601, 7202)]).units).toEqual([0, 'rejected', 10_803])
  })

  it('gains nothing by reading every second', () => {
    const { units } = run(Array.from({ length: 61 }, (_, second) => at(second, second * 3)))
    expect(units.reduce((sum: number, n) => sum + (n === 'rejected' ? 0 : Number(n)), 0)).toBe(0)
    expect(run([at(0, 0), at(1, 3), at(2, 3)]).units).toEqual([0, 'rejected', 4])
  })

  it('rejects a reading from the future, clocks allowed for', () => {
    const anchorTimeSec = BigInt(NOW)
    expect(run([at(300, 0)], { anchorTimeSec }).units).toEqual([0])
    expect(run([at(301, 0)], { anchorTimeSec }).units).toEqual(['rejected'])
  })

  it('rejects what would not fit 32 bits of units', () => {
    const config = { maxWatts: 0xff_ffff, unitsPerKwh: 0xff_ffff }
    expect(run([at(0, 0), at(3600, 256_000)], { config }).units).toEqual([0, 256 * 0xff_ffff])
    expect(run([at(0, 0), at(3600, 256_001)], { config }).units).toEqual([0, 'rejected'])
  })

  it('holds at the ends of the ranges', () => {
    const state = { lastTimeSec: 1, lastWattHours: 0xffff_fffe, milliUnits: 1023 }
    const { units } = run([{ timeSec: 0xffff_ffff, wattHours: 0xffff_ffff }], { state, anchorTimeSec: 2n ** 63n })
    expect(units).toEqual([2])
  })
})
