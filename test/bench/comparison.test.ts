// docs/comparison.md is what `npm run bench:compare` writes, and its published figures name their sources.

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { comparisonPage, PAGE } from '../../bench/compare.ts'
import published from '../../bench/published.json' with { type: 'json' }
import { recordedRates } from '../../bench/readings.bench.ts'

describe('the comparison page', () => {
  it('is what the command writes from the recorded measurements', () => {
    expect(readFileSync(PAGE, 'utf8')).toBe(comparisonPage(recordedRates()))
  })

  it('changes with what was measured', () => {
    const { rates, oneDevice, machine } = recordedRates()
    const slower = rates.map((rate) => ({ ...rate, cpuMs: 2 * rate.cpuMs }))
    expect(comparisonPage({ rates: slower, oneDevice, machine })).not.toBe(readFileSync(PAGE, 'utf8'))
  })

  it('names a source and a date for each figure of others, and a command for each of ours', () => {
    for (const { source, date } of published) {
      expect(source).toMatch(/^(github\.com|dev\.risczero\.com|repos\.status\.im)\//)
      expect(date).toMatch(/\d{4}|undated/)
    }
    const page = readFileSync(PAGE, 'utf8')
    for (const command of ['bench:compare', 'bench:gas', 'bench:readings', 'npm run -s figures'])
      expect(page).toContain(command)
  })
})

describe('the recorded rates', () => {
  const rate = (applet: string, prover: string) =>
    recordedRates().rates.find((row) => row.applet === applet && row.prover === prover && row.frameSize === 16)!

  it('reach 18 a second for energy-meter at R = 16, and more than four times what snarkjs does', () => {
    expect(rate('energy-meter', 'wasm').readingsPerCpuSecond).toBeGreaterThanOrEqual(18)
    const times =
      rate('threshold-time', 'wasm').readingsPerCpuSecond / rate('threshold-time', 'snarkjs').readingsPerCpuSecond
    expect(times).toBeGreaterThan(4)
  })

  it('stand in bench/README.md', () => {
    const readme = readFileSync(new URL('../../bench/README.md', import.meta.url), 'utf8')
    const missing = recordedRates().rates.filter(
      ({ readingsPerCpuSecond }) => !readme.includes(`| ${readingsPerCpuSecond} |`),
    )
    expect(missing).toEqual([])
  })
})
