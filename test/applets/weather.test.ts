import { beforeAll, describe, expect, it } from 'vitest'
import { loadApplet, type RunApplet } from './applet.ts'

const NOW = 1_700_000_000
const CONFIG = {
  minCentiC: -3000,
  maxCentiC: 4500,
  corridorCentiC: 300,
  maxCentiCPerHour: 600,
  pauseSec: 500,
  unitsPerReading: 4,
}
const at = (seconds: number, centiC: number, neighbours: readonly [number, number, number] = [0, 0, 0]) => {
  const [neighbourA, neighbourB, neighbourC] = neighbours
  return { timeSec: NOW + seconds, centiC, neighbourA, neighbourB, neighbourC }
}

describe('weather', () => {
  let run: RunApplet
  beforeAll(async () => {
    run = await loadApplet('weather', CONFIG, BigInt(NOW + 1_000_000))
  })

  it('pays 0 for the first reading and then those that the neighbours bear out', () => {
    expect(run([at(0, 0), at(600, 50), at(1200, -10)]).units).toEqual([0, 4, 4])
  })

  it('holds the reading against the middle neighbour, to a hundredth, wherever it stands', () => {
    for (const [a, b, c] of [
      [1000, 1300, 8000],
      [8000, 1000, 1300],
      [1300, 8000, -8000],
      [1300, 1300, 1300],
    ] as const)
      expect(run([at(0, 999, [a, b, c]), at(0, 1601, [a, b, c]), at(0, 1600, [a, b, c])]).units).toEqual([
        'rejected',
        'rejected',
        0,
      ])
    expect(run([at(0, -1600, [-1300, -1300, 8191])]).units).toEqual([0])
  })

  it('one lying neighbour of three moves nothing beyond the other two', () => {
    expect(run([at(0, 400, [0, 50, 8191]), at(0, 400, [0, 50, -8192])]).units).toEqual(['rejected', 'rejected'])
  })

  it('rejects what the climate does not have', () => {
    const hot = [4500, 4500, 4500] as const
    expect(run([at(0, 4501, hot), at(0, 4500, hot)]).units).toEqual(['rejected', 0])
    const cold = [-3000, -3000, -3000] as const
    expect(run([at(0, -3001, cold), at(0, -3000, cold)]).units).toEqual(['rejected', 0])
  })

  it('rejects a jump, to a hundredth, also when it is cut into small readings', () => {
    expect(run([at(0, 0), at(600, 101), at(600, 100), at(1200, 0)]).units).toEqual([0, 'rejected', 4, 4])
    const config = { pauseSec: 0 }
    const cut = Array.from({ length: 20 }, (_, i) => at(i + 1, 10 * (i + 1)))
    const { state } = run([at(0, 0), ...cut], { config })
    expect(state['centiC']).toBe(0n)
  })

  it('rejects a sensor that is stuck at the sixteenth repetition, until it moves', () => {
    const stuck = Array.from({ length: 17 }, (_, i) => at(i * 600, 20))
    expect(run([...stuck, at(10_200, 21)]).units).toEqual([0, ...Array<number>(15).fill(4), 'rejected', 4])
  })

  it('pays one reading in the pause, none twice, none from the future', () => {
    expect(run([at(0, 0), at(500, 0), at(501, 0), at(501, 0), at(400, 0)]).units).toEqual([
      0,
      'rejected',
      4,
      'rejected',
      'rejected',
    ])
    expect(run([at(301, 0)], { anchorTimeSec: BigInt(NOW) }).units).toEqual(['rejected'])
  })
})
