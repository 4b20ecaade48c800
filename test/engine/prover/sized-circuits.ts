// Circuits of three sizes with development keys, an input of each, and the public signals that it must give.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createDevelopmentKey } from '../../../circuits/setup/development-key.ts'
import { exportVerifyingKey } from '../../../circuits/setup/export-verifying-key.ts'
import type { CircuitInput } from '../../../engine/core/witness.ts'
import type { ProofJob } from '../../../engine/prover/prover.ts'
import { compiledMain } from '../../circuits/lib/compiled.ts'
import { buildToy, makeBatch, meterToy } from '../../circuits/lib/toy.ts'
import { rootsInput, type RootsCircuit } from './roots.ts'

export interface SizedJob extends ProofJob {
  readonly publicSignals: readonly string[]
}

/** Bits of nine public signals, and a chain of products of full width. */
const CHAIN = `pragma circom 2.1.0;
include "circomlib/circuits/bitify.circom";
template Chain(N) {
  signal input journal[9];
  signal bits[9][64];
  signal value[N + 1];
  for (var i = 0; i < 9; i++) bits[i] <== Num2Bits(64)(journal[i]);
  value[0] <== journal[0];
  for (var i = 0; i < N; i++) value[i + 1] <== (value[i] + journal[i % 9]) * (value[i] - i);
}
component main {public [journal]} = Chain(3400);
`

/** Nine constraints. */
export function tinyJob({ files }: RootsCircuit): SizedJob {
  const input = rootsInput()
  return { files, input, publicSignals: (input as unknown as { squares: string[] }).squares }
}

/** 3,976 constraints, just below a power of two; the files of its key go to `directory`. */
export async function chainJob(directory: string): Promise<SizedJob> {
  const { r1cs, witnessWasm } = await compiledMain(CHAIN)
  const zkey = join(directory, 'chain.zkey')
  await createDevelopmentKey(r1cs, zkey, { seed: 'test' })
  const verifyingKey = join(directory, 'chain-verifying-key.json')
  writeFileSync(verifyingKey, JSON.stringify(exportVerifyingKey(zkey)))
  const publicSignals = [0n, 1n, 2n, (1n << 64n) - 1n, 1n << 63n, 5n, 77n, 1n << 32n, 12_345_678_901_234n].map(String)
  const input = { journal: publicSignals } as unknown as CircuitInput
  return { files: { r1cs, witnessWasm, zkey, verifyingKey }, input, publicSignals }
}

/** The batch circuit of four devices with four readings each, as the demo proves them. */
export async function batchJob(): Promise<SizedJob> {
  const { paths } = await buildToy(meterToy, 4)
  const frames = [0, 1, 2].map((slot) => ({ sequence: 1n, readings: [[100n, BigInt(slot)]] }))
  const page = { sequences: [0n, 0n, 0n, 0n], states: Array.from({ length: 4 }, () => [0n, 0n]) }
  const { input, signals } = makeBatch(meterToy, 4, { frames: [...frames, null], page, config: [1000n] })
  return { files: paths, input, publicSignals: signals.map(String) }
}
