// Follow: what owners and guardians change on chain, the engine does after them. A new version or config is served; a cohort whose
// State differs under it is upgraded once nothing of it is open; batches under a stopped version, and such as were anchored too long
// ago, are voided, and their frames wait for new ones.

import type { Applets } from './applets.ts'
import { reopen, type ChainStepsContext } from './chain-steps.ts'
import type { Hex } from './core/codec.ts'
import { isAttestreamError } from './core/errors.ts'
import { genesisPage, ledgerHash, sequencesHash, statesHash, type LedgerPage } from './core/ledger.ts'
import { failureOf } from './failure.ts'
import { stoppedError, type Projects } from './projects.ts'
import type { Failure, ProjectRecord } from './records.ts'
import { createReorganisationWatch } from './reorganisations.ts'
import { closingVersion } from './sequence.ts'
import type { Task } from './store/index.ts'

export interface FollowContext extends Pick<ChainStepsContext, 'store' | 'chain' | 'devices' | 'nowMs'> {
  readonly applets: Pick<Applets, 'abi'>
  readonly projects: Pick<Projects, 'follow' | 'get'>
  /** Called with a task that was voided, or put back to work. */
  readonly onChange: (task: Task) => void
  readonly onError: (error: unknown) => void
}

export interface Follower {
  /** Looks at the chain once; concurrent calls share one look. Returns how many cohorts were upgraded and tasks undone. */
  look(): Promise<number>
  close(): Promise<void>
}

/** As the contracts have it: from then on anybody may void. */
const STALE_AFTER_MS = 7 * 24 * 3600 * 1000

/** Under which what concerns all projects is told. */
const NO_PROJECT = -1n

const ALL = { limit: -1, offset: 0 }

export function createFollower(context: FollowContext): Follower {
  const told = new Map<bigint, string>()
  let looking: Promise<number> | undefined
  let closed = false

  const tell = (projectId: bigint, error: unknown): void => {
    const text = String(error)
    if (told.get(projectId) !== text) context.onError(error)
    told.set(projectId, text)
  }

  const watchReorganisations = createReorganisationWatch(context)
  const lookForReorganisations = async (): Promise<number> => {
    try {
      await context.chain.recheckTransactions()
      const setBack = await watchReorganisations()
      told.delete(NO_PROJECT)
      return setBack
    } catch (error) {
      if (!closed) tell(NO_PROJECT, error)
      return 0
    }
  }

  const lookAt = async (projectId: bigint): Promise<number> => {
    try {
      const undone = await voidStopped(context, projectId)
      await context.projects.follow(projectId)
      const done = undone + (await voidStale(context, projectId)) + (await upgradeCohorts(context, projectId))
      told.delete(projectId)
      return done
    } catch (error) {
      if (!closed) tell(projectId, error)
      return 0
    }
  }

  const lookAtAll = async (): Promise<number> => {
    let done = await lookForReorganisations()
    for (const { projectId } of context.store.projects(ALL)) {
      if (!closed) done += await lookAt(projectId)
    }
    return done
  }

  return {
    look: () =>
      (looking ??= lookAtAll().finally(() => {
        looking = undefined
      })),
    async close() {
      closed = true
      await looking
    },
  }
}

async function voidStopped(context: FollowContext, projectId: bigint): Promise<number> {
  const { store, chain } = context
  const versions = new Set(store.unsettledTasks(projectId).map((task) => task.version))
  let undone = 0
  for (const version of versions) {
    if (!(await chain.isVersionStopped(projectId, version))) continue
    const failure = failureOf(stoppedError({ projectId, version }))
    undone += await voidFirst(context, projectId, (task) => (task.version === version ? failure : undefined))
  }
  return undone
}

async function voidStale(context: FollowContext, projectId: bigint): Promise<number> {
  const { nowMs } = context
  return voidFirst(context, projectId, ({ work, batchNumber }) => {
    if (work.anchorTime === undefined || nowMs() < 1000 * Number(work.anchorTime) + STALE_AFTER_MS) return undefined
    const message = `Batch ${batchNumber} was anchored at ${work.anchorTime} and not settled within seven days: its anchor is void, its frames wait for another batch.`
    return { code: 'ANCHOR_STALE', message }
  })
}

