// What a deployment will cost, before anything is sent.

import { Eip1559FeesNotSupportedError, encodeFunctionData } from 'viem'
import type { Account, Chain, Hex, PublicClient, Transport, WalletClient } from 'viem'
import { onChain } from '../engine/chain/reverts.ts'
import { rewardTokenAbi } from './abi.ts'
import { creationData, type Plan, type Planned } from './deploy-plan.ts'

export interface CostEstimate {
  gas: bigint
  feePerGasWei: bigint
  /** The most that it will cost at that fee. A rollup's fee for its own chain's data comes on top where its estimates leave it out. */
  wei: bigint
  balanceWei: bigint
}

/** What is to be done: contracts to create, the token to hand over, init code of a factory to create first. */
export interface Outstanding {
  readonly missing: readonly Planned[]
  readonly handsOver: boolean
  readonly factory: Hex | undefined
}

interface Clients {
  readonly publicClient: PublicClient
  readonly walletClient: WalletClient<Transport, Chain, Account>
}

const TRANSACTION_GAS = 21_000n
const CREATION_GAS = 32_000n
const GAS_PER_DATA_BYTE = 16n
const GAS_PER_CODE_BYTE = 200n
/** A constructor's storage; the governor's is the largest. */
const CONSTRUCTOR_GAS = 500_000n
const HAND_OVER_GAS = 60_000n

export const HAND_OVER_DATA = (timelock: Hex): Hex =>
  encodeFunctionData({ abi: rewardTokenAbi, functionName: 'transferOwnership', args: [timelock] })

/** Asks the node for each creation; computes those that it cannot try yet. */
export async function estimateCost(clients: Clients, plan: Plan, outstanding: Outstanding): Promise<CostEstimate> {
  const { publicClient } = clients
  const { address } = clients.walletClient.account
  const creations = await Promise.all(
    outstanding.missing.map((planned) => creationGas(clients, plan, planned, outstanding)),
  )
  const factoryGas = outstanding.factory ? computedGas(outstanding.factory) : 0n
  const gas = creations.reduce((sum, each) => sum + each, factoryGas) + (outstanding.handsOver ? HAND_OVER_GAS : 0n)
  const [feePerGasWei, balanceWei] = await onChain('read the fee and the balance', () =>
    Promise.all([feePerGas(publicClient), publicClient.getBalance({ address })]),
  )
  return { gas, feePerGasWei, wei: gas * feePerGasWei, balanceWei }
}

/** A node cannot try a creation through a factory that is not there, nor a governor's before that of its token. */
async function creationGas(
  { publicClient, walletClient }: Clients,
  plan: Plan,
  { contract, initCode }: Planned,
  { missing, factory }: Outstanding,
): Promise<bigint> {
  if (!initCode) return 0n
  const isTokenMissing = missing.some((other) => other.contract === 'RewardToken')
  if (factory || (contract === 'AttestreamGovernor' && isTokenMissing)) return computedGas(initCode)
  const call = { account: walletClient.account.address, to: plan.factory, data: creationData(plan, initCode) }
  return onChain(`estimate the creation of ${contract}`, () => publicClient.estimateGas(call))
}

function computedGas(initCode: Hex): bigint {
  const perByte = GAS_PER_DATA_BYTE + GAS_PER_CODE_BYTE
  return TRANSACTION_GAS + CREATION_GAS + CONSTRUCTOR_GAS + BigInt((initCode.length - 2) / 2) * perByte
}

async function feePerGas(client: PublicClient): Promise<bigint> {
  try {
    return (await client.estimateFeesPerGas()).maxFeePerGas
  } catch (error) {
    if (error instanceof Eip1559FeesNotSupportedError) return client.getGasPrice()
    throw error
  }
}
