// The applets of asconfig.json, compiled once for all test files: by one process, kept under what their sources hash to.

import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildAppletsWithSource } from '../../applets/build.ts'
import asconfig from '../../asconfig.json' with { type: 'json' }

export const APPLET_NAMES: readonly string[] = Object.keys(asconfig.targets)

const ROOT = new URL('../../', import.meta.url).pathname
const KEPT = join(ROOT, 'build', 'test-applets')

/** WASM of one of APPLET_NAMES: what buildApplet gives. */
export async function builtApplet(name: string): Promise<Uint8Array> {
  const folder = join(KEPT, sourceHash())
  try {
    return new Uint8Array(readFileSync(join(folder, `${name}.wasm`)))
  } catch {
    await buildAll(folder)
    return new Uint8Array(readFileSync(join(folder, `${name}.wasm`)))
  }
}

/** Two test files may build at once: the first to finish is kept. */
async function buildAll(folder: string): Promise<void> {
  mkdirSync(KEPT, { recursive: true })
  const draft = mkdtempSync(join(KEPT, 'draft-'))
  const results = await buildAppletsWithSource(APPLET_NAMES.map((name) => join(ROOT, 'applets', `${name}.ts`)))
  results.forEach((result, i) => {
    if (result instanceof Error) throw result
    writeFileSync(join(draft, `${APPLET_NAMES[i]!}.wasm`), result.wasm)
  })
  try {
    renameSync(draft, folder)
  } catch {
    rmSync(draft, { recursive: true })
  }
}

function sourceHash(): string {
  const hash = createHash('sha256')
  const folders = ['applets', 'applets/lib'].map((folder) => join(ROOT, folder))
  const sources = folders.flatMap((folder) => readdirSync(folder).map((file) => join(folder, file)))
  const compiler = join(ROOT, 'node_modules', 'assemblyscript', 'package.json')
  for (const path of [...sources.filter((file) => /\.m?[tj]s$/.test(file)), join(ROOT, 'asconfig.json'), compiler]) {
    hash.update(`${path}\n`).update(readFileSync(path))
  }
  return hash.digest('hex').slice(0, 16)
}
