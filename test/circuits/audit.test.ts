// The audit of a circuit: a true manifest passes, and every claim that is altered is the one that is named.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildApplet } from '../../applets/build.ts'
import { auditCircuit } from '../../circuits/audit.ts'
import { buildCircuit, type CircuitArtefacts } from '../../circuits/build.ts'
import { attestream } from '../cli/process.ts'
import { CACHE_DIR } from './lib/toy.ts'

const setup = { kind: 'development', seed: 'test' } as const
const directory = mkdtempSync(join(tmpdir(), 'attestream-audit-test-'))
const file = join(directory, 'meter.wasm')
let wasm: Uint8Array
let built: CircuitArtefacts
beforeAll(async () => {
  wasm = await buildApplet('applets/energy-meter.ts')
  writeFileSync(file, wasm)
  built = await buildCircuit(wasm, { cohortSize: 4, frameSize: 4, cacheDir: CACHE_DIR, setup })
})

afterAll(() => rmSync(directory, { recursive: true }))

describe('the audit of a circuit', () => {
  it('passes what was built, down to the bytes of a development key, and says what that does not prove', async () => {
    const run = await attestream('applet', 'audit', file, '--manifest', built.dir, '--seed', 'test', '--json')
    const { passed, checks, notes } = JSON.parse(run.stdout)
    expect({ code: run.code, passed }).toEqual({ code: 0, passed: true })
    expect(checks.map(({ what }: { what: string }) => what)).toContain('proving key, made again from its seed')
    expect(checks.length).toBe(12)
    expect(notes).toEqual([expect.stringContaining('development key: whoever made it can forge')])
  })

  it('names each claim that is not so', async () => {
    const other = `0x${'11'.repeat(32)}` as const
    const { manifest, paths } = built
    const false_ = {
      ...manifest,
      appletId: other,
      compilerVersion: 'attestream 0.0.9, circom2 0.2.23',
      circomSha256: other,
      r1csSha256: other,
      vkHash: other,
      constraints: manifest.constraints - 1,
      publicSignals: 8,
      devSetup: false,
      verifyingKey: `0x00${manifest.verifyingKey.slice(4)}` as const,
    }
    const { checks, notes } = await auditCircuit(wasm, false_, { zkey: paths.zkey })
    expect(checks.filter(({ passed }) => passed)).toEqual([])
    expect(checks.length).toBe(9)
    expect(notes.join()).toMatch(/transcript.*development key.*seed is not known/)
  })
})

describe('attestream applet audit', () => {
  it.each<[string, string[], RegExp]>([
    ['a manifest that is none', ['--manifest', 'package.json'], /^INPUT_INVALID: package\.json is no circuit manifest: appletId/m],
    ['an engine that does not answer', ['--manifest', 'http://127.0.0.1:9'], /^INPUT_INVALID: .* does not answer/m],
    ['no manifest', [], /required option '--manifest/],
  ])('refuses %s with exit status 2', async (_, options, message) => {
    const { code, stderr } = await attestream('applet', 'audit', file, ...options)
    expect(stderr).toMatch(message)
    expect(code).toBe(2)
  }) // prettier-ignore
})
