// The snapshot's budgets are held by test/bench/budgets.test.ts.

import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { measureGas } from './gas.ts'

const SNAPSHOT = new URL('../../contracts/gas.snapshot.json', import.meta.url)

describe('gas', () => {
  it('is what the committed snapshot says; RENEW=1 renews it', async () => {
    const figures = await measureGas()
    if (process.env.RENEW === '1') writeFileSync(SNAPSHOT, `${JSON.stringify(figures, null, 2)}\n`)
    expect(figures).toEqual(JSON.parse(readFileSync(SNAPSHOT, 'utf8')))
  })
})
