// The transactions of those who own a project: its terms, versions, money and stops. Like all writes they wait until they count.

import { encodeFunctionData, parseEventLogs } from 'viem'
import { appletRegistryAbi, projectRegistryAbi, rewardTokenAbi, settlementAbi } from '../../contracts/abi.ts'
import type { Addresses } from '../../contracts/deploy.ts'
import type { Hex } from '../core/codec.ts'
import { sent, type Connection, type Sent } from './connection.ts'
import type { Reads } from './reads.ts'

export interface ProjectTerms {
  readonly owner: Hex
  readonly admitter: Hex
  readonly sequencer: Hex
  /** May stop the project's versions for ever. Default: the owner. */
  readonly guardian?: Hex
  /** Of changes of config and applet version. Default 0: at once. */
  readonly delaySec?: number
  readonly rewardToken: Hex
  readonly rewardPerUnitWei: bigint
  readonly cohortSize: number
  readonly configHash: bigint
}

export interface Publication {
  readonly appletId: Hex
  readonly r1csHash: Hex
  readonly setupTranscriptHash: Hex
  readonly layoutId: bigint
  readonly genesisSequencesHash: bigint
  readonly genesisStatesHash: bigint
  readonly frameSize: number
  readonly maxUnitsPerFrame: bigint
  /** Units that each settlement pays to the receipt's payee. Default 0. */
  readonly feeUnits?: bigint
  /** Whether State differs from that of the version published before. Default false. */
  readonly resetsState?: boolean
  readonly devSetup: boolean
  /** Encoded as in docs/architecture.md §2; its keccak256 is vkHash. */
  readonly verifyingKey: Hex
}

export interface Signer {
  readonly privateKey?: Hex
}

