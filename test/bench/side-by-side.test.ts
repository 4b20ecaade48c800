// What verifiers cost beside each other is committed in bench/side-by-side.json; settlements are in contracts/gas.snapshot.json.

import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { measureVerifiers, perDevice, type SideBySide } from '../../bench/side-by-side.ts'
import gas from '../../contracts/gas.snapshot.json' with { type: 'json' }

const FILE = new URL('../../bench/side-by-side.json', import.meta.url)
const README = new URL('../../bench/README.md', import.meta.url)

describe('verifiers side by side', () => {
  it('cost what bench/side-by-side.json says; RENEW=1 renews it', async () => {
    const measured = await measureVerifiers()
    if (process.env.RENEW === '1') writeFileSync(FILE, `${JSON.stringify(measured, null, 2)}\n`)
    expect(measured).toEqual(committed())
  })

  it('leave one contract for all applets the cheaper choice: a contract for each saves less than it costs to deploy', () => {
    const verifiers = committed()
    const savedEach = verifiers['verify.ours'] - verifiers['verify.perApplet']
    const dearerBy = verifiers['deploy.perApplet'] - verifiers['deploy.ours.key']
    expect(savedEach / verifiers['verify.ours']).toBeLessThan(0.02)
    expect(dearerBy / savedEach).toBeGreaterThan(40)
  })

  it('make a device and batch at least 25 times cheaper than a proof for each device, and the README says how much', () => {
    const rows = perDevice(gas, committed())
    expect(rows.slice(1).every(({ times }) => times >= 25)).toBe(true)
    const readme = readFileSync(README, 'utf8')
    const missing = rows.filter(({ gas, times }) => !readme.includes(`| ${gas.toLocaleString('en')} | 1/${times} |`))
    expect(missing).toEqual([])
    const verified = Object.entries(committed()).map(
      ([name, value]) => `| \`${name}\` | ${value.toLocaleString('en')} |`,
    )
    expect(verified.filter((row) => !readme.includes(row))).toEqual([])
  })
})

function committed(): SideBySide {
  return JSON.parse(readFileSync(FILE, 'utf8')) as SideBySide
}
