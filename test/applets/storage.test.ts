import { beforeAll, describe, expect, it } from 'vitest'
import { loadApplet, type RunApplet } from './applet.ts'

const CONFIG = { beacon: 0x1234_5678, unitsPerAnswer: 40 }
const SEED = 0xcafe_f00d

/** MurmurHash3's final mix, from its description. */
function mix(word: number): number {
  const first = Math.imul(word ^ (word >>> 16), 0x85eb_ca6b)
  const second = Math.imul(first ^ (first >>> 13), 0xc2b2_ae35)
  return (second ^ (second >>> 16)) >>> 0
}

const wordAt = (place: number, seed: number) => mix((mix(place) ^ seed) >>> 0)
const right = wordAt(CONFIG.beacon, SEED)
const answers = (...values: number[]) => values.map((answer) => ({ answer }))

describe('storage', () => {
  let run: RunApplet
  beforeAll(async () => {
    run = await loadApplet('storage', CONFIG, 0n)
  })

  it('mixes as MurmurHash3 does', () =>
    expect([mix(0), mix(1), mix(0xffff_ffff)]).toEqual([0, 0x514e_28b7, 0x81f1_6f39]))

  it('plants the file with the first reading, then pays the right word', () => {
    const { units, state } = run(answers(SEED, right))
    expect(units).toEqual([0, 40])
    expect(state).toEqual({ planted: 1n, seed: BigInt(SEED), beacon: BigInt(CONFIG.beacon) })
  })

  it('pays each beacon once', () => {
    const { units, state } = run(answers(SEED, right, right))
    expect(units).toEqual([0, 40, 'rejected'])
    const beacon = 77
    expect(run(answers(right, wordAt(beacon, SEED)), { state, config: { beacon } }).units).toEqual([0, 'rejected'])
    expect(run(answers(wordAt(beacon, SEED)), { state, config: { beacon } }).units).toEqual([40])
  })

  it('gives one guess, which a wrong answer spends', () => {
    for (const bit of [0, 15, 31]) {
      const { units } = run(answers(SEED, (right ^ (1 << bit)) >>> 0, right))
      expect(units).toEqual([0, 0, 'rejected'])
    }
  })

  it('pays no word of another seed or place', () => {
    expect(run(answers(SEED, wordAt(CONFIG.beacon, SEED + 1))).units).toEqual([0, 0])
    expect(run(answers(SEED, wordAt(CONFIG.beacon + 1, SEED))).units).toEqual([0, 0])
  })

  it('does not let a file be planted anew, and takes 0 for a seed', () => {
    const { state } = run(answers(SEED, right))
    expect(run(answers(5), { state, config: { beacon: 9 } }).state['seed']).toBe(BigInt(SEED))
    expect(run(answers(0, wordAt(CONFIG.beacon, 0), 0)).units).toEqual([0, 40, 'rejected'])
  })

  it('pays nothing while there is no beacon', () => {
    expect(run(answers(SEED, wordAt(0, SEED)), { config: { beacon: 0 } }).units).toEqual([0, 'rejected'])
  })
})
