// What a worker thread of every adapter does with a job: witness, proof by the adapter, check. Calculators and keys stay in memory.

import '../quiet-web-worker.ts'
import { readFile } from 'node:fs/promises'
import type { MessagePort } from 'node:worker_threads'
import { readR1cs } from '../../circuits/setup/r1cs.ts'
import { violatedConstraint } from '../../circuits/setup/violated-constraint.ts'
import { describeRow } from '../../circuits/witness/explain-row.ts'
import { loadGroth16 } from './groth16.ts'
import type { KeptByPath } from './kept-by-path.ts'
import type { OnPhase } from './progress.ts'
import type { ProofJob, ProofResult, ProvingFiles } from './prover.ts'
import { publicSignals, readScalar, readWitnessValues, SCALAR_BYTES } from './witness-file.ts'
import { computeWitness, forgetWitness, type Witness } from './witness.ts'

/** A job as it comes to a thread. */
export interface WorkerJob extends ProofJob {
  /** What the key may take in the thread, with all that the proof needs. */
  readonly memoryBytes: number
  /** Takes the name of each phase as it begins. */
  readonly progress?: MessagePort
  /** With it, witnesses come from the engine's own evaluator. */
  readonly kernel?: WebAssembly.Module
}

/** What comes back in place of a proof. */
export interface Refusal {
  readonly code: 'CIRCUIT_DISAGREES' | 'PROOF_FAILED'
  readonly message: string
  /** The thread may be to blame: nothing else explains a trap, or a proof that does not verify. */
  readonly isSuspect?: boolean
}

/** A proof that does not verify, of a witness that breaks no constraint as far as can be seen. */
class UnverifiedProof extends Error {}

/** Tells the phases from `quotient` to `h`. */
type Adapter<Key> = (
  key: Key,
  wtns: Uint8Array,
  onPhase: OnPhase,
) => Promise<Pick<ProofResult, 'proof' | 'publicSignals'>>

/** Proves a job with the adapter's function; what fails is returned, for errors lose their code between threads. */
export async function proveJob<Key>(
  name: string,
  { files, input, progress, kernel }: WorkerJob,
  keys: KeptByPath<Key>,
  prove: Adapter<Key>,
): Promise<ProofResult | Refusal> {
  const onPhase: OnPhase = (phase) => progress?.postMessage(phase)
  try {
    onPhase('witness')
    const started = performance.now()
    const witness = await computeWitness(files, input, kernel)
    if ('refusal' in witness) return { code: 'CIRCUIT_DISAGREES', message: disagreement(files, witness) }
    const witnessed = performance.now()
    onPhase('key')
    const key = await keys.get(files.zkey).catch((error: unknown) => {
      throw new Error(`it cannot be used: ${(error as Error).message}`)
    })
    const proven = await prove(key, witness.wtns, onPhase)
    onPhase('check')
    await verify(files, witness.wtns, proven)
    return { ...proven, witnessMs: witnessed - started, proveMs: performance.now() - witnessed }
  } catch (error) {
    forgetWitness(files) // perhaps they were damaged: the next attempt reads them again
    keys.forget(files.zkey)
    const isSuspect = error instanceof UnverifiedProof || error instanceof WebAssembly.RuntimeError
    const why = (error as Error).message
    return { code: 'PROOF_FAILED', message: `${name} could not prove with the key ${files.zkey}: ${why}`, isSuspect }
  }
}

async function verify(files: ProvingFiles, witness: Uint8Array, proven: Awaited<ReturnType<Adapter<never>>>) {
  const groth16 = await loadGroth16()
  const key = JSON.parse(await readFile(files.verifyingKey, 'utf8')) as { readonly nPublic: number }
  const told = publicSignals(readWitnessValues(witness), key.nPublic)
  if (JSON.stringify(proven.publicSignals) !== JSON.stringify(told))
    throw new UnverifiedProof('the proof is of other public signals than the witness has')
  if (await groth16.verify(key, proven.publicSignals, proven.proof)) return
  const row = files.r1cs === undefined ? -1 : violatedConstraint(readR1cs(files.r1cs), witnessValues(witness))
  if (row >= 0) throw new Error(`the witness breaks ${describeRow(files.r1cs!, row)}`)
  throw new UnverifiedProof('the proof does not verify under its own key')
}

function witnessValues(wtns: Uint8Array): bigint[] {
  const values = readWitnessValues(wtns)
  return Array.from({ length: values.length / SCALAR_BYTES }, (_, k) => readScalar(values, k))
}

function disagreement({ r1cs }: ProvingFiles, { refusal, brokenRow }: Extract<Witness, { refusal: string }>): string {
  const first = refusal.split('\n').slice(0, 3).join(' ').trim()
  const row =
    r1cs === undefined || brokenRow === undefined ? '' : `; the first not to hold is ${describeRow(r1cs, brokenRow)}`
  return `The circuit refuses the native result; nothing is submitted. This is a defect of the compiler or the engine: report it with the applet. (${first}${row})`
}
