// The transactions of everybody who takes part: operator, project and device owners. Each waits until it counts, then returns
// what it cost and what its event says; a refusal is CHAIN_REVERTED and costs nothing. `privateKey` chooses the account; by default
// it is the operator's.

import { encodeFunctionData, parseEventLogs } from 'viem'
import { deviceRegistryAbi, settlementAbi } from '../../contracts/abi.ts'
import type { Addresses } from '../../contracts/deploy.ts'
import type { Hex } from '../core/codec.ts'
import type { AnchorFields } from '../core/journal.ts'
import { receiptAnchor } from '../core/receipt.ts'
import type { Receipt } from '../core/receipt.ts'
import { taskId } from '../core/task.ts'
import { sent, type Call, type Connection, type Sent } from './connection.ts'
import type { Events } from './events.ts'
import { createOwnerWrites, type Signer } from './owner-writes.ts'
import type { Reads } from './reads.ts'
import type { Admission, Rotation } from './typed-data.ts'

export interface AnchorRequest {
  readonly projectId: bigint
  readonly cohort: number
  /** The cohort's nextToAnchor as the caller knows it; another one is refused with BatchNumberUnexpected. */
  readonly expectedNumber: bigint
  readonly batchRoot: bigint
  readonly identityRoot: bigint
  readonly daPointer: Hex
  readonly version: number
}

export type SettledReceipt = Pick<Receipt, 'projectId' | 'cohort' | 'batchNumber' | 'version' | 'daPointer' | 'payee'> &
  Pick<Receipt, 'journal' | 'seal'>

/** Names what a transaction decides for a cohort. */
export function cohortKey(kind: 'anchor' | 'settle' | 'void' | 'upgrade', projectId: bigint, cohort: number): string {
  return `${kind} ${projectId}/${cohort}`
}

export type Writes = ReturnType<typeof createWrites>

