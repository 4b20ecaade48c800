// One thread of the snarkjs prover: witness, proof, check. Curve, calculators and keys stay in memory between jobs.

import './quiet-web-worker.ts'
import { readFile } from 'node:fs/promises'
import { WitnessCalculatorBuilder } from 'circom_runtime'
import { loadGroth16 } from './groth16.ts'
import type { ProofJob, ProofResult } from './snarkjs.ts'

type Calculator = Awaited<ReturnType<typeof WitnessCalculatorBuilder>>

/** A proving key takes about 700 bytes a constraint. */
const CIRCUITS_KEPT = 4

const calculators = new Map<string, Promise<Calculator>>()
const keys = new Map<string, Promise<Uint8Array>>()

export default async function prove({ files, input }: ProofJob) {
  try {
    await loadGroth16()
    const started = performance.now()
    const calculator = await cached(calculators, files.witnessWasm, loadCalculator)
    const witness = await calculator.calculateWTNSBin(input, 1).catch((error: unknown) => new Disagreement(error))
    if (witness instanceof Disagreement) {
      calculators.delete(files.witnessWasm) // it would repeat this refusal in the message of the next
      return { code: 'CIRCUIT_DISAGREES' as const, message: witness.message }
    }
    return await proveWitness(files, witness, performance.now() - started)
  } catch (error) {
    calculators.delete(files.witnessWasm) // perhaps the files were damaged: the next attempt reads them again
    keys.delete(files.zkey)
    return { code: 'PROOF_FAILED' as const, message: `snarkjs could not prove: ${(error as Error).message}` }
  }
}

async function proveWitness(files: ProofJob['files'], witness: Uint8Array, witnessMs: number): Promise<ProofResult> {
  const groth16 = await loadGroth16()
  const started = performance.now()
  const zkey = await cached(keys, files.zkey, (path) => readFile(path))
  const { proof, publicSignals } = await groth16.prove(zkey, witness)
  const key = JSON.parse(await readFile(files.verifyingKey, 'utf8')) as object
  if (!(await groth16.verify(key, publicSignals, proof))) throw new Error('the proof does not verify under its own key')
  return { proof, publicSignals, witnessMs, proveMs: performance.now() - started }
}

async function loadCalculator(path: string): Promise<Calculator> {
  return WitnessCalculatorBuilder(await readFile(path))
}

function cached<T>(cache: Map<string, Promise<T>>, path: string, load: (path: string) => Promise<T>): Promise<T> {
  const known = cache.get(path)
  if (known) return known
  const loading = load(path)
  cache.set(path, loading)
  if (cache.size > CIRCUITS_KEPT) cache.delete(cache.keys().next().value!)
  return loading
}

class Disagreement {
  readonly message: string

  constructor(error: unknown) {
    const first = String((error as Error).message)
      .split('\n')
      .slice(0, 3)
      .join(' ')
      .trim()
    this.message = `The circuit refuses the native result; nothing is submitted. This is a defect of the compiler or the engine: report it with the applet. (${first})`
  }
}
