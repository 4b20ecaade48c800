// What happened on chain, from the contracts' events: enough to rebuild every cohort's leaves, and to find after a crash what a
// transaction that nobody waited for has done. Ranges are walked in portions that public nodes accept.

import { parseEventLogs, zeroAddress } from 'viem'
import type { PublicClient } from 'viem'
import { deviceRegistryAbi, settlementAbi } from '../../contracts/abi.ts'
import type { Addresses } from '../../contracts/deploy.ts'
import type { Hex } from '../core/codec.ts'
import { anchorHash, type AnchorFields } from '../core/journal.ts'
import type { PublicKey } from '../core/signature.ts'
import { onChain } from './reverts.ts'

export type LeafChange = 'registered' | 'rotated' | 'confirmed' | 'suspended' | 'revoked'

/** Something happened to a device: to its leaf, or to its owner, which a sale of a device without a leaf changes alone. */
export type DeviceEvent = LeafEvent | TransferEvent

/** One change of one leaf. `leaf` is 0 after a suspension or revocation; `key` is there if the change gave the device a key. */
export interface LeafEvent {
  readonly kind: LeafChange
  readonly deviceId: bigint
  readonly projectId: bigint
  readonly cohort: number
  readonly slot: number
  readonly key?: { readonly x: bigint; readonly y: bigint }
  readonly leaf: bigint
  readonly owner: Hex
  /** The cohort's root after the change. */
  readonly identityRoot: bigint
  readonly blockNumber: bigint
  /** Unix time in seconds. */
  readonly blockTime: bigint
}

/** A new owner. A sale of an active device tells its suspension right after. */
export interface TransferEvent {
  readonly kind: 'transferred'
  readonly deviceId: bigint
  readonly owner: Hex
  readonly blockNumber: bigint
  /** Unix time in seconds. */
  readonly blockTime: bigint
}

export interface AnchorEvent {
  readonly projectId: bigint
  readonly cohort: number
  readonly number: bigint
  readonly anchor: AnchorFields
  readonly txHash: Hex
  readonly blockNumber: bigint
  readonly blockHash: Hex
}

export interface SettlementEvent {
  readonly projectId: bigint
  readonly cohort: number
  readonly number: bigint
  readonly ledgerBefore: bigint
  readonly ledgerAfter: bigint
  readonly lanes: readonly bigint[]
  readonly payee: Hex
  readonly txHash: Hex
  readonly blockNumber: bigint
  readonly blockHash: Hex
  /** Unix time in seconds. */
  readonly blockTime: bigint
  readonly gasUsed: bigint
}

export type Events = ReturnType<typeof createEvents>

const RANGE_BLOCKS = 10_000n

const LEAF_CHANGES = {
  DeviceRegistered: 'registered',
  KeyRotated: 'rotated',
  KeyConfirmed: 'confirmed',
  KeySuspended: 'suspended',
  DeviceRevoked: 'revoked',
} as const satisfies Record<string, LeafChange>

const deviceEventsAbi = deviceRegistryAbi.filter(
  (item) => item.type === 'event' && (item.name in LEAF_CHANGES || item.name === 'Transfer'),
)
const registeredEvent = deviceRegistryAbi.find((item) => item.type === 'event' && item.name === 'DeviceRegistered')!
const rotatedEvent = deviceRegistryAbi.find((item) => item.type === 'event' && item.name === 'KeyRotated')!
const anchoredEvent = settlementAbi.find((item) => item.type === 'event' && item.name === 'Anchored')!
const settledEvent = settlementAbi.find((item) => item.type === 'event' && item.name === 'Settled')!

/** Portions of [from, to], both inclusive, oldest first. */
function ranges(from: bigint, to: bigint): { fromBlock: bigint; toBlock: bigint }[] {
  const portions: { fromBlock: bigint; toBlock: bigint }[] = []
  for (let fromBlock = from; fromBlock <= to; fromBlock += RANGE_BLOCKS) {
    const end = fromBlock + RANGE_BLOCKS - 1n
    portions.push({ fromBlock, toBlock: end < to ? end : to })
  }
  return portions
}

