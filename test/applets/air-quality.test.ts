import { beforeAll, describe, expect, it } from 'vitest'
import { randomSource } from '../circuits/compiler/applet-module.ts'
import { loadApplet, type RunApplet } from './applet.ts'

const NOW = 1_700_000_000
const CONFIG = { fullScale: 10_000, maxStep: 500, pauseSec: 3000, unitsPerWindow: 11 }
const window = (seconds: number, samples: readonly number[]) => ({
  timeSec: NOW + seconds,
  ...Object.fromEntries(samples.map((sample, k) => [`sample${k}`, sample])),
})
const flat = (value: number) => Array<number>(9).fill(value)

describe('air-quality', () => {
  let run: RunApplet
  beforeAll(async () => {
    run = await loadApplet('air-quality', CONFIG, BigInt(NOW + 1_000_000))
  })

  it('takes the median of nine, in any order and of any width', () => {
    const random = randomSource(3)
    for (let k = 0; k < 200; k++) {
      const samples = Array.from({ length: 9 }, () => random(k % 2 ? 4 : 65_536))
      const { state } = run([window(0, samples)], { config: { fullScale: 65_535 } })
      expect({ samples, median: state['median'] }).toEqual({
        samples,
        median: BigInt([...samples].sort((a, b) => a - b)[4]!),
      })
    }
  })

  it('pays 0 for the first window and then each, four samples gone astray or not', () => {
    const astray = [65_535, 65_535, 65_535, 65_535, 300, 300, 300, 300, 300]
    expect(run([window(0, flat(300)), window(3600, astray), window(7200, flat(0))]).units).toEqual([0, 11, 11])
    const state = { timeSec: NOW - 3600, median: 300 }
    expect(run([window(0, [65_535, ...astray.slice(0, 8)])], { state }).units).toEqual(['rejected'])
  })

  it('rejects a median above full scale, to one', () => {
    expect(run([window(0, flat(10_001)), window(0, flat(10_000))]).units).toEqual(['rejected', 0])
  })

  it('rejects a step that is too large, up and down', () => {
    const { units, state } = run([window(0, flat(900)), window(3600, flat(1401)), window(3600, flat(399))])
    expect(units).toEqual([0, 'rejected', 'rejected'])
    expect(state['median']).toBe(900n)
    expect(run([window(0, flat(900)), window(3600, flat(1400)), window(7200, flat(900))]).units).toEqual([0, 11, 11])
  })

  it('rejects a sensor that is stuck at the sixteenth repetition, and takes it back when it moves', () => {
    const stuck = Array.from({ length: 18 }, (_, i) => window(i * 3600, flat(300)))
    const { units } = run([...stuck, window(18 * 3600, flat(301))])
    expect(units).toEqual([0, ...Array<number>(15).fill(11), 'rejected', 'rejected', 11])
  })

  it('pays one window in the pause, and none twice', () => {
    const { units } = run([window(0, flat(1)), window(3000, flat(2)), window(3001, flat(2)), window(3001, flat(3))])
    expect(units).toEqual([0, 'rejected', 11, 'rejected'])
    expect(run([window(301, flat(1))], { anchorTimeSec: BigInt(NOW) }).units).toEqual(['rejected'])
  })
})
