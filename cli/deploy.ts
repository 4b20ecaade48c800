// `deploy`: the contracts onto any EVM chain, and where asked for the governance that owns them.

import { Command, InvalidArgumentError } from 'commander'
import {
  createPublicClient,
  createWalletClient,
  defineChain,
  formatEther,
  getAddress,
  http,
  isAddress,
  parseEther,
} from 'viem'
import type { Chain, Hex } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import type { DeployOptions, DeployProgress, Deployment, DeployTerms, Governance } from '../contracts/deploy.ts'
import { onChain } from '../engine/chain/reverts.ts'
import { AttestreamError } from '../engine/index.ts'
import { readEnvironment, type Environment } from './environment.ts'
import { signingKey } from './signing-key.ts'
import { grouped, printFacts } from './table.ts'

interface DeployFlags {
  readonly network?: string
  readonly rpc?: string
  readonly chainId?: number
  readonly file?: string
  readonly keystore?: string
  readonly dryRun: boolean
  readonly timeout: number
  readonly production: boolean
  readonly owner?: Hex
  readonly guardian?: Hex
  readonly token?: Hex
  readonly tokenName: string
  readonly tokenSymbol: string
  readonly tokenCap: bigint
  readonly supply?: bigint
  readonly holder?: Hex
  readonly salt?: Hex
  readonly governance: boolean
  readonly proposer?: Hex
  readonly canceller?: Hex
  readonly timelockDelay: number
  readonly votingDelay: number
  readonly votingPeriod: number
  readonly proposalThreshold: bigint
  readonly quorum: number
}

const DAY_SEC = 86_400
const MAX_SEC = 2 ** 32 - 1

export function deployCommand(): Command {
  return new Command('deploy')
    .description('Deploy the contracts; run again, it goes on where it stopped and sends nothing twice')
    .option(
      '--network <name>',
      'iotex, iotex-testnet, ethereum, sepolia, polygon, polygon-amoy, base, base-sepolia, local',
    )
    .option('--rpc <url>', 'RPC URL; default ATTESTREAM_RPC_URL, else a public one of the network')
    .option(
      '--chain-id <n>',
      'chain id that the node must have, without --network',
      integer(1, Number.MAX_SAFE_INTEGER),
    )
    .option('--file <file>', 'deployment file; default deployments/<network>.json')
    .option('--keystore <file>', 'encrypted key (version 3) that deploys; without it ATTESTREAM_PRIVATE_KEY')
    .option('--dry-run', 'tell what is there, what is missing and what it costs; send nothing', false)
    .option('--timeout <seconds>', 'how long a transaction may wait for its block', integer(1, DAY_SEC), 600)
    .option('--production', 'refuse applet versions of a development setup', false)
    .option('--owner <address>', 'may mint the new token; default the deployer', address)
    .option('--guardian <address>', "may stop verifying keys; default the token's owner", address)
    .option('--token <address>', 'reward token that exists, in place of a new one', address)
    .option('--token-name <name>', 'name of the new token', 'Attestream Reward')
    .option('--token-symbol <symbol>', 'its symbol', 'AREW')
    .option('--token-cap <tokens>', 'the most that can ever be minted', tokens, parseEther('1000000000'))
    .option('--supply <tokens>', 'minted at once to --holder', tokens)
    .option('--holder <address>', 'who gets --supply', address)
    .option('--salt <hex>', '32 bytes; another salt gives another set of contracts', bytes32)
    .option('--governance', 'holders of the token govern: a governor, and a timelock as owner and guardian', false)
    .option(
      '--proposer <address>',
      'a timelock as owner and guardian whose proposer this account is, such as a multisig',
      address,
    )
    .option('--canceller <address>', 'may cancel what the governor queued', address)
    .option('--timelock-delay <seconds>', 'between a decision and its effect', integer(0, MAX_SEC), 2 * DAY_SEC)
    .option('--voting-delay <seconds>', 'between a proposal and its vote', integer(0, MAX_SEC), DAY_SEC)
    .option('--voting-period <seconds>', 'how long the vote lasts', integer(1, MAX_SEC), 5 * DAY_SEC)
    .option('--proposal-threshold <tokens>', 'votes that a proposal needs behind it', tokens, 0n)
    .option('--quorum <percent>', 'part of all votes that must take part', integer(0, 100), 4)
    .addHelpText('after', '\nExample:\n  npm run attestream -- deploy --network sepolia --keystore key.json --dry-run')
    .action(run)
}

async function run(flags: DeployFlags): Promise<void> {
  const terms = termsOf(flags)
  const environment = readEnvironment()
  const { deploy } = await import('../contracts/deploy.ts')
  const { chain, rpcUrl, network } = await chainOf(flags, environment)
  const account = privateKeyToAccount(await signingKey(flags))
  const transport = http(rpcUrl)
  const local = /^https?:\/\/(127\.0\.0\.1|localhost)[:/]/.test(rpcUrl)
  const options: DeployOptions = {
    ...terms,
    publicClient: createPublicClient({ chain, transport, pollingInterval: local ? 100 : 2000, cacheTime: 0 }),
    walletClient: createWalletClient({ account, chain, transport }),
    file: flags.file ?? `deployments/${network}.json`,
    network,
    dryRun: flags.dryRun,
    timeoutMs: flags.timeout * 1000,
    onProgress: (progress) => printProgress(progress, chain),
  }
  console.log(`deployer ${account.address} on ${network} (chain ${chain.id})`)
  printDeployment(await deploy(options), options)
}

