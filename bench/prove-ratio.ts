// Our prover and snarkjs side by side: the same key and witness, each prover in a process of its own, proofs by turns so that both
// meet the same load. Processor time of one thread, without witness and check; the first proof of each, still cold, does not count.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { WitnessCalculatorBuilder } from 'circom_runtime'
import type { BatchShape } from '../circuits/batch-circuit.ts'
import { buildCircuit } from '../circuits/build.ts'
import { demoBatches } from './demo-batches.ts'
import { median } from './machine.ts'
import type { ProverFigures } from './prover-process.ts'

const ROUNDS = 3
const PROOFS_A_ROUND = 2
const CHILD = fileURLToPath(new URL('./prover-process.ts', import.meta.url))
const PROVERS = ['snarkjs', 'wasm'] as const

/** Prints a line for the circuit of energy-meter in this shape, built into `cacheDir` if it is not there. */
export async function compareProvers(shape: BatchShape, cacheDir: string): Promise<void> {
  const { wasm, inputs } = await demoBatches('energy-meter', 1, shape)
  const { manifest, paths } = await buildCircuit(wasm, { ...shape, cacheDir })
  const work = mkdtempSync(join(tmpdir(), 'attestream-bench-'))
  try {
    const wtns = join(work, 'witness.wtns')
    const calculator = await WitnessCalculatorBuilder(readFileSync(paths.witnessWasm))
    writeFileSync(wtns, await calculator.calculateWTNSBin(inputs[0], 1))
    const runs = { snarkjs: [] as ProverFigures[], wasm: [] as ProverFigures[] }
    for (let round = 0; round < ROUNDS; round++) {
      for (const prover of PROVERS) {
        const files = [paths.zkey, wtns, paths.verifyingKey, cacheDir, String(PROOFS_A_ROUND)]
        const args = ['--import', 'tsx', CHILD, prover, ...files]
        runs[prover].push(JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as ProverFigures)
      }
    }
    console.log(line(manifest.constraints, runs))
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function line(constraints: number, runs: Record<(typeof PROVERS)[number], readonly ProverFigures[]>): string {
  const proofMs = (figures: readonly ProverFigures[]) => median(figures.flatMap((run) => run.proofMs.slice(1)))
  const peakMb = (figures: readonly ProverFigures[]) => Math.max(...figures.map((run) => run.peakRssMb))
  const [reference, own] = [proofMs(runs.snarkjs), proofMs(runs.wasm)]
  return [
    `${constraints.toLocaleString('en').padStart(8)} constraints:`,
    `snarkjs ${(reference / 1000).toFixed(2)} s, ${peakMb(runs.snarkjs)} MB;`,
    `wasm ${(own / 1000).toFixed(2)} s, ${peakMb(runs.wasm)} MB,`,
    `key loaded in ${(median(runs.wasm.map((run) => run.loadMs)) / 1000).toFixed(2)} s;`,
    `${(reference / own).toFixed(1)} times fewer processor seconds`,
  ].join(' ')
}
