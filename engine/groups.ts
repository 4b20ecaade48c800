// Which tasks share a transaction. A group waits for others only while some of its project are about to join, and never longer than
// it is told to: a lone batch is not delayed.

import type { TaskState } from './core/task.ts'
import type { Task } from './store/index.ts'

export interface GroupRules {
  /** A task in this state may join soon. */
  readonly joinsFrom: TaskState
  /** Longest that a ready task waits for others. */
  readonly maxWaitMs: number
  /** How long such a task will still take; nobody waits for one that comes too late. Default: no time at all. */
  readonly remainingMs?: (task: Task, ready: readonly Task[]) => number
  /** Most tasks in a group. */
  readonly maxSize: number
  /** Tasks of different values never share a group. */
  readonly keyOf: (task: Task) => string
  readonly nowMs: () => number
}

/** At most one group of each key, of its oldest ready tasks; and when to look again for the rest. */
export function chooseGroups(
  rules: GroupRules,
  ready: readonly Task[],
  open: readonly Task[],
): { groups: readonly (readonly Task[])[]; waitMs?: number } {
  const byKey = new Map<string, Task[]>()
  for (const task of ready) byKey.set(rules.keyOf(task), [...(byKey.get(rules.keyOf(task)) ?? []), task])
  const groups: (readonly Task[])[] = []
  const waits: number[] = []
  for (const tasks of byKey.values()) {
    const waitMs = tasks.length >= rules.maxSize ? 0 : waitOf(rules, tasks, open)
    if (waitMs === 0) groups.push(tasks.slice(0, rules.maxSize))
    if (waitMs > 0 || tasks.length > rules.maxSize) waits.push(waitMs)
  }
  return waits.length === 0 ? { groups } : { groups, waitMs: Math.min(...waits) }
}

function waitOf(rules: GroupRules, group: readonly Task[], open: readonly Task[]): number {
  const { joinsFrom, maxWaitMs, remainingMs = () => 0, nowMs } = rules
  const oldestMs = Math.min(...group.map((task) => task.times[task.state] ?? 0))
  const waitMs = Math.max(0, oldestMs + maxWaitMs - nowMs())
  const projects = new Set(group.map(({ projectId }) => projectId))
  const joining = open.filter((task) => task.state === joinsFrom && projects.has(task.projectId))
  return joining.some((task) => remainingMs(task, group) <= waitMs) ? waitMs : 0
}
