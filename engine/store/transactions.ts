// Store of the transactions that the operator's account sends, each from before it is sent until no reorganisation can undo it.

import type { Outbox, OutboxRecord } from '../chain/outbox.ts'
import type { Hex } from '../core/codec.ts'
import type { Database, Row } from './database.ts'
import { fromJson, toJson } from './json.ts'

export function createTransactionStore(db: Database): Outbox {
  const statements = {
    all: db.prepare('select * from transactions where account = ? order by nonce'),
    put: db.prepare('insert into transactions (account, nonce, record) values (?, ?, ?)'),
    update: db.prepare('update transactions set record = ? where id = ?'),
    remove: db.prepare('delete from transactions where id = ?'),
  }
  return {
    transactions: (account: Hex) => (statements.all.all(account) as Row[]).map(recordOf),
    putTransaction(record) {
      const { lastInsertRowid } = statements.put.run(record.account, record.nonce, toJson(record))
      return { ...record, id: Number(lastInsertRowid) }
    },
    updateTransaction({ id, ...record }) {
      statements.update.run(toJson(record), id)
    },
    removeTransaction: (id) => void statements.remove.run(id),
  }
}

function recordOf(row: Row): OutboxRecord {
  return { ...fromJson<Omit<OutboxRecord, 'id'>>(row.record as string), id: row.id as number }
}