/**
 * Undoes in each cohort the oldest task with a reason to, and those behind it. One that has a receipt may be settled already: its
 * settlement step finds that out, or undoes it.
 */
async function voidFirst(
  context: FollowContext,
  projectId: bigint,
  reasonOf: (task: Task) => Failure | undefined,
): Promise<number> {
  const { store, onChange } = context
  const seen = new Set<number>()
  let undone = 0
  for (const task of store.unsettledTasks(projectId)) {
    const reason = seen.has(task.cohort) ? undefined : reasonOf(task)
    if (!reason) continue
    seen.add(task.cohort)
    if (task.state === 'proven') continue
    if (task.work.resumeFrom === 'proven' && task.state === 'failed') {
      if (reason.code === 'VERSION_STOPPED')
        onChange(store.updateTask(task, { state: 'proven', attempts: 0, failure: null }))
      continue
    }
    await reopen(context, task, reason)
    const voided = store.task(task.taskId)
    if (voided) onChange(voided)
    undone++
  }
  return undone
}

async function upgradeCohorts(context: FollowContext, projectId: bigint): Promise<number> {
  const project = context.projects.get(projectId)
  if (project.stateEpoch === 0 || project.stopped) return 0
  let upgraded = 0
  for (const cohort of context.store.taskCohorts(projectId)) {
    if (await upgradeCohort(context, project, cohort)) upgraded++
  }
  return upgraded
}

/** Moves a cohort on to the served version's State, once all that was begun under an earlier one is settled. */
async function upgradeCohort(context: FollowContext, project: ProjectRecord, cohort: number): Promise<boolean> {
  const { store, applets, nowMs } = context
  const { projectId, version, stateEpoch, appletId, cohortSize } = project
  const latest = store.latestTask(projectId, cohort)
  if (latest?.state !== 'settled') return false
  const upgrade = store.cohortUpgrade(projectId, cohort)
  const last = upgrade?.afterOrdinal === latest.ordinal ? upgrade : { ...latest.work, page: latest.work.pageAfter! }
  if (last.stateEpoch >= stateEpoch || closingVersion(store, project, cohort, nowMs()) !== project) return false
  const { sequences } = last.page
  const page = { ...genesisPage(applets.abi(appletId).state, cohortSize), sequences }
  const txHash = await sendUpgrade(context, project, cohort, last, page)
  store.putUpgrade(projectId, cohort, { version, appletId, stateEpoch, page, txHash, afterOrdinal: latest.ordinal })
  return true
}

/** Sends the upgrade; null if the chain has it already, from an engine that did not live to record it. */
async function sendUpgrade(
  { chain, applets }: FollowContext,
  { projectId, version, appletId }: ProjectRecord,
  cohort: number,
  last: { readonly page: LedgerPage; readonly appletId: Hex },
  next: LedgerPage,
): Promise<Hex | null> {
  const stateBefore = applets.abi(last.appletId).state
  const opened = {
    sequencesHash: sequencesHash(last.page.sequences),
    statesHash: statesHash(stateBefore, last.page.states),
  }
  const { ledger, openAnchors, nextToSettle } = await chain.getCohort(projectId, cohort)
  const ledgerAfter = ledgerHash(applets.abi(appletId).state, next)
  if (ledger === ledgerAfter && ledger !== ledgerHash(stateBefore, last.page)) return null
  if (openAnchors > 0) await chain.voidFrom(projectId, cohort, nextToSettle) // of tasks that nobody knows any more
  try {
    return (await chain.upgradeCohort(projectId, cohort, version, opened)).txHash
  } catch (error) {
    const isDone = isAttestreamError(error) && error.details.error === 'StateEpochDiffers' && ledger === ledgerAfter
    if (isDone) return null
    throw error
  }
}
