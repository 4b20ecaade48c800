// Deploys the whole set of contracts with viem. The chain itself tells what is there: a run goes on where the last one stopped,
// and one that finds everything sends nothing. What a chain then holds belongs to nobody but the reward token's owner and the
// registry's guardian: the deployer, whoever the terms name, or a timelock.

import { getContractAddress, keccak256, zeroHash } from 'viem'
import type { Account, Chain, Hex, PublicClient, Transport, WalletClient } from 'viem'
import { chainError, onChain } from '../engine/chain/reverts.ts'
import { AttestreamError } from '../engine/core/errors.ts'
import { rewardTokenAbi } from './abi.ts'
import { contractArtifacts, type Artifacts, type ContractName } from './build.ts'
import { CANONICAL_FACTORY, checkChainAbilities, FACTORY_INIT_CODE, isFactory, isSilent } from './deploy-checks.ts'
import { estimateCost, HAND_OVER_DATA, type CostEstimate } from './deploy-cost.ts'
import {
  creationData,
  planDeployment,
  type Addresses,
  type DeployTerms,
  type Plan,
  type Planned,
} from './deploy-plan.ts'
import { plainArguments, readRecord, RECORD_FORMAT, writeRecord, type DeploymentRecord } from './deploy-record.ts'
import { createSender, insufficientFunds, type Sender } from './deploy-send.ts'
import { isDeployedCode } from './deployed-code.ts'

export type { Addresses, DeployTerms, Governance, NewToken } from './deploy-plan.ts'

export interface DeployOptions extends DeployTerms {
  publicClient: PublicClient
  /** Its account signs here; its chain's id is compared with the node's. */
  walletClient: WalletClient<Transport, Chain, Account>
  /** Where the deployment is written down; without it nothing is, and a run that was interrupted is found by its code alone. */
  file?: string
  /** Name that the file gives the chain. Default: the name of the wallet's chain. */
  network?: string
  /** Sends nothing. */
  dryRun?: boolean
  onProgress?: (progress: DeployProgress) => void
  /** How long a transaction may wait for its block. Default 10 minutes. */
  timeoutMs?: number
}

export type DeployProgress =
  | { kind: 'plan'; contracts: { contract: ContractName; address: Hex; isThere: boolean }[]; cost: CostEstimate }
  | { kind: 'sent'; step: string; txHash: Hex }
  | { kind: 'mined'; step: string; gasUsed: bigint; block: number }

export interface Deployment {
  addresses: Addresses
  governance?: { timelock: Hex; governor?: Hex }
  factory: Hex
  /** Sent by this run. */
  transactions: { step: string; txHash: Hex; gasUsed: bigint }[]
  /** Block of the first transaction: events are never earlier. 0 if a contract was there before the file. */
  fromBlock: bigint
  cost: CostEstimate
}

interface Run {
  readonly options: DeployOptions
  readonly artifacts: Artifacts
  readonly record: DeploymentRecord
  readonly sender: Sender
  save(): void
  /** Sends, tells the progress, and remembers that it was this run. */
  send(step: string, data: Hex, to?: Hex): Promise<void>
  readonly sent: string[]
}

const TIMEOUT_MS = 600_000
const FACTORY_STEP = 'Create2Factory'
const HAND_OVER_STEP = 'RewardToken.transferOwnership'

/**
 * Creates what is missing, each contract mined before the next. Throws CHAIN_MISMATCH, CHAIN_UNSUPPORTED, CODE_MISMATCH,
 * DEPLOYMENT_CHANGED, FUNDS_INSUFFICIENT, TRANSACTION_PENDING, CHAIN_REVERTED or CHAIN_UNAVAILABLE.
 */
export async function deploy(options: DeployOptions): Promise<Deployment> {
  const run = await openRun(options)
  const dryRun = options.dryRun ?? false
  await checkToken(options)
  if (!dryRun) await run.sender.finishPending()
  const { factory, isThere: hasFactory } = await findFactory(run)
  const plan = planDeployment(options, run.record.deployer, factory, run.artifacts)
  compareWithRecord(run.record, plan)
  const codes = await Promise.all(plan.contracts.map((planned) => codeOf(run, planned, plan)))
  const missing = plan.contracts.filter((_, i) => codes[i] === undefined)
  const handsOver = plan.handsOver && !(await isHandedOver(run, plan, missing))
  const cost = await estimateCost(options, plan, {
    missing,
    handsOver,
    factory: hasFactory ? undefined : FACTORY_INIT_CODE,
  })
  const contracts = plan.contracts.map(({ contract, address }, i) => ({ contract, address, isThere: !!codes[i] }))
  options.onProgress?.({ kind: 'plan', contracts, cost })
  if (!dryRun) {
    if (cost.gas > 0n && cost.balanceWei < cost.wei)
      throw insufficientFunds(run.record.deployer, `about ${cost.wei} wei`)
    if (!hasFactory) await createFactory(run, factory)
    await createContracts(run, plan, codes)
    if (handsOver) await run.send(HAND_OVER_STEP, HAND_OVER_DATA(plan.governance!.timelock), plan.addresses.rewardToken)
  }
  return summary(run, plan, factory, cost)
}

