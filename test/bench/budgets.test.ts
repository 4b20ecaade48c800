// Every figure has a budget: `promised` is what the project has committed itself to, `held` what it has reached plus a little
// slack, so that a loss shows at once. Constraints and bytes are measured here; gas is measured by test/contracts/gas.test.ts,
// which keeps the committed snapshot equal to the chain, so that here the snapshot stands for it.

import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { buildApplet } from '../../applets/build.ts'
import { APPLETS, referenceConstraints } from '../../bench/constraints.ts'
import budgets from '../../bench/budgets.json' with { type: 'json' }
import { constraintFigures, sizeFigures, type Figures } from '../../bench/figures.ts'
import { compileApplet } from '../../circuits/compiler/index.ts'
import gas from '../../contracts/gas.snapshot.json' with { type: 'json' }

type Budget = { readonly promised?: number; readonly held: number }

const all = Object.entries(budgets as Record<string, Budget>)
let figures: Figures

beforeAll(async () => {
  figures = { ...(await constraintFigures()), ...gas, ...sizeFigures() }
})

describe('budgets', () => {
  it('stand for each figure and for nothing else', () => {
    expect(Object.keys(budgets).sort()).toEqual(Object.keys(figures).sort())
  })

  it.each(all)('%s is within its budget', (key, { promised, held }) => {
    expect(figures[key]).toBeLessThanOrEqual(held)
    expect(held).toBeLessThanOrEqual(promised ?? held)
  })

  it.each(all)('%s is held closely: a gain is written down', (key, { held }) => {
    expect(figures[key]).toBeGreaterThan(held * 0.95)
  })

  // The bundle's bytes move with every message in the core; the README rounds them.
  it('are documented with constraints and gas as they are', () => {
    const readme = readFileSync(new URL('../../bench/README.md', import.meta.url), 'utf8')
    const row = ([key, value]: [string, number]) => `| \`${key}\` | ${value.toLocaleString('en')} |`
    const exact = Object.entries(figures).filter(([key]) => !key.startsWith('bytes.'))
    expect(exact.map(row).filter((text) => !readme.includes(text))).toEqual([])
  })

  it.each(APPLETS)('the compiler predicts the constraints of %s exactly', async (name) => {
    const { stats } = compileApplet(await buildApplet(`applets/${name}.ts`))
    expect(figures[`constraints.applet.${name}`]).toBe(stats.constraints)
  })

  it('the compiler predicts the constraints of the reference programs exactly', { timeout: 120_000 }, async () => {
    const { of, sideBySide } = await referenceConstraints()
    expect(sideBySide).toBe(Object.values(of).reduce((total, count) => total + count, 0))
  })

  it.each(['threshold', 'geofence'])('%s costs at most 1.05 times the circuit written by hand', (name) => {
    const ratio = figures[`constraints.reference.${name}`]! / figures[`constraints.byHand.${name}`]!
    expect(ratio).toBeLessThanOrEqual(1.05)
  })
})
