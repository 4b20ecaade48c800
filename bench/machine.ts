// What a benchmark ran on, and the little arithmetic that all benchmarks share.

import { cpus, loadavg, totalmem } from 'node:os'

/** One line per fact; the load average says whether the machine was the benchmark's alone. */
export function describeMachine(): string {
  const cores = cpus()
  const load = loadavg().map((value) => value.toFixed(2))
  return [
    `machine   ${cores.length} × ${cores[0]?.model.trim() ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform} ${process.arch}`,
    `node      ${process.version}`,
    `load      ${load.join(' ')} over 1, 5 and 15 minutes${loadavg()[0]! > 1.5 ? ': SHARED, timings are not reliable' : ''}`,
  ].join('\n')
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Processor time of this process so far, all its threads together. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
