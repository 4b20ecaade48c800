/**
 * Compiles an applet with the options that plain `npx asc` takes from asconfig.json: same source, same bytes. asc runs in a
 * process of its own: importing it under a TypeScript loader takes seconds, and its memory goes with it.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { AttestreamError } from '../engine/core/errors.ts'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const ASC = join(dirname(createRequire(import.meta.url).resolve('assemblyscript/package.json')), 'bin', 'asc.js')

/** WASM of one applet, the attestream.abi section included. Throws APPLET_SOURCE_INVALID with asc's diagnostics. */
export async function buildApplet(sourcePath: string): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), 'attestream-asc-'))
  const outFile = join(folder, 'applet.wasm')
  const source = relative(ROOT, resolve(sourcePath))
  try {
    await promisify(execFile)(process.execPath, [ASC, source, '--config', 'asconfig.json', '--outFile', outFile], {
      cwd: ROOT,
    })
    return new Uint8Array(await readFile(outFile))
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string }
    throw new AttestreamError('APPLET_SOURCE_INVALID', `${sourcePath} does not compile:\n${(stderr || message).trim()}`)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
