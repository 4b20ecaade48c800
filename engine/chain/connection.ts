// The connection to a node: one client to read, and one way to send. A transaction is estimated first, so a refusal costs no
// gas and comes with its reason; each account's transactions are written down and followed in an order of their own
// (transactions.ts), the operator's in the outbox that it is given.

import { createPublicClient, defineChain } from 'viem'
import type { Chain as ViemChain, Log, PublicClient } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import type { Hex } from '../core/codec.ts'
import { AttestreamError } from '../core/errors.ts'
import { createEndpoints } from './endpoints.ts'
import { finalityOf } from './finality.ts'
import { createMemoryOutbox, type Outbox } from './outbox.ts'
import { chainError, onChain } from './reverts.ts'
import { createTransactions, type Transactions } from './transactions.ts'
import type { Call as OperatorCall } from './transactions.ts'

export interface ConnectionOptions {
  readonly rpcUrl: string
  /** Further endpoints of the same chain, in order of preference: used while those before do not answer, lag or serve another chain. */
  readonly fallbackRpcUrls?: readonly string[]
  readonly chainId: number
  /** Signs whatever is sent without a key of its own: the operator's. */
  readonly privateKey: Hex
  /** Blocks that must hold a transaction before it counts, its own included. Default: of the chain (finality.ts), 1 if it is unknown. */
  readonly confirmations?: number
  /** Blocks for which what counts is watched, and done again if a reorganisation drops it. Default: of the chain, 64 if it is unknown. */
  readonly finalityBlocks?: number
  /** A transaction that is next and not mined for so long is sent again with a higher fee. Default 60 s. */
  readonly replaceAfterMs?: number
  /** Most that is offered for a unit of gas. Default: ten times what the first attempt of a transaction offered. */
  readonly maxFeePerGasWei?: bigint
  /** Default 100 ms on this machine, 2 s otherwise. */
  readonly pollingIntervalMs?: number
  /** Longest that an endpoint may take for an answer. Default 10 s. */
  readonly rpcTimeoutMs?: number
}

/** What every write returns beside its events' fields. */
export interface Sent {
  readonly txHash: Hex
  readonly gasUsed: bigint
  readonly blockNumber: bigint
  readonly blockHash: Hex
  /** Unix time in seconds of the block. */
  readonly blockTime: bigint
}

export interface Call extends OperatorCall {
  /** Default: the operator's key. */
  readonly privateKey?: Hex | undefined
}

export interface Connection {
  readonly publicClient: PublicClient
  readonly operator: Hex
  send(call: Call): Promise<Sent & { logs: Log[] }>
  /** Whether the chain would take the call now. */
  check(call: Call): Promise<boolean>
  /** The operator's. */
  readonly transactions: Pick<Transactions, 'untilDecided' | 'recheck' | 'pending'>
  /** Stops following transactions; those who wait for one get ENGINE_CLOSED. */
  close(): Promise<void>
}

/** What of a sent call its caller gets. */
export function sent({ txHash, gasUsed, blockNumber, blockHash, blockTime }: Sent): Sent {
  return { txHash, gasUsed, blockNumber, blockHash, blockTime }
}

const LOCAL_POLLING_MS = 100
const REMOTE_POLLING_MS = 2000
const REPLACE_AFTER_MS = 60_000

/**
 * Connects and checks that the node serves the expected chain. Without an `outbox` no transaction is followed any more once it counts.
 * Throws CHAIN_UNREACHABLE, CHAIN_UNAVAILABLE or CHAIN_MISMATCH.
 */
export async function connect(options: ConnectionOptions, outbox?: Outbox): Promise<Connection> {
  const { chainId, rpcUrl, fallbackRpcUrls = [] } = options
  const chain = describeChain(options)
  const local = /^https?:\/\/(127\.0\.0\.1|localhost)[:/]/.test(rpcUrl)
  const pollingIntervalMs = options.pollingIntervalMs ?? (local ? LOCAL_POLLING_MS : REMOTE_POLLING_MS)
  const transport = createEndpoints([rpcUrl, ...fallbackRpcUrls], chainId, options.rpcTimeoutMs)
  const publicClient: PublicClient = createPublicClient({
    chain,
    transport,
    pollingInterval: pollingIntervalMs,
    cacheTime: 0,
  })
  const actual = await onChain('read the chain id', () => publicClient.getChainId())
  if (actual !== chainId) {
    const message = `${rpcUrl} serves chain ${actual}; the engine is configured for chain ${chainId}.`
    throw new AttestreamError('CHAIN_MISMATCH', message, { actual, expected: chainId })
  }
  const rules = {
    ...finalityOf(chainId, options),
    pollingIntervalMs,
    replaceAfterMs: options.replaceAfterMs ?? REPLACE_AFTER_MS,
    maxFeePerGasWei: options.maxFeePerGasWei,
  }
  const context = { client: publicClient, chainId, nowMs: Date.now }
  const operatorAccount = privateKeyToAccount(options.privateKey)
  const unfollowed = { ...rules, finalityBlocks: 0 }
  const operator = outbox
    ? createTransactions({ ...context, account: operatorAccount, outbox, rules })
    : createTransactions({ ...context, account: operatorAccount, outbox: createMemoryOutbox(), rules: unfollowed })
  const byAddress = new Map<Hex, Transactions>([[operatorAccount.address, operator]])

  function transactionsOf(privateKey: Hex): Transactions {
    const account = privateKeyToAccount(privateKey)
    const known = byAddress.get(account.address)
    if (known) return known
    const created = createTransactions({ ...context, account, outbox: createMemoryOutbox(), rules: unfollowed })
    byAddress.set(account.address, created)
    return created
  }

  async function send(call: Call): Promise<Sent & { logs: Log[] }> {
    const { privateKey = options.privateKey, ...rest } = call
    try {
      const receipt = await transactionsOf(privateKey).send(rest)
      if (receipt.status !== 'success') throw await refusal(publicClient, call, receipt.from, receipt.blockNumber)
      const block = await publicClient.getBlock({ blockNumber: receipt.blockNumber })
      const { transactionHash: txHash, gasUsed, blockNumber, blockHash, logs } = receipt
      return { txHash, gasUsed, blockNumber, blockHash, blockTime: block.timestamp, logs }
    } catch (error) {
      throw chainError(call.action, error, privateKeyToAccount(privateKey).address)
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

  return {
    publicClient,
    operator: operatorAccount.address,
    send,
    check,
    transactions: operator,
    close: async () => void (await Promise.all([...byAddress.values()].map((each) => each.close()))),
  }
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
