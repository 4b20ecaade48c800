// Child process of prove.bench.ts: proves one witness some times by one prover, alone in its process, so that its memory is its own.
// Arguments: prover, .zkey, .wtns, verifying key, kernel cache, number of proofs. Prints a ProverFigures as JSON.

import { readFileSync } from 'node:fs'
import { loadGroth16 } from '../engine/prover/groth16.ts'
import type { ProofResult } from '../engine/prover/prover.ts'
import { loadKernel } from '../engine/prover/wasm/compile.ts'
import { proveWitness } from '../engine/prover/wasm/proof.ts'
import { loadKey } from '../engine/prover/wasm/resident-key.ts'
import { cpuMs } from './machine.ts'

export interface ProverFigures {
  /** Reading and converting the key. */
  readonly loadMs: number
  /** Processor time of each proof, without its check. */
  readonly proofMs: readonly number[]
  readonly peakRssMb: number
}

type Prove = () => Promise<Pick<ProofResult, 'proof' | 'publicSignals'>>

const [prover, zkey, wtnsPath, verifyingKey, cacheDir, proofs] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
  string,
]

const wtns = readFileSync(wtnsPath)
const groth16 = await loadGroth16()

const prepare: Record<string, () => Promise<Prove>> = {
  async wasm() {
    const key = loadKey(await loadKernel(cacheDir), zkey)
    return async () => proveWitness(key, wtns)
  },
  async snarkjs() {
    const bytes = readFileSync(zkey)
    return () => groth16.prove(bytes, wtns)
  },
}

const before = cpuMs()
const prove = await prepare[prover]!()
const loadMs = cpuMs() - before
const proofMs: number[] = []
for (let k = 0; k < Number(proofs); k++) {
  const started = cpuMs()
  const { proof, publicSignals } = await prove()
  proofMs.push(cpuMs() - started)
  const key = JSON.parse(readFileSync(verifyingKey, 'utf8')) as object
  if (!(await groth16.verify(key, publicSignals, proof))) throw new Error(`a proof by ${prover} does not verify`)
}
const figures: ProverFigures = { loadMs, proofMs, peakRssMb: Math.round(process.resourceUsage().maxRSS / 1024) }
console.log(JSON.stringify(figures))
process.exit(0)
