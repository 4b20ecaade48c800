import { beforeAll, describe, expect, it } from 'vitest'
import { loadApplet, type RunApplet } from './applet.ts'

const WINDOW = 16 * 60
const NOW = 1_800_000 * WINDOW
const CONFIG = { pingSec: 60, graceSec: 15, minAnswers: 12, maxAgeSec: 100_000, unitsPerWindow: 700 }
const answer = (ping: number, late = 5) => ({ timeSec: NOW + ping * 60 + late })
const pings = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => answer(from + i))
const paid = (units: readonly (number | 'rejected')[]) => units.filter((each) => each === 700).length

describe('liveness', () => {
  let run: RunApplet
  beforeAll(async () => {
    run = await loadApplet('liveness', CONFIG, BigInt(NOW + 50_000))
  })

  it('pays a window at its twelfth answer and once', () => {
    const { units } = run(pings(0, 16))
    expect(units.indexOf(700)).toBe(11)
    expect(paid(units)).toBe(1)
    expect(paid(run(pings(0, 48)).units)).toBe(3)
  })

  it('pays nothing for eleven of sixteen, and does not add windows together', () => {
    expect(paid(run([...pings(0, 11), ...pings(16, 27)]).units)).toBe(0)
    expect(paid(run(pings(5, 27)).units)).toBe(0)
    expect(paid(run(pings(4, 16)).units)).toBe(1)
  })

  it('takes an answer to the last second of the grace', () => {
    expect(run([answer(0, 15), answer(1, 16), answer(2, 59), answer(3, 0)]).units).toEqual([
      0,
      'rejected',
      'rejected',
      0,
    ])
  })

  it('counts a ping once and never an earlier one', () => {
    const { units, state } = run([answer(3, 1), answer(3, 2), answer(2), answer(4)])
    expect(units).toEqual([0, 'rejected', 'rejected', 0])
    expect(state).toEqual({ timeSec: BigInt(answer(4).timeSec), answers: 2n, isPaid: 0n })
  })

  it('does not pay again for the window that was paid', () => {
    const { state } = run(pings(0, 12))
    expect(paid(run(pings(0, 16), { state }).units)).toBe(0)
  })

  it('pays a window once however `minAnswers` changes within it', () => {
    const early = run(pings(0, 5), { config: { minAnswers: 5 } })
    expect(paid(early.units)).toBe(1)
    expect(paid(run(pings(5, 16), { state: early.state, config: { minAnswers: 8 } }).units)).toBe(0)
    const late = run(pings(0, 7), { config: { minAnswers: 8 } })
    const lowered = run(pings(7, 32), { state: late.state, config: { minAnswers: 5 } })
    expect(lowered.units.flatMap((units, i) => (units === 700 ? [7 + i] : []))).toEqual([7, 20])
  })

  it('rejects answers that are too old at the anchor, and those from the future', () => {
    const anchorTimeSec = BigInt(NOW + 100_005)
    expect(run([answer(0)], { anchorTimeSec }).units).toEqual([0])
    expect(run([answer(0)], { anchorTimeSec: anchorTimeSec + 1n }).units).toEqual(['rejected'])
    expect(run([answer(5, 0)], { anchorTimeSec: BigInt(NOW) }).units).toEqual([0])
    expect(run([answer(5, 1)], { anchorTimeSec: BigInt(NOW) }).units).toEqual(['rejected'])
  })

  it('goes on when the period changes, and rejects when there is none', () => {
    const { state } = run(pings(0, 3))
    expect(run([answer(10)], { state, config: { pingSec: 120 } }).units).toEqual([0])
    expect(run([answer(10)], { config: { pingSec: 0 } }).units).toEqual(['rejected'])
  })
})
