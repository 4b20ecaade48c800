// The arrows of a task's path, bound to the verbs and adapters. Each may be called again after a crash in its middle.

import type { Applets } from './applets.ts'
import { anchorTasks, reopen, settleTasks, type ChainStepsContext } from './chain-steps.ts'
import type { DataAvailability } from './da/embedded.ts'
import type { BatchData } from './core/batch.ts'
import type { Hex } from './core/codec.ts'
import type { Domain } from './core/journal.ts'
import { executeBatch } from './execute.ts'
import { chooseGroups, type GroupRules } from './groups.ts'
import type { Step, StepFrom, Together } from './pipeline.ts'
import { requireSameCircuit } from './projects.ts'
import { createProofWatch, type ProofWatch } from './proof-watch.ts'
import { proveBatch, type ProveJob } from './prove.ts'
import type { ProofProgress, Prover, ProvingFiles } from './prover/prover.ts'
import { publishBatch } from './publish.ts'
import type { ServedVersion } from './records.ts'
import type { Runner } from './runner/pool.ts'
import { closedProject, taskBatchData, type SequenceContext } from './sequence.ts'
import type { Task } from './store/index.ts'

/** Publishing takes milliseconds: batches that were closed together are anchored together. */
const PUBLISHING_MS = 500

export interface StepsContext extends ChainStepsContext {
  readonly da: DataAvailability
  readonly runner: Runner
  readonly prover: Prover
  readonly applets: Applets
  readonly payee: Hex
  readonly domain: (projectId: bigint) => Domain
  /** The project as the engine serves it now. */
  readonly project: (projectId: bigint) => ServedVersion
  readonly sequenceContext: (version: ServedVersion) => SequenceContext
  /** Most batches in a transaction. */
  readonly maxGroupSize: number
  /** How long a receipt waits for others that are about to be proven. */
  readonly settleGroupMaxWaitMs: number
  /** When gas is dear, and how long an anchor or a settlement waits then. */
  readonly highGasPricePercent: number
  readonly highGasMaxWaitMs: number
  readonly provingFiles: (directory: string) => ProvingFiles
  readonly onProofProgress: (task: Task, progress: ProofProgress) => void
  /** Ends the proofs under way. */
  readonly stopProofs: AbortSignal
}

export function createSteps(context: StepsContext): Record<StepFrom, Step> {
  const always = () => true
  const { nowMs, maxGroupSize: maxSize } = context
  const proofs = createProofWatch(nowMs)
  const price = {
    gasPrice: () => context.chain.gasPrice(),
    highPercent: context.highGasPricePercent,
    maxWaitMs: context.highGasMaxWaitMs,
  }
  const anchors: GroupRules = {
    joinsFrom: 'closed',
    maxWaitMs: PUBLISHING_MS,
    maxSize,
    keyOf: versionOf,
    nowMs,
    price,
  }
  const settlements: GroupRules = {
    joinsFrom: 'executed',
    remainingMs: proofs.remainingMs,
    maxWaitMs: context.settleGroupMaxWaitMs,
    maxSize,
    keyOf: () => 'any', // receipts of all projects go together
    nowMs,
    price,
  }
  return {
    closed: { to: 'published', isReady: always, run: (task) => publish(context, task) },
    published: {
      to: 'anchored',
      isReady: always,
      ...together(anchors, (tasks) => anchorTasks(context, tasks)),
    },
    anchored: { to: 'executed', isReady: always, run: (task) => execute(context, task) },
    executed: { to: 'proven', isReady: always, run: (task) => prove(context, proofs, task) },
    proven: {
      to: 'settled',
      isReady: isNextToSettle,
      ...together(settlements, (tasks) => settleTasks(context, tasks)),
    },
  }
}

/** After the batch before it, or in one transaction with it. */
function isNextToSettle(task: Task, previous: Task | undefined, before: readonly Task[]): boolean {
  if (!previous || previous.state === 'settled') return true
  return before.some(({ taskId, version }) => taskId === previous.taskId && version === task.version)
}

const versionOf = ({ projectId, version }: Task): string => `${projectId}:${version}`

function together(rules: GroupRules, run: Together['run']): Pick<Step, 'run' | 'together'> {
  return {
    together: { choose: (ready, open) => chooseGroups(rules, ready, open), run },
    async run(task) {
      const [outcome] = await run([task])
      if (outcome === undefined || outcome === 'later') throw new Error('a lone task waits for none')
      if ('failed' in outcome) throw outcome.failed
      return outcome.done
    },
  }
}

async function publish(context: StepsContext, task: Task): Promise<Task> {
  const { layouts, data } = batchOf(context, task)
  await publishBatch(context.da, layouts, data, task.daPointer)
  return task
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

async function prove(context: StepsContext, proofs: ProofWatch, task: Task): Promise<Task> {
  const { project, layouts, data } = batchOf(context, task)
  const circuit = context.applets.circuit(project.appletId, project)
  const { leaves, identityRoot, configHash, config, anchorTime, pageBefore, pageAfter, appletId } = task.work
  const { vkHash, devSetup } = circuit.manifest!
  const pinned = await context.chain.getVersion(task.projectId, task.version)
  requireSameCircuit(circuit.manifest!, context.applets.abi(appletId), pinned)
  const proveJob: ProveJob = {
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
  }
  const onProgress = (progress: ProofProgress): void => {
    proofs.tell(task.taskId, progress.fraction)
    context.onProofProgress(task, progress)
  }
  const proving = proveBatch(context.prover, proveJob, context.stopProofs, onProgress)
  const { receipt, witnessMs, proveMs } = await proving.finally(() => proofs.end(task.taskId))
  return context.store.putReceipt(task, receipt, { witnessMs: Math.floor(witnessMs), proveMs: Math.floor(proveMs) })
}

/** The batch as it was closed, whatever the project was changed to since. */
function batchOf(
  context: StepsContext,
  task: Task,
): { project: ServedVersion; layouts: SequenceContext['layouts']; data: BatchData } {
  const sequence = context.sequenceContext(closedProject(context.project(task.projectId), task))
  return { project: sequence.project, layouts: sequence.layouts, data: taskBatchData(sequence, task) }
}
