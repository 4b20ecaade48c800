// What the contracts hold, in the words and number types of the core. Each function is one call of the node unless it says otherwise.

import { BlockNotFoundError, type PublicClient } from 'viem'
import {
  appletRegistryAbi,
  deviceRegistryAbi,
  projectRegistryAbi,
  rewardTokenAbi,
  settlementAbi,
} from '../../contracts/abi.ts'
import type { Addresses } from '../../contracts/deploy.ts'
import type { VersionPin } from '../core/circuit.ts'
import type { Hex } from '../core/codec.ts'
import type { DeviceStatus } from '../core/did.ts'
import type { Device } from '../core/identity.ts'
import { unpackLanes } from '../core/journal.ts'
import { isAttestreamError } from '../core/errors.ts'
import { onChain } from './reverts.ts'

export interface ChainProject {
  readonly projectId: bigint
  readonly owner: Hex
  readonly admitter: Hex
  readonly sequencer: Hex
  readonly guardian: Hex
  /** Of changes of config and applet version. */
  readonly delaySec: number
  readonly rewardToken: Hex
  readonly rewardPerUnitWei: bigint
  readonly cohortSize: number
  readonly configHash: bigint
  /** 0 while none is active. */
  readonly activeVersion: number
}

export interface ChainVersion extends VersionPin {
  readonly projectId: bigint
  readonly version: number
  /** Account whose code is the verifying key, after one STOP byte. */
  readonly keyAccount: Hex
  /** First 4 bytes of vkHash, with which each seal begins. */
  readonly selector: Hex
  /** Units that each settlement pays to the receipt's payee. */
  readonly feeUnits: bigint
  /** Versions of one epoch share their State. */
  readonly stateEpoch: number
  /** Unix time in seconds from which nothing is anchored under it: 0 before it is active, 2^40 - 1 while it is. */
  readonly anchorableUntilTime: number
  /** True if this version alone is stopped; its key may be stopped beside. */
  readonly stopped: boolean
}

export interface ChainCohort {
  /** 0 while the cohort has no device. */
  readonly identityRoot: bigint
  /** 0 before the first anchor. */
  readonly ledger: bigint
  readonly nextToAnchor: bigint
  /** Voided numbers skipped; equals nextToAnchor when nothing is open. */
  readonly nextToSettle: bigint
  readonly openAnchors: number
  /** Units ever credited and ever claimed, by slot. */
  readonly creditedUnits: readonly bigint[]
  readonly claimedUnits: readonly bigint[]
}

export interface ChainAccount {
  readonly escrowWei: bigint
  readonly reservedUnits: bigint
  readonly creditedUnits: bigint
}

/** Keys are not stored on chain: the registry's events tell them. */
export interface ChainDevice extends Omit<Device, 'key'> {
  readonly owner: Hex
  readonly status: DeviceStatus
  readonly metadataURI: string
}

export type Reads = ReturnType<typeof createReads>

const STATUS: readonly DeviceStatus[] = ['active', 'suspended', 'revoked']

/** A version as the AppletRegistry at `registry` holds it. Reverts with VersionUnknown. */
export async function readVersion(
  client: PublicClient,
  registry: Hex,
  projectId: bigint,
  version: number,
): Promise<ChainVersion> {
  return onChain(`read version ${version} of project ${projectId}`, async () => {
    const args = [projectId, BigInt(version)] as const
    const call = { address: registry, abi: appletRegistryAbi, functionName: 'versionOf', args } as const
    const known = await client.readContract(call)
    const units = { maxUnitsPerFrame: BigInt(known.maxUnitsPerFrame), feeUnits: BigInt(known.feeUnits) }
    return { projectId, version, ...known, ...units }
  })
}

