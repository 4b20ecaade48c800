// A prover thread that does to itself, for real, what its job asks for; otherwise it proves with snarkjs.

import { existsSync, writeFileSync } from 'node:fs'
import { threadId } from 'node:worker_threads'
import { loadGroth16 } from '../../../engine/prover/groth16.ts'
import { createKeptByPath } from '../../../engine/prover/kept-by-path.ts'
import type { ProofResult } from '../../../engine/prover/prover.ts'
import { proveJob, type WorkerJob } from '../../../engine/prover/worker-job.ts'

export type Deed = 'exit' | 'heap' | 'trap' | 'loop' | 'lie'

export interface MortalJob extends WorkerJob {
  readonly deed?: Deed
  /** If given, the deed is done only as long as this file is not there; it is written first. */
  readonly once?: string
  /** Proves only when the other side has set the first number to 1. */
  readonly gate?: Int32Array
}

/** What it adds to a result. */
export interface MortalResult extends ProofResult {
  readonly threadId: number
  /** Keys that this thread has loaded so far. */
  readonly loads: number
}

let loads = 0
const keys = createKeptByPath(async (path) => {
  loads++
  return path
})

export default function prove(job: MortalJob) {
  return proveJob('mortal', job, keys, async (zkey, witness, onPhase) => {
    if (job.gate) Atomics.wait(job.gate, 0, 0)
    const due = job.deed && !(job.once && existsSync(job.once)) ? job.deed : undefined
    if (due && job.once) writeFileSync(job.once, '')
    onPhase('a')
    if (due && due !== 'lie') DEEDS[due]()
    const proven = await (await loadGroth16()).prove(zkey, witness)
    const proof = due === 'lie' ? { ...proven.proof, pi_a: proven.proof.pi_c } : proven.proof
    return { ...proven, proof, threadId, loads } as Pick<MortalResult, 'proof' | 'publicSignals' | 'threadId' | 'loads'>
  })
}

const DEEDS: Record<Exclude<Deed, 'lie'>, () => void> = {
  exit: () => process.exit(3),
  heap() {
    const kept: number[][] = []
    for (;;) kept.push(Array.from({ length: 10_000 }, (_, k) => k + kept.length))
  },
  trap: () => run([0x00]), // unreachable
  loop: () => run([0x03, 0x40, 0x0c, 0x00, 0x0b]), // loop, br 0, end
}

/** Runs a WebAssembly function of these instructions. */
function run(instructions: readonly number[]): void {
  const code = [0x00, ...instructions, 0x0b]
  const sections = [
    [1, 1, 0x60, 0, 0], // one type: () -> ()
    [3, 1, 0], // one function of it
    [7, 1, 1, 0x66, 0, 0], // exported as f
    [10, 1, code.length, ...code],
  ].map(([id, ...body]) => [id!, body.length, ...body])
  const module = new WebAssembly.Module(Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...sections.flat()]))
  ;(new WebAssembly.Instance(module).exports.f as () => void)()
}
