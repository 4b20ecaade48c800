// Deploys the whole set of contracts with viem, libraries first, and returns where they are. What a chain then holds belongs to
// nobody: only the reward token has an owner, the deployer, until it is handed on.

import type { Account, Chain, Hex, PublicClient, Transport, WalletClient } from 'viem'
import { getAddress, parseEther } from 'viem'
import { contractArtifacts, linkedBytecode } from './build.ts'
import type { ContractName } from './build.ts'

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

export interface DeployOptions {
  publicClient: PublicClient
  walletClient: WalletClient<Transport, Chain, Account>
  /** A production applet registry refuses versions of a development setup. Default false. */
  production?: boolean
  /** Default: Attestream Reward, AREW, one billion tokens. */
  rewardToken?: { name: string; symbol: string; capWei: bigint }
}

export interface Deployment {
  addresses: Addresses
  transactions: { contract: ContractName; address: Hex; txHash: Hex; gasUsed: bigint }[]
  /** Block of the first transaction: events are never earlier. */
  fromBlock: bigint
}

const DEFAULT_TOKEN = { name: 'Attestream Reward', symbol: 'AREW', capWei: parseEther('1000000000') }

/** Sends eight creations one after another, each mined before the next. Throws if one fails. */
export async function deploy(options: DeployOptions): Promise<Deployment> {
  const artifacts = contractArtifacts()
  const transactions: Deployment['transactions'] = []
  const libraries: Record<string, Hex> = {}
  let fromBlock: bigint | undefined

  async function create(contract: ContractName, args: unknown[] = []): Promise<Hex> {
    const artifact = artifacts[contract]
    const bytecode = linkedBytecode(artifact, libraries)
    const txHash = await options.walletClient.deployContract({ abi: artifact.abi, bytecode, args })
    const receipt = await options.publicClient.waitForTransactionReceipt({ hash: txHash })
    if (receipt.status !== 'success' || !receipt.contractAddress) {
      throw new Error(`deploying ${contract} failed in transaction ${txHash}`)
    }
    const address = getAddress(receipt.contractAddress)
    fromBlock ??= receipt.blockNumber
    transactions.push({ contract, address, txHash, gasUsed: receipt.gasUsed })
    return address
  }

  const poseidonT3 = (libraries.PoseidonT3 = await create('PoseidonT3'))
  const poseidonT4 = (libraries.PoseidonT4 = await create('PoseidonT4'))
  const projects = await create('ProjectRegistry')
  const verifier = await create('Groth16Verifier')
  const owner = options.walletClient.account.address
  const applets = await create('AppletRegistry', [projects, verifier, options.production ?? false, owner])
  const devices = await create('DeviceRegistry', [projects])
  const settlement = await create('Settlement', [projects, applets, devices, verifier])
  const token = options.rewardToken ?? DEFAULT_TOKEN
  const rewardToken = await create('RewardToken', [token.name, token.symbol, token.capWei, owner])
  const addresses = { projects, applets, devices, verifier, settlement, rewardToken, poseidonT3, poseidonT4 }
  return { addresses, transactions, fromBlock: fromBlock ?? 0n }
}
