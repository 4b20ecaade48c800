/**
 * Compiles applets with the options that plain `npx asc` takes from asconfig.json: same source, same bytes. asc runs in a
 * process of its own (asc.mjs): importing it under a TypeScript loader takes seconds, and its memory goes with it.
 */
import { execFile } from 'node:child_process'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { AttestreamError } from '../engine/core/errors.ts'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const ASC = join(ROOT, 'applets', 'asc.mjs')
const OUTPUT_BYTES_MAX = 256 * 1024 * 1024

export interface BuiltApplet {
  /** The WASM, the attestream.abi section included. */
  readonly wasm: Uint8Array
  /** Source map (version 3, JSON) whose columns are offsets in `wasm`, for parseSourceLines; undefined if asc's two runs differ. */
  readonly sourceMap: string | undefined
}

type Compiled = { wasm: string; sourceMap?: string } | { diagnostics: string }

/** WASM of one applet, the attestream.abi section included. Throws APPLET_SOURCE_INVALID with asc's diagnostics. */
export async function buildApplet(sourcePath: string): Promise<Uint8Array> {
  const [compiled] = await runAsc([sourcePath], [])
  return built(sourcePath, compiled!).wasm
}

/** The same bytes, and what tells which line of the source they came from. Throws as buildApplet does. */
export async function buildAppletWithSource(sourcePath: string): Promise<BuiltApplet> {
  const [compiled] = await runAsc([sourcePath], ['--with-source-map'])
  return built(sourcePath, compiled!)
}

/** Several in one process, each built or the error that buildAppletWithSource throws for it. */
export async function buildAppletsWithSource(
  sourcePaths: readonly string[],
): Promise<(BuiltApplet | AttestreamError)[]> {
  const compiled = await runAsc(sourcePaths, ['--with-source-map'])
  return sourcePaths.map((sourcePath, k) => {
    try {
      return built(sourcePath, compiled[k]!)
    } catch (error) {
      return error as AttestreamError
    }
  })
}

async function runAsc(sourcePaths: readonly string[], options: readonly string[]): Promise<Compiled[]> {
  const sources = sourcePaths.map((path) => relative(ROOT, resolve(path)))
  const { stdout } = await promisify(execFile)(process.execPath, [ASC, ...options, ...sources], {
    cwd: ROOT,
    maxBuffer: OUTPUT_BYTES_MAX,
  })
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Compiled)
}

function built(sourcePath: string, compiled: Compiled): BuiltApplet {
  if ('diagnostics' in compiled) {
    throw new AttestreamError('APPLET_SOURCE_INVALID', `${sourcePath} does not compile:\n${compiled.diagnostics}`)
  }
  return { wasm: new Uint8Array(Buffer.from(compiled.wasm, 'base64')), sourceMap: compiled.sourceMap }
}
