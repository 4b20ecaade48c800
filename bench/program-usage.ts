// What the programs take that this process has started, from Linux' /proc: those of its process group that were not there when the watch
// began, whoever their parent is now. The process must lead its group.

import { readdirSync, readFileSync } from 'node:fs'

export interface Usage {
  /** Processor time so far, of programs that run and of those that ended and were waited for. */
  cpuMs(): number
  /** Most memory that one of them held; of one that ends, up to the last look. */
  peakMb(): number
}

/** Linux counts processor time in hundredths of a second wherever Node runs. */
const TICK_MS = 10
const LOOK_EVERY_MS = 50

export function watchPrograms(): Usage {
  const known = new Set(groupMembers())
  let peakKb = 0
  const programs = () => groupMembers().filter((pid) => !known.has(pid))
  const look = () => {
    for (const pid of programs())
      peakKb = Math.max(peakKb, Number(/VmHWM:\s+(\d+)/.exec(read(pid, 'status'))?.[1] ?? 0))
  }
  setInterval(look, LOOK_EVERY_MS).unref()
  return {
    cpuMs() {
      const { childrenMs } = times(process.pid)
      return programs().reduce((sum, pid) => sum + times(pid).ownMs, childrenMs)
    },
    peakMb() {
      look()
      return peakKb / 1024
    },
  }
}

/** Processor time of programs that this process has started and that ended; 0 where there is no /proc. */
export function endedProgramsCpuMs(): number {
  return times(process.pid).childrenMs
}

function groupMembers(): number[] {
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger)
  return pids.filter((pid) => times(pid).group === process.pid)
}

function times(pid: number): { group: number; ownMs: number; childrenMs: number } {
  const stat = read(pid, 'stat')
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number)
  const ms = (at: number) => ((fields[at] ?? 0) + (fields[at + 1] ?? 0)) * TICK_MS
  return { group: fields[2] ?? 0, ownMs: ms(11), childrenMs: ms(13) }
}

/** Empty for a process that has ended meanwhile. */
function read(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8')
  } catch {
    return ''
  }
}
