// Where transactions are written down before they are sent: the port that the engine's store stands behind for the operator's account.
// Other accounts get one in memory: whoever signs with them is there to look after them.

import type { Hex } from '../core/codec.ts'
import type { Fees } from './fees.ts'

/** One signed form of a transaction. */
export interface Attempt extends Fees {
  readonly hash: Hex
  /** Signed bytes. */
  readonly raw: Hex
  readonly signedMs: number
}

/** A transaction with its nonce, from before it is sent until nothing can undo it. All its attempts share the nonce: one can be mined. */
export interface OutboxRecord {
  readonly id: number
  readonly account: Hex
  readonly nonce: number
  /** "settle batch 3". */
  readonly action: string
  readonly taskIds: readonly Hex[]
  /** What it decides: while it is open, nothing is sent that decides one of the same. */
  readonly keys: readonly string[]
  readonly to: Hex
  readonly data: Hex
  readonly gas: bigint
  /** Oldest first. */
  readonly attempts: readonly Attempt[]
  /** The block that it counts in, null while it is open. A reorganisation opens it again. */
  readonly block: { readonly number: bigint; readonly hash: Hex } | null
}

export interface Outbox {
  /** Of an account, lowest nonce first. */
  transactions(account: Hex): OutboxRecord[]
  /** Durable when it returns. No two of an account have the same nonce. */
  putTransaction(record: Omit<OutboxRecord, 'id'>): OutboxRecord
  /** Replaces the record with this id; durable when it returns. */
  updateTransaction(record: OutboxRecord): void
  removeTransaction(id: number): void
}

export function createMemoryOutbox(): Outbox {
  const records = new Map<number, OutboxRecord>()
  let lastId = 0
  return {
    transactions: (account) =>
      [...records.values()].filter((record) => record.account === account).sort((a, b) => a.nonce - b.nonce),
    putTransaction(record) {
      const put = { ...record, id: ++lastId }
      records.set(put.id, put)
      return put
    },
    updateTransaction: (record) => void records.set(record.id, record),
    removeTransaction: (id) => void records.delete(id),
  }
}
