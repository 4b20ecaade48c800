// Prove: from a batch and its native result to a receipt. The journal is computed natively and given to the circuit,
// which has no witness unless it computes the same: a disagreement ends the task before anything is submitted.

import type { AppletLayouts, Batch } from './core/batch.ts'
import type { Hex } from './core/codec.ts'
import { binding, packLanes, type Domain, type Journal } from './core/journal.ts'
import type { RawRecord } from './core/layout.ts'
import { ledgerHash, type LedgerPage } from './core/ledger.ts'
import type { Receipt } from './core/receipt.ts'
import { encodeSeal } from './core/seal.ts'
import type { PublicKey } from './core/signature.ts'
import { circuitInput } from './core/witness.ts'
import type { OnProgress, Prover, ProvingFiles } from './prover/prover.ts'

/** An executed batch and all that its journal and witness are made of. */
export interface ProveJob {
  readonly files: ProvingFiles
  readonly vkHash: Hex
  readonly devSetup: boolean
  readonly layouts: AppletLayouts
  readonly domain: Domain
  readonly deviceDomain: bigint
  readonly appletId: Hex
  readonly version: number
  readonly batchNumber: bigint
  readonly payee: Hex
  readonly daPointer: Hex
  readonly frameSize: number
  readonly batch: Batch
  readonly keys: readonly (PublicKey | null)[]
  readonly leaves: readonly bigint[]
  readonly identityRoot: bigint
  readonly batchRoot: bigint
  readonly configHash: bigint
  readonly config: RawRecord
  readonly anchorTime: bigint
  readonly pageBefore: LedgerPage
  readonly pageAfter: LedgerPage
  readonly unitsBySlot: readonly bigint[]
}

export interface Proven {
  readonly receipt: Receipt
  readonly witnessMs: number
  readonly proveMs: number
}

/** Throws CIRCUIT_DISAGREES or PROOF_FAILED, or the signal's reason. */
export async function proveBatch(
  prover: Prover,
  job: ProveJob,
  signal?: AbortSignal,
  onProgress?: OnProgress,
): Promise<Proven> {
  const journal = batchJournal(job)
  const { frameSize, batch, keys, leaves, pageBefore, config } = job
  const { reading } = job.layouts
  const input = circuitInput({ reading, frameSize, batch, keys, leaves, pageBefore, config, journal })
  const { proof, witnessMs, proveMs } = await prover.prove({ files: job.files, input }, signal, onProgress)
  const { appletId, version, batchNumber, payee, daPointer, devSetup, vkHash } = job
  const seal = encodeSeal(vkHash, proof)
  const { cohort } = batch
  const place = { appletId, version, cohort, batchNumber, payee, daPointer, devSetup }
  return { receipt: { ...job.domain, ...place, journal, seal }, witnessMs, proveMs }
}

/** What the batch claims in public. */
function batchJournal(job: Omit<ProveJob, 'files' | 'vkHash' | 'devSetup' | 'keys' | 'leaves'>): Journal {
  const { layouts, domain, version, batchNumber, payee, batch } = job
  return {
    identityRoot: job.identityRoot,
    ledgerBefore: ledgerHash(layouts.state, job.pageBefore),
    ledgerAfter: ledgerHash(layouts.state, job.pageAfter),
    batchRoot: job.batchRoot,
    configHash: job.configHash,
    deviceDomain: job.deviceDomain,
    anchorTime: job.anchorTime,
    binding: binding(domain, { version, cohort: batch.cohort, batchNumber, payee }),
    lanes: packLanes(job.unitsBySlot),
  }
}
