// Anchor and settle: the two transactions of a task. Both first look whether the chain already has what they would send, so that a crash
// between sending and recording neither pays twice nor sticks.

import type { Chain } from './chain/chain.ts'
import type { Sent as ChainSent } from './chain/connection.ts'
import type { AnchorRequest } from './chain/writes.ts'
import { AttestreamError } from './core/errors.ts'
import type { AnchorFields } from './core/journal.ts'
import type { Receipt } from './core/receipt.ts'

/** What a task keeps of a transaction. */
export type Sent = Pick<ChainSent, 'txHash' | 'gasUsed'>

export interface Anchored extends Sent {
  readonly batchNumber: bigint
  readonly anchor: AnchorFields
}

/** Anchors a batch. `plan` is called with its number before the transaction is sent, to be made durable. */
export async function anchorBatch(
  chain: Chain,
  batch: Omit<AnchorRequest, 'expectedNumber'>,
  plan: (batchNumber: bigint) => void,
): Promise<Anchored> {
  const { nextToAnchor } = await chain.getCohort(batch.projectId, batch.cohort)
  plan(nextToAnchor)
  const { txHash, gasUsed, anchor } = await chain.anchor({ ...batch, expectedNumber: nextToAnchor })
  return { txHash, gasUsed, anchor, batchNumber: nextToAnchor }
}

/** The anchor that an earlier attempt, which planned this number, left on chain; undefined if there is none of this batch or it is void. */
export async function findOpenAnchor(
  chain: Chain,
  batch: Omit<AnchorRequest, 'expectedNumber'>,
  planned: bigint,
): Promise<Anchored | undefined> {
  const found = await chain.findAnchor(batch.projectId, batch.cohort, planned)
  const isOurs = found?.anchor.batchRoot === batch.batchRoot && found.anchor.daPointer === batch.daPointer
  if (!isOurs || (await chain.getAnchorHash(batch.projectId, batch.cohort, planned)) === undefined) return undefined
  return { txHash: found.txHash, gasUsed: found.gasUsed, anchor: found.anchor, batchNumber: planned }
}

/** Settles a receipt, or adopts the settlement that the chain already has under its number. */
export async function settleReceipt(chain: Chain, receipt: Receipt): Promise<Sent> {
  const { projectId, cohort, batchNumber, journal } = receipt
  const found = await chain.findSettlement(projectId, cohort, batchNumber)
  if (!found) return chain.settle(receipt)
  if (found.ledgerAfter !== journal.ledgerAfter) {
    throw new AttestreamError(
      'RECEIPT_INVALID',
      `Batch ${batchNumber} of cohort ${cohort} is settled with ledger ${found.ledgerAfter}; this receipt claims ${journal.ledgerAfter}.`,
    )
  }
  return found
}
