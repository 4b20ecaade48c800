// Store of tasks and receipts. A task's row holds its public record and the work that later steps need;
// both are written in one statement, so that a crash leaves the step before or the step after, never half of one.

import type { Hex } from '../core/codec.ts'
import type { LedgerPage } from '../core/ledger.ts'
import type { RawRecord } from '../core/layout.ts'
import type { PublicKey } from '../core/signature.ts'
import type { TaskState } from '../core/task.ts'
import type { Receipt, TaskRecord } from '../records.ts'
import type { Limits } from './catalogue.ts'
import { transaction, u64Text, type Database, type Row } from './database.ts'
import { fromJson, toJson } from './json.ts'

/** What the steps of a task hand to each other beside the public record. */
export interface TaskWork {
  readonly appletId: Hex
  readonly config: RawRecord
  readonly configHash: bigint
  readonly leaves: readonly bigint[]
  /** Key of each slot with a frame, as it was when the batch was closed. */
  readonly keys: readonly (PublicKey | null)[]
  readonly identityRoot: bigint
  readonly pageBefore: LedgerPage
  readonly anchorTime?: bigint
  /** The config that the chain anchored the batch under. */
  readonly anchoredConfigHash?: bigint
  readonly pageAfter?: LedgerPage
  /** The state that a failed task goes back to when it is retried. */
  readonly resumeFrom?: TaskState
}

export interface Task extends TaskRecord {
  readonly work: TaskWork
}

/** What a step changes of a task. */
export type TaskChange = Partial<Omit<TaskRecord, 'taskId'>> & { readonly work?: Partial<TaskWork> }

export type TaskStore = ReturnType<typeof createTaskStore>

const OPEN = `state not in ('settled', 'failed')`

export function createTaskStore(db: Database) {
  const statements = {
    insert: db.prepare(
      'insert into tasks (task_id, project_id, cohort, state, record, work) values (?, ?, ?, ?, ?, ?)',
    ),
    claim: db.prepare('update frames set task_id = ? where device_id = ? and sequence = ? and task_id is null'),
    update: db.prepare('update tasks set state = ?, record = ?, work = ? where task_id = ?'),
    one: db.prepare('select * from tasks where task_id = ?'),
    page: db.prepare(
      `select * from tasks where project_id = ?1 and (?2 is null or state = ?2) order by ordinal desc limit ?3 offset ?4`,
    ),
    open: db.prepare(`select * from tasks where ${OPEN} order by ordinal`),
    latest: db.prepare('select * from tasks where project_id = ? and cohort = ? order by ordinal desc limit 1'),
    previous: db.prepare(
      `select * from tasks where project_id = ?1 and cohort = ?2 and ordinal <
         (select ordinal from tasks where task_id = ?3) order by ordinal desc limit 1`,
    ),
    count: db.prepare(`select sum(${OPEN}) as open, sum(state = 'failed') as failed from tasks`),
    live: db.prepare(
      `select record from tasks t where state != 'settled' or ordinal = (select max(ordinal) from tasks
         where project_id = t.project_id and cohort = t.cohort and state = 'settled')`,
    ),
    putReceipt: db.prepare('insert or replace into receipts values (?, ?)'),
    receipt: db.prepare('select record from receipts where task_id = ?'),
  }

  const write = (task: Task): void => {
    const { work, ...record } = task
    statements.update.run(task.state, toJson(record), toJson(work), task.taskId)
  }

  const fromTask = `select task_id from tasks where project_id = ?1 and cohort = ?2 and ordinal >=
    (select ordinal from tasks where task_id = ?3)`
  const reopen = [
    `update frames set task_id = null where task_id in (${fromTask})`,
    `delete from receipts where task_id in (${fromTask})`,
    `delete from tasks where task_id in (${fromTask})`,
  ].map((sql) => db.prepare(sql))

  return {
    /** Creates a task and takes its frames out of the waiting ones, in one transaction. */
    putTask(task: Task, frames: readonly { readonly deviceId: bigint; readonly sequence: bigint }[]): void {
      const { work, ...record } = task
      transaction(db, () => {
        const place = [u64Text(task.projectId), task.cohort, task.state] as const
        statements.insert.run(task.taskId, ...place, toJson(record), toJson(work))
        for (const frame of frames) statements.claim.run(task.taskId, u64Text(frame.deviceId), u64Text(frame.sequence))
      })
    },
    /** Applies a change and returns the task as it is now. */
    updateTask(task: Task, change: TaskChange): Task {
      const next: Task = { ...task, ...change, work: { ...task.work, ...change.work } }
      write(next)
      return next
    },
    /** Stores a receipt and the change that it belongs to, in one transaction. */
    putReceipt(task: Task, receipt: Receipt, change: TaskChange): Task {
      return transaction(db, () => {
        statements.putReceipt.run(task.taskId, toJson(receipt))
        const next: Task = { ...task, ...change, work: { ...task.work, ...change.work } }
        write(next)
        return next
      })
    },
    /** Undoes a task and all later ones of its cohort: their frames wait for new batches, their receipts are gone. */
    reopenFrom(task: Task): void {
      transaction(db, () => {
        for (const statement of reopen) statement.run(u64Text(task.projectId), task.cohort, task.taskId)
      })
    },
    task(taskId: Hex): Task | undefined {
      const row = statements.one.get(taskId) as Row | undefined
      return row && taskOf(row)
    },
    tasks(filter: { projectId: bigint; state?: TaskState | undefined }, { limit, offset }: Limits): Task[] {
      const rows = statements.page.all(u64Text(filter.projectId), filter.state ?? null, limit, offset) as Row[]
      return rows.map(taskOf)
    },
    /** Tasks that still have work to do, oldest first. */
    openTasks(): Task[] {
      return (statements.open.all() as Row[]).map(taskOf)
    },
    latestTask(projectId: bigint, cohort: number): Task | undefined {
      const row = statements.latest.get(u64Text(projectId), cohort) as Row | undefined
      return row && taskOf(row)
    },
    previousTask(task: Task): Task | undefined {
      const row = statements.previous.get(u64Text(task.projectId), task.cohort, task.taskId) as Row | undefined
      return row && taskOf(row)
    },
    taskCounts(): { open: number; failed: number } {
      const row = statements.count.get() as Row
      return { open: Number(row.open ?? 0), failed: Number(row.failed ?? 0) }
    },
    /** Pointers that must stay readable: of tasks not settled, and of each cohort's latest settled one. */
    livePointers(): Set<Hex> {
      return new Set(
        (statements.live.all() as Row[]).map((row) => fromJson<TaskRecord>(row.record as string).daPointer),
      )
    },
    receipt(taskId: Hex): Receipt | undefined {
      const row = statements.receipt.get(taskId) as Row | undefined
      return row && fromJson<Receipt>(row.record as string)
    },
  }
}

function taskOf(row: Row): Task {
  const record = fromJson<TaskRecord>(row.record as string)
  return { ...record, work: fromJson<TaskWork>(row.work as string) }
}
