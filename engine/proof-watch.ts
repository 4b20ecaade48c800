// How far the proofs under way are, and how long each will still take: nobody need wait for one that is far from its end.

import type { Hex } from './core/codec.ts'
import type { Task } from './store/index.ts'

export interface ProofWatch {
  /** Of the share of the proof that is done. */
  tell(taskId: Hex, fraction: number): void
  end(taskId: Hex): void
  /** Expected milliseconds until the task is proven; before it has begun, as long as the longest of `alike` took. */
  remainingMs(task: Task, alike: readonly Task[]): number
}

interface Progress {
  readonly startedMs: number
  readonly toldMs: number
  readonly fraction: number
}

export function createProofWatch(nowMs: () => number): ProofWatch {
  const proofs = new Map<Hex, Progress>()
  return {
    tell(taskId, fraction) {
      const toldMs = nowMs()
      proofs.set(taskId, { startedMs: proofs.get(taskId)?.startedMs ?? toldMs, toldMs, fraction })
    },
    end: (taskId) => void proofs.delete(taskId),
    remainingMs({ taskId }, alike) {
      const wholeMs = Math.max(0, ...alike.map((task) => (task.witnessMs ?? 0) + (task.proveMs ?? 0)))
      const progress = proofs.get(taskId)
      if (!progress) return wholeMs
      const { startedMs, toldMs, fraction } = progress
      const leftMs = fraction > 0 ? ((toldMs - startedMs) * (1 - fraction)) / fraction : wholeMs
      return Math.max(0, leftMs - (nowMs() - toldMs))
    },
  }
}
