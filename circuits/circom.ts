// Runs the circom compiler (circom2, WebAssembly) on a set of sources. circom2 sees only its working directory and does
// not follow links out of it, so all sources, those of circomlib included, are copied into that directory first.

import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { AttestreamError } from '../engine/core/errors.ts'

/** circom text by path relative to the directory it is compiled in. */
export type CircomSources = ReadonlyMap<string, string>

/** What the compiler writes, by name, relative to the same directory. */
export const CIRCOM_OUTPUT = { r1cs: 'main.r1cs', witnessWasm: 'main.wasm', symbols: 'main.sym' } as const

/** Optimisation level: the default of circom 2.2 nearly doubles the circuit. */
const OPTIMISATION = '--O2'
const MAIN = 'main.circom'
const CIRCOMLIB = 'circomlib/'
const LIB_DIR = fileURLToPath(new URL('./lib/', import.meta.url))

const require = createRequire(import.meta.url)
const circomlibParent = dirname(dirname(require.resolve('circomlib/package.json')))

/** Version of the circom2 package; the same version compiles the same sources to the same files. */
export const circomVersion = (require('circom2/package.json') as { version: string }).version

/** `main.circom` and the given files with everything they include from circuits/lib and circomlib. */
export function collectSources(files: Readonly<Record<string, string>>): CircomSources {
  const sources = new Map<string, string>()
  const visit = (path: string) => {
    if (sources.has(path)) return
    const text = files[path] ?? readFileSync(join(path.startsWith(CIRCOMLIB) ? circomlibParent : LIB_DIR, path), 'utf8')
    sources.set(path, text)
    for (const [, included] of text.matchAll(/^\s*include\s+"([^"]+)"/gm)) {
      visit(included!.startsWith(CIRCOMLIB) ? included! : posix.join(posix.dirname(path), included!))
    }
  }
  Object.keys(files).forEach(visit)
  return sources
}

/**
 * Compiles `main.circom` of the sources in an existing directory and leaves there the files of CIRCOM_OUTPUT and the
 * sources that are not circomlib's. Throws CIRCUIT_BUILD_FAILED with the compiler's message.
 */
export async function compileCircom(sources: CircomSources, dir: string): Promise<void> {
  for (const [path, text] of sources) {
    mkdirSync(dirname(join(dir, path)), { recursive: true })
    writeFileSync(join(dir, path), text)
  }
  const witnessDir = join(dir, 'main_js')
  const { code, output } = await run(dir)
  if (code !== 0 || !existsSync(join(dir, CIRCOM_OUTPUT.r1cs)) || !existsSync(witnessDir)) {
    throw new AttestreamError('CIRCUIT_BUILD_FAILED', `circom ${circomVersion} refused the circuit: ${output}`)
  }
  writeFileSync(join(dir, CIRCOM_OUTPUT.witnessWasm), readFileSync(join(witnessDir, 'main.wasm')))
  for (const leftover of [witnessDir, join(dir, CIRCOMLIB)]) rmSync(leftover, { recursive: true, force: true })
}

function run(dir: string): Promise<{ code: number | null; output: string }> {
  // The -l makes circomlib's path resolve from the sources of any depth; "." is the working directory.
  const args = [
    require.resolve('circom2/cli.js'),
    MAIN,
    '--r1cs',
    '--wasm',
    '--sym',
    OPTIMISATION,
    '-l',
    '.',
    '-o',
    '.',
  ]
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (output += text))
    }
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, output: plain(output) }))
  })
}

/** Without terminal colours, at most 2,000 characters. */
function plain(output: string): string {
  return stripVTControlCharacters(output).trim().slice(0, 2000)
}
