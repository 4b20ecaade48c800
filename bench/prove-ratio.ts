// Provers side by side: the same key and witness, each prover in a process of its own, proofs by turns so that all meet the same load, and in
// each round a proof by each of two wasm provers at once. Without witness and check; the first proof of each, still cold, does not count.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { WitnessCalculatorBuilder } from 'circom_runtime'
import type { BatchShape } from '../circuits/batch-circuit.ts'
import { buildCircuit } from '../circuits/build.ts'
import { createDevelopmentKey } from '../circuits/setup/development-key.ts'
import { exportVerifyingKey } from '../circuits/setup/export-verifying-key.ts'
import { findCompiler } from '../engine/prover/native/build.ts'
import { demoBatches } from './demo-batches.ts'
import { median } from './machine.ts'
import type { ProofFigures } from './prover-process.ts'
import { writeSyntheticCircuit } from './synthetic-circuit.ts'

const ROUNDS = 3
const CHILD = fileURLToPath(new URL('./prover-process.ts', import.meta.url))

interface Circuit {
  readonly title: string
  readonly zkey: string
  readonly wtns: string
  readonly verifyingKey: string
}

/** Compares on the circuit of energy-meter in this shape, built into `cacheDir` if it is not there. */
export function compareOnBatch(shape: BatchShape, cacheDir: string): Promise<void> {
  return inDirectory(async (work) => {
    const { wasm, inputs } = await demoBatches('energy-meter', 1, shape)
    const { manifest, paths } = await buildCircuit(wasm, { ...shape, cacheDir })
    const wtns = join(work, 'witness.wtns')
    const calculator = await WitnessCalculatorBuilder(readFileSync(paths.witnessWasm))
    writeFileSync(wtns, await calculator.calculateWTNSBin(inputs[0], 1))
    const title = `energy-meter, cohort ${shape.cohortSize}, frame ${shape.frameSize}: ${grouped(manifest.constraints)} constraints`
    await compare({ title, zkey: paths.zkey, wtns, verifyingKey: paths.verifyingKey }, cacheDir)
  })
}

/** Compares on a synthetic circuit of so many constraints, with a key made now. */
export function compareOnSynthetic(constraints: number, cacheDir: string): Promise<void> {
  return inDirectory(async (work) => {
    const [r1cs, wtns, zkey, verifyingKey] = ['r1cs', 'wtns', 'zkey', 'json'].map((end) =>
      join(work, `circuit.${end}`),
    ) as [string, string, string, string]
    writeSyntheticCircuit(constraints, r1cs, wtns)
    await createDevelopmentKey(r1cs, zkey, { kernelDir: cacheDir })
    writeFileSync(verifyingKey, JSON.stringify(exportVerifyingKey(zkey)))
    await compare({ title: `synthetic: ${grouped(constraints)} constraints`, zkey, wtns, verifyingKey }, cacheDir)
  })
}

/** The provers that this machine has; RAPIDSNARK names a program. Programs are measured through Linux' /proc. */
async function availableProvers(): Promise<string[]> {
  const provers = ['snarkjs', 'wasm']
  if (process.platform !== 'linux') return provers
  if ((await findCompiler()) !== undefined) provers.push('native')
  if (process.env['RAPIDSNARK']) provers.push('rapidsnark')
  return provers
}

async function compare(circuit: Circuit, cacheDir: string): Promise<void> {
  const names = await availableProvers()
  const provers = [...names, 'wasm'].map((name) => startProver(name, circuit, cacheDir))
  const pair = [provers[names.indexOf('wasm')]!, provers.at(-1)!]
  try {
    for (const { prove } of provers) await prove()
    const alone = new Map<string, ProofFigures[]>(names.map((name) => [name, []]))
    const together: ProofFigures[] = []
    for (let round = 0; round < ROUNDS; round++) {
      for (const [k, name] of names.entries()) alone.get(name)!.push(await provers[k]!.prove())
      together.push(...(await Promise.all(pair.map(({ prove }) => prove()))))
    }
    print(circuit.title, alone, together)
  } finally {
    for (const { end } of provers) end()
  }
}

interface RunningProver {
  readonly prove: () => Promise<ProofFigures>
  readonly end: () => void
}

function startProver(name: string, { zkey, wtns, verifyingKey }: Circuit, cacheDir: string): RunningProver {
  const args = [name, zkey, wtns, verifyingKey, cacheDir, process.env['RAPIDSNARK'] ?? '']
  const child = fork(CHILD, args, { execArgv: ['--import', 'tsx'], detached: true })
  const ended = once(child, 'exit').then(() => {
    throw new Error(`the process of ${name} ended`)
  })
  ended.catch(() => {})
  const prove = async () => {
    const answer = once(child, 'message')
    child.send('prove')
    return ((await Promise.race([answer, ended])) as [ProofFigures])[0]
  }
  return { prove, end: () => child.connected && child.disconnect() }
}

function print(title: string, alone: ReadonlyMap<string, readonly ProofFigures[]>, together: readonly ProofFigures[]) {
  const middle = (runs: readonly ProofFigures[], of: 'cpuMs' | 'wallMs') => median(runs.map((run) => run[of]))
  const reference = middle(alone.get('snarkjs')!, 'cpuMs')
  console.log(`\n${title}`)
  for (const [name, runs] of alone) {
    const cpuMs = middle(runs, 'cpuMs')
    const peakMb = Math.max(...runs.map((run) => run.peakMb))
    const [seconds, ratio] = [(cpuMs / 1000).toFixed(2), (reference / cpuMs).toFixed(1)]
    console.log(
      `  ${name.padEnd(10)} ${seconds.padStart(6)} s  ${ratio.padStart(5)}  ${peakMb.toFixed(0).padStart(4)} MB`,
    )
  }
  const gain = (of: 'cpuMs' | 'wallMs') => ((2 * middle(alone.get('wasm')!, of)) / middle(together, of)).toFixed(2)
  console.log(`  two wasm at once: ${gain('cpuMs')} times one by processor time, ${gain('wallMs')} by the clock`)
}

async function inDirectory(run: (work: string) => Promise<void>): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), 'attestream-bench-'))
  try {
    await run(work)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function grouped(value: number): string {
  return value.toLocaleString('en')
}
