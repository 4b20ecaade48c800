import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { measureGas } from './gas.ts'

const SNAPSHOT = new URL('../../bench/gas.snapshot.json', import.meta.url)
const SETTLE_D16_BUDGET = 375_000

describe('gas', () => {
  it('is what the committed snapshot says; delete bench/gas.snapshot.json and run again to renew it', async () => {
    const figures = await measureGas()
    expect(figures['gas.settle.D16']).toBeLessThanOrEqual(SETTLE_D16_BUDGET)
    if (!existsSync(SNAPSHOT)) writeFileSync(SNAPSHOT, `${JSON.stringify(figures, null, 2)}\n`)
    expect(figures).toEqual(JSON.parse(readFileSync(SNAPSHOT, 'utf8')))
  })

  it('is the same in a second run', async () => {
    expect(await measureGas()).toEqual(JSON.parse(readFileSync(SNAPSHOT, 'utf8')))
  })
})