export function createWrites(connection: Connection, addresses: Addresses, reads: Reads, events: Events) {
  const { send, check } = connection

  /** Registers a device with its project's signed admission. Anybody may send it. */
  async function registerDevice(
    admission: Admission,
    signature: Hex,
    signer: Signer = {},
  ): Promise<Sent & { deviceId: bigint; cohort: number; slot: number; leaf: bigint; identityRoot: bigint }> {
    const args = [admission, signature] as const
    const data = encodeFunctionData({ abi: deviceRegistryAbi, functionName: 'register', args })
    const { logs, ...rest } = await send({ action: 'register a device', to: addresses.devices, data, ...signer })
    const [log] = parseEventLogs({ abi: deviceRegistryAbi, eventName: 'DeviceRegistered', logs })
    const { deviceId, cohort, slot, leaf, identityRoot } = log!.args
    return { ...rest, deviceId, cohort: Number(cohort), slot: Number(slot), leaf, identityRoot }
  }

  /** Changes a device's key to one that the project admitted, at most once a day. By the device's owner. */
  async function rotateKey(rotation: Rotation, signature: Hex, signer: Signer = {}): Promise<Sent> {
    const { deviceId, keyX, keyY, deadline } = rotation
    const args = [deviceId, keyX, keyY, deadline, signature] as const
    const data = encodeFunctionData({ abi: deviceRegistryAbi, functionName: 'rotateKey', args })
    return sent(await send({ action: `rotate the key of device ${deviceId}`, to: addresses.devices, data, ...signer }))
  }

  /** Takes a device's key out of service until it is confirmed or rotated. By the device's owner. */
  async function suspendKey(deviceId: bigint, signer: Signer = {}): Promise<Sent> {
    const data = encodeFunctionData({ abi: deviceRegistryAbi, functionName: 'suspendKey', args: [deviceId] })
    return sent(await send({ action: `suspend the key of device ${deviceId}`, to: addresses.devices, data, ...signer }))
  }

  /** Keeps the key of a device that was just bought, or suspended. By its owner. */
  async function confirmKey(deviceId: bigint, signer: Signer = {}): Promise<Sent> {
    const data = encodeFunctionData({ abi: deviceRegistryAbi, functionName: 'confirmKey', args: [deviceId] })
    return sent(await send({ action: `confirm the key of device ${deviceId}`, to: addresses.devices, data, ...signer }))
  }

  /** Empties the device's slot for good; its claim stays. By its owner or its project's. */
  async function revokeDevice(deviceId: bigint, signer: Signer = {}): Promise<Sent> {
    const data = encodeFunctionData({ abi: deviceRegistryAbi, functionName: 'revoke', args: [deviceId] })
    return sent(await send({ action: `revoke device ${deviceId}`, to: addresses.devices, data, ...signer }))
  }

  /** Gives a device away, which suspends its key; a contract that takes no tokens is refused. By its owner. */
  async function transferDevice(deviceId: bigint, from: Hex, to: Hex, signer: Signer = {}): Promise<Sent> {
    const args = [from, to, deviceId] as const
    const data = encodeFunctionData({ abi: deviceRegistryAbi, functionName: 'safeTransferFrom', args })
    return sent(await send({ action: `transfer device ${deviceId}`, to: addresses.devices, data, ...signer }))
  }

  /** Anchors a batch; the chain adds config and time. By the project's sequencer. */
  async function anchor(request: AnchorRequest, signer: Signer = {}): Promise<Sent & { anchor: AnchorFields }> {
    const { projectId, cohort, expectedNumber, batchRoot, identityRoot, daPointer, version } = request
    const args = [
      projectId,
      BigInt(cohort),
      expectedNumber,
      batchRoot,
      identityRoot,
      daPointer,
      BigInt(version),
    ] as const
    const data = encodeFunctionData({ abi: settlementAbi, functionName: 'anchor', args })
    const action = `anchor batch ${expectedNumber}`
    const purpose = anchorPurpose([request])
    const { logs, ...rest } = await send({ action, to: addresses.settlement, data, ...purpose, ...signer })
    const [log] = parseEventLogs({ abi: settlementAbi, eventName: 'Anchored', logs })
    return { ...rest, anchor: { ...log!.args.snapshot, version } }
  }

  /** Anchors batches of one project and version, of one cohort or of many, in one transaction. By the project's sequencer. */
  async function anchorMany(
    requests: readonly AnchorRequest[],
    signer: Signer = {},
  ): Promise<Sent & { anchors: AnchorFields[] }> {
    const [{ projectId, version }] = requests as readonly [AnchorRequest]
    const batches = requests.map(({ cohort, expectedNumber, batchRoot, identityRoot, daPointer }) => ({
      cohort: BigInt(cohort),
      expectedNumber,
      batchRoot,
      identityRoot,
      daPointer,
    }))
    const args = [projectId, BigInt(version), batches] as const
    const data = encodeFunctionData({ abi: settlementAbi, functionName: 'anchorMany', args })
    const action = `anchor ${requests.length} batches`
    const purpose = anchorPurpose(requests)
    const { logs, ...rest } = await send({ action, to: addresses.settlement, data, ...purpose, ...signer })
    const anchored = parseEventLogs({ abi: settlementAbi, eventName: 'Anchored', logs })
    return { ...rest, anchors: anchored.map((log) => ({ ...log.args.snapshot, version })) }
  }

  /** Settles a receipt. Anybody may send it. */
  async function settle(
    receipt: SettledReceipt,
    signer: Signer = {},
  ): Promise<Sent & { ledgerBefore: bigint; ledgerAfter: bigint; lanes: readonly bigint[] }> {
    const data = settleCalldata(receipt)
    const action = `settle batch ${receipt.batchNumber}`
    const purpose = settlePurpose([receipt])
    const { logs, ...rest } = await send({ action, to: addresses.settlement, data, ...purpose, ...signer })
    const [log] = parseEventLogs({ abi: settlementAbi, eventName: 'Settled', logs })
    const { ledgerBefore, ledgerAfter, lanes } = log!.args
    return { ...rest, ledgerBefore, ledgerAfter, lanes }
  }

  /**
   * Settles many receipts in one transaction, in the order given; those under one key best side by side. Returns the numbers that
   * this transaction settled: a batch that somebody settled before is passed over. Anybody may send it.
   */
  async function settleMany(
    receipts: readonly SettledReceipt[],
    signer: Signer = {},
  ): Promise<Sent & { settled: { projectId: bigint; cohort: number; number: bigint }[] }> {
    const args = [receipts.map(receiptArgument)] as const
    const data = encodeFunctionData({ abi: settlementAbi, functionName: 'settleMany', args })
    const action = `settle ${receipts.length} batches`
    const purpose = settlePurpose(receipts)
    const { logs, ...rest } = await send({ action, to: addresses.settlement, data, ...purpose, ...signer })
    const found = parseEventLogs({ abi: settlementAbi, eventName: 'Settled', logs })
    const settled = found.map(({ args: { projectId, cohort, number } }) => ({
      projectId,
      cohort: Number(cohort),
      number,
    }))
    return { ...rest, settled }
  }

  /** Whether the chain would take these receipts in one transaction now; costs nothing. Throws only if the node does not answer. */
  async function wouldSettleMany(receipts: readonly SettledReceipt[]): Promise<boolean> {
    const args = [receipts.map(receiptArgument)] as const
    const data = encodeFunctionData({ abi: settlementAbi, functionName: 'settleMany', args })
    return check({ action: `try ${receipts.length} settlements`, to: addresses.settlement, data })
  }

  /** Voids every open anchor of a cohort from a number on; finds their snapshots itself. By the sequencer, or by anybody when stale. */
  async function voidFrom(
    projectId: bigint,
    cohort: number,
    number: bigint,
    signer: Signer = {},
  ): Promise<Sent & { fromNumber: bigint; untilNumber: bigint }> {
    const snapshots = await openSnapshots(projectId, cohort, number)
    const args = [projectId, BigInt(cohort), number, snapshots] as const
    const data = encodeFunctionData({ abi: settlementAbi, functionName: 'voidFrom', args })
    const action = `void the anchors from ${number} on`
    const keys = [cohortKey('void', projectId, cohort)]
    const { logs, ...rest } = await send({ action, to: addresses.settlement, data, keys, ...signer })
    const [log] = parseEventLogs({ abi: settlementAbi, eventName: 'Voided', logs })
    const { fromNumber, untilNumber } = log!.args
    return { ...rest, fromNumber, untilNumber }
  }

  async function openSnapshots(projectId: bigint, cohort: number, number: bigint) {
    const { nextToAnchor } = await reads.getCohort(projectId, cohort)
    const numbers: bigint[] = []
    for (let candidate = number; candidate < nextToAnchor; candidate++) {
      if ((await events.getAnchorHash(projectId, cohort, candidate)) !== undefined) numbers.push(candidate)
    }
    const found = numbers.length === 0 ? [] : await events.findAnchors(projectId, cohort, numbers)
    return found.map(({ anchor: snapshot }) => ({ ...snapshot, version: BigInt(snapshot.version) }))
  }

  /**
   * Moves a cohort with nothing open on to a version whose State differs: its sequences stay, every State starts anew. `sequencesHash`
   * and `statesHash` open the cohort's ledger. By the project's sequencer.
   */
  async function upgradeCohort(
    projectId: bigint,
    cohort: number,
    version: number,
    opened: { readonly sequencesHash: bigint; readonly statesHash: bigint },
    signer: Signer = {},
  ): Promise<Sent & { ledgerAfter: bigint }> {
    const args = [projectId, BigInt(cohort), BigInt(version), opened.sequencesHash, opened.statesHash] as const
    const data = encodeFunctionData({ abi: settlementAbi, functionName: 'upgradeCohort', args })
    const action = `upgrade cohort ${cohort} to version ${version}`
    const keys = [cohortKey('upgrade', projectId, cohort)]
    const { logs, ...rest } = await send({ action, to: addresses.settlement, data, keys, ...signer })
    const [log] = parseEventLogs({ abi: settlementAbi, eventName: 'CohortUpgraded', logs })
    return { ...rest, ledgerAfter: log!.args.ledgerAfter }
  }

  /** Pays the signer's devices, all of one project, to `to`. Returns units and wei by device. */
  async function claim(
    deviceIds: readonly bigint[],
    to: Hex,
    signer: Signer = {},
  ): Promise<Sent & { claims: { deviceId: bigint; units: bigint; amountWei: bigint }[] }> {
    const data = encodeFunctionData({ abi: settlementAbi, functionName: 'claim', args: [deviceIds, to] })
    const { logs, ...rest } = await send({ action: 'claim rewards', to: addresses.settlement, data, ...signer })
    const [log] = parseEventLogs({ abi: settlementAbi, eventName: 'Claimed', logs })
    const { amountWei, claims: words } = log!.args
    const units = (word: bigint): bigint => BigInt.asUintN(64, word)
    const total = words.reduce((sum, word) => sum + units(word), 0n)
    const claims = words.map((word) => {
      return { deviceId: word >> 64n, units: units(word), amountWei: (units(word) * amountWei) / total }
    })
    return { ...rest, claims }
  }

  return {
    ...createOwnerWrites(connection, addresses, reads),
    registerDevice,
    rotateKey,
    confirmKey,
    suspendKey,
    revokeDevice,
    transferDevice,
    anchor,
    anchorMany,
    settle,
    settleMany,
    wouldSettleMany,
    upgradeCohort,
    voidFrom,
    claim,
  }
}

