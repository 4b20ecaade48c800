// A program with rapidsnark's command line, for the adapter of external provers. It stands in for one because no such program may be in
// this project or be needed to test it; what it does is real, for it proves with our own prover. Others like it fail in the ways in
// which a program can.

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
const PROGRAM = fileURLToPath(new URL('./external-prover-program.ts', import.meta.url))

export interface ExternalProver {
  readonly binary: string
  /** Takes it away. */
  remove(): void
}

/** The program, or one that runs this line of shell instead. */
export function externalProver(
  line = `exec '${process.execPath}' --import '${TSX}' '${PROGRAM}' "$@"`,
): ExternalProver {
  const directory = mkdtempSync(join(tmpdir(), 'attestream-external-'))
  const binary = join(directory, 'prover')
  writeFileSync(binary, `#!/bin/sh\n${line}\n`)
  chmodSync(binary, 0o755)
  return { binary, remove: () => rmSync(directory, { recursive: true, force: true }) }
}
