import { beforeAll, describe, expect, it } from 'vitest'
import { loadApplet, type RunApplet } from './applet.ts'

const NOW = 1_700_000_000
const [VALUE, START, STOP] = [0, 1, 2]
const CONFIG = { maxWatts: 22_000, minWatts: 1400, sessionWattHours: 50_000, pauseSec: 600, unitsPerKwh: 1500 }
const at = (seconds: number, wattHours: number, event: number) => ({ timeSec: NOW + seconds, wattHours, event })

describe('ev-charging', () => {
  let run: RunApplet
  beforeAll(async () => {
    run = await loadApplet('ev-charging', CONFIG, BigInt(NOW + 10_000_000))
  })

  it('pays the energy of a session', () => {
    const { units, state } = run([at(0, 5000, START), at(3600, 16_000, VALUE), at(5400, 21_000, STOP)])
    expect(units).toEqual([0, 16_500, 7500])
    expect(state).toMatchObject({ charging: 0n, sessionWattHours: 16_000n, wattHours: 21_000n })
  })

  it('takes start, values, stop in this order and nothing else', () => {
    expect(run([at(0, 0, VALUE), at(0, 0, STOP), at(0, 0, START)]).units).toEqual(['rejected', 'rejected', 0])
    expect(run([at(0, 0, START), at(900, 0, START), at(900, 5000, STOP)]).units).toEqual([0, 'rejected', 7500])
    expect(run([at(0, 0, START), at(900, 0, 3)]).units).toEqual([0, 'rejected'])
    expect(run([at(0, 0, START), at(900, 5000, STOP), at(1800, 9000, STOP)]).units).toEqual([0, 7500, 'rejected'])
  })

  it('never pays energy between sessions', () => {
    const { units } = run([at(0, 0, START), at(900, 5000, STOP), at(3600, 9000, START), at(4500, 14_000, STOP)])
    expect(units).toEqual([0, 7500, 0, 7500])
  })

  it('pays a session up to its cap, over all its readings', () => {
    const values = [1, 2, 3].map((hour) => at(hour * 3600, hour * 20_000, VALUE))
    const { units, state } = run([at(0, 0, START), ...values, at(15_000, 70_000, STOP)])
    expect(units).toEqual([0, 30_000, 30_000, 15_000, 0])
    expect(state['sessionWattHours']).toBe(50_000n)
  })

  it('does not let the cap be evaded by stopping for a moment', () => {
    const session = [at(0, 0, START), at(9000, 50_000, STOP)]
    expect(run([...session, at(9600, 50_000, START)]).units).toEqual([0, 75_000, 'rejected'])
    expect(run([...session, at(9601, 50_000, START)]).units).toEqual([0, 75_000, 0])
  })

  it('mints nothing when the cap is lowered during a session', () => {
    const before = run([at(0, 0, START), at(3600, 20_000, VALUE)]).state
    const lowered = run([at(7200, 40_000, STOP)], { state: before, config: { sessionWattHours: 10_000 } })
    expect(lowered.units).toEqual([0])
    expect(lowered.state['milliUnits']).toBe(0n)
  })

  it('pays nothing for a car that only stands there, not even between two well chosen seconds', () => {
    expect(run([at(0, 0, START), at(3600, 1400, VALUE)]).units).toEqual([0, 0])
    expect(run([at(0, 0, START), at(3600, 1401, VALUE)]).units).toEqual([0, 2101])
    const idle = [36, 72, 108].flatMap((s, i) => [at(s - 1, i, VALUE), at(s, i + 1, VALUE)])
    expect(run([at(0, 0, START), ...idle]).units.filter((units) => units !== 0)).toEqual([])
  })

  it('rejects more power than the point has, to one watt hour', () => {
    expect(run([at(0, 0, START), at(3600, 22_000, VALUE)]).units).toEqual([0, 33_000])
    expect(run([at(0, 0, START), at(3600, 22_001, VALUE)]).units).toEqual([0, 'rejected'])
    const seconds = Array.from({ length: 20 }, (_, i) => at(i + 1, 7 * (i + 1), VALUE))
    expect(new Set(run([at(0, 0, START), ...seconds]).units.slice(1))).toEqual(new Set(['rejected']))
  })

  it('loses nothing by rounding: many values pay what one pays', () => {
    const values = Array.from({ length: 100 }, (_, i) => at((i + 1) * 60, (i + 1) * 107, VALUE))
    const paid = run([at(0, 0, START), ...values]).units.reduce((sum: number, n) => sum + Number(n), 0)
    expect(paid).toBe(Math.floor((10_700 * 1500) / 1000))
  })

  it('rejects a counter that runs backwards, also at a start, and time that does not advance', () => {
    const { units, state } = run([at(0, 1000, START), at(900, 999, VALUE), at(0, 1000, STOP), at(900, 6000, STOP)])
    expect(units).toEqual([0, 'rejected', 'rejected', 7500])
    expect(run([at(5000, 1000, START), at(5000, 6000, START)], { state }).units).toEqual(['rejected', 0])
    expect(run([at(301, 0, START)], { anchorTimeSec: BigInt(NOW) }).units).toEqual(['rejected'])
  })
})
