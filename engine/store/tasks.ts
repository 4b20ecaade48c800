// Store of tasks and receipts. A task's row holds its public record and the work that later steps need;
// both are written in one statement, so that a crash leaves the step before or the step after, never half of one.

import type { Hex } from '../core/codec.ts'
import { AttestreamError } from '../core/errors.ts'
import type { LedgerPage } from '../core/ledger.ts'
import type { RawRecord } from '../core/layout.ts'
import type { PublicKey } from '../core/signature.ts'
import type { TaskState } from '../core/task.ts'
import type { Failure, Receipt, TaskRecord } from '../records.ts'
import type { Limits } from './catalogue.ts'
import { transaction, u64Text, type Database, type Row } from './database.ts'
import { fromJson, toJson } from './json.ts'

/** What the steps of a task hand to each other beside the public record. */
export interface TaskWork {
  readonly appletId: Hex
  readonly frameSize: number
  readonly config: RawRecord
  readonly configHash: bigint
  /** Of the version: pages of one epoch have one State. */
  readonly stateEpoch: number
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

/** A task to be created. */
export interface NewTask extends TaskRecord {
  readonly work: TaskWork
}

export interface Task extends NewTask {
  /** Given once and never again: tells a task from an undone one with the same frames, and so with the same id. */
  readonly ordinal: number
}

/** What a step changes of a task. */
export type TaskChange = Partial<Omit<TaskRecord, 'taskId'>> & { readonly work?: Partial<TaskWork> }

/** The block that a task's anchor or settlement is in, for as long as a reorganisation may drop it. */
export interface Inclusion {
  readonly kind: 'anchor' | 'settle'
  readonly txHash: Hex
  readonly blockNumber: bigint
  readonly blockHash: Hex
}

/** What a cohort goes on from under a version whose State differs. */
export interface UpgradedPage {
  readonly version: number
  readonly appletId: Hex
  readonly stateEpoch: number
  readonly page: LedgerPage
  /** Null if the chain had it done already. */
  readonly txHash: Hex | null
}

export interface CohortUpgrade extends UpgradedPage {
  /** The task whose page it was made from. */
  readonly afterOrdinal: number
}

export type TaskStore = ReturnType<typeof createTaskStore>

const OPEN = `state not in ('settled', 'failed', 'voided')`

export function createTaskStore(db: Database) {
  const statements = {
    insert: db.prepare(
      'insert into tasks (task_id, project_id, cohort, state, record, work) values (?, ?, ?, ?, ?, ?)',
    ),
    claim: db.prepare('update frames set task_id = ? where device_id = ? and sequence = ? and task_id is null'),
    update: db.prepare(`update tasks set state = ?, record = ?, work = ? where ordinal = ? and state != 'voided'`),
    one: db.prepare('select * from tasks where task_id = ?'),
    page: db.prepare(
      `select * from tasks where project_id = ?1 and (?2 is null or state = ?2) order by ordinal desc limit ?3 offset ?4`,
    ),
    open: db.prepare(`select * from tasks where ${OPEN} order by ordinal`),
    replace: db.prepare(`delete from tasks where task_id = ? and state = 'voided'`),
    latest: db.prepare(
      `select * from tasks where project_id = ? and cohort = ? and state != 'voided' order by ordinal desc limit 1`,
    ),
    previous: db.prepare(
      `select * from tasks where project_id = ? and cohort = ? and ordinal < ? and state != 'voided'
       order by ordinal desc limit 1`,
    ),
    unsettled: db.prepare(
      `select * from tasks where project_id = ?1 and (?2 is null or cohort = ?2) and state not in ('settled', 'voided')
       order by ordinal`,
    ),
    any: db.prepare(`select * from tasks where project_id = ? and state != 'voided' order by ordinal desc limit 1`),
    cohorts: db.prepare('select distinct cohort from tasks where project_id = ? order by cohort'),
    putUpgrade: db.prepare('insert or replace into upgrades values (?, ?, ?, ?)'),
    upgrade: db.prepare('select * from upgrades where project_id = ? and cohort = ?'),
    count: db.prepare(`select sum(${OPEN}) as open, sum(state = 'failed') as failed from tasks`),
    live: db.prepare(
      `select record from tasks t where state not in ('settled', 'voided') or ordinal in (select ordinal from inclusions)
         or ordinal = (select max(ordinal) from tasks
         where project_id = t.project_id and cohort = t.cohort and state = 'settled')`,
    ),
    putReceipt: db.prepare('insert or replace into receipts values (?, ?)'),
    receipt: db.prepare('select record from receipts where task_id = ?'),
    putInclusion: db.prepare('insert or replace into inclusions values (?, ?, ?, ?, ?)'),
    inclusions: db.prepare(
      `select i.*, t.task_id from inclusions i join tasks t on t.ordinal = i.ordinal where t.state != 'voided'
       order by block_number desc, i.ordinal`,
    ),
    dropInclusion: db.prepare('delete from inclusions where ordinal = ? and kind = ?'),
    forgetInclusions: db.prepare(
      `delete from inclusions where block_number <= ? or ordinal not in (select ordinal from tasks where state != 'voided')`,
    ),
    removeOne: db.prepare('delete from tasks where ordinal = ?'),
    dropReceipt: db.prepare('delete from receipts where task_id = ?'),
  }

  const putInclusion = (ordinal: number, { kind, txHash, blockNumber, blockHash }: Inclusion): void =>
    void statements.putInclusion.run(ordinal, kind, txHash, u64Text(blockNumber), blockHash)

  const insert = ({ work, ...record }: NewTask): number => {
    const place = [u64Text(record.projectId), record.cohort, record.state] as const
    return Number(statements.insert.run(record.taskId, ...place, toJson(record), toJson(work)).lastInsertRowid)
  }

  const change = (task: Task, { work: added, ...changed }: TaskChange): Task => {
    const next: Task = { ...task, ...changed, work: { ...task.work, ...added } }
    const { work, ordinal, ...record } = next
    if (statements.update.run(next.state, toJson(record), toJson(work), ordinal).changes === 1) return next
    const message = `Task ${task.taskId} was undone meanwhile; its frames wait for a new batch.`
    throw new AttestreamError('TASK_UNKNOWN', message)
  }

  const from = `select task_id from tasks where project_id = ?1 and cohort = ?2 and ordinal >= ?3 and state != 'voided'`
  const release = [
    `update frames set task_id = null where task_id in (${from})`,
    `delete from receipts where task_id in (${from})`,
  ].map((sql) => db.prepare(sql))
  const undone = db.prepare(`select * from tasks where task_id in (${from})`)
  const remove = db.prepare(`delete from tasks where task_id in (${from})`)

  return {
    /** Creates a task and takes its frames out of the waiting ones, in one transaction. */
    putTask(task: NewTask, frames: readonly { readonly deviceId: bigint; readonly sequence: bigint }[]): Task {
      return transaction(db, () => {
        statements.replace.run(task.taskId)
        const ordinal = insert(task)
        for (const frame of frames) statements.claim.run(task.taskId, u64Text(frame.deviceId), u64Text(frame.sequence))
        return { ...task, ordinal }
      })
    },
    /** Applies a change and returns the task as it is now; throws TASK_UNKNOWN if it was undone meanwhile. */
    updateTask: change,
    /** `updateTask`, and where on chain the change is, in one transaction. */
    includeTask(task: Task, belonging: TaskChange, inclusion: Inclusion): Task {
      return transaction(db, () => {
        const next = change(task, belonging)
        putInclusion(task.ordinal, inclusion)
        return next
      })
    },
    /** Notes that the chain has the same in another block now. */
    putInclusion,
    /** What a reorganisation may still drop, in the newest block first. */
    inclusions(): (Inclusion & { readonly taskId: Hex })[] {
      return (statements.inclusions.all() as Row[]).map((row) => ({
        taskId: row.task_id as Hex,
        kind: row.kind as Inclusion['kind'],
        txHash: row.tx_hash as Hex,
        blockNumber: BigInt(row.block_number as string),
        blockHash: row.block_hash as Hex,
      }))
    },
    /** Forgets those in blocks up to this one, and those of tasks that were undone. */
    forgetInclusions(blockNumber: bigint): void {
      statements.forgetInclusions.run(u64Text(blockNumber))
    },
    /** A settled task that a reorganisation unsettled is proven again. */
    unsettleTask(task: Task): Task {
      const { settled: _settled, ...times } = task.times
      return transaction(db, () => {
        statements.dropInclusion.run(task.ordinal, 'settle')
        return change(task, { state: 'proven', settleTxHash: null, settleGas: null, times })
      })
    },
    /**
     * Sets back a task whose anchor was lost to where it is anchored, with its batch and planned number; what was made of the anchor is
     * gone. Later tasks of its cohort are undone like by `reopenFrom`: they build on its page.
     */
    setBackTask(task: Task): Task {
      return transaction(db, () => {
        const range = [u64Text(task.projectId), task.cohort, task.ordinal + 1] as const
        for (const statement of [...release, remove]) statement.run(...range)
        statements.removeOne.run(task.ordinal)
        statements.dropReceipt.run(task.taskId)
        const {
          anchorTime: _time,
          anchoredConfigHash: _config,
          pageAfter: _page,
          resumeFrom: _from,
          ...work
        } = task.work
        const [times, begun] = [untilPublished(task.times), untilPublished(task.begun)]
        const transactions = { anchorTxHash: null, anchorGas: null, settleTxHash: null, settleGas: null }
        const proof = { unitsBySlot: null, witnessMs: null, proveMs: null }
        const fresh = { attempts: 0, failure: null, ...transactions, ...proof, times, begun, work }
        const { ordinal: _ordinal, ...record } = task
        const next: NewTask = { ...record, ...fresh, state: 'published' }
        return { ...next, ordinal: insert(next) }
      })
    },
    /** Stores a receipt and the change that it belongs to, in one transaction; throws TASK_UNKNOWN like `updateTask`. */
    putReceipt(task: Task, receipt: Receipt, belonging: TaskChange): Task {
      return transaction(db, () => {
        const next = change(task, belonging)
        statements.putReceipt.run(task.taskId, toJson(receipt))
        return next
      })
    },
    /**
     * Undoes a task and all later ones of its cohort: their frames wait for new batches, their receipts are gone. With a `failure` the
     * tasks stay as `voided`, otherwise they are gone, too. Does nothing if the task was undone before.
     */
    reopenFrom(task: Task, failure?: Failure, nowMs = 0): void {
      transaction(db, () => {
        const row = statements.one.get(task.taskId) as Row | undefined
        if (row?.ordinal !== task.ordinal || row.state === 'voided') return
        const range = [u64Text(task.projectId), task.cohort, task.ordinal] as const
        const tasks = (undone.all(...range) as Row[]).map(taskOf)
        for (const statement of release) statement.run(...range)
        if (!failure) return void remove.run(...range)
        for (const each of tasks) change(each, { state: 'voided', failure, times: { ...each.times, voided: nowMs } })
      })
    },
    /** The page that a cohort goes on from since it was upgraded after its newest task; undefined if it was not. */
    cohortUpgrade(projectId: bigint, cohort: number): CohortUpgrade | undefined {
      const row = statements.upgrade.get(u64Text(projectId), cohort) as Row | undefined
      return row && { afterOrdinal: row.after_ordinal as number, ...fromJson<UpgradedPage>(row.record as string) }
    },
    putUpgrade(projectId: bigint, cohort: number, { afterOrdinal, ...record }: CohortUpgrade): void {
      statements.putUpgrade.run(u64Text(projectId), cohort, afterOrdinal, toJson(record))
    },
    /** Cohorts of a project that ever had a task. */
    taskCohorts(projectId: bigint): number[] {
      return (statements.cohorts.all(u64Text(projectId)) as Row[]).map((row) => row.cohort as number)
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
      const row = statements.previous.get(u64Text(task.projectId), task.cohort, task.ordinal) as Row | undefined
      return row && taskOf(row)
    },
    /** Tasks of a project, or of one of its cohorts, that are neither settled nor voided, oldest first; failed ones included. */
    unsettledTasks(projectId: bigint, cohort: number | null = null): Task[] {
      return (statements.unsettled.all(u64Text(projectId), cohort) as Row[]).map(taskOf)
    },
    /** The project's newest task, of any cohort and state. */
    newestTask(projectId: bigint): Task | undefined {
      const row = statements.any.get(u64Text(projectId)) as Row | undefined
      return row && taskOf(row)
    },
    taskCounts(): { open: number; failed: number } {
      const row = statements.count.get() as Row
      return { open: Number(row.open ?? 0), failed: Number(row.failed ?? 0) }
    },
    /** Pointers that must stay readable: of tasks not settled for good, and of each cohort's latest settled one. */
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

/** With what was added since an earlier version wrote the record. */
function taskOf(row: Row): Task {
  const record = fromJson<TaskRecord>(row.record as string)
  const added: Partial<TaskRecord> = { begun: {}, lastFrameMs: record.times.closed ?? 0, witnessMs: null }
  const addedWork: Partial<TaskWork> = { stateEpoch: 0 }
  const work = { ...addedWork, ...fromJson<TaskWork>(row.work as string) }
  return { ...added, ...record, ordinal: row.ordinal as number, work }
}

function untilPublished({ closed, published }: TaskRecord['times']): TaskRecord['times'] {
  return { ...(closed === undefined ? {} : { closed }), ...(published === undefined ? {} : { published }) }
}
