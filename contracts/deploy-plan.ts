// What a deployment consists of, and where: every contract is created by the CREATE2 factory, so its address follows from its
// code, its constructor arguments and the salt. The same terms give the same addresses on every chain with the canonical factory,
// and an address that has code was deployed. Constructors read no sender: whoever sends a creation, the same contract results.

import { concatHex, encodeDeployData, getContractAddress, getCreate2Address, keccak256, parseEther, zeroAddress, zeroHash } from 'viem' // prettier-ignore
import type { Hex } from 'viem'
import { linkedBytecode } from './build.ts'
import type { Artifact, Artifacts, ContractName } from './build.ts'

export interface Addresses {
  projects: Hex
  applets: Hex
  devices: Hex
  verifier: Hex
  settlement: Hex
  rewardToken: Hex
  poseidonT3: Hex
  poseidonT4: Hex
}

/** Who holds what at the end. */
export interface DeployTerms {
  /** A production applet registry refuses versions of a development setup. Default false. */
  production?: boolean
  /** May mint the new reward token. Default: the deployer. Where there is a timelock, it is the owner. */
  owner?: Hex
  /** Guardian of the applet registry: may stop verifying keys. Default: as the owner. */
  guardian?: Hex
  /** A token to create, or the address of one that exists. Default: Attestream Reward, AREW, one billion tokens, none minted. */
  rewardToken?: NewToken | Hex
  /** A timelock, and who decides what it does. */
  governance?: Governance
  /** 32 bytes; another salt gives another set of contracts. Default zero. */
  salt?: Hex
}

export interface NewToken {
  name: string
  symbol: string
  capWei: bigint
  /** Minted at once to `holder`. Default none. */
  supplyWei?: bigint
  holder?: Hex
}

/** `governor`: holders of the reward token vote on chain. `proposer`: an account, such as a multisig, proposes what was decided elsewhere. */
export type Governance =
  | { kind: 'proposer'; timelockDelaySec: number; proposer: Hex }
  | {
      kind: 'governor'
      timelockDelaySec: number
      votingDelaySec: number
      votingPeriodSec: number
      proposalThresholdWei: bigint
      quorumPercent: number
      /** May cancel what is queued, nothing else. Default nobody. */
      canceller?: Hex
    }

export interface Planned {
  readonly contract: ContractName
  readonly address: Hex
  readonly args: readonly unknown[]
  /** Absent for the timelock that a governor's constructor creates. */
  readonly initCode?: Hex
}

export interface Plan {
  readonly factory: Hex
  readonly salt: Hex
  /** In the order of creation. */
  readonly contracts: readonly Planned[]
  readonly addresses: Addresses
  readonly governance?: { readonly timelock: Hex; readonly governor?: Hex }
  /** The new reward token's owner at first, who hands it over to the timelock. */
  readonly handsOver: boolean
}

export const DEFAULT_TOKEN: NewToken = {
  name: 'Attestream Reward',
  symbol: 'AREW',
  capWei: parseEther('1000000000'),
}

/** Computes the plan; sends and reads nothing. */
export function planDeployment(terms: DeployTerms, deployer: Hex, factory: Hex, artifacts: Artifacts): Plan {
  const salt = terms.salt ?? zeroHash
  const contracts: Planned[] = []
  const libraries: Record<string, Hex> = {}

  function add(contract: ContractName, args: readonly unknown[] = []): Hex {
    const initCode = initCodeOf(artifacts[contract], libraries, args)
    const address = getCreate2Address({ from: factory, salt, bytecodeHash: keccak256(initCode) })
    contracts.push({ contract, args, initCode, address })
    return address
  }

  const poseidonT3 = (libraries.PoseidonT3 = add('PoseidonT3'))
  const poseidonT4 = (libraries.PoseidonT4 = add('PoseidonT4'))
  const { rewardToken, governance, handsOver } = addToken(terms, deployer, add, contracts)
  const owner = governance?.timelock ?? terms.owner ?? deployer
  const projects = add('ProjectRegistry')
  const verifier = add('Groth16Verifier')
  const applets = add('AppletRegistry', [projects, verifier, terms.production ?? false, terms.guardian ?? owner])
  const devices = add('DeviceRegistry', [projects])
  const settlement = add('Settlement', [projects, applets, devices, verifier])
  const addresses = { projects, applets, devices, verifier, settlement, rewardToken, poseidonT3, poseidonT4 }
  return { factory, salt, contracts, addresses, handsOver, ...(governance ? { governance } : {}) }
}

/** Data of the transaction to the factory. */
export function creationData(plan: Plan, initCode: Hex): Hex {
  return concatHex([plan.salt, initCode])
}

type Add = (contract: ContractName, args?: readonly unknown[]) => Hex

/** The token and the timelock. A governor needs the token, and the token's owner is the governor's timelock: so the deployer owns it first. */
function addToken(terms: DeployTerms, deployer: Hex, add: Add, contracts: Planned[]) {
  const token = terms.rewardToken ?? DEFAULT_TOKEN
  const isNew = typeof token !== 'string'
  const chosen = terms.governance
  const timelock = chosen?.kind === 'proposer' ? add('TimelockController', timelockArgs(chosen)) : undefined
  const firstOwner = chosen?.kind === 'governor' ? deployer : (timelock ?? terms.owner ?? deployer)
  const rewardToken = isNew ? add('RewardToken', tokenArgs(token, firstOwner)) : token
  if (chosen?.kind !== 'governor') return { rewardToken, handsOver: false, governance: timelock && { timelock } }
  const governor = add('AttestreamGovernor', [rewardToken, governorTerms(chosen)])
  const created = getContractAddress({ from: governor, nonce: 1n })
  contracts.push({ contract: 'TimelockController', args: [], address: created })
  return { rewardToken, handsOver: isNew, governance: { timelock: created, governor } }
}

function tokenArgs({ name, symbol, capWei, supplyWei, holder }: NewToken, owner: Hex): unknown[] {
  return [name, symbol, capWei, owner, holder ?? zeroAddress, supplyWei ?? 0n]
}

/** Anybody carries out what is due: the proposer could else hold a vote's result back. The proposer cancels too. */
function timelockArgs(governance: Governance & { kind: 'proposer' }): unknown[] {
  return [BigInt(governance.timelockDelaySec), [governance.proposer], [zeroAddress], zeroAddress]
}

function governorTerms(governance: Governance & { kind: 'governor' }) {
  return {
    votingDelaySec: governance.votingDelaySec,
    votingPeriodSec: governance.votingPeriodSec,
    proposalThresholdWei: governance.proposalThresholdWei,
    quorumPercent: BigInt(governance.quorumPercent),
    timelockDelaySec: BigInt(governance.timelockDelaySec),
    canceller: governance.canceller ?? zeroAddress,
  }
}

function initCodeOf(artifact: Artifact, libraries: Record<string, Hex>, args: readonly unknown[]): Hex {
  return encodeDeployData({ abi: artifact.abi, bytecode: linkedBytecode(artifact, libraries), args: [...args] })
}
