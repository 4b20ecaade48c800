// The witness of a job: by the engine's own evaluator, or by circom's calculator where there is no kernel or no plan for the circuit.
// The evaluator checks every row. What it refuses circom's calculator judges too: it alone says that an input has no witness, and
// a plan that refuses what it accepts is given up, with a warning.

import { readFile } from 'node:fs/promises'
import { WitnessCalculatorBuilder } from 'circom_runtime'
import { loadPlan } from '../../circuits/witness/plan-file.ts'
import type { CircuitInput } from '../core/witness.ts'
import { createKeptByPath } from './kept-by-path.ts'
import type { ProvingFiles } from './prover.ts'
import { createWitnessEvaluator } from './wasm/witness.ts'

/** A .wtns file, or why there is none and the row of the circuit that cannot hold, where it is known. */
export type Witness = { readonly wtns: Uint8Array } | { readonly refusal: string; readonly brokenRow?: number }

const calculators = createKeptByPath(async (path: string) => WitnessCalculatorBuilder(await readFile(path)))
const evaluators = createKeptByPath(async (r1cs: string) => {
  try {
    const plan = loadPlan(r1cs)
    if (plan) return createWitnessEvaluator(kernel!, plan)
    giveUp(r1cs, 'it holds a structure that no step of a plan knows')
  } catch (error) {
    giveUp(r1cs, (error as Error).message)
  }
  return undefined
})
const givenUp = new Set<string>()
let kernel: WebAssembly.Module | undefined

/** The witness of an input. Throws if the files are unusable; the next call reads them again after `forgetWitness`. */
export async function computeWitness(
  files: ProvingFiles,
  input: CircuitInput,
  module?: WebAssembly.Module,
): Promise<Witness> {
  kernel = module
  const evaluator = kernel && files.r1cs && !givenUp.has(files.r1cs) ? await evaluators.get(files.r1cs) : undefined
  if (!evaluator) return byCircom(files, input)
  const own = evaluator.calculate(input)
  if ('wtns' in own) return own
  const theirs = await byCircom(files, input)
  if ('refusal' in theirs) return own.brokenRow < 0 ? theirs : { ...theirs, brokenRow: own.brokenRow }
  // Otherwise the calculator is the one at fault, or another circuit's: the check of the proof will say so.
  if (evaluator.brokenRow(theirs.wtns) < 0)
    giveUp(files.r1cs!, `its plan breaks row ${own.brokenRow} where circom's calculator finds a witness`)
  return theirs
}

/** Forgets what was made of a circuit's files. */
export function forgetWitness({ witnessWasm, r1cs }: ProvingFiles): void {
  calculators.forget(witnessWasm)
  if (r1cs !== undefined) evaluators.forget(r1cs)
}

function giveUp(r1cs: string, why: string): void {
  givenUp.add(r1cs)
  process.emitWarning(
    `Witnesses of ${r1cs} take some five times longer, by circom's calculator: ${why}.`,
    'WitnessPlan',
  )
}

async function byCircom({ witnessWasm }: ProvingFiles, input: CircuitInput): Promise<Witness> {
  const calculator = await calculators.get(witnessWasm)
  try {
    return { wtns: await calculator.calculateWTNSBin(input, 1) }
  } catch (error) {
    calculators.forget(witnessWasm) // it would repeat this refusal in the message of the next
    return { refusal: (error as Error).message }
  }
}