function anchorPurpose(requests: readonly AnchorRequest[]): Pick<Call, 'taskIds' | 'keys'> {
  const keys = requests.map(({ projectId, cohort }) => cohortKey('anchor', projectId, cohort))
  return { taskIds: requests.map(taskId), keys }
}

function settlePurpose(receipts: readonly SettledReceipt[]): Pick<Call, 'taskIds' | 'keys'> {
  return {
    taskIds: receipts.map((receipt) => taskId({ ...receipt, batchRoot: receipt.journal.batchRoot })),
    keys: receipts.map(({ projectId, cohort }) => cohortKey('settle', projectId, cohort)),
  }
}

/** Calldata of Settlement.settle for a receipt. */
export function settleCalldata(receipt: SettledReceipt): Hex {
  return encodeFunctionData({ abi: settlementAbi, functionName: 'settle', args: [receiptArgument(receipt)] })
}

function receiptArgument(receipt: SettledReceipt) {
  const snapshot = receiptAnchor(receipt as Receipt)
  return {
    projectId: receipt.projectId,
    cohort: BigInt(receipt.cohort),
    number: receipt.batchNumber,
    snapshot: { ...snapshot, version: BigInt(snapshot.version) },
    ledgerAfter: receipt.journal.ledgerAfter,
    lanes: receipt.journal.lanes,
    seal: receipt.seal,
    payee: receipt.payee,
  }
}
