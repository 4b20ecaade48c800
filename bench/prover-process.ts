// Child process of prove-ratio.ts: a prover alone in its process, so that its time and memory are its own. For every message it proves
// the witness once, checks the proof and answers with ProofFigures.
// Arguments: prover, .zkey, .wtns, verifying key, kernel cache; for rapidsnark the program.

import { readFileSync } from 'node:fs'
import { loadGroth16 } from '../engine/prover/groth16.ts'
import { buildNativeProver } from '../engine/prover/native/build.ts'
import { NativeProcess } from '../engine/prover/native/process.ts'
import type { ProofResult } from '../engine/prover/prover.ts'
import { runProver } from '../engine/prover/rapidsnark/rapidsnark-worker.ts'
import { loadKernel } from '../engine/prover/wasm/compile.ts'
import { proveWitness } from '../engine/prover/wasm/proof.ts'
import { loadKey } from '../engine/prover/wasm/resident-key.ts'
import { cpuMs } from './machine.ts'
import { watchPrograms } from './program-usage.ts'

export interface ProofFigures {
  /** Processor time of the proof, without its check; of a prover that runs a program, the program's. */
  readonly cpuMs: number
  readonly wallMs: number
  /** Most memory so far of the process that proves. */
  readonly peakMb: number
}

type Prove = () => Promise<Pick<ProofResult, 'proof' | 'publicSignals'>>

const [prover, zkey, wtnsPath, verifyingKeyPath, cacheDir, program] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
  string?,
]
const wtns = readFileSync(wtnsPath)
const verifyingKey = JSON.parse(readFileSync(verifyingKeyPath, 'utf8')) as object
const groth16 = await loadGroth16()
const ownUsage = { cpuMs, peakMb: () => process.resourceUsage().maxRSS / 1024 }

const prepare: Record<string, () => Promise<Prove>> = {
  async snarkjs() {
    const bytes = readFileSync(zkey)
    return () => groth16.prove(bytes, wtns)
  },
  async wasm() {
    const key = loadKey(await loadKernel(cacheDir), zkey)
    return async () => proveWitness(key, wtns)
  },
  async native() {
    const native = new NativeProcess(await buildNativeProver(cacheDir), 0)
    return () => native.prove(zkey, wtns)
  },
  async rapidsnark() {
    return () => runProver(program!, zkey, wtns, () => {})
  },
}

const prove = await prepare[prover]!()
const usage = prover === 'native' || prover === 'rapidsnark' ? watchPrograms() : ownUsage

async function measure(): Promise<ProofFigures> {
  const [wallBefore, cpuBefore] = [performance.now(), usage.cpuMs()]
  const { proof, publicSignals } = await prove()
  const figures = { cpuMs: usage.cpuMs() - cpuBefore, wallMs: performance.now() - wallBefore }
  if (!(await groth16.verify(verifyingKey, publicSignals, proof)))
    throw new Error(`a proof by ${prover} does not verify`)
  return { ...figures, peakMb: usage.peakMb() }
}

process.on('message', () => void measure().then((figures) => process.send!(figures)))
process.on('disconnect', () => process.exit())
