// The kernel's WebAssembly, compiled from its AssemblyScript by the pinned compiler when it is needed for the first time, and kept. The
// same sources give the same bytes everywhere: only bytes of the known hash are used, compiled or kept.

import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createDirectory } from '../../../circuits/atomic-directory.ts'
import { BASE_FIELD_ORDER, FIELD_ORDER } from '../../core/field.ts'
import { unrolledField } from './unrolled-field.ts'

/** SHA-256 of the kernel's bytes; `compileKernel` tells the new one when the sources have changed. */
export const KERNEL_SHA256 = 'd6b8350a5e44718bcc1bd25b4e8b352ea0b47be194a0b2b797230aa46a233ad8'

const SOURCES = fileURLToPath(new URL('./kernel/', import.meta.url))
const ASC = createRequire(import.meta.url).resolve('assemblyscript/bin/asc.js')
const OUT_FILE = 'kernel.wasm'
const OPTIONS = ['--outFile', OUT_FILE, '--runtime', 'stub', '-O3', '--noAssert', '--use', 'abort=', '--noColors']

/** The kernel from a directory that keeps it, compiled (some seconds) if it is not there. */
export async function loadKernel(cacheDir: string): Promise<WebAssembly.Module> {
  const dir = join(resolve(cacheDir), `kernel-${KERNEL_SHA256.slice(0, 40)}`)
  const path = join(dir, OUT_FILE)
  const kept = existsSync(path) ? readFileSync(path) : undefined
  if (kept && isGenuine(kept)) return new WebAssembly.Module(kept)
  if (kept) rmSync(dir, { recursive: true, force: true })
  await createDirectory(dir, (work) => compileKernel(join(work, OUT_FILE)))
  const made = readFileSync(path)
  if (!isGenuine(made)) throw strange(made)
  return new WebAssembly.Module(made)
}

/** Compiles the kernel to a file, in the directory of that file. Throws if it is not the kernel that this version names. */
export async function compileKernel(path: string): Promise<void> {
  const work = join(path, '..')
  const sources = readdirSync(SOURCES).filter((name) => name.endsWith('.ts'))
  const generated = {
    'fq.ts': unrolledField(BASE_FIELD_ORDER, { extension: true }),
    'fr.ts': unrolledField(FIELD_ORDER, { transform: true }),
  }
  for (const name of sources) copyFileSync(join(SOURCES, name), join(work, name))
  for (const [name, text] of Object.entries(generated)) writeFileSync(join(work, name), text)
  await promisify(execFile)(process.execPath, [ASC, 'index.ts', ...OPTIONS], { cwd: work })
  for (const name of [...sources, ...Object.keys(generated)]) rmSync(join(work, name))
  const made = readFileSync(path)
  if (!isGenuine(made)) throw strange(made)
}

function isGenuine(bytes: Buffer): boolean {
  return hashOf(bytes) === KERNEL_SHA256
}

function strange(bytes: Buffer): Error {
  return new Error(`The kernel has SHA-256 ${hashOf(bytes)}; expected ${KERNEL_SHA256}.`)
}

function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
