// Sends the transactions of a deployment one after another. Each is signed and written down before it goes out, so a run that
// ended anywhere goes on with the same nonce and the same transaction.

import { setTimeout } from 'node:timers/promises'
import { BaseError, InsufficientFundsError, keccak256, RpcRequestError, TransactionReceiptNotFoundError } from 'viem'
import type { Account, Chain, Hex, PublicClient, TransactionReceipt, Transport, WalletClient } from 'viem'
import { AttestreamError } from '../engine/core/errors.ts'
import { onChain } from '../engine/chain/reverts.ts'
import type { DeploymentRecord, PendingRecord } from './deploy-record.ts'

export interface SendOptions {
  publicClient: PublicClient
  walletClient: WalletClient<Transport, Chain, Account>
  record: DeploymentRecord
  /** Called whenever `record` changed. */
  save: () => void
  onSent?: (step: string, hash: Hex) => void
  /** How long a transaction may wait for its block. */
  timeoutMs: number
}

export interface Sender {
  /** Brings what an earlier run left unfinished to its end and writes it down, unless it can never be mined or failed. */
  finishPending(): Promise<void>
  /** `to` absent: a plain creation. Throws TRANSACTION_PENDING if it is not mined in time, CHAIN_REVERTED if it fails. */
  send(step: string, data: Hex, to?: Hex): Promise<void>
}

/** Estimates are taken against a state that may change before the transaction is mined. */
const GAS_MARGIN_PERCENT = 110n

export function createSender(options: SendOptions): Sender {
  const { publicClient, walletClient, record, save } = options
  const { account } = walletClient

  async function send(step: string, data: Hex, to?: Hex): Promise<void> {
    const pending = await sign(step, data, to)
    record.pending = pending
    save()
    await broadcast(pending)
    options.onSent?.(step, pending.hash)
    const receipt = await untilMined(pending)
    note(pending, receipt)
    if (receipt.status === 'success') return
    const message = `The transaction ${pending.hash} for ${step} failed in block ${receipt.blockNumber}; run the command again.`
    throw new AttestreamError('CHAIN_REVERTED', message, { step, hash: pending.hash })
  }

  async function finishPending(): Promise<void> {
    const { pending } = record
    if (pending) note(pending, (await receiptOf(pending.hash)) ?? (await sendAgain(pending)))
  }

  function note({ step, hash, nonce }: PendingRecord, receipt: TransactionReceipt | undefined): void {
    delete record.pending
    if (receipt?.status === 'success') {
      const { blockNumber, gasUsed } = receipt
      record.transactions[step] = { hash, nonce, block: Number(blockNumber), gasUsed: gasUsed.toString() }
    }
    save()
  }

  /** Undefined if another transaction took the nonce: this one is then void. */
  async function sendAgain(pending: PendingRecord): Promise<TransactionReceipt | undefined> {
    const used = await onChain('read the nonce', () =>
      publicClient.getTransactionCount({ address: pending.from, blockTag: 'latest' }),
    )
    if (used > pending.nonce) return receiptOf(pending.hash)
    await broadcast(pending)
    options.onSent?.(pending.step, pending.hash)
    return untilMined(pending)
  }

  async function sign(step: string, data: Hex, to?: Hex): Promise<PendingRecord> {
    if (!account.signTransaction) throw new TypeError('the deployer must be an account that signs here')
    const request = await onChain(`prepare ${step}`, async () => {
      const from = account.address
      const gas = await publicClient.estimateGas({ account: from, data, to: to ?? null })
      const nonce = await publicClient.getTransactionCount({ address: from, blockTag: 'pending' })
      return walletClient.prepareTransactionRequest({ data, ...(to ? { to } : {}), nonce, gas: (gas * GAS_MARGIN_PERCENT) / 100n }) // prettier-ignore
    })
    const signed = await walletClient.signTransaction(request as never)
    return { step, from: account.address, hash: keccak256(signed), nonce: request.nonce, signed }
  }

  /**
   * A node that knows the transaction already says so with an error; whether it is there is what counts. What the node refused
   * is not pending; after a broken connection it may be.
   */
  async function broadcast(pending: PendingRecord): Promise<void> {
    try {
      await publicClient.sendRawTransaction({ serializedTransaction: pending.signed as never })
    } catch (error) {
      if (await isKnown(pending.hash)) return
      if (hasCause(error, RpcRequestError)) {
        delete record.pending
        save()
      }
      if (hasCause(error, InsufficientFundsError)) throw insufficientFunds(pending.from, `for ${pending.step}`)
      await onChain(`send ${pending.step}`, () => Promise.reject(error as Error))
    }
  }

  async function isKnown(hash: Hex): Promise<boolean> {
    return publicClient.getTransaction({ hash }).then(
      () => true,
      () => false,
    )
  }

  async function receiptOf(hash: Hex): Promise<TransactionReceipt | undefined> {
    return onChain(`look for the receipt of ${hash}`, () =>
      publicClient.getTransactionReceipt({ hash }).catch((error: unknown) => {
        if (error instanceof TransactionReceiptNotFoundError) return undefined
        throw error
      }),
    )
  }

  async function untilMined({ hash, step }: PendingRecord): Promise<TransactionReceipt> {
    const endMs = Date.now() + options.timeoutMs
    for (;;) {
      const receipt = await receiptOf(hash)
      if (receipt) return receipt
      if (Date.now() > endMs) {
        const message = `The transaction ${hash} for ${step} is not in a block after ${options.timeoutMs / 1000} s. Run the command again later: it goes on here.` // prettier-ignore
        throw new AttestreamError('TRANSACTION_PENDING', message, { step, hash })
      }
      await setTimeout(publicClient.pollingInterval)
    }
  }

  return { send, finishPending }
}

export function insufficientFunds(address: Hex, purpose: string): AttestreamError {
  const message = `${address} cannot pay ${purpose}; send it more and run the command again.`
  return new AttestreamError('FUNDS_INSUFFICIENT', message, { address })
}

function hasCause(error: unknown, type: typeof RpcRequestError | typeof InsufficientFundsError): boolean {
  return error instanceof BaseError && error.walk((cause) => cause instanceof type) !== null
}