export function createReads(client: PublicClient, addresses: Addresses) {
  const projects = { address: addresses.projects, abi: projectRegistryAbi } as const
  const applets = { address: addresses.applets, abi: appletRegistryAbi } as const
  const devices = { address: addresses.devices, abi: deviceRegistryAbi } as const
  const settlement = { address: addresses.settlement, abi: settlementAbi } as const

  /** Two calls. Reverts with ProjectUnknown. */
  async function getProject(projectId: bigint): Promise<ChainProject> {
    return onChain(`read project ${projectId}`, async () => {
      const [terms, activeVersion] = await Promise.all([
        client.readContract({ ...projects, functionName: 'termsOf', args: [projectId] }),
        client.readContract({ ...applets, functionName: 'activeVersion', args: [projectId] }),
      ])
      const { rewardPerUnit, ...rest } = terms
      return { projectId, ...rest, rewardPerUnitWei: rewardPerUnit, activeVersion: Number(activeVersion) }
    })
  }

  /** Reverts with VersionUnknown. */
  const getVersion = (projectId: bigint, version: number): Promise<ChainVersion> =>
    readVersion(client, addresses.applets, projectId, version)

  async function getCohort(projectId: bigint, cohort: number): Promise<ChainCohort> {
    return onChain(`read cohort ${cohort} of project ${projectId}`, async () => {
      const args = [projectId, BigInt(cohort)] as const
      const [identityRoot, ledger, nextToAnchor, nextToSettle, openAnchors, lanes, claimed] = await client.readContract(
        {
          ...settlement,
          functionName: 'cohortPage',
          args,
        },
      )
      const units = { creditedUnits: unpackLanes(lanes), claimedUnits: unpackLanes(claimed) }
      return { identityRoot, ledger, nextToAnchor, nextToSettle, openAnchors: Number(openAnchors), ...units }
    })
  }

  /** Escrow, reservation and credit of a project. */
  async function getAccount(projectId: bigint): Promise<ChainAccount> {
    const [escrowWei, reservedUnits, creditedUnits] = await onChain(`read the account of project ${projectId}`, () =>
      client.readContract({ ...settlement, functionName: 'accountOf', args: [projectId] }),
    )
    return { escrowWei, reservedUnits, creditedUnits }
  }

  /** Whether a batch judged by this identity root could be anchored now. */
  async function isRecentRoot(projectId: bigint, cohort: number, identityRoot: bigint): Promise<boolean> {
    const args = [projectId, BigInt(cohort), identityRoot] as const
    return onChain('read the recent roots', () =>
      client.readContract({ ...devices, functionName: 'isRecentRoot', args }),
    )
  }

  /** Current leaves of a cohort in slot order, 0 for an empty slot. */
  async function getLeaves(projectId: bigint, cohort: number): Promise<readonly bigint[]> {
    const args = [projectId, BigInt(cohort)] as const
    return onChain('read the leaves', () => client.readContract({ ...devices, functionName: 'leaves', args }))
  }

  /** Two calls. Reverts with ERC721NonexistentToken. */
  async function getDevice(deviceId: bigint): Promise<ChainDevice> {
    return onChain(`read device ${deviceId}`, async () => {
      const [[owner, projectId, cohort, slot, statusNumber], metadataURI] = await Promise.all([
        client.readContract({ ...devices, functionName: 'deviceOf', args: [deviceId] }),
        getMetadataURI(deviceId),
      ])
      const status = STATUS[statusNumber]!
      const place = { projectId, cohort: Number(cohort), slot: Number(slot) }
      return { deviceId, ...place, active: status === 'active', owner, status, metadataURI }
    })
  }

  /** Given at registration; empty if none was. Reverts with ERC721NonexistentToken. */
  async function getMetadataURI(deviceId: bigint): Promise<string> {
    return onChain(`read the metadata URI of device ${deviceId}`, () =>
      client.readContract({ ...devices, functionName: 'tokenURI', args: [deviceId] }),
    )
  }

  /** The device that a project registered with a key, or that was given it later; 0 if none. */
  async function deviceOfKey(projectId: bigint, key: { readonly x: bigint; readonly y: bigint }): Promise<bigint> {
    const args = [projectId, key.x, key.y] as const
    return onChain('read the device of a key', () =>
      client.readContract({ ...devices, functionName: 'deviceOfKey', args }),
    )
  }

  /** Credited and not yet claimed. */
  async function getPending(deviceId: bigint): Promise<{ units: bigint; amountWei: bigint }> {
    const [units, amountWei] = await onChain(`read what device ${deviceId} can claim`, () =>
      client.readContract({ ...settlement, functionName: 'pending', args: [deviceId] }),
    )
    return { units, amountWei }
  }

  /** Whether the version, or its verifying key, is stopped for ever. Reverts with VersionUnknown. */
  async function isVersionStopped(projectId: bigint, version: number): Promise<boolean> {
    const args = [projectId, BigInt(version)] as const
    const [, isStopped] = await onChain(`read the stops of version ${version} of project ${projectId}`, () =>
      client.readContract({ ...applets, functionName: 'voidTerms', args }),
    )
    return isStopped
  }

  /** Whether a batch could be anchored under the version now: active or not past its sunset, and not stopped. */
  async function isAnchorable(projectId: bigint, version: number): Promise<boolean> {
    const args = [projectId, BigInt(version)] as const
    try {
      await onChain('read the terms of anchors', () =>
        client.readContract({ ...applets, functionName: 'anchorTerms', args }),
      )
      return true
    } catch (error) {
      if (isAttestreamError(error, 'VERSION_NOT_ACTIVE', 'VERSION_STOPPED')) return false
      throw error
    }
  }

  /** Names a change of config in the registry's schedule. */
  const configChange = (configHash: bigint): Promise<Hex> =>
    onChain('name a change of config', () =>
      client.readContract({ ...projects, functionName: 'configChange', args: [configHash] }),
    )

  /** Names an activation in the registry's schedule. */
  const activationChange = (version: number, sunsetSec: number): Promise<Hex> =>
    onChain('name an activation', () =>
      client.readContract({ ...applets, functionName: 'activation', args: [BigInt(version), BigInt(sunsetSec)] }),
    )

  /** Unix time in seconds at which a scheduled change of config, or activation, is due; 0 if it is not scheduled. */
  async function dueAtTime(projectId: bigint, of: 'config' | 'activation', changeId: Hex): Promise<bigint> {
    const call = { functionName: 'dueAtTime', args: [projectId, changeId] } as const
    return onChain('read when a change is due', () =>
      of === 'config' ? client.readContract({ ...projects, ...call }) : client.readContract({ ...applets, ...call }),
    )
  }

  /** A project's limit per window, and what of it is used in the present one; no limit if `windowSec` is 0. */
  async function getBudget(
    projectId: bigint,
  ): Promise<{ limitUnits: bigint; windowSec: number; creditedUnits: bigint }> {
    const [limitUnits, windowSec, creditedUnits] = await onChain(`read the budget of project ${projectId}`, () =>
      client.readContract({ ...settlement, functionName: 'budgetOf', args: [projectId] }),
    )
    return { limitUnits, windowSec: Number(windowSec), creditedUnits }
  }

  async function getTokenBalance(token: Hex, account: Hex): Promise<bigint> {
    return onChain(`read the balance of ${account}`, () =>
      client.readContract({ address: token, abi: rewardTokenAbi, functionName: 'balanceOf', args: [account] }),
    )
  }

  async function getBlockNumber(): Promise<bigint> {
    return onChain('read the block number', () => client.getBlockNumber())
  }

  /** Undefined if the chain is not as high. */
  async function getBlockHash(blockNumber: bigint): Promise<Hex | undefined> {
    try {
      return (await onChain(`read block ${blockNumber}`, () => client.getBlock({ blockNumber }))).hash
    } catch (error) {
      if (isAttestreamError(error) && error.cause instanceof BlockNotFoundError) return undefined
      throw error
    }
  }

  return {
    getProject,
    getVersion,
    getCohort,
    getAccount,
    isRecentRoot,
    getLeaves,
    getDevice,
    getMetadataURI,
    deviceOfKey,
    getPending,
    isVersionStopped,
    isAnchorable,
    configChange,
    activationChange,
    dueAtTime,
    getBudget,
    getTokenBalance,
    getBlockNumber,
    getBlockHash,
  }
}
