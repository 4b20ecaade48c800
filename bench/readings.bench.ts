// `npm run bench:readings [-- applet …] [-- --write]`: proven readings per second of one core, everything counted: witness, proof and its check, processor
// time of all threads of the process. Full frames of 16 readings, and for energy-meter also the shape that `applet stats` advises. Circuits
// and keys are built first; the first proof of each prover, still cold, does not count. `RAPIDSNARK=<program>` measures rapidsnark, too.
// bench/readings.json keeps what was measured last.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { buildApplet } from '../applets/build.ts'
import type { BatchShape } from '../circuits/batch-circuit.ts'
import { buildCircuit } from '../circuits/build.ts'
import type { DatasetApplet } from '../cli/datasets/recording.ts'
import type { CircuitInput } from '../engine/core/witness.ts'
import type { Prover, ProvingFiles } from '../engine/prover/prover.ts'
import { createRapidsnarkProver } from '../engine/prover/rapidsnark/rapidsnark.ts'
import { createSnarkjsProver } from '../engine/prover/snarkjs.ts'
import { createWasmProver } from '../engine/prover/wasm/wasm.ts'
import { ANCHOR_TIME_SEC, demoBatches, signedBatches, type DemoBatches } from './demo-batches.ts'
import { cpuMs, describeMachine } from './machine.ts'
import { oneDevice } from './one-device.ts'
import { endedProgramsCpuMs } from './program-usage.ts'

export interface ReadingRate extends BatchShape {
  readonly applet: string
  readonly prover: string
  readonly constraints: number
  readonly power: number
  /** Of one batch, witness, proof and check; the least of three, since other work on the machine only adds. */
  readonly cpuMs: number
  readonly readingsPerCpuSecond: number
}

export interface ReadingRates {
  readonly machine: string
  readonly rates: readonly ReadingRate[]
  /** One device and reading a proof, by snarkjs: bench/one-device.ts. */
  readonly oneDevice: { readonly constraints: number; readonly cpuMs: number }
}

interface Workload {
  readonly applet: string
  readonly shape: BatchShape
  readonly batches: (count: number, shape: BatchShape) => Promise<DemoBatches>
  readonly provers: readonly ProverName[]
}

const PROOFS = 3
const COLD = 1
const CIRCUITS = fileURLToPath(new URL('../.attestream/circuits/', import.meta.url))
const FILE = join(import.meta.dirname, 'readings.json')

const PROVERS = {
  wasm: () => createWasmProver({ threads: 1, cacheDir: CIRCUITS }),
  snarkjs: () => createSnarkjsProver({ threads: 1 }),
  rapidsnark: () => createRapidsnarkProver({ threads: 1, binary: process.env['RAPIDSNARK']! }),
} satisfies Record<string, () => Prover>
type ProverName = keyof typeof PROVERS

const simulated = (applet: DatasetApplet): Workload['batches'] => {
  return (count, shape) => demoBatches(applet, count, shape)
}
const ALL: readonly ProverName[] = ['wasm', 'snarkjs', ...(process.env['RAPIDSNARK'] ? (['rapidsnark'] as const) : [])]
const WORKLOADS: readonly Workload[] = [
  {
    applet: 'energy-meter',
    shape: { cohortSize: 8, frameSize: 16 },
    batches: simulated('energy-meter'),
    provers: ALL,
  },
  {
    applet: 'energy-meter',
    shape: { cohortSize: 8, frameSize: 31 },
    batches: simulated('energy-meter'),
    provers: ALL,
  },
  { applet: 'threshold-time', shape: { cohortSize: 16, frameSize: 16 }, batches: thresholdTime, provers: ALL },
  { applet: 'movement', shape: { cohortSize: 4, frameSize: 12 }, batches: simulated('movement'), provers: ['wasm'] },
]

export function recordedRates(): ReadingRates {
  return JSON.parse(readFileSync(FILE, 'utf8')) as ReadingRates
}

/** One reading a minute and device: two of three above the limit, all in time. */
async function thresholdTime(count: number, shape: BatchShape): Promise<DemoBatches> {
  const wasm = await buildApplet('bench/reference/threshold-time.ts')
  const perDevice = count * shape.frameSize
  const startSec = Number(ANCHOR_TIME_SEC) - 60 * perDevice
  const reading = (i: number) => ({ timeSec: startSec + 60 * i, decikelvin: i % 3 === 0 ? 2700 : 2950 })
  const readings = Array.from({ length: shape.cohortSize }, () =>
    Array.from({ length: perDevice }, (_, i) => reading(i)),
  )
  const config = { maxAgeSec: 86_400, minDecikelvin: 2900, units: 1000 }
  return signedBatches(wasm, { readings, config }, count, shape)
}

