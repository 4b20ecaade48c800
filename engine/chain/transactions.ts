// The transactions of one account. Each is written down, signed and with its nonce, before it is sent, and followed until it counts:
// sent again when nodes lose it, replaced under the same nonce and with a higher fee when it is stuck, opened again when a
// reorganisation drops it. It is given up only once the chain has used its nonce for another. So after a crash, or whatever the
// nodes do, nothing is decided by two transactions at a time, and nothing waits for ever without a reason that is shown.

import type { PublicClient, TransactionReceipt } from 'viem'
import { keccak256 } from 'viem'
import type { PrivateKeyAccount } from 'viem/accounts'
import type { Hex } from '../core/codec.ts'
import { isAttestreamError, type AttestreamError } from '../core/errors.ts'
import type { TransactionRecord } from '../records.ts'
import { cappedFees, marketFees, raisedFees, type Fees } from './fees.ts'
import type { Attempt, Outbox, OutboxRecord } from './outbox.ts'
import { findReceipt, isKnown } from './outbox-lookups.ts'
import { chainError } from './reverts.ts'
import { closedError, feeCapped, fundsLow, nonceTaken } from './troubles.ts'

export interface TransactionRules {
  /** Blocks that must hold a transaction before it counts, its own included. */
  readonly confirmations: number
  /** Blocks after which no reorganisation is expected any more; 0 for one that is not followed once it counts. */
  readonly finalityBlocks: number
  readonly pollingIntervalMs: number
  /** A transaction that is next and not mined for so long is replaced. */
  readonly replaceAfterMs: number
  /** No more is offered for a unit of gas; default: ten times what the first attempt of a transaction offered. */
  readonly maxFeePerGasWei?: bigint | undefined
}

export interface TransactionsContext {
  readonly client: PublicClient
  readonly chainId: number
  readonly account: PrivateKeyAccount
  readonly outbox: Outbox
  readonly rules: TransactionRules
  readonly nowMs: () => number
}

/** What is to be sent. */
export interface Call {
  /** Names the call in errors: "settle batch 3". */
  readonly action: string
  readonly to: Hex
  readonly data: Hex
  /** The tasks that it is for. */
  readonly taskIds?: readonly Hex[]
  /** What it decides; it waits until no other decides one of the same. */
  readonly keys?: readonly string[]
}

/** A transaction that does not count yet, and what holds it up. */
export interface PendingTransaction extends Omit<TransactionRecord, 'trouble'> {
  readonly trouble: AttestreamError | null
}

export interface Transactions {
  /**
   * Sends a call and resolves with its receipt, of whatever status, when it counts. Throws the refusal of the estimate, CHAIN_FUNDS_LOW,
   * CHAIN_FEE_CAPPED or CHAIN_UNREACHABLE; what was written down before is followed all the same. CHAIN_NONCE_CONFLICT: given up.
   */
  send(call: Call): Promise<TransactionReceipt>
  /** Resolves when no transaction with one of the keys is open; throws what holds one up. */
  untilDecided(keys: readonly string[]): Promise<void>
  /** Looks whether what counts is still on chain: what is not is open again. What no reorganisation can undo is forgotten. */
  recheck(): Promise<void>
  pending(): PendingTransaction[]
  /** Stops following; those who wait get ENGINE_CLOSED. */
  close(): Promise<void>
}

interface Waiter {
  readonly resolve: (receipt: TransactionReceipt) => void
  readonly reject: (error: AttestreamError) => void
}

/** An estimate is taken against a state that may change before the transaction is mined. */
const GAS_MARGIN_PERCENT = 125n
const DEFAULT_CAP_FACTOR = 10n
/** Looks in a row that find a nonce used and no trace of the transaction, before it is given up. */
const LOOKS_UNTIL_DEAD = 3
/** Between looks while nobody waits, and before an open transaction is handed over again. */
const IDLE_MS = 2000

