// A circuit of nine constraints with its development key, for tests of what carries proofs about.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDevelopmentKey } from '../../../circuits/setup/development-key.ts'
import { exportVerifyingKey } from '../../../circuits/setup/export-verifying-key.ts'
import type { CircuitInput } from '../../../engine/core/witness.ts'
import type { ProvingFiles } from '../../../engine/prover/prover.ts'
import { compiledMain } from '../../circuits/lib/compiled.ts'

/** Proves knowledge of the square root of each of nine public signals. */
const MAIN = `pragma circom 2.1.0;
template Roots() {
  signal input squares[9];
  signal input roots[9];
  for (var i = 0; i < 9; i++) squares[i] === roots[i] * roots[i];
}
component main {public [squares]} = Roots();
`

export interface RootsCircuit {
  readonly directory: string
  readonly files: ProvingFiles
  /** Takes the directory away. */
  remove(): void
}

export async function rootsCircuit(): Promise<RootsCircuit> {
  const directory = mkdtempSync(join(tmpdir(), 'attestream-roots-'))
  const { r1cs, witnessWasm } = await compiledMain(MAIN)
  const zkey = join(directory, 'main.zkey')
  await createDevelopmentKey(r1cs, zkey, { seed: 'test' })
  const verifyingKey = join(directory, 'verifying-key.json')
  writeFileSync(verifyingKey, JSON.stringify(exportVerifyingKey(zkey)))
  const remove = () => rmSync(directory, { recursive: true, force: true })
  return { directory, files: { witnessWasm, zkey, verifyingKey, r1cs }, remove }
}

export function rootsInput(): CircuitInput {
  const roots = Array.from({ length: 9 }, (_, k) => k + 3)
  return { squares: roots.map((root) => `${root * root}`), roots: roots.map(String) } as unknown as CircuitInput
}

/** A calculator of the same wires under other constraints, and an input whose witness breaks constraint 0 of this circuit. */
export async function brokenRootsWitness(): Promise<{ witnessWasm: string; input: CircuitInput }> {
  const { witnessWasm } = await compiledMain(MAIN.replace('squares[i] ===', 'squares[i] + 5 ==='))
  const roots = Array.from({ length: 9 }, (_, k) => k + 3)
  const input = { squares: roots.map((root) => `${root * root - 5}`), roots: roots.map(String) }
  return { witnessWasm, input: input as unknown as CircuitInput }
}
