// The engine's durable state behind one door.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createCatalogue, type Catalogue } from './catalogue.ts'
import { openDatabase } from './database.ts'
import { createFrameStore, type FrameStore } from './frames.ts'
import { createTaskStore, type TaskStore } from './tasks.ts'

export type { StoredCircuit, Limits } from './catalogue.ts'
export type { StoredFrame, PendingCohort } from './frames.ts'
export type { NewTask, Task, TaskChange, TaskWork } from './tasks.ts'

export type Store = Catalogue & FrameStore & TaskStore & { close(): void }

/** Opens the store in a directory, creating both when absent. One process at a time. */
export function openStore(directory: string): Store {
  mkdirSync(directory, { recursive: true })
  const database = openDatabase(join(directory, 'engine.sqlite'))
  return {
    ...createCatalogue(database),
    ...createFrameStore(database),
    ...createTaskStore(database),
    close: () => database.close(),
  }
}
