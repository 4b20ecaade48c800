// Execute: run the applet natively over an anchored batch and fold the results into the next ledger page.

import type { AppletAbi } from './core/applet.ts'
import type { Batch } from './core/batch.ts'
import { applyResults, slotJobs, type Execution } from './core/execution.ts'
import type { RawRecord } from './core/layout.ts'
import type { LedgerPage } from './core/ledger.ts'
import type { Runner } from './runner/pool.ts'

/** A batch with all that decides its result. */
export interface ExecuteJob {
  readonly wasm: Uint8Array
  readonly abi: AppletAbi
  readonly config: RawRecord
  readonly anchorTimeSec: bigint
  readonly batch: Batch
  readonly pageBefore: LedgerPage
}

/** Throws APPLET_BUDGET_EXCEEDED or APPLET_TIMEOUT if the applet runs away; a reading it rejects is a result, not an error. */
export async function executeBatch(runner: Runner, job: ExecuteJob): Promise<Execution> {
  const { wasm, abi, config, anchorTimeSec, batch, pageBefore } = job
  const { slots } = await runner.run({ wasm, config, anchorTimeSec, slots: slotJobs(batch, pageBefore) })
  return applyResults(batch, pageBefore, slots, abi.maxUnitsPerFrame)
}
