// Retention: which data-availability objects may go after their time. What nobody could go on without stays: batches not yet settled,
// the latest page of each cohort, and every applet.

import type { Hex } from './core/codec.ts'
import type { DataAvailability } from './da/embedded.ts'
import type { Store } from './store/index.ts'

/** Deletes objects stored before `beforeMs` that may go; returns their pointers. */
export function pruneObjects(
  store: Pick<Store, 'livePointers' | 'appletIds'>,
  da: DataAvailability,
  beforeMs: number,
): Promise<Hex[]> {
  const keep = store.livePointers()
  for (const appletId of store.appletIds({ limit: -1, offset: 0 })) keep.add(appletId)
  return da.prune(beforeMs, keep)
}
