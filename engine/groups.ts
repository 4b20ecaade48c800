// Which tasks share a transaction. A group waits for others only while some of its project are about to join, and never longer than
// it is told to: a lone batch is not delayed. While gas is dear it waits longer, to share the price with more or to see it fall.

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
  readonly price: PriceRules
}

export interface PriceRules {
  readonly gasPrice: () => { readonly nowWei: bigint; readonly medianWei: bigint } | undefined
  /** Gas is dear when the base fee is above so many percent of its recent median. */
  readonly highPercent: number
  /** Longest that a ready task waits for a lower price, or for so many that a group is full; 0 for never. */
  readonly maxWaitMs: number
}

/** While gas is dear, its price is looked at so often. */
const PRICE_LOOK_MS = 5000

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
    const isFull = tasks.length >= rules.maxSize
    const waitMs = isFull ? 0 : Math.max(waitOf(rules, tasks, open), priceWaitOf(rules, tasks))
    if (waitMs === 0) groups.push(tasks.slice(0, rules.maxSize))
    if (waitMs > 0 || tasks.length > rules.maxSize) waits.push(waitMs)
  }
  return waits.length === 0 ? { groups } : { groups, waitMs: Math.min(...waits) }
}

function waitOf(rules: GroupRules, group: readonly Task[], open: readonly Task[]): number {
  const { joinsFrom, maxWaitMs, remainingMs = () => 0, nowMs } = rules
  const waitMs = Math.max(0, readySinceMs(group) + maxWaitMs - nowMs())
  const projects = new Set(group.map(({ projectId }) => projectId))
  const joining = open.filter((task) => task.state === joinsFrom && projects.has(task.projectId))
  return joining.some((task) => remainingMs(task, group) <= waitMs) ? waitMs : 0
}

function priceWaitOf({ price, nowMs }: GroupRules, group: readonly Task[]): number {
  const leftMs = readySinceMs(group) + price.maxWaitMs - nowMs()
  if (leftMs <= 0 || !isDear(price)) return 0
  return Math.min(leftMs, PRICE_LOOK_MS)
}

function isDear({ gasPrice, highPercent }: PriceRules): boolean {
  const price = gasPrice()
  return price !== undefined && price.nowWei * 100n > price.medianWei * BigInt(highPercent)
}

/** Unix milliseconds since which the oldest of the group waits. */
function readySinceMs(group: readonly Task[]): number {
  return Math.min(...group.map((task) => task.times[task.state] ?? 0))
}
