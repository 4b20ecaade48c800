// `applet stats` as a developer reads it: each constraint has a line of the source, and a batch its price.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildAppletWithSource } from '../../applets/build.ts'
import { parseSourceLines } from '../../applets/source-lines.ts'
import { compileApplet } from '../../circuits/compiler/index.ts'
import { attestream } from './process.ts'

const directory = mkdtempSync(join(tmpdir(), 'attestream-stats-'))
const file = (name: string) => join(directory, name)
let constraints: number

beforeAll(async () => {
  const { wasm, sourceMap } = await buildAppletWithSource('applets/energy-meter.ts')
  writeFileSync(file('meter.wasm'), wasm)
  writeFileSync(file('bare.wasm'), wasm)
  writeFileSync(file('meter.wasm.map'), sourceMap!)
  constraints = compileApplet(wasm).stats.constraints
})
afterAll(() => rmSync(directory, { recursive: true }))

describe('attestream applet stats', () => {
  it('gives constraints by line and operation and the figures of a batch, as JSON', async () => {
    const { code, stdout } = await attestream('applet', 'stats', file('meter.wasm'), '--cohort', '8', '--frame', '3', '--json') // prettier-ignore
    expect(code).toBe(0)
    const stats = JSON.parse(stdout)
    const total = (rows: { constraints: number }[]) => rows.reduce((sum, row) => sum + row.constraints, 0)
    expect([total(stats.byLine), total(stats.byOperation)]).toEqual([constraints, constraints])
    expect(stats.byLine.reduce((sum: number, row: { share: number }) => sum + row.share, 0)).toBeCloseTo(1)
    const fuse = stats.byLine.find((row: any) => row.text?.startsWith('require(u64(wattHours) * SECONDS_PER_HOUR'))
    expect(fuse).toMatchObject({ file: 'applets/energy-meter.ts', line: expect.any(Number) })
    expect(stats.batch).toMatchObject({ cohortSize: 8, frameSize: 3, readings: 24, power: 16 })
    expect(stats.batch.proveMs).toBeGreaterThan(100)
    expect(stats.batch.gas.settle).toBeGreaterThan(stats.batch.gas.anchor)
    const ofBatch = stats.batch.parts.reduce((sum: number, part: any) => sum + part.constraints * part.times, 0)
    expect(ofBatch).toBe(stats.batch.constraints)
    expect(stats.shapes).toContainEqual(expect.objectContaining({ cohortSize: 8, frameSize: 31, power: 17 }))
    expect(stats.advice).toMatchObject({ finding: 'underfilled', better: { cohortSize: 8, frameSize: 9 } })
  })

  it('prints tables without colours, and bytes of the WASM where there is no source map', async () => {
    const { code, stdout } = await attestream('applet', 'stats', file('bare.wasm'), '--limit', '5')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^ +\d+ +\d+\.\d% +function "verify" \(\d+\) at byte 0x[0-9a-f]+: i\d\d\.\w+$/m)
    expect(stdout).toMatch(/^ {2}operation +gadgets +constraints$/m)
    expect(stdout).toContain(`${constraints} constraints, of which 64 are the ranges of its fields`)
    expect(stdout).toMatch(/^ {2}a batch +16 devices × 8 readings: [\d,]+ constraints$/m)
    expect(stdout).toMatch(/^ {2}powers of tau +2\^1\d$/m)
    expect(stdout).toMatch(/^ {2}one slot of 16 at R = 8, beside its readings +constraints +share$/m)
    expect(stdout).toMatch(/^ {2}signature +3,119 +\d\d\.\d%$/m)
    expect(stdout).toMatch(/^ +8 +31 +128,476 +2\^17 +98\.0% +518$/m)
    expect(stdout).not.toContain('that every proof pays for')
    expect(stdout).not.toContain('\u001b')
  })

  it.each<[string, string[], RegExp]>([
    ['a cohort of another size', ['--cohort', '5'], /Allowed choices are 4, 8, 16, 32, 64/],
    ['no readings', ['--frame', '0'], /Expected an integer from 1 to 64/],
  ])('refuses %s with exit status 2', async (_, options, message) => {
    const { code, stderr } = await attestream('applet', 'stats', file('meter.wasm'), ...options)
    expect(stderr).toMatch(message)
    expect(code).toBe(2)
  })
})

describe('attestream applet line', () => {
  it('names the line behind an offset of the WASM, from the source map or the source', async () => {
    const { wasmOffset, fuse } = await fuseOffset()
    for (const applet of [file('meter.wasm'), 'applets/energy-meter.ts']) {
      const { code, stdout } = await attestream('applet', 'line', applet, wasmOffset, '--json')
      expect([code, JSON.parse(stdout)]).toEqual([0, fuse])
    }
  })

  it('asks for a source map, and for an offset', async () => {
    const bare = await attestream('applet', 'line', file('bare.wasm'), '0x1a4')
    expect([bare.code, bare.stderr]).toEqual([2, expect.stringContaining("give the applet's source instead")])
    expect((await attestream('applet', 'line', file('meter.wasm'), 'here')).code).toBe(2)
  })

  /** An instruction that the compiler puts down to the line of the fuse. */
  async function fuseOffset() {
    const { wasm, sourceMap } = await buildAppletWithSource('applets/energy-meter.ts')
    const lines = parseSourceLines(sourceMap!, wasm)
    for (const [, digits] of compileApplet(wasm).circom.matchAll(/ 0x([0-9a-f]+) /g)) {
      const found = lines.locateUser(parseInt(digits!, 16))
      const text = found?.text.trim()
      if (!text?.startsWith('require(u64(wattHours) * SECONDS_PER_HOUR')) continue
      return { wasmOffset: `0x${digits}`, fuse: { file: found!.file, line: found!.line, text } }
    }
    throw new Error('no constraint is put down to the line of the fuse')
  }
})
