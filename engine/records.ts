// What the engine keeps and shows: applets, circuits, projects, devices, frames, tasks, receipts, settlements, claims.
// Amounts and identifiers are bigint here; the API turns them into decimal strings.

import type { Acknowledgement } from './core/acknowledgement.ts'
import type { Hex } from './core/codec.ts'
import type { AppletAbi } from './core/applet.ts'
import type { CircuitManifest } from './core/circuit.ts'
import type { ErrorCode } from './core/errors.ts'
import type { DeviceIdentity, DeviceStatus } from './core/did.ts'
import type { Device } from './core/identity.ts'
import type { RawRecord } from './core/layout.ts'
import type { Receipt } from './core/receipt.ts'
import type { TaskState } from './core/task.ts'

/** A failure as it is stored and shown. */
export interface Failure {
  readonly code: ErrorCode
  readonly message: string
}

export interface AppletRecord {
  readonly appletId: Hex
  readonly abi: AppletAbi
  readonly sizeBytes: number
  readonly createdMs: number
  readonly circuits: readonly CircuitRecord[]
}

/** The circuit of an applet for one shape (D, R). `progress` is the build's current stage while building. */
export interface CircuitRecord {
  readonly appletId: Hex
  readonly cohortSize: number
  readonly frameSize: number
  readonly status: 'building' | 'ready' | 'failed'
  readonly progress: string | null
  readonly failure: Failure | null
  readonly manifest: CircuitManifest | null
}

/** A version as the engine serves it. */
export interface ServedVersion {
  readonly projectId: bigint
  readonly version: number
  /** Versions of one epoch share their State. */
  readonly stateEpoch: number
  readonly appletId: Hex
  readonly cohortSize: number
  readonly frameSize: number
  readonly layoutId: bigint
  readonly deviceDomain: bigint
  readonly config: RawRecord
  readonly configHash: bigint
  readonly createdMs: number
}

export interface ProjectRecord extends ServedVersion {
  /** True while the version is stopped: nothing is taken in or anchored until another is active. */
  readonly stopped: boolean
  /** The version before, while acknowledged frames in its layout may still be anchored under it. */
  readonly former: (ServedVersion & { readonly anchorableUntilTime: number }) | null
}

/** A device as the chain's events tell it. */
export interface DeviceRecord extends Device {
  readonly owner: Hex
  readonly status: DeviceStatus
  /** Unix seconds of the registration and of the latest change of key, status or owner; the block of the latter. */
  readonly registeredSec: number
  readonly changedSec: number
  readonly changedBlock: bigint
  readonly lastSequence: bigint
}

/** A registration that the engine paid for. */
export interface RegistrationRecord {
  readonly deviceId: bigint
  readonly cohort: number
  readonly slot: number
  readonly txHash: Hex
}

export interface FrameRecord {
  readonly deviceId: bigint
  readonly sequence: bigint
  readonly projectId: bigint
  readonly messageHash: bigint
  readonly readings: readonly Readonly<Record<string, bigint>>[]
  readonly receivedMs: number
  readonly taskId: Hex | null
  readonly acknowledgement: Acknowledgement
  /** ACKNOWLEDGED_FRAME_DROPPED if the device's key or the Reading layout changed before the frame was in a batch; else null. */
  readonly failure: Failure | null
}

/** One task: a batch with everything that became of it. */
export interface TaskRecord {
  readonly taskId: Hex
  readonly projectId: bigint
  readonly version: number
  readonly cohort: number
  readonly state: TaskState
  readonly frames: number
  readonly readings: number
  readonly batchRoot: bigint
  readonly daPointer: Hex
  readonly batchNumber: bigint | null
  readonly attempts: number
  readonly failure: Failure | null
  /** Unix milliseconds at which each state was reached. */
  readonly times: Readonly<Partial<Record<TaskState, number>>>
  /** When the work began that led to each of those states: what lies before it is waiting. */
  readonly begun: Readonly<Partial<Record<TaskState, number>>>
  /** When the last of the batch's frames came in. */
  readonly lastFrameMs: number
  readonly anchorTxHash: Hex | null
  readonly anchorGas: bigint | null
  readonly settleTxHash: Hex | null
  readonly settleGas: bigint | null
  /** Of the proof, without its wait for a free thread. */
  readonly witnessMs: number | null
  readonly proveMs: number | null
  readonly unitsBySlot: readonly bigint[] | null
}

export interface SettlementRecord {
  readonly taskId: Hex
  readonly projectId: bigint
  readonly cohort: number
  readonly batchNumber: bigint
  readonly txHash: Hex
  readonly gasUsed: bigint
  readonly units: bigint
  readonly payee: Hex
  readonly settledMs: number
}

/** A transaction of the operator's that does not count yet. */
export interface TransactionRecord {
  readonly account: Hex
  readonly nonce: number
  readonly action: string
  readonly taskIds: readonly Hex[]
  /** Of the latest attempt. */
  readonly txHash: Hex
  readonly attempts: number
  readonly sinceMs: number
  readonly trouble: Failure | null
}

/** What the chain holds for a device: units credited and not yet claimed, and their worth in the reward token's smallest unit. */
export interface ClaimRecord {
  readonly deviceId: bigint
  readonly owner: Hex
  readonly creditedUnits: bigint
  readonly claimedUnits: bigint
  readonly pendingUnits: bigint
  readonly pendingWei: bigint
}

export type { Acknowledgement, CircuitManifest, DeviceIdentity, Receipt }

/** Result of ingesting one frame. A duplicate is answered like the first time. */
export type IngestResult = { readonly acknowledgement: Acknowledgement } | { readonly failure: Failure }
