// The table at the end of the demo.

import { cpus } from 'node:os'
import { LATENCY_PHASES, latencyOf, type Latency, type TaskRecord } from '../../engine/index.ts'
import type { Dataset } from '../datasets/dataset.ts'

export interface OwnerRow {
  readonly address: string
  readonly devices: number
  readonly units: bigint
  readonly tokensBefore: string
  readonly tokensAfter: string
}

export interface DemoReport {
  readonly dataset: Dataset
  readonly applet: string
  readonly shape: { readonly cohortSize: number; readonly frameSize: number }
  readonly constraints: number
  readonly tasks: readonly TaskRecord[]
  readonly owners: readonly OwnerRow[]
  /** Receipts verified from chain and data availability. */
  readonly verified: number
  readonly totalMs: number
  readonly peakMemoryMb: number
}

export function printReport(report: DemoReport): void {
  const { tasks, shape, dataset } = report
  const sum = (pick: (task: TaskRecord) => number) => tasks.reduce((total, task) => total + pick(task), 0)
  const frames = sum((task) => task.frames)
  const readings = sum((task) => task.readings)
  const gas = sum((task) => Number(task.anchorGas! + task.settleGas!))
  const perBatch = (total: number) => Math.round(total / tasks.length).toLocaleString('en')
  const proveSec = tasks.map((task) => task.proveMs! / 1000)
  console.log()
  rows([
    ['applet', report.applet],
    ['readings from', `${dataset.source}${dataset.simulated ? ' (simulated)' : ''}`],
    ['readings / frames / batches / proofs', `${readings} / ${frames} / ${tasks.length} / ${tasks.length}`],
    ['constraints', `${report.constraints.toLocaleString('en')}  (cohort ${shape.cohortSize}, frame ${shape.frameSize})`],
    ['prove time of a batch', `median ${median(proveSec).toFixed(1)} s, worst ${Math.max(...proveSec).toFixed(1)} s on ${cpus().length} cores`],
    ['gas per batch', `${perBatch(gas)}  (anchor ${perBatch(sum((t) => Number(t.anchorGas)))}, settle ${perBatch(sum((t) => Number(t.settleGas)))})`],
    ['gas per device and batch', Math.round(gas / frames).toLocaleString('en')],
    ['gas per reading', Math.round(gas / readings).toLocaleString('en')],
    ['receipts verified from chain and DA', `${report.verified} of ${tasks.length}`],
    ['whole run', `${(report.totalMs / 1000).toFixed(1)} s, peak memory ${Math.round(report.peakMemoryMb)} MB without chain and compilers`],
  ]) // prettier-ignore
  console.log()
  printLatency(tasks)
  console.log()
  printOwners(report.owners)
  console.log('\nThe proving key comes from a development setup: it shows the pipeline and protects no money.')
}

/** The phases of one batch sum to its whole. */
function printLatency(tasks: readonly TaskRecord[]): void {
  const latencies = tasks.flatMap((task) => latencyOf(task) ?? []).sort((a, b) => a.totalMs - b.totalMs)
  const picked = [latencies[(latencies.length - 1) >> 1]!, latencies.at(-1)!]
  const seconds = (pick: (latency: Latency) => number) =>
    picked.map((latency) => `${(pick(latency) / 1000).toFixed(2)} s`)
  columns([
    ['last frame in → receipt mined', 'median batch', 'worst batch'],
    ['whole', ...seconds(({ totalMs }) => totalMs)],
    ...LATENCY_PHASES.map((phase) => [`  ${phase}`, ...seconds(({ phasesMs }) => phasesMs[phase])]),
  ])
  console.log('  …Wait: until the batch is closed, a thread is free, or others go along in the transaction')
}

function printOwners(owners: readonly OwnerRow[]): void {
  const table = owners.map((row) => [
    row.address,
    `${row.devices}`,
    row.units.toLocaleString('en'),
    row.tokensBefore,
    row.tokensAfter,
  ])
  columns([['owner', 'devices', 'units credited', 'tokens before', 'tokens after'], ...table])
}

function rows(lines: readonly (readonly [string, string])[]): void {
  const width = Math.max(...lines.map(([name]) => name.length))
  for (const [name, value] of lines) console.log(`  ${name.padEnd(width)}  ${value}`)
}

function columns(lines: readonly (readonly string[])[]): void {
  const widths = lines[0]!.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)))
  for (const line of lines) {
    console.log(
      `  ${line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ')}`,
    )
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const [low, high] = [sorted[(sorted.length - 1) >> 1]!, sorted[sorted.length >> 1]!]
  return (low + high) / 2
}