async function measure({ applet, shape, batches, provers }: Workload): Promise<ReadingRate[]> {
  const { wasm, inputs } = await batches(PROOFS + COLD, shape)
  const setup = { kind: 'development', seed: 'bench' } as const
  const { manifest, paths } = await buildCircuit(wasm, { ...shape, cacheDir: CIRCUITS, setup })
  const rates: ReadingRate[] = []
  for (const name of provers) {
    const timesMs = await cpuTimes(name, paths, inputs)
    const { constraints, publicSignals } = manifest
    const power = Math.ceil(Math.log2(constraints + publicSignals + 1))
    rates.push(rateOf({ applet, prover: name, ...shape, constraints, power }, Math.min(...timesMs)))
    print(rates.at(-1)!)
  }
  return rates
}

/** Of each job but the first, which is cold: witness, proof and check, all threads of this process and the programs that it ran. */
async function cpuTimes(name: ProverName, files: ProvingFiles, inputs: readonly CircuitInput[]): Promise<number[]> {
  const prover = PROVERS[name]()
  const timesMs: number[] = []
  try {
    for (const input of inputs) {
      const before = cpuMs() + endedProgramsCpuMs()
      await prover.prove({ files, input })
      timesMs.push(cpuMs() + endedProgramsCpuMs() - before)
    }
  } finally {
    await prover.close()
  }
  return timesMs.slice(COLD)
}

async function measureOneDevice(): Promise<ReadingRates['oneDevice']> {
  const directory = mkdtempSync(join(tmpdir(), 'attestream-one-device-'))
  try {
    const { constraints, files, input } = await oneDevice(directory)
    const inputs = Array.from({ length: PROOFS + COLD }, () => input)
    const cpuMs = Math.round(Math.min(...(await cpuTimes('snarkjs', files, inputs))))
    console.log(`one device and reading a proof, 67 signals: ${constraints} constraints, ${cpuMs} ms by snarkjs`)
    return { constraints, cpuMs }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function rateOf(of: Omit<ReadingRate, 'cpuMs' | 'readingsPerCpuSecond'>, batchMs: number): ReadingRate {
  const perSecond = (1000 * of.cohortSize * of.frameSize) / batchMs
  return { ...of, cpuMs: Math.round(batchMs), readingsPerCpuSecond: Math.round(10 * perSecond) / 10 }
}

function print(rate: ReadingRate): void {
  const { applet, prover, cohortSize, frameSize, constraints, power, readingsPerCpuSecond } = rate
  console.log(
    `${applet.padEnd(15)} ${prover.padEnd(8)} D=${cohortSize} R=${frameSize}: ${constraints.toLocaleString('en')} constraints (2^${power}), ${(rate.cpuMs / 1000).toFixed(2)} s a batch, ${readingsPerCpuSecond} readings per second`,
  )
}

async function main(args: readonly string[]): Promise<void> {
  const machine = describeMachine()
  console.log(machine)
  const applets = args.filter((arg) => !arg.startsWith('--'))
  const chosen = (name: string) => applets.length === 0 || applets.includes(name)
  const oneDevice = chosen('one-device') ? await measureOneDevice() : undefined
  const rates: ReadingRate[] = []
  for (const workload of WORKLOADS) if (chosen(workload.applet)) rates.push(...(await measure(workload)))
  if (args.includes('--write')) record({ machine, rates, ...(oneDevice ? { oneDevice } : {}) })
}

/** What was not measured now stays as it was. */
function record({ machine, rates, oneDevice }: Omit<ReadingRates, 'oneDevice'> & Partial<ReadingRates>): void {
  const before = existsSync(FILE) ? recordedRates() : undefined
  const key = ({ applet, prover, cohortSize, frameSize }: ReadingRate) => [applet, prover, cohortSize, frameSize].join()
  const all = new Map([...(before?.rates ?? []), ...rates].map((rate) => [key(rate), rate]))
  const written = { machine, rates: [...all.values()], oneDevice: oneDevice ?? before?.oneDevice }
  writeFileSync(FILE, `${JSON.stringify(written, null, 2)}\n`)
}

if (import.meta.url === pathToFileURL(process.argv[1]!).href) await main(process.argv.slice(2))