/** `startBlock`: where the contracts were deployed; nothing is looked for earlier. */
export function createEvents(client: PublicClient, addresses: Addresses, startBlock: bigint) {
  /**
   * All changes of leaves and owners from a block to the latest (or `toBlock`), in the order in which they happened. Go on from
   * `nextBlock`; on a chain that may reorganise, from a few blocks before.
   */
  async function getDeviceEvents(
    fromBlock: bigint,
    toBlock?: bigint,
  ): Promise<{ events: DeviceEvent[]; nextBlock: bigint }> {
    return onChain('read the device events', async () => {
      const last = toBlock ?? (await client.getBlockNumber())
      const events: DeviceEvent[] = []
      for (const range of ranges(fromBlock > startBlock ? fromBlock : startBlock, last)) {
        const logs = await client.getLogs({ address: addresses.devices, events: deviceEventsAbi, ...range })
        const times = await blockTimes(client, logs)
        for (const log of parseEventLogs({ abi: deviceRegistryAbi, logs })) {
          const event = deviceEvent(log as DeviceLog | TransferLog, times.get(log.blockNumber)!)
          if (event) events.push(event)
        }
      }
      return { events, nextBlock: last + 1n }
    })
  }

  /** The key that a device was given last, in use or not; undefined if there is no such device. Looks from the latest block back. */
  async function findDeviceKey(deviceId: bigint): Promise<PublicKey | undefined> {
    return onChain(`look for the key of device ${deviceId}`, async () => {
      for (const range of ranges(startBlock, await client.getBlockNumber()).reverse()) {
        const request = { address: addresses.devices, args: { deviceId }, ...range }
        const [registered, rotated] = await Promise.all([
          client.getLogs({ ...request, event: registeredEvent, strict: true }),
          client.getLogs({ ...request, event: rotatedEvent, strict: true }),
        ])
        const last = rotated.at(-1) ?? registered.at(-1)
        if (last) return { x: last.args.keyX, y: last.args.keyY }
      }
      return undefined
    })
  }

  /** The anchor with this number, also when it is settled or voided since; undefined if there never was one. */
  async function findAnchor(
    projectId: bigint,
    cohort: number,
    number: bigint,
  ): Promise<(AnchorEvent & { gasUsed: bigint }) | undefined> {
    const [found] = await findAnchors(projectId, cohort, [number])
    if (found === undefined) return undefined
    return { ...found, gasUsed: await onChain('read a transaction', () => gasShare(found.txHash, 'Anchored')) }
  }

  /** The anchors with these numbers, settled and voided ones too, in order of number; stops looking when it has found all. */
  async function findAnchors(projectId: bigint, cohort: number, numbers: readonly bigint[]): Promise<AnchorEvent[]> {
    return onChain('look for anchors', async () => {
      const found: AnchorEvent[] = []
      const args = { projectId, cohort: BigInt(cohort), number: [...numbers] }
      for (const range of ranges(startBlock, await client.getBlockNumber()).reverse()) {
        if (found.length >= numbers.length) break
        const logs = await client.getLogs({ address: addresses.settlement, event: anchoredEvent, args, ...range })
        for (const log of parseEventLogs({ abi: settlementAbi, eventName: 'Anchored', logs })) {
          const { snapshot, number } = log.args
          const anchor = { ...snapshot, version: Number(snapshot.version) }
          const { transactionHash: txHash, blockNumber, blockHash } = log
          found.push({ projectId, cohort, number, anchor, txHash, blockNumber, blockHash })
        }
      }
      return found.sort((a, b) => Number(a.number - b.number))
    })
  }

  /** The settlement of a batch; undefined while it is not settled. */
  async function findSettlement(
    projectId: bigint,
    cohort: number,
    number: bigint,
  ): Promise<SettlementEvent | undefined> {
    return onChain(`look for the settlement of batch ${number}`, async () => {
      const args = { projectId, cohort: BigInt(cohort), number }
      for (const range of ranges(startBlock, await client.getBlockNumber()).reverse()) {
        const logs = await client.getLogs({ address: addresses.settlement, event: settledEvent, args, ...range })
        const [log] = parseEventLogs({ abi: settlementAbi, eventName: 'Settled', logs })
        if (log === undefined) continue
        const gasUsed = await gasShare(log.transactionHash, 'Settled')
        const { timestamp: blockTime } = await client.getBlock({ blockNumber: log.blockNumber })
        const { transactionHash: txHash, blockNumber, blockHash } = log
        return { ...log.args, cohort, txHash, blockNumber, blockHash, blockTime, gasUsed }
      }
      return undefined
    })
  }

  /** What one of a transaction's anchors or settlements has of its gas. */
  async function gasShare(hash: Hex, eventName: 'Anchored' | 'Settled'): Promise<bigint> {
    const { gasUsed, logs } = await client.getTransactionReceipt({ hash })
    return gasUsed / BigInt(parseEventLogs({ abi: settlementAbi, eventName, logs }).length)
  }

  /**
   * Hash of the snapshot anchored under a number, settled or not; undefined if voided or never anchored. The contract tells
   * it of open numbers; of others, whether they settled, and as what, is in the events.
   */
  async function getAnchorHash(projectId: bigint, cohort: number, number: bigint): Promise<Hex | undefined> {
    const args = [projectId, BigInt(cohort), number] as const
    const hash = await onChain(`read anchor ${number}`, () =>
      client.readContract({ address: addresses.settlement, abi: settlementAbi, functionName: 'anchorHash', args }),
    )
    if (BigInt(hash) !== 0n) return hash
    if ((await findSettlement(projectId, cohort, number)) === undefined) return undefined
    const [found] = await findAnchors(projectId, cohort, [number])
    return found && anchorHash(found.anchor)
  }

  return { getDeviceEvents, findDeviceKey, findAnchor, findAnchors, findSettlement, getAnchorHash }
}

