// The connection to a node: one client to read, and one way to send. A transaction is estimated first, so a refusal costs no
// gas and comes with its reason; transactions of one account are handed to the node one after another, so two steps of the
// engine never take the same nonce; and none counts before it has the wanted confirmations.

import { setTimeout } from 'node:timers/promises'
import { createPublicClient, createWalletClient, defineChain, http, TransactionReceiptNotFoundError } from 'viem'
import type { Chain as ViemChain, Log, PublicClient } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import type { Hex } from '../core/codec.ts'
import { AttestreamError } from '../core/errors.ts'
import { chainError, onChain } from './reverts.ts'

export interface ConnectionOptions {
  readonly rpcUrl: string
  readonly chainId: number
  /** Signs whatever is sent without a key of its own: the operator's. */
  readonly privateKey: Hex
  /** Blocks that must hold a transaction before it counts, its own included. Default 1. */
  readonly confirmations?: number
  /** Default 100 ms on this machine, 2 s otherwise. */
  readonly pollingIntervalMs?: number
}

/** What every write returns beside its events' fields. */
export interface Sent {
  readonly txHash: Hex
  readonly gasUsed: bigint
  readonly blockNumber: bigint
  /** Unix time in seconds of the block. */
  readonly blockTime: bigint
}

export interface Call {
  /** Names the call in errors: "settle batch 3". */
  readonly action: string
  readonly to: Hex
  readonly data: Hex
  /** Default: the operator's key. */
  readonly privateKey?: Hex | undefined
}

export interface Connection {
  readonly publicClient: PublicClient
  readonly operator: Hex
  send(call: Call): Promise<Sent & { logs: Log[] }>
  /** Whether the chain would take the call now. */
  check(call: Call): Promise<boolean>
}

/** What of a sent call its caller gets. */
export function sent({ txHash, gasUsed, blockNumber, blockTime }: Sent): Sent {
  return { txHash, gasUsed, blockNumber, blockTime }
}

const LOCAL_POLLING_MS = 100
const REMOTE_POLLING_MS = 2000
const RECEIPT_TIMEOUT_MS = 180_000
/** An estimate is taken against a state that may change before the transaction is mined. */
const GAS_MARGIN_PERCENT = 125n

/** Connects and checks that the node serves the expected chain; throws CHAIN_UNAVAILABLE or CHAIN_MISMATCH. */
export async function connect(options: ConnectionOptions): Promise<Connection> {
  const chain = describeChain(options)
  const local = /^https?:\/\/(127\.0\.0\.1|localhost)[:/]/.test(options.rpcUrl)
  const pollingInterval = options.pollingIntervalMs ?? (local ? LOCAL_POLLING_MS : REMOTE_POLLING_MS)
  const transport = http(options.rpcUrl)
  const publicClient: PublicClient = createPublicClient({ chain, transport, pollingInterval, cacheTime: 0 })
  const actual = await onChain('read the chain id', () => publicClient.getChainId())
  if (actual !== options.chainId) {
    const message = `${options.rpcUrl} serves chain ${actual}; the engine is configured for chain ${options.chainId}.`
    throw new AttestreamError('CHAIN_MISMATCH', message, { actual, expected: options.chainId })
  }
  const lastSend = new Map<Hex, Promise<unknown>>()

  function submit({ to, data, privateKey }: Call): Promise<Hex> {
    const account = privateKeyToAccount(privateKey ?? options.privateKey)
    const wallet = createWalletClient({ account, chain, transport })
    const handOver = async (): Promise<Hex> => {
      const estimate = await publicClient.estimateGas({ account: account.address, to, data })
      const nonce = await publicClient.getTransactionCount({ address: account.address, blockTag: 'pending' })
      return wallet.sendTransaction({ to, data, nonce, gas: (estimate * GAS_MARGIN_PERCENT) / 100n })
    }
    const sent = (lastSend.get(account.address) ?? Promise.resolve()).then(handOver)
    lastSend.set(
      account.address,
      sent.catch(() => undefined),
    )
    return sent
  }

  /** viem looks for a receipt once a block, and a node may announce a block before its receipts: without a next block it waits in vain. */
  async function untilMined(hash: Hex): Promise<void> {
    const endMs = Date.now() + RECEIPT_TIMEOUT_MS
    for (;;) {
      try {
        return void (await publicClient.getTransactionReceipt({ hash }))
      } catch (error) {
        if (!(error instanceof TransactionReceiptNotFoundError) || Date.now() > endMs) throw error
      }
      await setTimeout(pollingInterval)
    }
  }

  async function send(call: Call): Promise<Sent & { logs: Log[] }> {
    const from = privateKeyToAccount(call.privateKey ?? options.privateKey).address
    try {
      const hash = await submit(call)
      const confirmations = options.confirmations ?? 1
      await untilMined(hash)
      const receipt = await publicClient.waitForTransactionReceipt({ hash, confirmations, timeout: RECEIPT_TIMEOUT_MS })
      if (receipt.status !== 'success') throw await refusal(publicClient, call, receipt.from, receipt.blockNumber)
      const block = await publicClient.getBlock({ blockNumber: receipt.blockNumber })
      const { transactionHash: txHash, gasUsed, blockNumber, logs } = receipt
      return { txHash, gasUsed, blockNumber, blockTime: block.timestamp, logs }
    } catch (error) {
      throw chainError(call.action, error, from)
    }
  }

  async function check({ action, to, data, privateKey }: Call): Promise<boolean> {
    const account = privateKeyToAccount(privateKey ?? options.privateKey)
    try {
      await publicClient.call({ account: account.address, to, data })
      return true
    } catch (error) {
      const coded = chainError(action, error)
      if ('error' in coded.details) return false
      throw coded
    }
  }

  return { publicClient, operator: privateKeyToAccount(options.privateKey).address, send, check }
}

/** Why a mined transaction reverted: the same call on the state after its block, which most often refuses alike. */
async function refusal(client: PublicClient, call: Call, from: Hex, blockNumber: bigint): Promise<AttestreamError> {
  try {
    await client.call({ account: from, to: call.to, data: call.data, blockNumber })
  } catch (error) {
    return chainError(call.action, error)
  }
  const message = `The transaction to ${call.action} reverted in block ${blockNumber}, though the same call passes now.`
  return new AttestreamError('CHAIN_REVERTED', `${message} Try again.`, {
    action: call.action,
    error: 'reverted',
    args: [],
  })
}

function describeChain({ chainId, rpcUrl }: ConnectionOptions): ViemChain {
  return defineChain({
    id: chainId,
    name: `chain ${chainId}`,
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [rpcUrl] } },
  })
}
