// The same source gives the same WASM, circom text and constraint system wherever and whenever it is built: anybody can rebuild what
// the chain pins. That other machines agree is seen by comparing them with the hashes in test/vectors/applets.json.

import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import { buildApplet } from '../../applets/build.ts'
import { compileApplet } from '../../circuits/compiler/index.ts'
import { appletId } from '../../engine/core/applet.ts'
import golden from '../vectors/applets.json' with { type: 'json' }
import { appletHashes } from '../vectors/applets.ts'

const ROOT = join(import.meta.dirname, '../..')
const elsewhere = mkdtempSync(join(tmpdir(), 'attestream another place-'))
afterAll(() => rmSync(elsewhere, { recursive: true }))

/** Hashes of energy-meter as a process of its own builds it from the checkout at `root`. */
async function buildIn(root: string, cwd: string, env: Record<string, string>): Promise<Record<string, string>> {
  const tsx = join(ROOT, 'node_modules/tsx/dist/loader.mjs')
  const script = join(root, 'test/circuits/determinism-child.ts')
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', tsx, script], {
    cwd,
    env: { PATH: process.env['PATH'] ?? '', ...env },
  })
  return JSON.parse(stdout) as Record<string, string>
}

describe('A-17 the same source', () => {
  it('gives the same bytes in another directory, time zone, locale and environment', async () => {
    for (const name of ['applets', 'circuits', 'engine', 'package.json', 'asconfig.json', 'abi-transform.mjs', 'tsconfig.json']) {
      cpSync(join(ROOT, name), join(elsewhere, name), { recursive: true })
    }
    cpSync(join(ROOT, 'test/circuits/determinism-child.ts'), join(elsewhere, 'test/circuits/determinism-child.ts'))
    symlinkSync(join(ROOT, 'node_modules'), join(elsewhere, 'node_modules'))
    const [here, there] = await Promise.all([
      buildIn(ROOT, ROOT, { TZ: 'UTC', LANG: 'C', HOME: '/' }),
      buildIn(elsewhere, tmpdir(), { TZ: 'Asia/Kathmandu', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8', USER: 'ı', NODE_ENV: 'production' }),
    ])
    expect(there).toEqual(here)
    expect(`0x${here['wasm']}`).toBe(golden['energy-meter'].appletId)
  }) // prettier-ignore

  it('gives what the repository has written down; if a compiler was meant to change: npx tsx test/vectors/applets.ts', async () => {
    expect(await appletHashes()).toEqual(golden)
  })

  it('under one changed byte is another applet', async () => {
    const wasm = await buildApplet('applets/uptime.ts')
    const changed = wasm.slice()
    changed[changed.length - 1]! ^= 1
    expect(appletId(changed)).not.toBe(appletId(wasm))
    expect(compileApplet(wasm).appletId).toBe(appletId(wasm))
  })
})