async function openRun(options: DeployOptions): Promise<Run> {
  const { publicClient, walletClient, file } = options
  const chainId = await onChain('read the chain id', () => publicClient.getChainId())
  const expected = walletClient.chain.id
  if (chainId !== expected) {
    const message = `The node serves chain ${chainId}; expected ${expected} (${walletClient.chain.name}). Check the RPC URL.`
    throw new AttestreamError('CHAIN_MISMATCH', message, { actual: chainId, expected })
  }
  await checkChainAbilities(publicClient)
  const record = (file === undefined ? undefined : readRecord(file)) ?? newRecord(options, chainId)
  if (record.chainId !== chainId) {
    const message = `${file} is of chain ${record.chainId}; the node serves ${chainId}. Name another --file.`
    throw new AttestreamError('CHAIN_MISMATCH', message, { actual: chainId, expected: record.chainId })
  }
  const save = (): void => {
    if (file !== undefined) writeRecord(file, record)
  }
  const onSent = (step: string, txHash: Hex): void => options.onProgress?.({ kind: 'sent', step, txHash })
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS
  const sender = createSender({ publicClient, walletClient, record, save, onSent, timeoutMs })
  const sent: string[] = []
  async function send(step: string, data: Hex, to?: Hex): Promise<void> {
    await sender.send(step, data, to)
    sent.push(step)
    const { gasUsed, block } = record.transactions[step]!
    options.onProgress?.({ kind: 'mined', step, gasUsed: BigInt(gasUsed), block })
  }
  return { options, artifacts: contractArtifacts(), record, sender, save, send, sent }
}

/** A governor counts in the token's clock, and its terms are in seconds. Throws INPUT_INVALID. */
async function checkToken({ publicClient, rewardToken, governance }: DeployOptions): Promise<void> {
  if (typeof rewardToken !== 'string') return
  const call = { address: rewardToken, abi: rewardTokenAbi } as const
  const read = (): Promise<string | bigint> =>
    governance?.kind === 'governor'
      ? publicClient.readContract({ ...call, functionName: 'CLOCK_MODE' })
      : publicClient.readContract({ ...call, functionName: 'totalSupply' })
  const answer = await read().catch((error: unknown) => {
    if (isSilent(error)) throw chainError('read the reward token', error)
    return undefined
  })
  if (answer === 'mode=timestamp' || typeof answer === 'bigint') return
  const message = `${rewardToken} is no ERC-20 token${governance ? ' with votes by timestamp (ERC-6372), as a governor needs' : ''}.`
  throw new AttestreamError('INPUT_INVALID', message, { rewardToken })
}

function newRecord(options: DeployOptions, chainId: number): DeploymentRecord {
  const { account, chain } = options.walletClient
  const plan = { salt: options.salt ?? zeroHash, contracts: {}, transactions: {} }
  return { format: RECORD_FORMAT, network: options.network ?? chain.name, chainId, deployer: account.address, ...plan }
}

/** The file's factory, the canonical one, or where a copy of ours will be: the address of the deployer's next creation. */
async function findFactory({ options, record }: Run): Promise<{ factory: Hex; isThere: boolean }> {
  const created = record.transactions[FACTORY_STEP]
  const known =
    record.factory ?? (created && getContractAddress({ from: record.deployer, nonce: BigInt(created.nonce) }))
  const factory = known ?? CANONICAL_FACTORY
  if (await isFactory(options.publicClient, factory)) {
    record.factory = factory
    return { factory, isThere: true }
  }
  if (known) throw lostCode(options, 'the CREATE2 factory', known)
  const address = options.walletClient.account.address
  const nonce = await onChain('read the nonce', () =>
    options.publicClient.getTransactionCount({ address, blockTag: 'pending' }),
  )
  return { factory: getContractAddress({ from: address, nonce: BigInt(nonce) }), isThere: false }
}

