// The arrows of a task's path, bound to the verbs and adapters. Each may be called again after a crash in its middle.

import type { Applets } from './applets.ts'
import type { Chain } from './chain/chain.ts'
import type { DataAvailability } from './da/embedded.ts'
import type { BatchData } from './core/batch.ts'
import type { Hex } from './core/codec.ts'
import { AttestreamError } from './core/errors.ts'
import type { Domain } from './core/journal.ts'
import type { DeviceDirectory } from './devices.ts'
import { executeBatch } from './execute.ts'
import type { Step, StepFrom } from './pipeline.ts'
import { requireSameCircuit } from './projects.ts'
import { proveBatch } from './prove.ts'
import type { Prover, ProvingFiles } from './prover/prover.ts'
import { publishBatch } from './publish.ts'
import type { ProjectRecord } from './records.ts'
import type { Runner } from './runner/pool.ts'
import { closedProject, taskBatchData, type SequenceContext } from './sequence.ts'
import { anchorBatch, findOpenAnchor, settleReceipt, type Anchored } from './settle.ts'
import type { Store, Task } from './store/index.ts'

export interface StepsContext {
  readonly store: Store
  readonly chain: Chain
  readonly da: DataAvailability
  readonly runner: Runner
  readonly prover: Prover
  readonly applets: Applets
  readonly devices: DeviceDirectory
  readonly payee: Hex
  readonly domain: (projectId: bigint) => Domain
  /** The project as the engine serves it now. */
  readonly project: (projectId: bigint) => ProjectRecord
  readonly sequenceContext: (project: ProjectRecord) => SequenceContext
  readonly provingFiles: (directory: string) => ProvingFiles
}

export function createSteps(context: StepsContext): Record<StepFrom, Step> {
  const always = () => true
  return {
    closed: { to: 'published', isReady: always, run: (task) => publish(context, task) },
    published: { to: 'anchored', isReady: always, run: (task) => anchor(context, task) },
    anchored: { to: 'executed', isReady: always, run: (task) => execute(context, task) },
    executed: { to: 'proven', isReady: always, run: (task) => prove(context, task) },
    proven: {
      to: 'settled',
      isReady: (_, previous) => !previous || previous.state === 'settled',
      run: (task) => settle(context, task),
    },
  }
}

async function publish(context: StepsContext, task: Task): Promise<Task> {
  const { layouts, data } = batchOf(context, task)
  await publishBatch(context.da, layouts, data, task.daPointer)
  return task
}

async function anchor(context: StepsContext, task: Task): Promise<Task | undefined> {
  const { store, chain } = context
  const { projectId, cohort, batchRoot, daPointer, version } = task
  const batch = { projectId, cohort, batchRoot, identityRoot: task.work.identityRoot, daPointer, version }
  const record = (planned: Task, { txHash, gasUsed, batchNumber, anchor: snapshot }: Anchored): Task =>
    store.updateTask(planned, {
      batchNumber,
      anchorTxHash: txHash,
      anchorGas: gasUsed,
      work: { anchorTime: snapshot.anchorTime, anchoredConfigHash: snapshot.configHash },
    })
  const found = task.batchNumber === null ? undefined : await findOpenAnchor(chain, batch, task.batchNumber)
  if (found) return record(task, found)
  if (await isOutdated(context, task)) return reopen(context, task)
  await voidOrphans(context, task)
  let planned = task
  const anchored = await anchorBatch(chain, batch, (batchNumber) => {
    planned = store.updateTask(task, { batchNumber })
  })
  return record(planned, anchored)
}

/** True if the batch can no longer be anchored as it was closed: the cohort's keys, the config or the version moved on. */
async function isOutdated({ chain, project }: StepsContext, task: Task): Promise<boolean> {
  const { projectId, cohort, work, version } = task
  const now = await chain.getProject(projectId)
  const served = project(projectId)
  if (now.configHash === work.configHash && now.activeVersion === version) {
    return !(await chain.isRecentRoot(projectId, cohort, work.identityRoot))
  }
  if (served.configHash === now.configHash && served.version === now.activeVersion) return true
  const what = now.activeVersion === version ? `configHash ${now.configHash}` : `version ${now.activeVersion}`
  throw new AttestreamError(
    now.activeVersion === version ? 'PROJECT_CONFIG_MISMATCH' : 'PROJECT_VERSION_MISMATCH',
    `Project ${projectId} now has ${what} on chain; the engine serves version ${served.version} with configHash ${served.configHash}. POST /v1/projects with the current ones, then retry the task.`,
  )
}