export function createOwnerWrites({ send }: Connection, addresses: Addresses, reads: Reads) {
  /** Creates a project with terms of which token, reward and cohort size never change. Anybody may. */
  async function createProject(terms: ProjectTerms, signer: Signer = {}): Promise<Sent & { projectId: bigint }> {
    const { rewardPerUnitWei, guardian = terms.owner, delaySec = 0, ...rest } = terms
    const args = [{ ...rest, guardian, delaySec, rewardPerUnit: rewardPerUnitWei }] as const
    const data = encodeFunctionData({ abi: projectRegistryAbi, functionName: 'create', args })
    const { logs, ...sent } = await send({ action: 'create a project', to: addresses.projects, data, ...signer })
    const [log] = parseEventLogs({ abi: projectRegistryAbi, eventName: 'ProjectCreated', logs })
    return { ...sent, projectId: log!.args.projectId }
  }

  /** Sets the config that later anchors are judged by. By the project's owner. */
  async function setConfig(projectId: bigint, configHash: bigint, signer: Signer = {}): Promise<Sent> {
    const args = [projectId, configHash] as const
    const data = encodeFunctionData({ abi: projectRegistryAbi, functionName: 'setConfig', args })
    return sent(await send({ action: 'set the config', to: addresses.projects, data, ...signer }))
  }

  /** Publishes an applet version for ever. By the project's owner. */
  async function publishVersion(
    projectId: bigint,
    publication: Publication,
    signer: Signer = {},
  ): Promise<Sent & { version: number; vkHash: Hex }> {
    const { maxUnitsPerFrame, feeUnits = 0n, resetsState = false, ...terms } = publication
    const units = { maxUnitsPerFrame: Number(maxUnitsPerFrame), feeUnits: Number(feeUnits) }
    const args = [projectId, { ...terms, ...units, resetsState }] as const
    const data = encodeFunctionData({ abi: appletRegistryAbi, functionName: 'publish', args })
    const { logs, ...rest } = await send({ action: 'publish a version', to: addresses.applets, data, ...signer })
    const [log] = parseEventLogs({ abi: appletRegistryAbi, eventName: 'VersionPublished', logs })
    return { ...rest, version: Number(log!.args.version), vkHash: log!.args.vkHash }
  }

  /**
   * Makes a published version the one that batches are anchored under, the one before for `sunsetSec` more; scheduled if the
   * project has a delay. By the project's owner.
   */
  async function activateVersion(
    projectId: bigint,
    version: number,
    signer: Signer = {},
    sunsetSec = 0,
  ): Promise<Sent> {
    const args = [projectId, BigInt(version), BigInt(sunsetSec)] as const
    const data = encodeFunctionData({ abi: appletRegistryAbi, functionName: 'activate', args })
    return sent(await send({ action: `activate version ${version}`, to: addresses.applets, data, ...signer }))
  }

  /** Approves and pays into a project's escrow: two transactions, the second is returned. */
  async function fund(projectId: bigint, amountWei: bigint, signer: Signer = {}): Promise<Sent> {
    const { rewardToken } = await reads.getProject(projectId)
    const approval = [addresses.settlement, amountWei] as const
    const approve = encodeFunctionData({ abi: rewardTokenAbi, functionName: 'approve', args: approval })
    await send({ action: 'approve the funds', to: rewardToken, data: approve, ...signer })
    const data = encodeFunctionData({ abi: settlementAbi, functionName: 'fund', args: [projectId, amountWei] })
    return sent(await send({ action: `fund project ${projectId}`, to: addresses.settlement, data, ...signer }))
  }

  /** Takes back what is neither credited nor reserved. By the project's owner. */
  async function withdraw(projectId: bigint, amountWei: bigint, to: Hex, signer: Signer = {}): Promise<Sent> {
    const args = [projectId, amountWei, to] as const
    const data = encodeFunctionData({ abi: settlementAbi, functionName: 'withdraw', args })
    return sent(await send({ action: 'withdraw funds', to: addresses.settlement, data, ...signer }))
  }

  /** Mints reward tokens up to the cap. By the token's owner. */
  async function mintReward(to: Hex, amountWei: bigint, signer: Signer = {}): Promise<Sent> {
    const data = encodeFunctionData({ abi: rewardTokenAbi, functionName: 'mint', args: [to, amountWei] })
    return sent(await send({ action: 'mint reward tokens', to: addresses.rewardToken, data, ...signer }))
  }

  /** Carries out a scheduled change of config once it is due. Anybody may. */
  async function applyConfig(projectId: bigint, configHash: bigint, signer: Signer = {}): Promise<Sent> {
    const data = encodeFunctionData({
      abi: projectRegistryAbi,
      functionName: 'applyConfig',
      args: [projectId, configHash],
    })
    return sent(await send({ action: 'carry out the change of config', to: addresses.projects, data, ...signer }))
  }

  /** Takes back a scheduled change of config. By the project's owner or guardian. */
  async function cancelConfig(projectId: bigint, configHash: bigint, signer: Signer = {}): Promise<Sent> {
    const changeId = await reads.configChange(configHash)
    const data = encodeFunctionData({
      abi: projectRegistryAbi,
      functionName: 'cancelChange',
      args: [projectId, changeId],
    })
    return sent(await send({ action: 'cancel the change of config', to: addresses.projects, data, ...signer }))
  }

  /** Replaces who anchors, at once. By the project's owner. */
  async function setSequencer(projectId: bigint, sequencer: Hex, signer: Signer = {}): Promise<Sent> {
    const data = encodeFunctionData({
      abi: projectRegistryAbi,
      functionName: 'setSequencer',
      args: [projectId, sequencer],
    })
    return sent(await send({ action: 'set the sequencer', to: addresses.projects, data, ...signer }))
  }

  /** Changes the delay: a longer one at once, a shorter one after the present one. By the project's owner. */
  async function setDelay(projectId: bigint, delaySec: number, signer: Signer = {}): Promise<Sent> {
    const data = encodeFunctionData({ abi: projectRegistryAbi, functionName: 'setDelay', args: [projectId, delaySec] })
    return sent(await send({ action: 'set the delay', to: addresses.projects, data, ...signer }))
  }

  /** Carries out a scheduled activation once it is due. Anybody may. */
  async function applyActivation(
    projectId: bigint,
    version: number,
    sunsetSec = 0,
    signer: Signer = {},
  ): Promise<Sent> {
    const data = encodeFunctionData({
      abi: appletRegistryAbi,
      functionName: 'applyActivation',
      args: [projectId, BigInt(version), BigInt(sunsetSec)],
    })
    return sent(
      await send({ action: `carry out the activation of version ${version}`, to: addresses.applets, data, ...signer }),
    )
  }

  /** Takes back a scheduled activation. By the project's owner or guardian. */
  async function cancelActivation(
    projectId: bigint,
    version: number,
    sunsetSec = 0,
    signer: Signer = {},
  ): Promise<Sent> {
    const changeId = await reads.activationChange(version, sunsetSec)
    const data = encodeFunctionData({
      abi: appletRegistryAbi,
      functionName: 'cancelChange',
      args: [projectId, changeId],
    })
    return sent(
      await send({ action: `cancel the activation of version ${version}`, to: addresses.applets, data, ...signer }),
    )
  }

  /** Stops a version for ever. By the project's owner or guardian. */
  async function stopVersion(projectId: bigint, version: number, signer: Signer = {}): Promise<Sent> {
    const data = encodeFunctionData({
      abi: appletRegistryAbi,
      functionName: 'stopVersion',
      args: [projectId, BigInt(version)],
    })
    return sent(await send({ action: `stop version ${version}`, to: addresses.applets, data, ...signer }))
  }

  /** Stops a verifying key for ever, in all projects. By the registry's guardian. */
  async function stopKey(vkHash: Hex, signer: Signer = {}): Promise<Sent> {
    const data = encodeFunctionData({ abi: appletRegistryAbi, functionName: 'stopKey', args: [vkHash] })
    return sent(await send({ action: `stop the key ${vkHash}`, to: addresses.applets, data, ...signer }))
  }

  /** Limits what may be credited in each window, counted from 1970; no limit if `windowSec` is 0. By the project's owner. */
  async function setBudget(
    projectId: bigint,
    limitUnits: bigint,
    windowSec: number,
    signer: Signer = {},
  ): Promise<Sent> {
    const data = encodeFunctionData({
      abi: settlementAbi,
      functionName: 'setBudget',
      args: [projectId, limitUnits, windowSec],
    })
    return sent(await send({ action: 'set the budget', to: addresses.settlement, data, ...signer }))
  }

  /** Pays the signer what he earned by settling for a project. */
  async function claimFees(projectId: bigint, to: Hex, signer: Signer = {}): Promise<Sent> {
    const data = encodeFunctionData({ abi: settlementAbi, functionName: 'claimFees', args: [projectId, to] })
    return sent(await send({ action: 'claim the fees', to: addresses.settlement, data, ...signer }))
  }

  return {
    createProject,
    setConfig,
    publishVersion,
    activateVersion,
    fund,
    withdraw,
    mintReward,
    applyConfig,
    cancelConfig,
    setSequencer,
    setDelay,
    applyActivation,
    cancelActivation,
    stopVersion,
    stopKey,
    setBudget,
    claimFees,
  }
}
