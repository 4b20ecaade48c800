// Wires the engine. Frames come in through `ingest`; batches are closed by size or time and pass through the steps
// publish, anchor, execute, prove and settle; everything is kept in the store, and after a crash the next start goes on.
// This is the one file that names the adapters.

import { createHash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { checkShape } from '../circuits/batch-circuit.ts'
import { buildCircuit, readArtefacts, type Setup } from '../circuits/build.ts'
import { compileApplet } from '../circuits/compiler/index.ts'
import { createApplets } from './applets.ts'
import { createChain, type Chain, type ChainOptions } from './chain/chain.ts'
import { bytesToHex, type Hex } from './core/codec.ts'
import { AttestreamError } from './core/errors.ts'
import { deviceDomain, type Domain } from './core/journal.ts'
import { createEmbeddedDa, daPointer, type DataAvailability } from './da/embedded.ts'
import { createIdentities } from './device-identity.ts'
import { createDeviceDirectory, type DeviceDirectory } from './devices.ts'
import { createFollower } from './follow.ts'
import { createFrameChecks } from './frame-check/pool.ts'
import { createFrames } from './frames.ts'
import type { Access, Engine, Page } from './surface.ts'
import { readHealth } from './health.ts'
import { createIngest } from './ingest.ts'
import { createPipeline } from './pipeline.ts'
import { createProjects } from './projects.ts'
import type { ProofProgress } from './prover/prover.ts'
import type { ClaimRecord, ServedVersion, SettlementRecord, TaskRecord } from './records.ts'
import { createRates, type RateLimits } from './rates.ts'
import { createChosenProver, type ProverChoice } from './prover/choose.ts'
import { pruneObjects } from './retention.ts'
import { createRunner } from './runner/pool.ts'
import { closeDueBatches, closingVersion, type ClosingRules, type SequenceContext } from './sequence.ts'
import { createSteps } from './steps.ts'
import { openStore, type Limits, type Store, type Task } from './store/index.ts'

export interface EngineOptions {
  /** Everything durable: the store and the embedded DA. */
  readonly dataDir: string
  /** Built circuits and keys; may be shared by engines. */
  readonly cacheDir: string
  readonly chain: ChainOptions
  /** Who is named in the binding; default: the operator. */
  readonly payee?: Hex
  readonly setup?: Setup
  /** A batch is closed when every active device of its cohort has a frame, or this long after its oldest frame. Default 10 s. */
  readonly closeAfterMs?: number
  /** Proofs at a time. Default: the cores that this process may use. */
  readonly proverThreads?: number
  /** Ceiling of the memory of all proofs together; a prover that takes over has as much again. Default: half of this machine's. */
  readonly proverMemoryMb?: number
  /** Default `wasm`; where the chosen one cannot prove, wasm and then snarkjs take over, and `onError` is told. */
  readonly prover?: ProverChoice
  /** How long a proven batch waits for others that are being proven, to be settled in one transaction. Default 500 ms; 0 for never. */
  readonly settleGroupMaxWaitMs?: number
  /** Gas is dear while the base fee is above so many percent of its median over the latest 100 blocks. Default 150. */
  readonly highGasPricePercent?: number
  /** How long an anchor or a settlement waits at most while gas is dear, unless its group is full. Default 10 minutes; 0 for never. */
  readonly highGasMaxWaitMs?: number
  /** Most batches that one transaction anchors or settles. Default 16: some 9 million gas at 64 devices. */
  readonly maxGroupSize?: number
  readonly acknowledgeWithinSec?: number
  /** Frames of one device that may wait for a batch. Default 256. */
  readonly maxWaitingFrames?: number
  readonly rateLimits?: RateLimits
  /** Whether the operator's account pays for registrations that come over the API. Default false. */
  readonly sponsorRegistrations?: boolean
  /** How long DA objects are kept at least; default: for ever. Unsettled batches and each cohort's latest page always stay. */
  readonly retentionMs?: number
  readonly maxAttempts?: number
  readonly onTask?: (task: TaskRecord) => void
  /** Told of each phase of a task's proof as it begins. */
  readonly onProofProgress?: (taskId: Hex, progress: ProofProgress) => void
  readonly onError?: (error: unknown) => void
  /** Is told when a circuit is ordered whose batches waste a power of two, and what R to take instead. Default: a warning of the process. */
  readonly onAdvice?: (text: string) => void
  readonly nowMs?: () => number
}

const DEVICE_SYNC_MS = 2_000
const FOLLOW_MS = 2_000
const SETTLE_GROUP_MAX_WAIT_MS = 500
const MAX_GROUP_SIZE = 16
const HIGH_GAS_PRICE_PERCENT = 150
const HIGH_GAS_MAX_WAIT_MS = 600_000
const BACKOFF_MS = 500
const MAX_WAITING_FRAMES = 256
const INGEST_WAKE_MS = 25
const CLOSE_AFTER_MS = 10_000
const PRUNE_MS = 60_000
/** How long a closing engine waits for its transactions; the next start follows what is open then. */
const CLOSE_CHAIN_AFTER_MS = 2_000

/** Opens the store, connects to the chain, and goes on with what a former run left unfinished. */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  const nowMs = options.nowMs ?? Date.now
  const onError = options.onError ?? (() => {})
  const onAdvice = options.onAdvice ?? ((text) => process.emitWarning(text, 'BatchShapeWarning'))
  const store = openStore(options.dataDir)
  const chain = await openChain(options.chain, store)
  const devices = createDeviceDirectory({ store, chain, nowMs })
  const findIdentity = createIdentities({ store, chain, devices })
  const da = await openAdapters(store, chain, devices, options.dataDir)
  const runner = createRunner()
  const prover = await createChosenProver(
    options.prover ?? 'wasm',
    options.cacheDir,
    poolOptions(options, onError),
    onError,
  )
  const domain = projectDomain(chain)

  const applets = createApplets({
    store,
    da,
    nowMs,
    async tryOut(wasm, abi) {
      const zeros = (layout: readonly unknown[]) => layout.map(() => 0n)
      const slot = { state: zeros(abi.state), readings: [zeros(abi.reading)] }
      await runner.run({ wasm, config: zeros(abi.config), anchorTimeSec: 0n, slots: [slot] })
      compileApplet(wasm) // tens of milliseconds, bounded by the compiler's limits
    },
    checkShape,
    build: (wasm, shape) =>
      buildCircuit(wasm, {
        ...shape,
        cacheDir: options.cacheDir,
        onAdvice,
        ...(options.setup ? { setup: options.setup } : {}),
      }),
  })
  const projects = createProjects({ store, chain, applets, nowMs, deviceDomain: (id) => deviceDomain(domain(id)) })
  const sequenceContext = (project: ServedVersion): SequenceContext => {
    const layouts = applets.abi(project.appletId)
    return { store, nowMs, project, layouts, format: projects.format(project), pointer: daPointer }
  }
  const checks = createFrameChecks()
  const ingest = createIngest({
    store,
    nowMs,
    acknowledgeWithinSec: options.acknowledgeWithinSec ?? 3600,
    maxWaitingFrames: options.maxWaitingFrames ?? MAX_WAITING_FRAMES,
    signAcknowledgement: (content) => chain.signAcknowledgement(content),
    createFinder: () => devices.createFinder(),
    projectFormat: (projectId) => projects.serving(projectId),
    check: checks.check,
    rates: createRates(options.rateLimits ?? {}, nowMs),
  })

  const closing: ClosingRules = {
    store,
    nowMs,
    closeAfterMs: options.closeAfterMs ?? CLOSE_AFTER_MS,
    contextOf(projectId, cohort) {
      const project = projects.get(projectId)
      return project.stopped ? undefined : sequenceContext(closingVersion(store, project, cohort, nowMs()))
    },
    onError,
  }
  const onChange = (task: Task) => options.onTask?.(publicTask(task))
  const stopProofs = new AbortController()
  const pipeline = createPipeline({
    store,
    steps: createSteps({
      store,
      chain,
      da,
      runner,
      prover,
      applets,
      devices,
      payee: options.payee ?? chain.operator,
      domain,
      project: (projectId) => projects.get(projectId),
      follow: (projectId) => projects.follow(projectId),
      nowMs,
      maxGroupSize: options.maxGroupSize ?? MAX_GROUP_SIZE,
      highGasPricePercent: options.highGasPricePercent ?? HIGH_GAS_PRICE_PERCENT,
      highGasMaxWaitMs: options.highGasMaxWaitMs ?? HIGH_GAS_MAX_WAIT_MS,
      settleGroupMaxWaitMs: options.settleGroupMaxWaitMs ?? SETTLE_GROUP_MAX_WAIT_MS,
      sequenceContext,
      provingFiles: (directory) => readArtefacts(directory).paths,
      onProofProgress: ({ taskId }, progress) => options.onProofProgress?.(taskId, progress),
      stopProofs: stopProofs.signal,
    }),
    closeBatches: (force) => closeDueBatches(closing, force),
    nowMs,
    maxAttempts: options.maxAttempts ?? 5,
    backoffMs: BACKOFF_MS,
    onChange,
    onError,
  })
  const follower = createFollower({ store, chain, devices, nowMs, applets, projects, onChange, onError })
  const follow = () => follower.look().then((done) => (done > 0 ? pipeline.wake() : undefined))
  const followTimer = setInterval(() => void follow().catch(onError), FOLLOW_MS)
  followTimer.unref()
  const syncTimer = setInterval(() => void devices.sync().catch(onError), DEVICE_SYNC_MS)
  syncTimer.unref()
  const prune = () => pruneObjects(store, da, nowMs() - options.retentionMs!)
  const pruneTimer = setInterval(() => void prune().catch(onError), PRUNE_MS)
  pruneTimer.unref()
  if (options.retentionMs === undefined) clearInterval(pruneTimer)
  applets.resume()
  const ingesting = new Set<Promise<unknown>>()
  /** One look at what waits serves the requests of a moment: it costs the more, the more frames wait. The first is served at once. */
  let waking: NodeJS.Timeout | undefined
  let wokenMs = -Infinity
  const wakeSoon = (): void => {
    const wake = (): void => {
      waking = undefined
      wokenMs = performance.now()
      pipeline.wake()
    }
    const waitMs = wokenMs + INGEST_WAKE_MS - performance.now()
    if (waitMs > 0) waking ??= setTimeout(wake, waitMs).unref()
    else wake()
  }
  let closed = false

  const knownTask = (taskId: Hex): Task => {
    const task = store.task(taskId)
    if (task) return task
    throw new AttestreamError('TASK_UNKNOWN', `The engine has no task ${taskId}; list them with GET /v1/tasks.`)
  }

  return {
    operator: chain.operator,
    chain: {
      chainId: chain.chainId,
      settlement: chain.addresses.settlement,
      registry: chain.addresses.devices,
      applets: chain.addresses.applets,
    },

    addApplet: (wasm) => applets.add(wasm),
    buildCircuit: async (appletId, shape) => applets.buildCircuit(appletId, shape),
    getApplet: async (appletId) => applets.get(appletId),
    getAppletWasm: async (appletId) => applets.wasm(appletId),
    listApplets: async (page) => store.appletIds(limits(page)).map((appletId) => applets.get(appletId)),

    addProject: (project) => projects.add(project),
    prepareConfig: async (prepared) => projects.prepareConfig(prepared),
    getProject: async (projectId) => projects.get(projectId),
    listProjects: async (page) => store.projects(limits(page)),

    async createApiKey(projectId) {
      const key = `ask_${randomBytes(24).toString('base64url')}`
      store.putApiKey(apiKeyHash(key), projects.get(projectId).projectId, nowMs())
      return key
    },
    async authorise(apiKey): Promise<Access> {
      const projectId = store.apiKeyProject(apiKeyHash(apiKey))
      if (projectId !== undefined) return { kind: 'project', projectId }
      throw new AttestreamError(
        'API_KEY_INVALID',
        'The API key is unknown; create one with POST /v1/projects/{id}/keys.',
      )
    },

    getDevice: (deviceId) => devices.find(deviceId),
    getDeviceIdentity: findIdentity,
    async registerDevice(admission, signature) {
      if (options.sponsorRegistrations !== true) {
        throw new AttestreamError(
          'SPONSORING_OFF',
          'This engine does not pay for registrations; send yours to the chain.',
        )
      }
      projects.get(admission.projectId)
      const { deviceId, cohort, slot, txHash } = await chain.registerDevice(admission, signature)
      return { deviceId, cohort, slot, txHash }
    },
    listDevices: async (projectId, page) => store.devices(projectId, limits(page)),

    async ingest(frames, source) {
      if (closed)
        throw new AttestreamError('ENGINE_CLOSED', 'The engine is shutting down; send the frames again later.')
      const results = ingest(frames, source)
      ingesting.add(results)
      try {
        return await results
      } finally {
        ingesting.delete(results)
        wakeSoon()
      }
    },
    ...createFrames({ store, devices, projects }),

    getTask: async (taskId) => publicTask(knownTask(taskId)),
    listTasks: async (filter, page) => store.tasks(filter, limits(page)).map(publicTask),
    async retryTask(taskId) {
      const task = knownTask(taskId)
      if (task.state !== 'failed') {
        throw new AttestreamError(
          'TASK_NOT_FAILED',
          `Task ${taskId} is ${task.state}; only a failed task can be retried.`,
        )
      }
      const retried = store.updateTask(task, { state: task.work.resumeFrom ?? 'closed', attempts: 0, failure: null })
      pipeline.wake()
      return publicTask(retried)
    },

    async getReceipt(taskId) {
      const receipt = store.receipt(taskId)
      if (receipt) return receipt
      throw new AttestreamError(
        'RECEIPT_UNKNOWN',
        `Task ${taskId} is unknown or not proven yet; see GET /v1/tasks/{id}.`,
      )
    },
    listSettlements: async (projectId, page) =>
      store
        .tasks({ projectId, state: 'settled' }, limits(page))
        .map((task) => settlementOf(task, store.receipt(task.taskId)!.payee)),
    async listClaims(projectId, page) {
      return Promise.all(store.devices(projectId, limits(page)).map((device) => readClaim(chain, device)))
    },

    getDaObject: (pointer) => da.get(pointer),

    health: () => readHealth(chain, closed ? undefined : store),
    async flush() {
      do await pipeline.flush()
      while (!closed && (await follower.look()) > 0)
    },
    async close() {
      if (closed) return
      closed = true
      clearInterval(syncTimer)
      clearInterval(pruneTimer)
      clearInterval(followTimer)
      await follower.close()
      await devices.close()
      await Promise.allSettled(ingesting)
      const force = setTimeout(() => void chain.close(), CLOSE_CHAIN_AFTER_MS)
      const stopping = pipeline.close()
      stopProofs.abort(
        new AttestreamError('ENGINE_CLOSED', 'The engine is shutting down; it proves the batch after the next start.'),
      )
      await Promise.all([stopping, applets.close()])
      clearTimeout(force)
      await chain.close()
      await Promise.all([checks.close(), runner.close(), prover.close()])
      store.close()
    },
  }
}

