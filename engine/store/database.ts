// The engine's one source of truth: a SQLite file in WAL mode with full synchronisation, so that a committed row
// survives kill -9 and power loss. Schema changes are numbered migrations, applied once, in order.

import { DatabaseSync } from '@photostructure/sqlite'
import { AttestreamError } from '../core/errors.ts'

export type Database = InstanceType<typeof DatabaseSync>
export type Row = Record<string, string | number | null | Uint8Array>

/** SQLITE_BUSY and SQLITE_LOCKED. */
const SQLITE_BUSY = [5, 6]

// u64 identifiers and sequences are kept as 20-digit decimal text: SQLite's integers are signed, and text of one
// width sorts like the numbers.
const MIGRATIONS = [
  `create table applets (applet_id text primary key, wasm blob not null, created_ms integer not null);
   create table circuits (
     applet_id text not null, cohort_size integer not null, frame_size integer not null,
     status text not null, progress text, failure text, manifest text, directory text,
     primary key (applet_id, cohort_size, frame_size));
   create table projects (project_id text primary key, record text not null);
   create table api_keys (key_hash text primary key, project_id text not null, created_ms integer not null);
   create table devices (
     device_id text primary key, project_id text not null, cohort integer not null, slot integer not null,
     record text not null, last_sequence text not null,
     unique (project_id, cohort, slot));
   create table chain_cursor (id integer primary key check (id = 1), next_block text not null);
   create table frames (
     id integer primary key, device_id text not null, sequence text not null, project_id text not null,
     cohort integer not null, slot integer not null, leaf text not null, message_hash text not null, bytes blob not null,
     applet_id text not null, frame_size integer not null,
     received_ms integer not null, acknowledgement text not null, task_id text, dropped text,
     unique (device_id, sequence));
   create index frames_pending on frames (project_id, cohort, slot, sequence) where task_id is null and dropped is null;
   create index frames_by_project on frames (project_id, id);
   create index frames_by_task on frames (task_id);
   create table tasks (
     ordinal integer primary key autoincrement, task_id text not null unique, project_id text not null, cohort integer not null,
     state text not null, record text not null, work text not null);
   create index tasks_by_cohort on tasks (project_id, cohort, ordinal);
   create table receipts (task_id text primary key, record text not null);`,
  // What is told of a device has grown: its events are read once more.
  `create table device_metadata (device_id text primary key, uri text not null);
   delete from chain_cursor;`,
  `create table upgrades (
     project_id text not null, cohort integer not null, after_ordinal integer not null, record text not null,
     primary key (project_id, cohort));
   create index tasks_unsettled on tasks (project_id, cohort) where state not in ('settled', 'voided');
   create table configs (
     project_id text not null, config_hash text not null, config text not null, primary key (project_id, config_hash));`,
  // What reorganisations can still undo: the operator's transactions, and the blocks that tasks' anchors and settlements are in.
  `create table transactions (
     id integer primary key autoincrement, account text not null, nonce integer not null, record text not null,
     unique (account, nonce));
   create table inclusions (
     ordinal integer not null, kind text not null, tx_hash text not null, block_number text not null, block_hash text not null,
     primary key (ordinal, kind));`,
]

/** Opens (creates, migrates) the store's database file. */
export function openDatabase(path: string): Database {
  const database = new DatabaseSync(path)
  database.exec('pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on;')
  const { user_version: version } = database.prepare('pragma user_version').get() as { user_version: number }
  MIGRATIONS.slice(version).forEach((migration, i) => {
    transaction(database, () => database.exec(`${migration} pragma user_version = ${version + i + 1};`))
  })
  return database
}

/**
 * Takes the lock file for this engine until `close`, or until the process ends in whatever way; throws STORE_LOCKED while
 * another has it. The store's own file cannot be the lock: prepared statements keep a closed connection, and its locks, alive until
 * they are garbage. Over this one only `exec` is used.
 */
export function takeLock(path: string): { close(): void } {
  const lock = new DatabaseSync(path)
  try {
    lock.exec('begin exclusive')
    return lock
  } catch (error) {
    lock.close()
    if (!SQLITE_BUSY.includes((error as { errcode?: number }).errcode ?? 0)) throw error
    const message = `${path} is held by another engine; stop that one first, or give this one a data directory of its own.`
    throw new AttestreamError('STORE_LOCKED', message, { path }, { cause: error })
  }
}

/** Runs `body` in one transaction; rolls back if it throws. */
export function transaction<T>(database: Database, body: () => T): T {
  database.exec('begin immediate')
  try {
    const result = body()
    database.exec('commit')
    return result
  } catch (error) {
    database.exec('rollback')
    throw error
  }
}

/** 20-digit decimal text of a u64. */
export function u64Text(value: bigint): string {
  return value.toString().padStart(20, '0')
}
