import { beforeAll, describe, expect, it } from 'vitest'
import { loadApplet, type RunApplet } from './applet.ts'

const SLOT_SEC = 60
const NOW = 28_000_000 * SLOT_SEC
const CONFIG = { unitsPerSlot: 5, maxAgeSec: 1_000_000 }
const slot = (number: number, seconds = 0) => ({ timeSec: NOW + number * SLOT_SEC + seconds })

describe('uptime', () => {
  let run: RunApplet
  beforeAll(async () => {
    run = await loadApplet('uptime', CONFIG, BigInt(NOW + 100_000))
  }, 60_000)

  it('pays 0 for the first heartbeat and once for every slot after it', () => {
    expect(run([slot(0), slot(1), slot(2, 59), slot(4)]).units).toEqual([0, 5, 5, 5])
  })

  it('rejects a second heartbeat in a slot', () => {
    expect(run([slot(0), slot(0, 30), slot(1), slot(1, 59), slot(2)]).units).toEqual([0, 'rejected', 5, 'rejected', 5])
  })

  it('pays late heartbeats once, within 31 slots', () => {
    const { units } = run([slot(0), slot(40), slot(9), slot(39), slot(9), slot(8), slot(41), slot(10), slot(9)])
    expect(units).toEqual([0, 5, 5, 5, 'rejected', 'rejected', 5, 5, 'rejected'])
  })

  it('pays no slot before the first heartbeat', () => {
    expect(run([slot(50), slot(49), slot(19), slot(51), slot(50)]).units).toEqual([
      0,
      'rejected',
      'rejected',
      5,
      'rejected',
    ])
  })

  it('forgets the window after a long silence', () => {
    const { state } = run([slot(0), slot(32)])
    expect(state).toEqual({ newestSlot: BigInt(NOW / SLOT_SEC + 32), window: 1n })
    expect(run([slot(0), slot(31)]).state['window']).toBe(0x8000_0001n)
    expect(run([slot(0), slot(1000), slot(999)]).units).toEqual([0, 5, 5])
  })

  it('rejects the future and what is too old when it is anchored', () => {
    const options = { anchorTimeSec: BigInt(NOW), config: { maxAgeSec: 600 } }
    expect(run([slot(5), slot(6)], options).units).toEqual([0, 'rejected'])
    expect(run([slot(-11), slot(-10), slot(-9)], options).units).toEqual(['rejected', 0, 5])
  })

  it('agrees with a set of slots on random heartbeats', () => {
    let seed = 1
    const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below
    const beats = Array.from({ length: 2000 }, (_, i) => i + random(64))
    const paid = new Set<number>()
    let newest = -1
    const expected = beats.map((number, i) => {
      if (i === 0) for (let earlier = 0; earlier <= number; earlier++) paid.add(earlier)
      const fresh = !paid.has(number) && number > newest - 32
      paid.add(number)
      newest = Math.max(newest, number)
      return i === 0 ? 0 : fresh ? 5 : 'rejected'
    })
    const anchorTimeSec = BigInt(NOW + 3000 * SLOT_SEC)
    expect(
      run(
        beats.map((number) => slot(number)),
        { anchorTimeSec },
      ).units,
    ).toEqual(expected)
  })
})