/** Deployment terms of the flags; throws INPUT_INVALID for what contradicts itself. */
function termsOf(flags: DeployFlags): DeployTerms {
  const { owner, guardian, salt, production, token, supply, holder } = flags
  const governs = flags.governance || flags.proposer !== undefined
  if (flags.governance && flags.proposer) throw contradiction('--governance and --proposer', 'choose one')
  if (governs && owner) throw contradiction(`--owner and a timelock`, 'the timelock is the owner')
  if (flags.canceller && !flags.governance)
    throw contradiction('--canceller without --governance', 'a proposer cancels itself')
  if (token && (supply !== undefined || owner))
    throw contradiction('--token and --supply or --owner', 'its own owner decides')
  if ((supply === undefined) !== (holder === undefined)) throw contradiction('--supply or --holder alone', 'give both')
  if (flags.governance && !token && !supply)
    throw contradiction('--governance without votes', 'give --supply and --holder')
  const { tokenName: name, tokenSymbol: symbol, tokenCap: capWei } = flags
  if (supply !== undefined && supply > capWei) throw contradiction('--supply above --token-cap', 'mint less')
  const minted = supply !== undefined && holder ? { supplyWei: supply, holder } : {}
  const governance = governanceOf(flags)
  return {
    production,
    rewardToken: token ?? { name, symbol, capWei, ...minted },
    ...(owner ? { owner } : {}),
    ...(guardian ? { guardian } : {}),
    ...(salt ? { salt } : {}),
    ...(governance ? { governance } : {}),
  }
}

function governanceOf(flags: DeployFlags): Governance | undefined {
  const timelockDelaySec = flags.timelockDelay
  if (flags.proposer) return { kind: 'proposer', proposer: flags.proposer, timelockDelaySec }
  if (!flags.governance) return undefined
  return {
    kind: 'governor',
    timelockDelaySec,
    votingDelaySec: flags.votingDelay,
    votingPeriodSec: flags.votingPeriod,
    proposalThresholdWei: flags.proposalThreshold,
    quorumPercent: flags.quorum,
    ...(flags.canceller ? { canceller: flags.canceller } : {}),
  }
}

/** The chain that is meant; with an RPC URL alone, the one that answers there. */
async function chainOf(flags: DeployFlags, environment: Environment) {
  const url = flags.rpc ?? environment.rpcUrl
  if (flags.network !== undefined) {
    const { networkNamed } = await import('../contracts/networks.ts')
    const chain = networkNamed(flags.network)
    if (flags.chainId !== undefined && flags.chainId !== chain.id) {
      throw contradiction(`--network ${flags.network} with --chain-id ${flags.chainId}`, `its id is ${chain.id}`)
    }
    return { chain, rpcUrl: url ?? chain.rpcUrls.default.http[0]!, network: flags.network }
  }
  if (url === undefined)
    throw new AttestreamError('INPUT_INVALID', 'Name a chain with --network, or give its --rpc URL.')
  if (!/^https?:\/\//.test(url))
    throw new AttestreamError('INPUT_INVALID', 'The RPC URL must begin with http:// or https://.')
  const id =
    flags.chainId ??
    (await onChain('read the chain id', () => createPublicClient({ transport: http(url) }).getChainId()))
  const nativeCurrency = { name: 'Coin', symbol: 'coins', decimals: 18 }
  const chain: Chain = defineChain({ id, name: `chain-${id}`, nativeCurrency, rpcUrls: { default: { http: [url] } } })
  return { chain, rpcUrl: url, network: chain.name }
}

function printProgress(progress: DeployProgress, chain: Chain): void {
  if (progress.kind === 'sent') return console.log(`  sent   ${progress.step}  ${progress.txHash}`)
  if (progress.kind === 'mined') {
    return console.log(`  mined  ${progress.step}  block ${progress.block}, ${grouped(progress.gasUsed)} gas`)
  }
  for (const { contract, address, isThere } of progress.contracts) {
    console.log(`  ${isThere ? 'there  ' : 'missing'}  ${contract.padEnd(18)}  ${address}`)
  }
  const { gas, wei, balanceWei } = progress.cost
  const coins = (amount: bigint): string => `${formatEther(amount)} ${chain.nativeCurrency.symbol}`
  console.log(
    `about ${grouped(gas)} gas, at most ${coins(wei)} at the present fee; the deployer has ${coins(balanceWei)}`,
  )
}

function printDeployment({ addresses, governance, transactions }: Deployment, options: DeployOptions): void {
  if (options.dryRun) return console.log('Nothing was sent.')
  printFacts([...Object.entries(addresses), ...Object.entries(governance ?? {})] as [string, string][])
  console.log(`${transactions.length} transactions sent. Deployment file: ${options.file}`)
}

function contradiction(what: string, advice: string): AttestreamError {
  return new AttestreamError('INPUT_INVALID', `${what}: ${advice}.`)
}

function address(text: string): Hex {
  if (isAddress(text)) return getAddress(text)
  throw new InvalidArgumentError(
    'Expected an address: 0x and 40 hexadecimal digits, with a right checksum if in mixed case.',
  )
}

function bytes32(text: string): Hex {
  if (/^0x[0-9a-f]{64}$/i.test(text)) return text as Hex
  throw new InvalidArgumentError('Expected 0x and 64 hexadecimal digits.')
}

/** Whole tokens, or with up to 18 decimal places, in wei. */
function tokens(text: string): bigint {
  if (/^\d{1,40}(\.\d{1,18})?$/.test(text)) return parseEther(text)
  throw new InvalidArgumentError('Expected a number of tokens.')
}

function integer(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= least && value <= most) return value
    throw new InvalidArgumentError(`Expected an integer from ${least} to ${most}.`)
  }
}