/**
 * Voids anchors of the cohort that no task knows. A task that was undone while its anchor was being mined leaves
 * such a one, and nothing after it could ever settle.
 */
async function voidOrphans({ store, chain }: StepsContext, { projectId, cohort }: Task): Promise<void> {
  const known = new Set(store.unsettledTasks(projectId, cohort).map((task) => task.batchNumber))
  const { nextToSettle, nextToAnchor, openAnchors } = await chain.getCohort(projectId, cohort)
  if (openAnchors === 0) return
  for (let number = nextToSettle; number < nextToAnchor; number++) {
    if (known.has(number) || (await chain.getAnchorHash(projectId, cohort, number)) === undefined) continue
    await chain.voidFrom(projectId, cohort, number)
    return
  }
}

/** Undoes the task and those that build on its page; the anchors that they may have are voided. */
async function reopen({ store, chain, devices }: StepsContext, task: Task): Promise<undefined> {
  await devices.sync()
  const { nextToAnchor, nextToSettle, openAnchors } = await chain.getCohort(task.projectId, task.cohort)
  const from = task.batchNumber ?? nextToAnchor
  if (openAnchors > 0 && from < nextToAnchor) {
    await chain.voidFrom(task.projectId, task.cohort, from > nextToSettle ? from : nextToSettle)
  }
  store.reopenFrom(task)
}

async function execute(context: StepsContext, task: Task): Promise<Task | undefined> {
  if (task.work.anchoredConfigHash !== task.work.configHash) return reopen(context, task)
  const { data } = batchOf(context, task)
  const execution = await executeBatch(context.runner, {
    wasm: context.applets.wasm(task.work.appletId),
    abi: context.applets.abi(task.work.appletId),
    config: task.work.config,
    anchorTimeSec: task.work.anchorTime!,
    batch: data.batch,
    pageBefore: task.work.pageBefore,
  })
  const { pageAfter, unitsBySlot } = execution
  return context.store.updateTask(task, { unitsBySlot, work: { pageAfter } })
}

async function prove(context: StepsContext, task: Task): Promise<Task> {
  const { project, layouts, data } = batchOf(context, task)
  const circuit = context.applets.circuit(project.appletId, project)
  const { leaves, identityRoot, configHash, config, anchorTime, pageBefore, pageAfter, appletId } = task.work
  const { vkHash, devSetup } = circuit.manifest!
  const pinned = await context.chain.getVersion(task.projectId, task.version)
  requireSameCircuit(circuit.manifest!, context.applets.abi(appletId), pinned)
  const { receipt, proveMs } = await proveBatch(context.prover, {
    files: context.provingFiles(circuit.directory!),
    vkHash,
    devSetup,
    layouts,
    domain: context.domain(task.projectId),
    deviceDomain: project.deviceDomain,
    appletId,
    version: task.version,
    batchNumber: task.batchNumber!,
    payee: context.payee,
    daPointer: task.daPointer,
    frameSize: project.frameSize,
    batch: data.batch,
    keys: task.work.keys,
    leaves,
    identityRoot,
    batchRoot: task.batchRoot,
    configHash,
    config,
    anchorTime: anchorTime!,
    pageBefore,
    pageAfter: pageAfter!,
    unitsBySlot: task.unitsBySlot!,
  })
  return context.store.putReceipt(task, receipt, { proveMs: Math.round(proveMs) })
}

async function settle(context: StepsContext, task: Task): Promise<Task | undefined> {
  const { store, chain } = context
  const isVoided = (await chain.getAnchorHash(task.projectId, task.cohort, task.batchNumber!)) === undefined
  if (isVoided) return reopen(context, task)
  const { txHash, gasUsed } = await settleReceipt(chain, store.receipt(task.taskId)!)
  return store.updateTask(task, { settleTxHash: txHash, settleGas: gasUsed })
}

/** The batch as it was closed, whatever the project was changed to since. */
function batchOf(
  context: StepsContext,
  task: Task,
): { project: ProjectRecord; layouts: SequenceContext['layouts']; data: BatchData } {
  const sequence = context.sequenceContext(closedProject(context.project(task.projectId), task))
  return { project: sequence.project, layouts: sequence.layouts, data: taskBatchData(sequence, task) }
}
