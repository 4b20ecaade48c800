import { beforeAll, describe, expect, it } from 'vitest'
import { loadApplet, type RunApplet } from './applet.ts'

const MIDNIGHT = 1_735_776_000
const CONFIG = { beatSec: 3600, minStaySec: 120, maxChanges: 4, unitsPerChange: 50, unitsPerBeat: 3 }
const at = (seconds: number, occupied: 0 | 1) => ({ timeSec: MIDNIGHT + seconds, occupied })

describe('parking', () => {
  let run: RunApplet
  beforeAll(async () => {
    run = await loadApplet('parking', CONFIG, 1_790_000_000n)
  })

  it('pays 0 for the first reading, then changes and signs of life', () => {
    expect(run([at(0, 0), at(600, 1), at(4200, 1), at(4300, 0)]).units).toEqual([0, 50, 3, 50])
    expect(run([at(0, 1), at(600, 0)]).units).toEqual([0, 50])
  })

  it('rejects a change too soon after the one before, whatever was said in between', () => {
    expect(run([at(0, 0), at(119, 1), at(120, 1), at(239, 0), at(240, 0)]).units).toEqual([
      0,
      'rejected',
      50,
      'rejected',
      50,
    ])
    const config = { beatSec: 10 }
    expect(run([at(0, 0), at(200, 1), at(300, 1), at(319, 0)], { config }).units).toEqual([0, 50, 3, 'rejected'])
  })

  it('rejects signs of life too soon, and a replay', () => {
    expect(run([at(0, 0), at(3599, 0), at(3600, 0), at(3600, 0), at(7199, 0)]).units).toEqual([
      0,
      'rejected',
      3,
      'rejected',
      'rejected',
    ])
  })

  it('pays so many changes a day, and again the next', () => {
    const changes = Array.from({ length: 6 }, (_, i) => at(1000 * (i + 1), i % 2 ? 0 : 1))
    const { units, state } = run([at(0, 0), ...changes])
    expect(units).toEqual([0, 50, 50, 50, 50, 'rejected', 'rejected'])
    expect(state).toMatchObject({ changes: 4n, occupied: 0n })
    expect(run([at(86_399, 1), at(86_400, 1)], { state }).units).toEqual(['rejected', 50])
  })

  it('rejects time that does not advance and the future', () => {
    expect(run([at(600, 0), at(600, 1), at(0, 1)]).units).toEqual([0, 'rejected', 'rejected'])
    expect(run([at(301, 0)], { anchorTimeSec: BigInt(MIDNIGHT) }).units).toEqual(['rejected'])
  })
})
