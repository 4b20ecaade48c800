// The two steps of tasks that write to the chain, over many tasks at once: anchor and settle; and the undoing of batches that can no
// longer be anchored or settled as they are. A planned number is durable before its anchor is sent.

import type { Chain } from './chain/chain.ts'
import { isAttestreamError } from './core/errors.ts'
import type { DeviceDirectory } from './devices.ts'
import { failureOf } from './failure.ts'
import type { Outcome } from './pipeline.ts'
import { stoppedError } from './projects.ts'
import type { Failure } from './records.ts'
import { anchorBatches, findOpenAnchor, findSettlement, settleReceipts, type Anchored, type Sent } from './settle.ts'
import type { Store, Task } from './store/index.ts'

export interface ChainStepsContext {
  readonly store: Store
  readonly chain: Chain
  readonly devices: Pick<DeviceDirectory, 'sync'>
  readonly nowMs: () => number
  /** Goes over to the version and config that the chain has; throws PROJECT_* where it cannot. */
  readonly follow: (projectId: bigint) => Promise<unknown>
}

/** Anchors batches of one project and version, at most one of a cohort. */
export async function anchorTasks(context: ChainStepsContext, tasks: readonly Task[]): Promise<readonly Outcome[]> {
  const prepared = await Promise.all(tasks.map((task) => attempt(() => prepareAnchor(context, task))))
  const planned = prepared.flatMap((entry) => (typeof entry === 'object' && 'planned' in entry ? [entry.planned] : []))
  const results = await anchorBatches(context.chain, planned.map(anchorRequest)).catch((failed: unknown) =>
    planned.map(() => ({ failed })),
  )
  return Promise.all(
    prepared.map(async (entry): Promise<Outcome> => {
      if (entry === 'later' || !('planned' in entry)) return entry
      const result = results[planned.indexOf(entry.planned)]!
      if (result === 'later') return result
      if ('failed' in result) return afterRefusal(context, entry.planned, result.failed)
      return attempt(() => ({ done: recordAnchor(context, entry.planned, result.done) }))
    }),
  )
}

/** Settles tasks, those of one cohort in their order. */
export async function settleTasks(context: ChainStepsContext, tasks: readonly Task[]): Promise<readonly Outcome[]> {
  const { store, chain } = context
  const prepared = new Map<Task, Outcome | 'send'>()
  for (const task of tasks) {
    const earlier = tasks.slice(0, tasks.indexOf(task)).filter((other) => isSameCohort(other, task))
    const isBehind = earlier.some((other) => prepared.get(other) !== 'send' && !isDone(prepared.get(other)!))
    prepared.set(task, isBehind ? 'later' : await attempt(() => prepareSettlement(context, task)))
  }
  const ready = tasks.filter((task) => prepared.get(task) === 'send').sort(byKey)
  const results = await settleReceipts(
    chain,
    ready.map(({ taskId }) => store.receipt(taskId)!),
  ).catch((failed: unknown) => ready.map(() => ({ failed })))
  return Promise.all(
    tasks.map(async (task): Promise<Outcome> => {
      const entry = prepared.get(task)!
      if (entry !== 'send') return entry
      const result = results[ready.indexOf(task)]!
      if (result === 'later') return result
      if ('failed' in result) return afterRefusal(context, task, result.failed)
      const { done } = result
      return attempt(() => ({ done: recordSettlement(context, task, done) }))
    }),
  )
}

/**
 * Undoes a task and those that build on its page; the anchors that they may have are voided, their frames wait for new batches.
 * With a `failure` the tasks stay, `voided`, to tell why; otherwise they are gone.
 */
export async function reopen(
  { store, chain, devices, nowMs }: Pick<ChainStepsContext, 'store' | 'chain' | 'devices' | 'nowMs'>,
  task: Task,
  failure?: Failure,
): Promise<undefined> {
  await devices.sync()
  const { nextToAnchor, nextToSettle, openAnchors } = await chain.getCohort(task.projectId, task.cohort)
  const from = task.batchNumber ?? nextToAnchor
  if (openAnchors > 0 && from < nextToAnchor) {
    await chain.voidFrom(task.projectId, task.cohort, from > nextToSettle ? from : nextToSettle)
  }
  store.reopenFrom(task, failure, nowMs())
}

