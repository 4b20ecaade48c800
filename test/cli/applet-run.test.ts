// `applet run` as a developer uses it: units, State and the source line of each rejection, and errors told by exit status.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildAppletWithSource } from '../../applets/build.ts'
import { attestream } from './process.ts'

const directory = mkdtempSync(join(tmpdir(), 'attestream-run-'))
const file = (name: string) => join(directory, name)
const CONFIG = ['--config', 'maxWatts=11000', 'unitsPerKwh=1000']
const HOUR = 1_600_003_600
const READINGS = `device,wattHours,timeSec
a,1000,1600000000
b,5000,1600000000
a,2000,${HOUR}
a,3000,${HOUR + 1}
a,2100,${HOUR}
b,4000,${HOUR}
a,2100,4000000000
a,2200,1600007200
`

beforeAll(async () => {
  const { wasm, sourceMap } = await buildAppletWithSource('applets/energy-meter.ts')
  writeFileSync(file('meter.wasm'), wasm)
  writeFileSync(file('bare.wasm'), wasm)
  writeFileSync(file('meter.wasm.map'), sourceMap!)
  writeFileSync(file('readings.csv'), READINGS)
})
afterAll(() => rmSync(directory, { recursive: true }))

const run = (applet: string, ...options: string[]) =>
  attestream('applet', 'run', file(applet), '--csv', file('readings.csv'), '--anchor-time', '1700000000', ...options)

describe('attestream applet run', () => {
  it('gives units, State per device and the source line of each rejection', async () => {
    const { code, stdout, stderr } = await run('meter.wasm', ...CONFIG, '--json')
    expect({ code, stderr: stderr.match(/^[A-Z_]+:/m) }).toEqual({ code: 0, stderr: null })
    const result = JSON.parse(stdout)
    expect(result).toMatchObject({ readings: 8, accepted: 4, rejected: 4, units: '1200', anchorTimeSec: '1700000000' })
    expect(result.rows.map((row: any) => row.units)).toEqual(['0', '0', '1000', '0', '0', '0', '0', '200'])
    expect(result.rows.map((row: any) => row.at?.text ?? null)).toEqual([
      null,
      null,
      null,
      expect.stringContaining('require(u64(wattHours) * SECONDS_PER_HOUR <='),
      'require(reading.timeSec > state.lastTimeSec)',
      'require(reading.wattHours >= lastWattHours)',
      'requireNotFuture(reading.timeSec, context)',
      null,
    ])
    expect(result.rows[3]).toMatchObject({ line: 5, device: 'a', accepted: false, state: { lastWattHours: '2000' } })
    expect(result.rows[3].at.file).toBe('applets/energy-meter.ts')
    expect(result.states).toEqual({
      a: { lastTimeSec: '1600007200', lastWattHours: '2200', milliUnits: '0' },
      b: { lastTimeSec: '1600000000', lastWattHours: '5000', milliUnits: '0' },
    })
  })

  it('prints a table of at most --limit rows, goes on from --state, and names bytes where there is no source map', async () => {
    writeFileSync(file('state.json'), JSON.stringify({ a: { lastTimeSec: 1, lastWattHours: 9999, milliUnits: '7' } }))
    const { code, stdout } = await run('bare.wasm', ...CONFIG, '--limit', '1', '--state', file('state.json'))
    expect(code).toBe(0)
    expect(stdout).toMatch(/^ +line +device +accepted +units +lastTimeSec +lastWattHours +milliUnits +reason$/m)
    expect(stdout).toMatch(/^ +2 +a +no +0 +1 +9999 +7 +unreachable at byte 0x[0-9a-f]+ of the WASM$/m)
    expect(stdout).toContain('… 7 more rows (--limit)')
    expect(stdout).toMatch(/^ {4}6 × unreachable at byte 0x/m)
    expect(stdout).not.toContain('\u001b')
  })

  it.each<[string, string, string[], RegExp]>([
    ['a field of Config left out', 'meter.wasm', ['--config', 'maxWatts=1'], /^RECORD_FIELD_MISSING: --config: .*unitsPerKwh/m],
    ['a value that is no number', 'meter.wasm', ['--config', 'maxWatts=many'], /^INPUT_INVALID: --config maxWatts is 'many'/m],
    ['an applet that is not there', 'none.wasm', CONFIG, /^INPUT_INVALID: The applet .*none\.wasm cannot be read/m],
    ['an option without its value', 'meter.wasm', ['--limit', '-1'], /Expected an integer from 0/],
  ])('refuses %s with exit status 2', async (_, applet, options, message) => {
    const { code, stdout, stderr } = await run(applet, ...options)
    expect(stderr).toMatch(message)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  }) // prettier-ignore

  it('ends with 1 for an applet that the runner refuses', async () => {
    writeFileSync(file('broken.wasm'), 'not WASM')
    const { code, stderr } = await run('broken.wasm')
    expect(stderr).toMatch(/^WASM_MALFORMED: /m)
    expect(code).toBe(1)
  })
})
