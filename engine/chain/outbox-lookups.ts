// What the chain knows of a written-down transaction: any of its attempts may be the one that counts.

import { TransactionNotFoundError, TransactionReceiptNotFoundError } from 'viem'
import type { PublicClient, TransactionReceipt } from 'viem'
import type { OutboxRecord } from './outbox.ts'

/** The receipt of the attempt that was mined. */
export async function findReceipt(
  client: PublicClient,
  { attempts }: OutboxRecord,
): Promise<TransactionReceipt | undefined> {
  for (const { hash } of attempts.toReversed()) {
    try {
      return await client.getTransactionReceipt({ hash })
    } catch (error) {
      if (!(error instanceof TransactionReceiptNotFoundError)) throw error
    }
  }
  return undefined
}

/** Whether the node has one of its attempts, mined or waiting. */
export async function isKnown(client: PublicClient, { attempts }: OutboxRecord): Promise<boolean> {
  for (const { hash } of attempts) {
    try {
      await client.getTransaction({ hash })
      return true
    } catch (error) {
      if (!(error instanceof TransactionNotFoundError)) throw error
    }
  }
  return false
}