interface DeviceLog {
  readonly eventName: keyof typeof LEAF_CHANGES
  readonly blockNumber: bigint
  readonly args: {
    readonly deviceId: bigint
    readonly projectId: bigint
    readonly cohort: bigint
    readonly slot: bigint
    readonly keyX?: bigint
    readonly keyY?: bigint
    readonly leaf: bigint
    readonly owner: Hex
    readonly identityRoot: bigint
  }
}

interface TransferLog {
  readonly eventName: 'Transfer'
  readonly blockNumber: bigint
  readonly args: { readonly from: Hex; readonly to: Hex; readonly tokenId: bigint }
}

function deviceEvent(log: DeviceLog | TransferLog, blockTime: bigint): DeviceEvent | undefined {
  const { blockNumber } = log
  if (log.eventName === 'Transfer') {
    const { from, to: owner, tokenId: deviceId } = log.args
    return from === zeroAddress ? undefined : { kind: 'transferred', deviceId, owner, blockNumber, blockTime }
  }
  const { keyX, keyY, cohort, slot, ...rest } = log.args
  const place = { cohort: Number(cohort), slot: Number(slot) }
  const key = keyX === undefined || keyY === undefined ? {} : { key: { x: keyX, y: keyY } }
  return { kind: LEAF_CHANGES[log.eventName], ...rest, ...place, ...key, blockNumber, blockTime }
}

/** Unix seconds by block, as the logs tell them; a node that leaves them out is asked for each block once. */
async function blockTimes(
  client: PublicClient,
  logs: readonly { readonly blockNumber: bigint; readonly blockTimestamp?: bigint | undefined }[],
): Promise<Map<bigint, bigint>> {
  const times = new Map<bigint, bigint>()
  for (const { blockNumber, blockTimestamp } of logs) {
    if (times.has(blockNumber)) continue
    times.set(blockNumber, blockTimestamp ?? (await client.getBlock({ blockNumber })).timestamp)
  }
  return times
}