async function createFactory(run: Run, factory: Hex): Promise<void> {
  await run.send(FACTORY_STEP, FACTORY_INIT_CODE)
  if (!(await isFactory(run.options.publicClient, factory))) throw lostCode(run.options, 'the CREATE2 factory', factory)
  run.record.factory = factory
  run.save()
}

/** An address follows from code, arguments and salt, so another address means that one of them changed. */
function compareWithRecord(record: DeploymentRecord, plan: Plan): void {
  const changes = Object.entries(record.contracts).flatMap(([contract, known]) => {
    const planned = plan.contracts.find((candidate) => candidate.contract === contract)
    if (!planned) return [`${contract} would not be deployed`]
    if (planned.address === known.address) return []
    const args = JSON.stringify(plainArguments(planned.args))
    if (args !== JSON.stringify(known.args))
      return [`${contract} has the arguments ${JSON.stringify(known.args)}, now ${args}`]
    return [`${contract} has other code or another salt`]
  })
  if (changes.length === 0) return
  const message = `The deployment file differs from what would be deployed now: ${changes.join('; ')}. Give the same terms, or another --file.` // prettier-ignore
  throw new AttestreamError('DEPLOYMENT_CHANGED', message, { changes })
}

/** Code of a contract that is there; undefined if it is not. Throws if it is not ours, or if the file says it was there. */
async function codeOf({ options, artifacts, record }: Run, planned: Planned, plan: Plan): Promise<Hex | undefined> {
  const { contract, address } = planned
  const code = await onChain(`look for ${contract}`, () => options.publicClient.getCode({ address }))
  if (code === undefined || code === '0x') {
    if (record.contracts[contract]) throw lostCode(options, contract, address)
    return undefined
  }
  const libraries = { PoseidonT3: plan.addresses.poseidonT3, PoseidonT4: plan.addresses.poseidonT4 }
  const known = record.contracts[contract]?.codeHash
  if (isDeployedCode(code, artifacts[contract], libraries) && (known ?? keccak256(code)) === keccak256(code))
    return code
  const message = `${address} holds other code than ${contract}'s.`
  throw new AttestreamError('CODE_MISMATCH', message, { contract, address, codeHash: keccak256(code) })
}

function lostCode(options: DeployOptions, what: string, address: Hex): AttestreamError {
  const message =
    `The deployment file says that ${what} is at ${address}, where the node finds no code: it is behind, the chain was reorganised, ` +
    'or it is another chain with the same id. Wait for the node, or name another --file.'
  return new AttestreamError('CHAIN_MISMATCH', message, { address, chainId: options.walletClient.chain.id })
}

async function createContracts(run: Run, plan: Plan, codes: readonly (Hex | undefined)[]): Promise<void> {
  for (const [i, planned] of plan.contracts.entries()) {
    const { contract, address, args, initCode } = planned
    if (codes[i] === undefined && initCode) await run.send(contract, creationData(plan, initCode), run.record.factory)
    const code = codes[i] ?? (await codeOf(run, planned, plan))
    if (code === undefined) throw lostCode(run.options, contract, address)
    const hashes = { ...(initCode ? { initCodeHash: keccak256(initCode) } : {}), codeHash: keccak256(code) }
    run.record.contracts[contract] = { address, args: plainArguments(args), ...hashes }
    run.save()
  }
}

/** True once the token was handed over, whoever owns it since. */
async function isHandedOver({ options, record }: Run, plan: Plan, missing: readonly Planned[]): Promise<boolean> {
  if (record.transactions[HAND_OVER_STEP]) return true
  if (missing.some(({ contract }) => contract === 'RewardToken')) return false
  const call = { address: plan.addresses.rewardToken, abi: rewardTokenAbi, functionName: 'owner' } as const
  const owner = await onChain("read the reward token's owner", () => options.publicClient.readContract(call))
  return owner !== record.deployer
}

function summary({ record, sent }: Run, plan: Plan, factory: Hex, cost: CostEstimate): Deployment {
  const transactions = sent.map((step) => {
    const { hash, gasUsed } = record.transactions[step]!
    return { step, txHash: hash, gasUsed: BigInt(gasUsed) }
  })
  const blocks = plan.contracts
    .filter(({ initCode }) => initCode)
    .map(({ contract }) => record.transactions[contract]?.block)
  const first = Math.min(...blocks.map((block) => block ?? 0))
  const governance = plan.governance ? { governance: plan.governance } : {}
  return { addresses: plan.addresses, ...governance, factory, transactions, fromBlock: BigInt(first), cost }
}