/** Connects, and looks what became of the transactions of a former run before anything is sent. */
async function openChain(options: ChainOptions, store: Store): Promise<Chain> {
  let chain: Chain | undefined
  try {
    chain = await createChain(options, store)
    await chain.recheckTransactions()
    return chain
  } catch (error) {
    await chain?.close()
    store.close()
    throw error
  }
}

/** The rest of what can fail at a start; a store that is open already is closed again. */
async function openAdapters(
  store: Store,
  chain: Chain,
  devices: DeviceDirectory,
  dataDir: string,
): Promise<DataAvailability> {
  try {
    await devices.sync()
    return await createEmbeddedDa(join(dataDir, 'da'))
  } catch (error) {
    await chain.close()
    store.close()
    throw error
  }
}

function poolOptions(
  { proverThreads: threads, proverMemoryMb: memoryMb }: EngineOptions,
  onSuspect: (error: unknown) => void,
) {
  return { ...(threads ? { threads } : {}), ...(memoryMb ? { memoryMb } : {}), onSuspect }
}

function projectDomain(chain: Chain): (projectId: bigint) => Domain {
  const { chainId, addresses } = chain
  return (projectId) => ({ chainId, registry: addresses.devices, settlement: addresses.settlement, projectId })
}

function publicTask({ work: _work, ordinal: _ordinal, ...task }: Task): TaskRecord {
  return task
}

