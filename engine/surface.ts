// What an engine offers: the interface behind the one door, engine/index.ts.

import type { Admission } from './core/admission.ts'
import type { Hex } from './core/codec.ts'
import type { DeviceName } from './core/did.ts'
import type { NamedRecord } from './core/layout.ts'
import type {
  AppletRecord,
  CircuitRecord,
  ClaimRecord,
  DeviceIdentity,
  DeviceRecord,
  Failure,
  FrameRecord,
  IngestResult,
  ProjectRecord,
  Receipt,
  RegistrationRecord,
  SettlementRecord,
  TaskRecord,
  TransactionRecord,
} from './records.ts'
import type { TaskState } from './core/task.ts'

/** Newest first; `limit` at most 200, default 50. */
export interface Page {
  readonly limit?: number
  readonly offset?: number
}

/** What a bearer key may do: `admin` everything, a project key only its own project. */
export type Access = { readonly kind: 'admin' } | { readonly kind: 'project'; readonly projectId: bigint }

export interface Health {
  readonly ok: boolean
  readonly chainId: number
  readonly blockNumber: bigint | null
  readonly pendingFrames: number
  readonly openTasks: number
  readonly failedTasks: number
  /** What open tasks wait for, by code. */
  readonly waiting: readonly (Failure & { readonly tasks: number })[]
  /** The operator's transactions that do not count yet, lowest nonce first, and what holds them up. */
  readonly transactions: readonly TransactionRecord[]
}

/** The engine as a library. Methods throw AttestreamError with a code of `ERRORS`; get… throws *_UNKNOWN when absent. */
export interface Engine {
  readonly operator: Hex
  readonly chain: { readonly chainId: number; readonly settlement: Hex; readonly registry: Hex; readonly applets: Hex }

  /** Checks the WASM (size, imports, floats, ABI, sandbox run) and keeps it; idempotent by appletId. */
  addApplet(wasm: Uint8Array): Promise<AppletRecord>
  /** Starts (or returns) the build of an applet's circuit; poll getApplet for its status. */
  buildCircuit(appletId: Hex, shape: { cohortSize: number; frameSize: number }): Promise<CircuitRecord>
  getApplet(appletId: Hex): Promise<AppletRecord>
  getAppletWasm(appletId: Hex): Promise<Uint8Array>
  listApplets(page?: Page): Promise<AppletRecord[]>

  /** Serves an on-chain project: its active version must be one whose circuit this engine has built, and `config` must hash to the chain's configHash. */
  addProject(project: { projectId: bigint; config: NamedRecord }): Promise<ProjectRecord>
  /** Keeps a config for an applet until the chain has its hash, which is returned; then the engine goes over to it by itself. */
  prepareConfig(prepared: { projectId: bigint; appletId: Hex; config: NamedRecord }): Promise<bigint>
  getProject(projectId: bigint): Promise<ProjectRecord>
  listProjects(page?: Page): Promise<ProjectRecord[]>

  /** Creates a project key; the text is shown once, its SHA-256 is stored. */
  createApiKey(projectId: bigint): Promise<string>
  /** Throws API_KEY_INVALID unless the key is known. */
  authorise(apiKey: string): Promise<Access>

  getDevice(deviceId: bigint): Promise<DeviceRecord>
  /** What a DID is resolved from; throws DEVICE_UNKNOWN, or DID_FOREIGN for a name of another chain or registry. */
  getDeviceIdentity(device: bigint | DeviceName): Promise<DeviceIdentity>
  /** Sends a registration with its project's signature and pays for it; throws SPONSORING_OFF, PROJECT_UNKNOWN, CHAIN_REVERTED. */
  registerDevice(admission: Admission, signature: Hex): Promise<RegistrationRecord>
  listDevices(projectId: bigint, page?: Page): Promise<DeviceRecord[]>

  /**
   * Ingests frames in canonical bytes; each gets its own result, in order. Durable before it returns. `source` names who sends them, such
   * as an address, and pays for forgeries. Throws ENGINE_BUSY, ENGINE_CLOSED or TOO_MANY_REFUSED.
   */
  ingest(frames: readonly Uint8Array[], source?: string): Promise<IngestResult[]>
  /** Turns the JSON form of a frame into canonical bytes; throws FRAME_JSON_INVALID, RECORD_FIELD_*, DEVICE_UNKNOWN. */
  encodeFrameJson(json: unknown): Promise<Uint8Array>
  getFrame(deviceId: bigint, sequence: bigint): Promise<FrameRecord>
  listFrames(filter: { projectId: bigint; deviceId?: bigint; taskId?: Hex }, page?: Page): Promise<FrameRecord[]>

  getTask(taskId: Hex): Promise<TaskRecord>
  listTasks(filter: { projectId: bigint; state?: TaskState }, page?: Page): Promise<TaskRecord[]>
  /** Puts a failed task back to work. */
  retryTask(taskId: Hex): Promise<TaskRecord>

  getReceipt(taskId: Hex): Promise<Receipt>
  listSettlements(projectId: bigint, page?: Page): Promise<SettlementRecord[]>
  /** Reads the chain. */
  listClaims(projectId: bigint, page?: Page): Promise<ClaimRecord[]>

  /** Bytes behind a DA pointer, checked against it; throws DA_OBJECT_UNKNOWN or DA_OBJECT_PRUNED. */
  getDaObject(daPointer: Hex): Promise<Uint8Array>

  health(): Promise<Health>
  /** Closes every pending batch at once and waits until all tasks are settled, failed, or wait for somebody to act. */
  flush(): Promise<void>
  close(): Promise<void>
}
