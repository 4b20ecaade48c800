// `npm run bench:prove`: witness and proof of the demo's circuit (energy-meter, 4 devices with 4 readings) by the engine's prover.
// First one proof after another on one thread, which gives the latency of a batch, then all at once on a thread per core,
// which gives the batches per minute. Each proof is of another batch and is verified, as in the engine. Then all provers side by side on
// that circuit and on synthetic ones; `RAPIDSNARK=<program>` adds rapidsnark, `-- 8 16` larger cohorts, whose circuits and keys are built.

import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { buildCircuit } from '../circuits/build.ts'
import type { CircuitInput } from '../engine/core/witness.ts'
import type { ProofResult, ProvingFiles } from '../engine/prover/prover.ts'
import { createWasmProver } from '../engine/prover/wasm/wasm.ts'
import { demoBatches, SHAPE } from './demo-batches.ts'
import { cpuMs, describeMachine, median } from './machine.ts'
import { compareOnBatch, compareOnSynthetic } from './prove-ratio.ts'

const BATCHES = 8
/** With their public signals just under 2^14, 2^16 and 2^17 rows. */
const SYNTHETIC_CONSTRAINTS = [16_000, 65_000, 131_000]
/** Built if it is not there, as by the demo. */
const CIRCUITS = fileURLToPath(new URL('../.attestream/circuits/', import.meta.url))

interface Run {
  readonly proofs: readonly ProofResult[]
  readonly wallMs: number
  readonly cpuMs: number
}

async function main(): Promise<void> {
  console.log(describeMachine())
  const { wasm, inputs } = await demoBatches('energy-meter', BATCHES)
  const { manifest, paths } = await buildCircuit(wasm, { ...SHAPE, cacheDir: CIRCUITS })
  console.log(
    `circuit   energy-meter, cohort ${SHAPE.cohortSize}, frame ${SHAPE.frameSize}: ${manifest.constraints} constraints`,
  )
  const { rss } = process.memoryUsage()
  console.log(`memory    ${megabytes(rss)} MB before the first proof`)

  const alone = await withProver(1, async (prove) => {
    const first = await timed(() => Promise.all([prove(paths, inputs[0]!)]))
    print('first proof, everything cold', first)
    return timed(async () => {
      const proofs: ProofResult[] = []
      for (const input of inputs) proofs.push(await prove(paths, input))
      return proofs
    })
  })
  print('one after another, one thread', alone)
  const threads = availableParallelism()
  const together = await withProver(threads, async (prove) => {
    await Promise.all(inputs.slice(0, threads).map((input) => prove(paths, input)))
    return timed(() => Promise.all(inputs.map((input) => prove(paths, input))))
  })
  print(`all at once, ${threads} threads`, together)
  console.log(`\npeak memory of the process: ${megabytes(process.resourceUsage().maxRSS * 1024)} MB`)

  console.log(
    '\nprovers side by side: processor time of a warm proof, snarkjs to it, peak memory of the process that proves',
  )
  for (const cohortSize of [SHAPE.cohortSize, ...process.argv.slice(2).map(Number)]) {
    await compareOnBatch({ ...SHAPE, cohortSize }, CIRCUITS)
  }
  for (const constraints of SYNTHETIC_CONSTRAINTS) await compareOnSynthetic(constraints, CIRCUITS)
}

type Prove = (files: ProvingFiles, input: CircuitInput) => Promise<ProofResult>

async function withProver(threads: number, run: (prove: Prove) => Promise<Run>): Promise<Run> {
  const prover = createWasmProver({ threads, cacheDir: CIRCUITS })
  try {
    return await run((files, input) => prover.prove({ files, input }))
  } finally {
    await prover.close()
  }
}

async function timed(run: () => Promise<readonly ProofResult[]>): Promise<Run> {
  const [startedMs, cpuBefore] = [performance.now(), cpuMs()]
  const proofs = await run()
  return { proofs, wallMs: performance.now() - startedMs, cpuMs: cpuMs() - cpuBefore }
}

function print(title: string, run: Run): void {
  const { length } = run.proofs
  const witness = run.proofs.map(({ witnessMs }) => witnessMs)
  const prove = run.proofs.map(({ proveMs }) => proveMs)
  console.log(`\n${title}: ${length} ${length === 1 ? 'proof' : 'proofs'} in ${seconds(run.wallMs)} s`)
  console.log(`  witness        median ${seconds(median(witness))} s, worst ${seconds(Math.max(...witness))} s`)
  console.log(`  proof, checked median ${seconds(median(prove))} s, worst ${seconds(Math.max(...prove))} s`)
  console.log(
    `  processor time ${seconds(run.cpuMs / length)} s a proof; ${((length * 60_000) / run.wallMs).toFixed(1)} proofs a minute`,
  )
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(2)
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20)
}

await main()