function settlementOf(task: Task, payee: Hex): SettlementRecord {
  const { taskId, projectId, cohort } = task
  return {
    taskId,
    projectId,
    cohort,
    batchNumber: task.batchNumber!,
    txHash: task.settleTxHash!,
    gasUsed: task.settleGas!,
    units: task.unitsBySlot!.reduce((sum, units) => sum + units, 0n),
    payee,
    settledMs: task.times.settled!,
  }
}

async function readClaim(
  chain: Chain,
  device: { deviceId: bigint; projectId: bigint; cohort: number; slot: number },
): Promise<ClaimRecord> {
  const { deviceId } = device
  const [page, pending, { owner }] = await Promise.all([
    chain.getCohort(device.projectId, device.cohort),
    chain.getPending(deviceId),
    chain.getDevice(deviceId),
  ])
  return {
    deviceId,
    owner,
    creditedUnits: page.creditedUnits[device.slot]!,
    claimedUnits: page.claimedUnits[device.slot]!,
    pendingUnits: pending.units,
    pendingWei: pending.amountWei,
  }
}

function limits(page: Page = {}): Limits {
  return { limit: Math.min(page.limit ?? 50, 200), offset: page.offset ?? 0 }
}

function apiKeyHash(key: string): Hex {
  return bytesToHex(createHash('sha256').update(key).digest())
}