export function createTransactions({
  client,
  chainId,
  account,
  outbox,
  rules,
  nowMs,
}: TransactionsContext): Transactions {
  const { address } = account
  const waiters = new Map<number, Waiter[]>()
  const troubles = new Map<number, AttestreamError>()
  /** When a node last took it, in this run. */
  const takenMs = new Map<number, number>()
  /** When the latest attempt was handed over first, in this run. */
  const waitsSinceMs = new Map<number, number>()
  const withoutTrace = new Map<number, number>()
  /** Never handed to a node before this run. */
  const fresh = new Set<number>()
  const underpriced = new Set<number>()
  let turn: Promise<unknown> = Promise.resolve()
  let timer: NodeJS.Timeout | undefined
  let looking: Promise<void> | undefined
  let closed = false

  const open = (): OutboxRecord[] => outbox.transactions(address).filter(({ block }) => block === null)

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = turn.then(work)
    turn = done.catch(() => undefined)
    return done
  }

  async function send(call: Call): Promise<TransactionReceipt> {
    await untilDecided(call.keys ?? [])
    return outcome(await inTurn(() => begin(call)))
  }

  /** Everything up to the first time that a node is handed the transaction. */
  async function begin({ action, to, data, taskIds = [], keys = [] }: Call): Promise<number> {
    const gas = await gasOf(action, to, data)
    const { baseFeePerGas } = await client.getBlock()
    const market = await marketFees(client, baseFeePerGas)
    const cap = rules.maxFeePerGasWei ?? market.maxFeePerGasWei
    if (cap < (baseFeePerGas ?? market.maxFeePerGasWei)) throw feeCapped(address, action, cap, baseFeePerGas ?? cap)
    const fees = cappedFees(market, cap)
    await requireFunds(action, gas * fees.maxFeePerGasWei)
    const pending = await client.getTransactionCount({ address, blockTag: 'pending' })
    const nonce = Math.max(pending, ...outbox.transactions(address).map((record) => record.nonce + 1))
    if (closed) throw closedError()
    const body = { account: address, nonce, action, taskIds, keys, to, data, gas, block: null }
    const record = outbox.putTransaction({ ...body, attempts: [await sign(body, fees)] })
    fresh.add(record.id)
    const refused = await handOver(record).catch(() => undefined) // a look hands it over again
    if (refused) throw refused
    return record.id
  }

  async function gasOf(action: string, to: Hex, data: Hex): Promise<bigint> {
    try {
      return ((await client.estimateGas({ account: address, to, data })) * GAS_MARGIN_PERCENT) / 100n
    } catch (error) {
      const coded = chainError(action, error, address)
      if (!isAttestreamError(coded, 'CHAIN_FUNDS_LOW')) throw coded
      throw fundsLow(address, action, await client.getBalance({ address }))
    }
  }

  async function requireFunds(action: string, needsWei: bigint): Promise<void> {
    const hasWei = await client.getBalance({ address })
    if (hasWei < needsWei) throw fundsLow(address, action, hasWei, needsWei)
  }

  async function sign(
    { nonce, to, data, gas }: Pick<OutboxRecord, 'nonce' | 'to' | 'data' | 'gas'>,
    fees: Fees,
  ): Promise<Attempt> {
    const { maxFeePerGasWei: maxFeePerGas, maxPriorityFeePerGasWei: maxPriorityFeePerGas } = fees
    const body = { chainId, nonce, to, data, gas }
    const raw = await account.signTransaction(
      maxPriorityFeePerGas === null
        ? { ...body, type: 'legacy', gasPrice: maxFeePerGas }
        : { ...body, type: 'eip1559', maxFeePerGas, maxPriorityFeePerGas },
    )
    return { ...fees, raw, hash: keccak256(raw), signedMs: nowMs() }
  }

  /** Throws if no node answers. What a node refuses it for is kept as trouble, or returned if the transaction is given up for it. */
  async function handOver(record: OutboxRecord): Promise<AttestreamError | undefined> {
    const { id, action } = record
    const latest = record.attempts.at(-1)!
    try {
      await client.sendRawTransaction({ serializedTransaction: latest.raw })
    } catch (error) {
      const coded = chainError(action, error, address)
      if (isAttestreamError(coded, 'CHAIN_UNREACHABLE')) {
        fresh.delete(id) // it may have arrived all the same
        throw coded
      }
      if (isAttestreamError(coded, 'CHAIN_FEE_LOW')) return void underpriced.add(id)
      if (isAttestreamError(coded, 'CHAIN_FUNDS_LOW')) {
        const needsWei = record.gas * latest.maxFeePerGasWei
        return void troubles.set(id, fundsLow(address, action, await client.getBalance({ address }), needsWei))
      }
      const isTaken = isAttestreamError(coded, 'CHAIN_NONCE_CONFLICT') // a node has it, or the nonce is used: the receipts tell
      if (!isTaken && fresh.has(id) && isLast(record)) {
        giveUp(record, coded)
        return coded
      }
      if (!isTaken) return void troubles.set(id, coded)
    }
    takenMs.set(id, nowMs())
    if (!waitsSinceMs.has(id)) waitsSinceMs.set(id, nowMs())
    fresh.delete(id)
    troubles.delete(id)
    return undefined
  }

  /** Whether nothing waits behind it: a nonce that is never used would hold up those after it for ever. */
  function isLast({ nonce }: OutboxRecord): boolean {
    return outbox.transactions(address).every((other) => other.nonce <= nonce)
  }

  function outcome(id: number): Promise<TransactionReceipt> {
    return new Promise((resolve, reject) => {
      if (closed) return reject(closedError())
      waiters.set(id, [...(waiters.get(id) ?? []), { resolve, reject }])
      schedule(0)
    })
  }

  async function untilDecided(keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return
    for (const { id } of open().filter((record) => record.keys.some((key) => keys.includes(key)))) {
      await outcome(id).catch((error: unknown) => {
        if (!isAttestreamError(error, 'CHAIN_NONCE_CONFLICT')) throw error
      })
    }
  }

  function schedule(afterMs: number): void {
    if (closed || looking) return
    clearTimeout(timer)
    timer = setTimeout(() => {
      looking = look().finally(() => {
        looking = undefined
        if (waiters.size > 0) schedule(rules.pollingIntervalMs)
        else if (!closed && open().length > 0) schedule(Math.max(IDLE_MS, rules.pollingIntervalMs))
      })
    }, afterMs)
    if (waiters.size === 0) timer.unref()
  }

  async function look(): Promise<void> {
    const records = open()
    try {
      // one that another look, or a recheck, has decided meanwhile
      for (const id of waiters.keys()) if (!records.some((record) => record.id === id)) await tellDecided(id)
      if (records.length === 0) return
      const head = await client.getBlock()
      const used = await usedNonces(head.number)
      let holdUp: AttestreamError | undefined
      for (const record of records) {
        if (closed) return
        await follow(record, head, used)
        holdUp = troubles.get(record.id) ?? holdUp // who waits behind it waits for the same
        if (holdUp) rejectAll(record.id, holdUp)
      }
    } catch (error) {
      if (closed) return
      const coded = chainError('follow the transactions', error, address)
      for (const { id } of records) rejectAll(id, coded)
    }
  }

  /** Of the newest block that counts. */
  function usedNonces(headNumber: bigint): Promise<number> {
    const { confirmations } = rules
    if (confirmations <= 1) return client.getTransactionCount({ address })
    const blockNumber = headNumber - BigInt(confirmations - 1)
    return blockNumber < 0n ? Promise.resolve(0) : client.getTransactionCount({ address, blockNumber })
  }

  async function follow(
    record: OutboxRecord,
    head: { number: bigint; baseFeePerGas: bigint | null },
    used: number,
  ): Promise<void> {
    const { id, nonce } = record
    const receipt = await findReceipt(client, record)
    if (receipt) return counts(receipt, head.number) ? decide(record, receipt) : undefined
    if (nonce < used) return void (await giveUpWithoutTrace(record))
    withoutTrace.delete(id)
    const isStuck = underpriced.has(id) || nowMs() - (waitsSinceMs.get(id) ?? Infinity) >= rules.replaceAfterMs
    if (isStuck && nonce === used) return replace(record, head.baseFeePerGas)
    if (nowMs() - (takenMs.get(id) ?? -Infinity) >= Math.max(IDLE_MS, rules.pollingIntervalMs)) await handOver(record)
  }

  function counts({ blockNumber }: TransactionReceipt, headNumber: bigint): boolean {
    const newest = headNumber > blockNumber ? headNumber : blockNumber
    return newest - blockNumber + 1n >= BigInt(rules.confirmations)
  }

  function decide(record: OutboxRecord, receipt: TransactionReceipt): void {
    const { id } = record
    if (rules.finalityBlocks === 0) outbox.removeTransaction(id)
    else outbox.updateTransaction({ ...record, block: { number: receipt.blockNumber, hash: receipt.blockHash } })
    forget(id)
    for (const { resolve } of takeWaiters(id)) resolve(receipt)
  }

  /** Another transaction has the nonce. A node may be behind with what it tells: only no trace in several looks is proof. */
  async function giveUpWithoutTrace(record: OutboxRecord): Promise<void> {
    if (await isKnown(client, record)) return void withoutTrace.delete(record.id)
    const looks = (withoutTrace.get(record.id) ?? 0) + 1
    withoutTrace.set(record.id, looks)
    if (looks < LOOKS_UNTIL_DEAD) return
    giveUp(record, nonceTaken(record))
  }

  function giveUp({ id }: OutboxRecord, error: AttestreamError): void {
    outbox.removeTransaction(id)
    forget(id)
    rejectAll(id, error)
  }

  /** The same call under the same nonce for more; it is written down before it is sent. */
  async function replace(record: OutboxRecord, baseFeePerGas: bigint | null): Promise<void> {
    const { id, action, attempts } = record
    const cap = rules.maxFeePerGasWei ?? DEFAULT_CAP_FACTOR * attempts[0]!.maxFeePerGasWei
    const fees = raisedFees(attempts.at(-1)!, await marketFees(client, baseFeePerGas), cap)
    if (!fees) {
      await handOver(record)
      if (!troubles.has(id)) troubles.set(id, feeCapped(address, action, cap, baseFeePerGas ?? cap))
      return
    }
    const replaced = { ...record, attempts: [...attempts, await sign(record, fees)] }
    if (closed) return
    outbox.updateTransaction(replaced)
    underpriced.delete(id)
    waitsSinceMs.delete(id)
    await handOver(replaced)
  }

  async function recheck(): Promise<void> {
    const mined = outbox.transactions(address).filter(({ block }) => block !== null)
    if (mined.length === 0) return
    const head = await client.getBlockNumber()
    const newestFirst = mined.sort((a, b) => Number(b.block!.number - a.block!.number))
    for (const [i, record] of newestFirst.entries()) {
      const { number, hash } = record.block!
      if (number <= head && (await blockHash(number)) === hash) {
        forgetFinal(newestFirst.slice(i), head) // what is below it is as it was
        break
      }
      const receipt = await findReceipt(client, record)
      if (closed) return
      const block = receipt ? { number: receipt.blockNumber, hash: receipt.blockHash } : null
      outbox.updateTransaction({ ...record, block })
      if (!block) forget(record.id)
    }
    schedule(0)
  }

  async function blockHash(blockNumber: bigint): Promise<Hex | null> {
    return (await client.getBlock({ blockNumber })).hash
  }

  function forgetFinal(records: readonly OutboxRecord[], head: bigint): void {
    if (closed) return
    for (const { id, block } of records) {
      if (head - block!.number >= BigInt(rules.finalityBlocks)) outbox.removeTransaction(id)
    }
  }

  function forget(id: number): void {
    for (const known of [troubles, takenMs, waitsSinceMs, withoutTrace, fresh, underpriced]) known.delete(id)
  }

  function takeWaiters(id: number): Waiter[] {
    const taken = waiters.get(id) ?? []
    waiters.delete(id)
    return taken
  }

  function rejectAll(id: number, error: AttestreamError): void {
    for (const { reject } of takeWaiters(id)) reject(error)
  }

  async function tellDecided(id: number): Promise<void> {
    const record = outbox.transactions(address).find((each) => each.id === id)
    const receipt = record && (await findReceipt(client, record))
    if (receipt) for (const { resolve } of takeWaiters(id)) resolve(receipt)
    else if (!record) rejectAll(id, closedError())
  }

  function pendingTransaction({
    id,
    account: from,
    nonce,
    action,
    taskIds,
    attempts,
  }: OutboxRecord): PendingTransaction {
    const [first, latest] = [attempts[0]!, attempts.at(-1)!]
    const state = { txHash: latest.hash, attempts: attempts.length, sinceMs: first.signedMs }
    return { account: from, nonce, action, taskIds, ...state, trouble: troubles.get(id) ?? null }
  }

  if (open().length > 0) schedule(0)
  return {
    send,
    untilDecided,
    recheck,
    pending: () => open().map(pendingTransaction),
    async close() {
      closed = true
      clearTimeout(timer)
      for (const id of [...waiters.keys()]) rejectAll(id, closedError())
      await Promise.allSettled([looking, turn])
    },
  }
}
