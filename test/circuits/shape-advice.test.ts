// Advice on D and R, on predictions that batch-cost.test.ts holds against circom.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { buildApplet } from '../../applets/build.ts'
import { batchCost, batchParts } from '../../circuits/batch-cost.ts'
import { publicSignalCount } from '../../circuits/batch-circuit.ts'
import { buildCircuit } from '../../circuits/build.ts'
import { compileApplet } from '../../circuits/compiler/index.ts'
import { adviseShape, bestShapes, shapeCost, type PricedApplet } from '../../circuits/shape-advice.ts'
import { CACHE_DIR } from './lib/toy.ts'

let wasm: Uint8Array
let meter: PricedApplet
beforeAll(async () => {
  wasm = await buildApplet(join(import.meta.dirname, '../../applets/energy-meter.ts'))
  const { abi, stats } = compileApplet(wasm)
  meter = { abi, reading: { constraints: stats.constraints, terms: 0 } }
})

/** An applet of energy-meter's records with another price of a reading. */
const pricedAt = (constraints: number): PricedApplet => ({ ...meter, reading: { constraints, terms: 0 } })

describe('the best shapes', () => {
  it('fill each power of two as far as whole readings go, and never overstep it', () => {
    const shapes = bestShapes(meter)
    expect(new Set(shapes.map(({ cohortSize }) => cohortSize))).toEqual(new Set([4, 8, 16, 32, 64]))
    for (const best of shapes) {
      const rows = best.constraints + publicSignalCount(best.cohortSize) + 1
      expect(rows).toBeLessThanOrEqual(2 ** best.power)
      if (best.frameSize === 64) continue
      const next = shapeCost(meter, { ...best, frameSize: best.frameSize + 1 })
      expect(next.power).toBeGreaterThan(best.power)
    }
  })

  it('stop where a full frame gets too long', () => {
    const field = (i: number) => ({ name: `f${i}`, type: 'u64', bits: 64, offset: 8 * i }) as const
    const reading = Array.from({ length: 128 }, (_, i) => field(i))
    const wide = { abi: { ...meter.abi, reading }, reading: { constraints: 9_000, terms: 0 } }
    expect(Math.max(...bestShapes(wide).map(({ frameSize }) => frameSize))).toBe(63)
  })
})

describe('advice', () => {
  it('names the R below when a batch is just above a power of two', () => {
    const advice = adviseShape(meter, { cohortSize: 8, frameSize: 32 })
    expect(advice).toMatchObject({ finding: 'oversteps', better: { frameSize: 31, power: 17 } })
    expect(advice?.text).toBe(
      '8 devices × 32 readings take 131,212 constraints, 151 rows more than 2^17 holds, so that every proof pays for 2^18. R = 31 fills 98 % of 2^17, or R = 64 fills 85 % of 2^18.',
    )
  })

  it('names the R that fills the power when a batch leaves much of it', () => {
    const advice = adviseShape(meter, { cohortSize: 4, frameSize: 16 })
    expect(advice).toMatchObject({ finding: 'underfilled', better: { frameSize: 31, power: 16 } })
    expect(advice?.text).toContain('fill 66 % of the 2^16')
  })

  it('is silent for a well filled batch, and where no R would do better', () => {
    expect(adviseShape(meter, { cohortSize: 4, frameSize: 4 })).toBeNull()
    expect(adviseShape(meter, { cohortSize: 16, frameSize: 64 })).toBeNull()
  })

  it('counts the rows of the public signals: the last row that fits and the first that does not', () => {
    const D = 4
    const shape = { cohortSize: D, frameSize: 1 }
    const without = batchCost(meter.abi, { constraints: 0, terms: 0 }, shape).constraints
    const room = 2 ** 15 - publicSignalCount(D) - 1 - without
    const perSlot = Math.floor(room / D)
    expect(shapeCost(pricedAt(perSlot), shape).power).toBe(15)
    expect(shapeCost(pricedAt(perSlot + 1), shape).power).toBe(16)
  })

  it('refuses a shape that no circuit has', () => {
    expect(() => adviseShape(meter, { cohortSize: 5, frameSize: 4 })).toThrow(
      expect.objectContaining({ code: 'CIRCUIT_SHAPE_INVALID' }),
    )
  })
})

describe('a build', () => {
  const order = (frameSize: number) => {
    const told: string[] = []
    const failing = { kind: 'ptau', path: '/nowhere.ptau' } as const
    const options = {
      cohortSize: 4,
      frameSize,
      cacheDir: CACHE_DIR,
      setup: failing,
      onAdvice: (text: string) => told.push(text),
    }
    return buildCircuit(wasm, options).then(() => told, () => told) // prettier-ignore
  }

  it('tells once, before anything is compiled, that the shape is bad, and goes on', async () => {
    expect(await order(16)).toEqual([expect.stringContaining('R = 31 fills 99 % of 2^16')])
    expect(await order(4)).toEqual([])
  })
})

describe('the bill of a batch', () => {
  it.each([
    [4, 1],
    [16, 16],
    [64, 64],
  ])('at D = %i, R = %i adds up to its cost', (cohortSize, frameSize) => {
    const shape = { cohortSize, frameSize }
    const parts = batchParts(meter.abi, meter.reading, shape)
    const total = parts.reduce((sum, { constraints, times }) => sum + constraints * times, 0)
    expect(total).toBe(batchCost(meter.abi, meter.reading, shape).constraints)
    expect(parts.find(({ part }) => part === 'signature')).toMatchObject({ per: 'slot', times: cohortSize })
  })

  it('is the one in docs/circuit-costs.md', () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/circuit-costs.md'), 'utf8')
    const shapes = [{ cohortSize: 4, frameSize: 4 }, { cohortSize: 16, frameSize: 4 }, { cohortSize: 16, frameSize: 16 }] // prettier-ignore
    const bills = shapes.map((shape) => {
      const parts = batchParts(meter.abi, meter.reading, shape).filter(({ per }) => per !== 'reading')
      return parts.map(({ part, constraints, times }) => ({ part, of: (constraints * times) / shape.cohortSize }))
    })
    const row = (name: string, of: readonly number[]) =>
      `| ${name} | ${of.map((value) => Math.round(value).toLocaleString('en')).join(' | ')} |`
    const last = ['Config: ranges and hash', 'anchored values']
    const rows = bills[0]!
      .filter(({ part }) => !last.includes(part))
      .map(({ part }) => row(part, bills.map((bill) => bill.find((of) => of.part === part)!.of))) // prettier-ignore
    expect(rows.filter((line) => !page.includes(line))).toEqual([])
    const total = bills.map((bill) => bill.reduce((sum, { of }) => sum + of, 0))
    expect(page).toContain(
      `| **together** | ${total.map((value) => `**${Math.floor(value).toLocaleString('en')}**`).join(' | ')} |`,
    )
  })

  it('gives the advice of docs/circuit-costs.md', () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/circuit-costs.md'), 'utf8')
    const shown = bestShapes(meter).filter(({ cohortSize, power }) => cohortSize <= 16 && (power <= 17 || cohortSize === 16) && power < 19 && (cohortSize !== 4 || power < 17)) // prettier-ignore
    const rows = shown.map(({ cohortSize, frameSize, constraints, power }) => `| ${cohortSize} | ${frameSize} | ${constraints.toLocaleString('en')} | 2^${power} |`) // prettier-ignore
    expect(rows.filter((line) => !page.includes(line))).toEqual([])
  })
})
