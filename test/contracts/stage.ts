// A chain with everything deployed and one project on it, for tests to play on: accounts by role, devices with known keys, and
// receipts proven by the test double of the batch circuit.

import {
  createPublicClient,
  createTestClient,
  createWalletClient,
  encodeFunctionData,
  http,
  TransactionReceiptNotFoundError,
} from 'viem'
import type { Abi, TransactionReceipt } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { foundry } from 'viem/chains'
import { appletRegistryAbi, deviceRegistryAbi, projectRegistryAbi, settlementAbi } from '../../contracts/abi.ts'
import { deploy, type Addresses } from '../../contracts/deploy.ts'
import { startAnvil, type Anvil } from '../../engine/chain/anvil.ts'
import { createChain, type Chain } from '../../engine/chain/chain.ts'
import { onChain } from '../../engine/chain/reverts.ts'
import type { Admission } from '../../engine/chain/typed-data.ts'
import type { SettledReceipt } from '../../engine/chain/writes.ts'
import { integerToHex, type Hex } from '../../engine/core/codec.ts'
import { binding, deviceDomain, packLanes, type AnchorFields, type Journal } from '../../engine/core/journal.ts'
import { poseidon } from '../../engine/core/poseidon.ts'
import { publicKey } from '../../engine/core/signature.ts'
import { journalProver, type JournalProver } from './journal-prover.ts'

export interface StageOptions {
  readonly cohortSize?: number
  readonly production?: boolean
  readonly devices?: number
  readonly fundUnits?: bigint
}

export type Stage = Awaited<ReturnType<typeof createStage>>

export const GENESIS = { sequencesHash: 11n, statesHash: 22n, ledger: poseidon([11n, 22n]) }
export const MAX_UNITS = 1_000n
export const REWARD_PER_UNIT_WEI = 10n ** 12n
export const CONFIG_HASH = 0x0b1c2d3e4f5061728394a5b6c7d8e9fa0b1c2d3e4f5061728394a5b6c7d8e9fan
/** Fixed, so that gas does not depend on the day. */
export const GENESIS_TIME_SEC = 1_790_000_000

type ReceiptArguments = [
  anchored: { number: bigint; anchor: AnchorFields; cohort?: number },
  units: readonly bigint[],
  ledgerAfter: bigint,
  payee?: Hex,
  ledgerBefore?: bigint,
]

const CONTRACT_ABIS = {
  projects: projectRegistryAbi,
  applets: appletRegistryAbi,
  devices: deviceRegistryAbi,
  settlement: settlementAbi,
}

const TERMS = { rewardPerUnitWei: REWARD_PER_UNIT_WEI, configHash: CONFIG_HASH, delaySec: 0 }

/** Roles by account: operator 0 (also deployer and sequencer), project owner 1, admitter 2, device owners 3 and 4, a stranger 5. */
export async function createStage(options: StageOptions = {}) {
  const anvil = await startAnvil({ genesisTimeSec: GENESIS_TIME_SEC })
  try {
    return await setStage(anvil, options)
  } catch (error) {
    await anvil.close()
    throw error
  }
}

