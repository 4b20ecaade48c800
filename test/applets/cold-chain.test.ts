import { beforeAll, describe, expect, it } from 'vitest'
import { loadApplet, type RunApplet } from './applet.ts'

const NOW = 1_700_000_000
const CONFIG = { minCentiC: 200, maxCentiC: 800, maxGapSec: 900, doubtLimitSec: 1800, unitsPerHour: 3600 }
const at = (seconds: number, centiC: number) => ({ timeSec: NOW + seconds, centiC })

describe('cold-chain', () => {
  let run: RunApplet
  beforeAll(async () => {
    run = await loadApplet('cold-chain', CONFIG, BigInt(NOW + 100_000_000))
  })

  it('pays 0 for the first reading, then the time between two cold ones', () => {
    expect(run([at(0, 500), at(600, 200), at(1500, 800)]).units).toEqual([0, 600, 900])
  })

  it('loses nothing by rounding', () => {
    const config = { unitsPerHour: 7 }
    const steps = Array.from({ length: 3601 }, (_, i) => at(i, 500))
    expect(run(steps, { config }).units.reduce((sum: number, each) => sum + Number(each), 0)).toBe(7)
  })

  it('pays no time that begins or ends outside the range, to a hundredth', () => {
    expect(run([at(0, 500), at(60, 801), at(120, 800), at(180, 199), at(240, 200), at(300, 200)]).units).toEqual([
      0, 0, 0, 0, 0, 60,
    ])
    expect(run([at(0, 900), at(60, 500)]).units).toEqual([0, 0])
  })

  it('pays no gap, to one second', () => {
    expect(run([at(0, 500), at(900, 500), at(1801, 500)]).units).toEqual([0, 900, 0])
  })

  it('is spoilt for good when too much is in doubt', () => {
    const doubt = [at(0, 500), at(600, 900), at(1200, 900), at(1800, 500)]
    expect(run([...doubt, at(2400, 500)]).units).toEqual([0, 0, 0, 0, 600])
    const { units, state } = run([...doubt, at(1801, 900), at(1802, 500), at(2402, 500), at(3002, 500)])
    expect(units).toEqual([0, 0, 0, 0, 0, 0, 0, 0])
    expect(run([at(4000, 500), at(4600, 500)], { state }).units).toEqual([0, 0])
  })

  it('stays spoilt after a silence that no number holds', () => {
    const { units, state } = run([at(0, 500), at(50_000_000, 500), at(50_000_060, 500)])
    expect(units).toEqual([0, 0, 0])
    expect(state['doubtSec']).toBe(0xff_ffffn)
  })

  it('rejects time that does not advance, a replay and the future', () => {
    expect(run([at(0, 500), at(60, 500), at(60, 500), at(0, 500)]).units).toEqual([0, 60, 'rejected', 'rejected'])
    expect(run([at(300, 500)], { anchorTimeSec: BigInt(NOW) }).units).toEqual([0])
    expect(run([at(301, 500)], { anchorTimeSec: BigInt(NOW) }).units).toEqual(['rejected'])
  })
})
