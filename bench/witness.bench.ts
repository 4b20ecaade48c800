// `npm run bench:witness`: processor time of a witness by circom's calculator and by the engine's evaluator, both kept, in one process, on
// the same batches by turns; every pair must be equal byte for byte. Circuits of energy-meter, compiled here, without keys.
// `npm run bench:witness -- 4x4` takes other shapes (devices x readings).

import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { WitnessCalculatorBuilder } from 'circom_runtime'
import type { BatchShape } from '../circuits/batch-circuit.ts'
import { circuitSources, sourcesSha256 } from '../circuits/build.ts'
import { CIRCOM_OUTPUT, compileCircom } from '../circuits/circom.ts'
import { compileApplet } from '../circuits/compiler/index.ts'
import { loadPlan } from '../circuits/witness/plan-file.ts'
import type { CircuitInput } from '../engine/core/witness.ts'
import { loadKernel } from '../engine/prover/wasm/compile.ts'
import { createWitnessEvaluator } from '../engine/prover/wasm/witness.ts'
import { demoBatches } from './demo-batches.ts'
import { cpuMs, describeMachine, median } from './machine.ts'

const APPLET = 'energy-meter'
const SHAPES = ['4x2', '4x4', '8x8', '16x8']
const BATCHES = 4
const ROUNDS = 3
const CACHE = fileURLToPath(new URL('../build/bench-witness/', import.meta.url))

export interface WitnessFigures {
  readonly constraints: number
  /** Medians of processor time, warm. */
  readonly circomMs: number
  readonly ownMs: number
  /** Deriving the plan, once for a circuit (0 if it was kept), and loading it into memory, once for a process. */
  readonly planMs: number
  readonly loadMs: number
}

/** Measures one shape; throws if the two ever differ. */
export async function compareWitnesses(shape: BatchShape): Promise<WitnessFigures> {
  const { wasm, inputs } = await demoBatches(APPLET, BATCHES, shape)
  const dir = await compiled(wasm, shape)
  const timed = async <T>(run: () => T | Promise<T>) => {
    const before = cpuMs()
    return { value: await run(), ms: cpuMs() - before }
  }
  const plan = await timed(() => loadPlan(join(dir, CIRCOM_OUTPUT.r1cs)))
  if (!plan.value) throw new Error('there is no plan for this circuit')
  const kernel = await loadKernel(CACHE)
  const evaluator = await timed(() => createWitnessEvaluator(kernel, plan.value!))
  const circom = await WitnessCalculatorBuilder(readFileSync(join(dir, CIRCOM_OUTPUT.witnessWasm)))
  const own = (input: CircuitInput) => {
    const result = evaluator.value.calculate(input)
    if ('brokenRow' in result) throw new Error(`row ${result.brokenRow} does not hold`)
    return result.wtns
  }
  const times = { circom: [] as number[], own: [] as number[] }
  for (let round = 0; round <= ROUNDS; round++) {
    for (const input of inputs) {
      const theirs = await timed(() => circom.calculateWTNSBin(input, 1))
      const ours = await timed(() => own(input))
      if (Buffer.compare(theirs.value, ours.value) !== 0) throw new Error('the witnesses differ')
      if (round === 0) continue // still cold
      times.circom.push(theirs.ms)
      times.own.push(ours.ms)
    }
  }
  return {
    constraints: plan.value.ownRows,
    circomMs: median(times.circom),
    ownMs: median(times.own),
    planMs: plan.ms,
    loadMs: evaluator.ms,
  }
}

async function compiled(wasm: Uint8Array, shape: BatchShape): Promise<string> {
  const sources = circuitSources(compileApplet(wasm), shape)
  const dir = join(CACHE, sourcesSha256(sources).slice(0, 40))
  if (!existsSync(join(dir, CIRCOM_OUTPUT.witnessWasm))) {
    mkdirSync(dir, { recursive: true })
    await compileCircom(sources, dir)
  }
  return dir
}

async function main(): Promise<void> {
  console.log(describeMachine())
  const shapes = process.argv.length > 2 ? process.argv.slice(2) : SHAPES
  for (const text of shapes) {
    const [cohortSize, frameSize] = text.split('x').map(Number)
    const figures = await compareWitnesses({ cohortSize: cohortSize!, frameSize: frameSize! })
    const { constraints, circomMs, ownMs, planMs, loadMs } = figures
    console.log(
      `${constraints.toLocaleString('en').padStart(8)} constraints: circom ${circomMs.toFixed(0)} ms, own ${ownMs.toFixed(0)} ms, ` +
        `${(circomMs / ownMs).toFixed(1)} times fewer processor seconds; plan ${planMs.toFixed(0)} ms, loaded in ${loadMs.toFixed(0)} ms`,
    )
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