async function setStage(anvil: Anvil, options: StageOptions) {
  const keys = anvil.accounts.map((account) => account.privateKey)
  const people = anvil.accounts.map((account) => account.address)
  const [operator, owner, admitter, alice, bob, stranger] = people as [Hex, Hex, Hex, Hex, Hex, Hex]
  const { publicClient, testClient, deployment } = await deployOn(anvil, options.production ?? false)
  const { addresses } = deployment
  const chain = await connectAs(anvil, addresses, 0)
  const cohortSize = options.cohortSize ?? 4
  const prover = await journalProver(cohortSize)

  const as = (index: number): { privateKey: Hex } => ({ privateKey: keys[index]! })
  const roles = { owner, admitter, sequencer: operator, guardian: owner }
  const terms = { ...TERMS, ...roles, rewardToken: addresses.rewardToken, cohortSize }
  const { projectId } = await chain.createProject(terms)
  await chain.mintReward(owner, 10n ** 24n)
  const fundUnits = options.fundUnits ?? 100n * BigInt(cohortSize) * MAX_UNITS
  if (fundUnits > 0n) await chain.fund(projectId, fundUnits * REWARD_PER_UNIT_WEI, as(1))

  function publication() {
    return {
      appletId: integerToHex(1n, 32),
      r1csHash: integerToHex(2n, 32),
      setupTranscriptHash: integerToHex(3n, 32),
      layoutId: 4n,
      genesisSequencesHash: GENESIS.sequencesHash,
      genesisStatesHash: GENESIS.statesHash,
      frameSize: 4,
      maxUnitsPerFrame: MAX_UNITS,
      devSetup: !(options.production ?? false),
      verifyingKey: prover.verifyingKey,
    }
  }
  const { version } = await chain.publishVersion(projectId, publication(), as(1))
  await chain.activateVersion(projectId, version, as(1))

  async function admission(deviceOwner: Hex, seed: number, change: Partial<Admission> = {}): Promise<Admission> {
    const key = deviceKey(seed)
    const deadline = (await publicClient.getBlock()).timestamp + 3600n
    return { owner: deviceOwner, projectId, keyX: key.x, keyY: key.y, metadataURI: '', deadline, ...change }
  }

  async function register(deviceOwner: Hex, seed: number, change: Partial<Admission> = {}) {
    const admitted = await admission(deviceOwner, seed, change)
    return chain.registerDevice(admitted, await chain.signAdmission(keys[2]!, admitted))
  }
  for (let i = 0; i < (options.devices ?? 0); i++) await register(i % 2 === 0 ? alice : bob, i + 1)

  /** Gives a device the key of `seed`, admitted by the project, sent by the account with index `sender`. */
  async function rotate(deviceId: bigint, seed: number, sender: number) {
    const key = deviceKey(seed)
    const deadline = (await publicClient.getBlock()).timestamp + 3600n
    const rotation = { deviceId, keyX: key.x, keyY: key.y, deadline }
    return chain.rotateKey(rotation, await chain.signRotation(keys[2]!, rotation), as(sender))
  }

  async function anchorNext(batchRoot = 0x1234n, cohort = 0) {
    const page = await chain.getCohort(projectId, cohort)
    const daPointer = DA_POINTER
    const request = { projectId, cohort, expectedNumber: page.nextToAnchor, batchRoot, daPointer, version }
    const sent = await chain.anchor({ ...request, identityRoot: page.identityRoot })
    return { ...sent, number: page.nextToAnchor, cohort }
  }

  /** A receipt that pays `units` by slot, with a journal that fits the chain as it is. */
  const receipt = (...args: ReceiptArguments): Promise<SettledReceipt> => receiptOf(projectId, prover, ...args)

  async function receiptOf(
    projectId: bigint,
    prover: JournalProver,
    anchored: { number: bigint; anchor: AnchorFields; cohort?: number },
    units: readonly bigint[],
    ledgerAfter: bigint,
    payee: Hex = operator,
    ledgerBefore?: bigint,
  ): Promise<SettledReceipt> {
    const { anchor, number: batchNumber, cohort = 0 } = anchored
    const domain = { chainId: anvil.chainId, registry: addresses.devices, settlement: addresses.settlement, projectId }
    const { ledger } = await chain.getCohort(projectId, cohort)
    const journal: Journal = {
      identityRoot: anchor.identityRoot,
      ledgerBefore: ledgerBefore ?? ledger,
      ledgerAfter,
      batchRoot: anchor.batchRoot,
      configHash: anchor.configHash,
      deviceDomain: deviceDomain(domain),
      anchorTime: anchor.anchorTime,
      binding: binding(domain, { version: anchor.version, cohort, batchNumber, payee }),
      lanes: packLanes(units),
    }
    const seal = await prover.prove(journal)
    const place = { projectId, cohort, batchNumber, version: anchor.version }
    return { ...place, daPointer: anchor.daPointer, payee, journal, seal }
  }

  /** Asks until the node has it: it mines at once, and may announce a block before its receipts. */
  async function minedReceipt(hash: Hex): Promise<TransactionReceipt> {
    for (let attempt = 0; attempt < 500; attempt++) {
      try {
        return await publicClient.getTransactionReceipt({ hash })
      } catch (error) {
        if (!(error instanceof TransactionReceiptNotFoundError)) throw error
      }
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    throw new Error(`The node does not mine ${hash}.`)
  }

  /** Sends any call of a contract as the account with index `sender`; a refusal names the contract's error. */
  async function transact(
    contract: keyof typeof CONTRACT_ABIS,
    functionName: string,
    args: readonly unknown[],
    sender = 1,
  ): Promise<bigint> {
    const to = addresses[contract]
    const data = encodeFunctionData({ abi: CONTRACT_ABIS[contract] as Abi, functionName, args })
    const account = people[sender]!
    await onChain(functionName, () => publicClient.call({ account, to, data }))
    const params = [{ from: account, to, data }]
    const hash = (await testClient.request({ method: 'eth_sendTransaction', params } as never)) as Hex
    const { status, gasUsed } = await minedReceipt(hash)
    if (status !== 'success') throw new Error(`${functionName} reverted when mined`)
    return gasUsed
  }

  return {
    anvil,
    addresses,
    deployment,
    publicClient,
    testClient,
    chain,
    prover,
    projectId,
    version,
    cohortSize,
    people,
    operator,
    owner,
    admitter,
    alice,
    bob,
    stranger,
    as,
    keys,
    terms,
    publication,
    admission,
    register,
    rotate,
    anchorNext,
    receipt,
    receiptOf,
    transact,
    advance: async (seconds: number) => {
      await testClient.increaseTime({ seconds })
      await testClient.mine({ blocks: 1 })
    },
    close: () => anvil.close(),
  }
}

/** No zero byte: calldata costs as much as it can. */
const DA_POINTER: Hex = `0x${'d1'.repeat(32)}`

export function deviceKey(seed: number): { x: bigint; y: bigint } {
  return publicKey(new Uint8Array(32).fill(seed))
}

export async function connectAs(anvil: Anvil, addresses: Addresses, account: number): Promise<Chain> {
  const { rpcUrl, chainId, accounts } = anvil
  return createChain({ rpcUrl, chainId, addresses, privateKey: accounts[account]!.privateKey, pollingIntervalMs: 10 })
}

async function deployOn(anvil: Anvil, production: boolean) {
  const transport = http(anvil.rpcUrl)
  const chain = { ...foundry, id: anvil.chainId }
  const account = privateKeyToAccount(anvil.accounts[0]!.privateKey)
  const publicClient = createPublicClient({ chain, transport, pollingInterval: 10, cacheTime: 0 })
  const walletClient = createWalletClient({ chain, transport, account })
  const testClient = createTestClient({ chain, transport, mode: 'anvil' })
  const deployment = await deploy({ publicClient, walletClient, production })
  return { publicClient, walletClient, testClient, deployment }
}

export type { JournalProver }
