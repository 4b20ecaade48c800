// What holds up a transaction, in words for whoever can help.

import { formatEther, formatGwei } from 'viem'
import type { Hex } from '../core/codec.ts'
import { AttestreamError } from '../core/errors.ts'
import type { OutboxRecord } from './outbox.ts'

/** `needsWei`: at the price that the transaction offers; left out if the node did not get as far as that. */
export function fundsLow(account: Hex, action: string, hasWei: bigint, needsWei?: bigint): AttestreamError {
  const needs = needsWei === undefined ? 'needs more' : `needs ${formatEther(needsWei)}`
  const message = `Waiting for funds of ${account} to ${action}: it has ${formatEther(hasWei)}, ${needs} of the native coin. It goes on by itself when funded.`
  const details = { action, from: account, hasWei, needsWei: needsWei ?? null }
  return new AttestreamError('CHAIN_FUNDS_LOW', message, details)
}

/** `baseWei`: what the next block asks for. */
export function feeCapped(account: Hex, action: string, capWei: bigint, baseWei: bigint): AttestreamError {
  const prices = `the most that may be offered for a unit of gas is ${formatGwei(capWei)} gwei, and blocks ask for ${formatGwei(baseWei)} and a tip`
  const message = `The transaction to ${action} waits for a lower gas price: ${prices}. Raise maxFeePerGasWei, or wait.`
  return new AttestreamError('CHAIN_FEE_CAPPED', message, { action, from: account, capWei, baseWei })
}

export function nonceTaken({ account, action, nonce }: OutboxRecord): AttestreamError {
  const message = `Nonce ${nonce} of ${account}, meant to ${action}, was used by another sender with the same key. The step looks at the chain anew and goes on; give each sender a key of its own.`
  return new AttestreamError('CHAIN_NONCE_CONFLICT', message, { action, from: account, nonce })
}

export function closedError(): AttestreamError {
  return new AttestreamError(
    'ENGINE_CLOSED',
    'The engine is shutting down; what it has sent is followed at its next start.',
  )
}
