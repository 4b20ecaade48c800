// The audit of a circuit: a true manifest passes, and every claim that is altered is the one that is named.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildApplet } from '../../applets/build.ts'
import { type AuditCheck, auditCircuit } from '../../circuits/audit.ts'
import { buildCircuit, type CircuitArtefacts } from '../../circuits/build.ts'
import { contribute, newKey } from '../../circuits/setup/phase2.ts'
import { hexToBytes } from '../../engine/core/codec.ts'
import { verifyingKeyHash } from '../../engine/core/verifying-key.ts'
import { attestream } from '../cli/process.ts'
import { CACHE_DIR } from './lib/toy.ts'
import { compiledTiny, endSnarkjs, writeTinyPowersOfTau } from './setup/tiny.ts'

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
    const { passed, incomplete, checks, notes } = JSON.parse(run.stdout)
    expect({ code: run.code, passed, incomplete }).toEqual({ code: 0, passed: true, incomplete: [] })
    expect(checks.map(({ what }: { what: string }) => what)).toContain('proving key, made again from its seed')
    expect(checks.length).toBe(12)
    expect(notes).toEqual([expect.stringContaining('development key: whoever made it can forge')])
  })

  it('C-03 has not passed while nothing ties the verifying key to the circuit: exit status 3', async () => {
    const manifest = join(directory, 'foreign.json')
    const foreign = `0x11${built.manifest.verifyingKey.slice(4)}` as const
    const vkHash = verifyingKeyHash(hexToBytes(foreign))
    writeFileSync(manifest, JSON.stringify({ ...built.manifest, verifyingKey: foreign, vkHash }))
    const [json, text] = await Promise.all([
      attestream('applet', 'audit', file, '--manifest', manifest, '--json'),
      attestream('applet', 'audit', file, '--manifest', built.dir),
    ])
    const { passed, incomplete, checks } = JSON.parse(json.stdout)
    expect(checks.filter((check: AuditCheck) => !check.passed)).toEqual([])
    expect({ code: json.code, passed }).toEqual({ code: 3, passed: false })
    expect(incomplete).toEqual(['verifying key', 'proving key, made again from its seed'])
    expect(text.code).toBe(3)
    expect(text.stdout).toMatch(/^11 checks passed; the key is NOT checked: nothing ties it .*; give --seed\.\n$/m)
  })

  it('C-03 takes powers of tau for a ceremony key', async () => {
    const { r1cs } = await compiledTiny()
    const [ptau, first, zkey] = ['tiny.ptau', 'first.zkey', 'contributed.zkey'].map((name) => join(directory, name))
    await writeTinyPowersOfTau(ptau!)
    await newKey(r1cs, ptau!, first!)
    await contribute(first!, zkey!, 'first person', 'some entropy')
    const { incomplete } = await auditCircuit(wasm, built.manifest, { zkey: zkey!, seed: 'test' })
    expect(incomplete).toEqual([{ what: 'zkey verify', needs: 'ptau' }])
    await endSnarkjs()
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
    const { checks, incomplete, notes } = await auditCircuit(wasm, false_, { zkey: paths.zkey })
    expect(checks.filter(({ passed }) => passed)).toEqual([])
    expect(checks.length).toBe(9)
    expect(notes.join()).toMatch(/transcript.*development key/)
    expect(incomplete).toEqual([{ what: 'proving key, made again from its seed', needs: 'seed' }])
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

  it('ends with exit status 1 for a difference, checked key or not', async () => {
    const manifest = join(directory, 'other.json')
    writeFileSync(manifest, JSON.stringify({ ...built.manifest, r1csSha256: `0x${'11'.repeat(32)}` }))
    const { code, stdout } = await attestream('applet', 'audit', file, '--manifest', manifest)
    expect(stdout).toMatch(/^1 of 7 checks failed; the key is NOT checked: .* give --zkey and --seed\.\n$/m)
    expect(code).toBe(1)
  })

  it('tells of its exit status in --help', async () => {
    expect((await attestream('applet', 'audit', '--help')).stdout).toMatch(/Exit status: 0 .* 1 .* 2 .* 3 /)
  })
})
