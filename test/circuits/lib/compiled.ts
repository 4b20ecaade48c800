// Compiles small circom mains once: the output lies under build/, named by the hash of the sources and of the compiler.

import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { CIRCOM_OUTPUT, circomVersion, collectSources, compileCircom } from '../../../circuits/circom.ts'
import { CACHE_DIR } from './toy.ts'

/** Paths of the compiled `main.circom`; it may include anything of circuits/lib. */
export async function compiledMain(main: string): Promise<{ r1cs: string; witnessWasm: string }> {
  const sources = collectSources({ 'main.circom': main })
  const key = createHash('sha256')
    .update(JSON.stringify([circomVersion, ...sources]))
    .digest('hex')
    .slice(0, 40)
  const dir = join(CACHE_DIR, `main-${key}`)
  if (!existsSync(dir)) {
    mkdirSync(CACHE_DIR, { recursive: true })
    const own = mkdtempSync(join(CACHE_DIR, '.compiling-'))
    await compileCircom(sources, own)
    try {
      renameSync(own, dir)
    } catch {
      rmSync(own, { recursive: true, force: true }) // another test process was faster
    }
  }
  return { r1cs: join(dir, CIRCOM_OUTPUT.r1cs), witnessWasm: join(dir, CIRCOM_OUTPUT.witnessWasm) }
}
