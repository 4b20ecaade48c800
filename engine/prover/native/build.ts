// The native prover's binary, compiled from its C by the compiler of this machine when it is needed for the first time, and kept under
// a name made of the sources, the compiler, the flags and the processor. Processes may build it at the same time.

import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createDirectory } from '../../../circuits/atomic-directory.ts'

const SOURCES = fileURLToPath(new URL('./kernel/', import.meta.url))
const COMPILERS = ['cc', 'gcc', 'clang']
/** Vectorised, the carries of gcc 12's field arithmetic take a tenth longer. */
const FLAGS = ['-std=c11', '-D_XOPEN_SOURCE=700', '-D_DARWIN_C_SOURCE', '-O3', '-fno-tree-vectorize']
/** Tried first: the code of this processor. Not every compiler takes it for every one. */
const OWN_PROCESSOR = '-march=native'
const COMPILE_TIMEOUT_MS = 300_000

const run = promisify(execFile)

/** What was asked for, or else the first of cc, gcc and clang that runs; undefined if none does. */
export async function findCompiler(named?: string): Promise<string | undefined> {
  for (const compiler of named === undefined ? COMPILERS : [named]) {
    if (
      await run(compiler, ['--version']).then(
        () => true,
        () => false,
      )
    )
      return compiler
  }
  return undefined
}

/** Path of the prover's binary in a directory that keeps it, compiled (some seconds) if it is not there. */
export async function buildNativeProver(cacheDir: string, named?: string): Promise<string> {
  const compiler = await findCompiler(named)
  if (compiler === undefined) throw new Error(`there is no C compiler (${named ?? COMPILERS.join(', ')}) for it`)
  const { stdout: version } = await run(compiler, ['--version'])
  const identity = [sourceHash(), compiler, version, FLAGS.join(' '), process.arch, cpus()[0]?.model ?? ''].join('\n')
  const name = createHash('sha256').update(identity).digest('hex').slice(0, 40)
  const dir = join(resolve(cacheDir), `native-${name}`)
  if (!existsSync(dir)) await createDirectory(dir, (work) => compile(compiler, join(work, 'prover')))
  return join(dir, 'prover')
}

async function compile(compiler: string, out: string): Promise<void> {
  const files = [join(SOURCES, 'prover.c'), '-o', out]
  const options = { timeout: COMPILE_TIMEOUT_MS }
  await run(compiler, [...FLAGS, OWN_PROCESSOR, ...files], options).catch(() =>
    run(compiler, [...FLAGS, ...files], options),
  )
}

function sourceHash(): string {
  const hash = createHash('sha256')
  for (const name of readdirSync(SOURCES).sort()) hash.update(`${name}\n`).update(readFileSync(join(SOURCES, name)))
  return hash.digest('hex')
}
