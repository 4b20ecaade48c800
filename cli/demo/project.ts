// What a project's owner does once: create the project on chain, publish and activate the applet version, fund the escrow,
// and ask the engine to serve it.

import { parseAppletAbi, type AppletAbi } from '../../engine/core/applet.ts'
import type { Hex } from '../../engine/core/codec.ts'
import { configHash, deviceDomain } from '../../engine/core/journal.ts'
import { encodeRecord, layoutId, type NamedRecord } from '../../engine/core/layout.ts'
import { genesisPage, sequencesHash, statesHash } from '../../engine/core/ledger.ts'
import type { Api } from './api.ts'
import type { World } from './world.ts'

export interface DemoProject {
  readonly projectId: bigint
  readonly abi: AppletAbi
  readonly deviceDomain: bigint
  readonly frameSize: number
}

export interface ProjectPlan {
  readonly appletId: Hex
  readonly config: NamedRecord
  readonly shape: { readonly cohortSize: number; readonly frameSize: number }
  /** Batches that the escrow must cover at their maximum. */
  readonly batches: number
}

/** A unit is a millionth of a token. */
export const REWARD_PER_UNIT_WEI = 10n ** 12n

export async function createProject(world: World, api: Api, plan: ProjectPlan): Promise<DemoProject> {
  const { chain, projectOwner, operator } = world
  const { cohortSize, frameSize } = plan.shape
  const signer = { privateKey: projectOwner.privateKey }
  const wasm = await world.engine.getAppletWasm(plan.appletId)
  const abi = parseAppletAbi(wasm)
  const manifest = await api.waitForCircuit(plan.appletId, plan.shape, () => {})
  const { projectId } = await chain.createProject(
    {
      owner: projectOwner.address,
      admitter: projectOwner.address,
      sequencer: operator.address,
      rewardToken: chain.addresses.rewardToken,
      rewardPerUnitWei: REWARD_PER_UNIT_WEI,
      cohortSize,
      configHash: configHash(abi.config, encodeRecord(abi.config, plan.config)),
    },
    signer,
  )
  const genesis = genesisPage(abi.state, cohortSize)
  const { version } = await chain.publishVersion(
    projectId,
    {
      appletId: plan.appletId,
      r1csHash: manifest.r1csSha256,
      setupTranscriptHash: manifest.setupTranscriptHash,
      layoutId: layoutId(abi.reading, frameSize),
      genesisSequencesHash: sequencesHash(genesis.sequences),
      genesisStatesHash: statesHash(abi.state, genesis.states),
      frameSize,
      maxUnitsPerFrame: abi.maxUnitsPerFrame,
      devSetup: manifest.devSetup,
      verifyingKey: manifest.verifyingKey,
    },
    signer,
  )
  await chain.activateVersion(projectId, version, signer)
  const escrow = BigInt(plan.batches * cohortSize) * abi.maxUnitsPerFrame * REWARD_PER_UNIT_WEI
  await chain.mintReward(projectOwner.address, escrow, signer)
  await chain.fund(projectId, escrow, signer)
  await api.addProject(projectId, textValues(plan.config))
  const { chainId, addresses } = chain
  const domain = { chainId, registry: addresses.devices, settlement: addresses.settlement, projectId }
  return { projectId, abi, deviceDomain: deviceDomain(domain), frameSize }
}

function textValues(config: NamedRecord): Record<string, string> {
  return Object.fromEntries(Object.entries(config).map(([name, value]) => [name, BigInt(value).toString()]))
}