/** What is to be sent is planned; anything else is decided: adopted from the chain, or undone. */
async function prepareAnchor(context: ChainStepsContext, task: Task): Promise<Outcome | { readonly planned: Task }> {
  const { store, chain } = context
  const { projectId, cohort, batchNumber } = task
  await chain.untilDecided('anchor', projectId, cohort)
  const found = batchNumber === null ? undefined : await findOpenAnchor(chain, anchorRequest(task), batchNumber)
  if (found) return { done: recordAnchor(context, task, found) }
  if (await chain.isVersionStopped(projectId, task.version)) {
    return { done: await reopen(context, task, failureOf(stoppedError(task))) }
  }
  if (await isOutdated(context, task)) return { done: await reopen(context, task) }
  await voidOrphans(context, task)
  const { nextToAnchor } = await chain.getCohort(projectId, cohort)
  return { planned: store.updateTask(task, { batchNumber: nextToAnchor }) }
}

export function anchorRequest(task: Task) {
  const { projectId, cohort, batchRoot, daPointer, version, batchNumber } = task
  return {
    ...{ projectId, cohort, batchRoot, daPointer, version },
    identityRoot: task.work.identityRoot,
    expectedNumber: batchNumber!,
  }
}

function recordAnchor(
  { store }: ChainStepsContext,
  task: Task,
  { batchNumber, anchor, gasUsed, ...block }: Anchored,
): Task {
  const { anchorTime, configHash: anchoredConfigHash } = anchor
  const change = {
    batchNumber,
    anchorTxHash: block.txHash,
    anchorGas: gasUsed,
    work: { anchorTime, anchoredConfigHash },
  }
  return store.includeTask(task, change, { kind: 'anchor', ...block })
}

export function recordSettlement(
  { store }: Pick<ChainStepsContext, 'store'>,
  task: Task,
  { gasUsed, ...block }: Sent,
): Task {
  const change = { settleTxHash: block.txHash, settleGas: gasUsed }
  return store.includeTask(task, change, { kind: 'settle', ...block })
}

async function prepareSettlement(context: ChainStepsContext, task: Task): Promise<Outcome | 'send'> {
  const { store, chain } = context
  const { projectId, cohort, batchNumber } = task
  await chain.untilDecided('settle', projectId, cohort)
  const isVoided = (await chain.getAnchorHash(projectId, cohort, batchNumber!)) === undefined
  if (isVoided) return { done: await reopen(context, task) }
  const { nextToSettle } = await chain.getCohort(projectId, cohort)
  if (batchNumber! >= nextToSettle) return 'send'
  const found = await findSettlement(chain, store.receipt(task.taskId)!)
  return found ? { done: recordSettlement(context, task, found) } : 'send'
}

/** A stop undoes the batch, and tells why; any other refusal is an attempt that failed. */
async function afterRefusal(context: ChainStepsContext, task: Task, failed: unknown): Promise<Outcome> {
  if (!isAttestreamError(failed, 'VERSION_STOPPED')) return { failed }
  return attempt(async () => ({ done: await reopen(context, task, failureOf(failed)) }))
}

/** True if the batch can no longer be anchored as it was closed: the cohort's keys, the config or the version moved on. */
async function isOutdated({ chain, follow }: ChainStepsContext, task: Task): Promise<boolean> {
  const { projectId, cohort, work, version } = task
  const now = await chain.getProject(projectId)
  if (now.configHash !== work.configHash || !(await chain.isAnchorable(projectId, version))) {
    await follow(projectId)
    return true
  }
  return !(await chain.isRecentRoot(projectId, cohort, work.identityRoot))
}

/**
 * Voids anchors of the cohort that no task knows. A task that was undone while its anchor was being mined leaves
 * such a one, and nothing after it could ever settle.
 */
async function voidOrphans({ store, chain }: ChainStepsContext, { projectId, cohort }: Task): Promise<void> {
  const known = new Set(store.unsettledTasks(projectId, cohort).map((task) => task.batchNumber))
  const { nextToSettle, nextToAnchor, openAnchors } = await chain.getCohort(projectId, cohort)
  if (openAnchors === 0) return
  for (let number = nextToSettle; number < nextToAnchor; number++) {
    if (known.has(number) || (await chain.getAnchorHash(projectId, cohort, number)) === undefined) continue
    await chain.voidFrom(projectId, cohort, number)
    return
  }
}

async function attempt<T>(work: () => T | Promise<T>): Promise<T | { readonly failed: unknown }> {
  try {
    return await work()
  } catch (failed) {
    return { failed }
  }
}

/** Those under one key side by side, a cohort's in their order. */
function byKey(a: Task, b: Task): number {
  return Number(a.projectId - b.projectId) || a.version - b.version || a.cohort - b.cohort || a.ordinal - b.ordinal
}

function isSameCohort(a: Task, b: Task): boolean {
  return a.projectId === b.projectId && a.cohort === b.cohort
}

/** Settled, and neither undone nor failed. */
function isDone(entry: Outcome | 'send'): boolean {
  return typeof entry === 'object' && 'done' in entry && entry.done !== undefined
}
