// Store of frames. A frame is durable before it is acknowledged; (deviceId, sequence) is unique for ever.

import type { Hex } from '../core/codec.ts'
import type { Acknowledgement } from '../records.ts'
import type { Limits } from './catalogue.ts'
import { transaction, u64Text, type Database, type Row } from './database.ts'
import { fromJson, toJson } from './json.ts'

/** A frame as it is kept: canonical bytes and where it belongs. `leaf` is the identity leaf it was verified against. */
export interface StoredFrame {
  readonly deviceId: bigint
  readonly sequence: bigint
  readonly projectId: bigint
  readonly cohort: number
  readonly slot: number
  readonly leaf: bigint
  readonly messageHash: bigint
  readonly bytes: Uint8Array
  /** With `frameSize`: the applet whose Reading layout the bytes are in. */
  readonly appletId: Hex
  readonly frameSize: number
  readonly receivedMs: number
  readonly acknowledgement: Acknowledgement
  readonly taskId: Hex | null
  /** Why the frame will never be in a batch, though acknowledged: key or layout was changed first. */
  readonly dropped: string | null
}

export interface FrameFilter {
  readonly projectId: bigint
  readonly deviceId?: bigint | undefined
  readonly taskId?: Hex | undefined
}

/** A cohort with frames that wait for a batch. */
export interface PendingCohort {
  readonly projectId: bigint
  readonly cohort: number
  /** Slots with at least one waiting frame. */
  readonly slots: number
  readonly frames: number
  readonly oldestMs: number
}

export type FrameStore = ReturnType<typeof createFrameStore>

export function createFrameStore(db: Database) {
  const pending = 'task_id is null and dropped is null'
  const statements = {
    insert: db.prepare(
      `insert into frames (device_id, sequence, project_id, cohort, slot, leaf, message_hash, bytes, applet_id,
         frame_size, received_ms, acknowledgement)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    advance: db.prepare('update devices set last_sequence = ? where device_id = ? and last_sequence < ?'),
    one: db.prepare('select * from frames where device_id = ? and sequence = ?'),
    page: db.prepare(
      `select * from frames where project_id = ?1 and (?2 is null or device_id = ?2) and (?3 is null or task_id = ?3)
       order by id desc limit ?4 offset ?5`,
    ),
    byTask: db.prepare('select * from frames where task_id = ? order by slot'),
    cohorts: db.prepare(
      `select project_id, cohort, count(distinct slot) as slots, count(*) as frames, min(received_ms) as oldest_ms
       from frames where ${pending} group by project_id, cohort`,
    ),
    next: db.prepare(
      `select * from frames f where project_id = ?1 and cohort = ?2 and ${pending} and sequence =
         (select min(sequence) from frames where project_id = ?1 and cohort = ?2 and slot = f.slot and ${pending})
       order by slot`,
    ),
    drop: db.prepare('update frames set dropped = ? where device_id = ? and sequence = ?'),
    waiting: db.prepare(
      `select count(*) as frames from frames where project_id = ? and cohort = ? and slot = ? and ${pending}`,
    ),
    count: db.prepare(`select count(*) as frames from frames where ${pending}`),
  }

  return {
    /** Inserts frames and advances each device's last sequence, all or nothing, on disk when it returns. */
    putFrames(frames: readonly Omit<StoredFrame, 'taskId' | 'dropped'>[]): void {
      transaction(db, () => {
        for (const frame of frames) {
          const device = u64Text(frame.deviceId)
          const sequence = u64Text(frame.sequence)
          const { cohort, slot, leaf, messageHash, bytes, appletId, frameSize, receivedMs } = frame
          const ack = toJson(frame.acknowledgement)
          const place = [u64Text(frame.projectId), cohort, slot] as const
          const content = [`${leaf}`, `${messageHash}`, bytes, appletId, frameSize] as const
          statements.insert.run(device, sequence, ...place, ...content, receivedMs, ack)
          statements.advance.run(sequence, device, sequence)
        }
      })
    },
    frame(deviceId: bigint, sequence: bigint): StoredFrame | undefined {
      const row = statements.one.get(u64Text(deviceId), u64Text(sequence)) as Row | undefined
      return row && frameOf(row)
    },
    frames({ projectId, deviceId, taskId }: FrameFilter, { limit, offset }: Limits): StoredFrame[] {
      const device = deviceId === undefined ? null : u64Text(deviceId)
      return (statements.page.all(u64Text(projectId), device, taskId ?? null, limit, offset) as Row[]).map(frameOf)
    },
    taskFrames(taskId: Hex): StoredFrame[] {
      return (statements.byTask.all(taskId) as Row[]).map(frameOf)
    },
    pendingCohorts(): PendingCohort[] {
      return (statements.cohorts.all() as Row[]).map((row) => ({
        projectId: BigInt(row.project_id as string),
        cohort: row.cohort as number,
        slots: row.slots as number,
        frames: row.frames as number,
        oldestMs: row.oldest_ms as number,
      }))
    },
    /** The oldest waiting frame of each slot of a cohort, ordered by slot. */
    nextFrames(projectId: bigint, cohort: number): StoredFrame[] {
      return (statements.next.all(u64Text(projectId), cohort) as Row[]).map(frameOf)
    },
    dropFrame(frame: Pick<StoredFrame, 'deviceId' | 'sequence'>, reason: string): void {
      statements.drop.run(reason, u64Text(frame.deviceId), u64Text(frame.sequence))
    },
    /** Frames of a slot that wait for a batch. */
    waitingFrames({ projectId, cohort, slot }: Pick<StoredFrame, 'projectId' | 'cohort' | 'slot'>): number {
      return (statements.waiting.get(u64Text(projectId), cohort, slot) as Row).frames as number
    },
    pendingCount(): number {
      return (statements.count.get() as Row).frames as number
    },
  }
}

function frameOf(row: Row): StoredFrame {
  return {
    deviceId: BigInt(row.device_id as string),
    sequence: BigInt(row.sequence as string),
    projectId: BigInt(row.project_id as string),
    cohort: row.cohort as number,
    slot: row.slot as number,
    leaf: BigInt(row.leaf as string),
    messageHash: BigInt(row.message_hash as string),
    bytes: row.bytes as Uint8Array,
    appletId: row.applet_id as Hex,
    frameSize: row.frame_size as number,
    receivedMs: row.received_ms as number,
    acknowledgement: fromJson<Acknowledgement>(row.acknowledgement as string),
    taskId: row.task_id as Hex | null,
    dropped: row.dropped as string | null,
  }
}
