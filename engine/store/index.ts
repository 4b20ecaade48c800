// The engine's durable state behind one door.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Outbox } from '../chain/outbox.ts'
import { createCatalogue, type Catalogue } from './catalogue.ts'
import { openDatabase, takeLock, type Database } from './database.ts'
import { createFrameStore, type FrameStore } from './frames.ts'
import { createTaskStore, type TaskStore } from './tasks.ts'
import { createTransactionStore } from './transactions.ts'

export type { StoredCircuit, Limits } from './catalogue.ts'
export type { StoredFrame, PendingCohort } from './frames.ts'
export type { CohortUpgrade, Inclusion, NewTask, Task, TaskChange, TaskWork } from './tasks.ts'

export type Store = Catalogue & FrameStore & TaskStore & Outbox & { close(): void }

/** Opens the store in a directory, creating both when absent; throws STORE_LOCKED while another engine has it open. */
export function openStore(directory: string): Store {
  mkdirSync(directory, { recursive: true })
  const lock = takeLock(join(directory, 'engine.lock'))
  const database = openUnder(lock, join(directory, 'engine.sqlite'))
  return {
    ...createCatalogue(database),
    ...createFrameStore(database),
    ...createTaskStore(database),
    ...createTransactionStore(database),
    close() {
      database.close()
      lock.close()
    },
  }
}

function openUnder(lock: { close(): void }, path: string): Database {
  try {
    return openDatabase(path)
  } catch (error) {
    lock.close()
    throw error
  }
}
