// Anchor and settle: the two transactions of a task, each for one batch or for many. What the chain has already is adopted, so
// that a crash between sending and recording neither pays twice nor sticks; and one that the chain refuses holds up no other.

import type { Chain } from './chain/chain.ts'
import type { Sent as ChainSent } from './chain/connection.ts'
import type { AnchorRequest } from './chain/writes.ts'
import { AttestreamError, isRefusal } from './core/errors.ts'
import type { AnchorFields } from './core/journal.ts'
import type { Receipt } from './core/receipt.ts'

/** What a task keeps of a transaction; of one with others, its share of the gas. */
export type Sent = Pick<ChainSent, 'txHash' | 'gasUsed' | 'blockNumber' | 'blockHash'>

export interface Anchored extends Sent {
  readonly batchNumber: bigint
  readonly anchor: AnchorFields
}

/** What became of one of many; `later` if it is behind one that was refused. */
export type Result<T> = { readonly done: T } | { readonly failed: unknown } | 'later'

/**
 * Anchors batches of one project and version, all in one transaction; each in one of its own if the chain does not take them together.
 * The numbers must have been made durable before.
 */
export async function anchorBatches(chain: Chain, batches: readonly AnchorRequest[]): Promise<Result<Anchored>[]> {
  if (batches.length > 1) {
    try {
      const { anchors, ...sent } = await chain.anchorMany(batches)
      const gasUsed = sent.gasUsed / BigInt(batches.length)
      return batches.map(({ expectedNumber: batchNumber }, i) => ({
        done: { ...sent, gasUsed, anchor: anchors[i]!, batchNumber },
      }))
    } catch (error) {
      if (!isRefusal(error)) throw error
    }
  }
  const results: Result<Anchored>[] = []
  for (const batch of batches) {
    results.push(
      await chain.anchor(batch).then(
        (anchored) => ({ done: { ...anchored, batchNumber: batch.expectedNumber } }),
        (failed: unknown) => ({ failed }),
      ),
    )
  }
  return results
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
  return { ...found, batchNumber: planned }
}

/** The settlement that the chain has of a receipt's batch; undefined if there is none. Throws RECEIPT_INVALID if it is another one. */
export async function findSettlement(chain: Chain, receipt: Receipt): Promise<Sent | undefined> {
  const { projectId, cohort, batchNumber, journal } = receipt
  const found = await chain.findSettlement(projectId, cohort, batchNumber)
  if (!found || found.ledgerAfter === journal.ledgerAfter) return found
  throw new AttestreamError(
    'RECEIPT_INVALID',
    `Batch ${batchNumber} of cohort ${cohort} is settled with ledger ${found.ledgerAfter}; this receipt claims ${journal.ledgerAfter}.`,
  )
}

/**
 * Settles receipts, those of one cohort in their order, in as few transactions as the chain takes. A receipt that is refused is
 * taken out, with those behind it in its cohort, and the rest is sent again. One result each, in order.
 */
export async function settleReceipts(chain: Chain, receipts: readonly Receipt[]): Promise<Result<Sent>[]> {
  const results = new Map<Receipt, Result<Sent>>()
  let rest = [...receipts]
  while (rest.length > 0) {
    const sent = await sendSettlements(chain, rest)
    if (!('culprit' in sent)) {
      for (const receipt of rest) results.set(receipt, await settlementOf(chain, receipt, sent))
      break
    }
    const culprit = rest[sent.culprit]!
    results.set(culprit, { failed: sent.error })
    const behind = rest.slice(sent.culprit + 1).filter((receipt) => isSameCohort(receipt, culprit))
    for (const receipt of behind) results.set(receipt, 'later')
    rest = rest.filter((receipt) => receipt !== culprit && !behind.includes(receipt))
  }
  return receipts.map((receipt) => results.get(receipt)!)
}

interface Settled extends Sent {
  readonly settled: readonly { projectId: bigint; cohort: number; number: bigint }[]
}

/** One transaction; or which receipt the chain refuses it for. */
async function sendSettlements(
  chain: Chain,
  receipts: readonly Receipt[],
): Promise<Settled | { culprit: number; error: unknown }> {
  try {
    if (receipts.length > 1) return await chain.settleMany(receipts)
    const [{ projectId, cohort, batchNumber }] = receipts as readonly [Receipt]
    const sent = await chain.settle(receipts[0]!)
    return { ...sent, settled: [{ projectId, cohort, number: batchNumber }] }
  } catch (error) {
    if (!isRefusal(error)) throw error
    return { culprit: await findCulprit(chain, receipts, error), error }
  }
}

/** The contract names the receipt whose proof fails; for any other reason it is the last of the shortest refused beginning. */
async function findCulprit(chain: Chain, receipts: readonly Receipt[], error: AttestreamError): Promise<number> {
  if (receipts.length === 1) return 0
  const [index] = error.details.args as readonly unknown[]
  if (error.details.error === 'ReceiptRefused' && typeof index === 'bigint') return Number(index)
  if (await chain.wouldSettleMany(receipts)) throw error // refused on a state that has passed
  let [taken, refused] = [0, receipts.length]
  while (refused - taken > 1) {
    const middle = Math.floor((taken + refused) / 2)
    if (await chain.wouldSettleMany(receipts.slice(0, middle))) taken = middle
    else refused = middle
  }
  return taken
}

/** What the transaction did for a receipt; a batch that it passed over was settled by somebody else. */
async function settlementOf(chain: Chain, receipt: Receipt, sent: Settled): Promise<Result<Sent>> {
  const { projectId, cohort, batchNumber } = receipt
  const isIn = sent.settled.some((one) => isSameCohort(one, { projectId, cohort }) && one.number === batchNumber)
  if (isIn) return { done: { ...sent, gasUsed: sent.gasUsed / BigInt(sent.settled.length) } }
  try {
    const found = await findSettlement(chain, receipt)
    return found ? { done: found } : { failed: notSettled(receipt) }
  } catch (failed) {
    return { failed }
  }
}

function notSettled({ cohort, batchNumber }: Receipt): AttestreamError {
  const message = `Batch ${batchNumber} of cohort ${cohort} was passed over, and the node knows no settlement of it. It is tried again.`
  return new AttestreamError('CHAIN_UNAVAILABLE', message)
}

function isSameCohort(a: Pick<Receipt, 'projectId' | 'cohort'>, b: Pick<Receipt, 'projectId' | 'cohort'>): boolean {
  return a.projectId === b.projectId && a.cohort === b.cohort
}
