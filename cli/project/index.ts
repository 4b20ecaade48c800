// `project …`: what the owner of a project does on chain after creating it. Each command sends one transaction with the key in
// ATTESTREAM_PRIVATE_KEY (`fund` two), waits until it counts, and prints what it was; `show` only reads.

import { Command, InvalidArgumentError } from 'commander'
import { isAddress } from 'viem'
import { expectedPin } from '../../engine/core/circuit.ts'
import { appletId, parseAppletAbi, type AppletAbi } from '../../engine/core/applet.ts'
import type { Chain } from '../../engine/chain/chain.ts'
import type { Sent } from '../../engine/chain/connection.ts'
import type { Hex } from '../../engine/core/codec.ts'
import { loadManifest } from '../applet/manifest.ts'
import { integer, readInput } from '../applet/command.ts'
import { openChain, type ChainFlags } from './chain.ts'

type Send = (chain: Chain, projectId: bigint, ...values: never[]) => Promise<Sent>

export function projectCommand(): Command {
  const sunset = ['[sunsetSec]', 'seconds that the version before stays anchorable', integer(0, 31_536_000)] as const
  return new Command('project')
    .description('Projects on chain: money, config, versions, stops')
    .addCommand(showCommand())
    .addCommand(publishCommand())
    .addCommand(
      command('fund', 'Pay into the escrow', [amount('wei')], (chain, id, wei: bigint) => chain.fund(id, wei)),
    )
    .addCommand(
      command(
        'withdraw',
        'Take back what is neither credited nor reserved',
        [amount('wei'), address('to')],
        (chain, id, wei: bigint, to: Hex) => chain.withdraw(id, wei, to),
      ),
    )
    .addCommand(
      command(
        'budget',
        'Limit what may be credited in each window; 0 seconds for no limit',
        [amount('units'), seconds('window')],
        (chain, id, units: bigint, windowSec: number) => chain.setBudget(id, units, windowSec),
      ),
    )
    .addCommand(
      command(
        'config',
        'Set the configHash, or schedule it if the project has a delay',
        [amount('configHash')],
        (chain, id, hash: bigint) => chain.setConfig(id, hash),
      ),
    )
    .addCommand(
      command(
        'apply-config',
        'Carry out a scheduled change of config',
        [amount('configHash')],
        (chain, id, hash: bigint) => chain.applyConfig(id, hash),
      ),
    )
    .addCommand(
      command(
        'cancel-config',
        'Take back a scheduled change of config',
        [amount('configHash')],
        (chain, id, hash: bigint) => chain.cancelConfig(id, hash),
      ),
    )
    .addCommand(
      command('sequencer', 'Replace who anchors, at once', [address('account')], (chain, id, account: Hex) =>
        chain.setSequencer(id, account),
      ),
    )
    .addCommand(
      command('delay', 'Change the delay of changes', [seconds('delay')], (chain, id, delaySec: number) =>
        chain.setDelay(id, delaySec),
      ),
    )
    .addCommand(
      command(
        'activate',
        'Activate a version, or schedule it if the project has a delay',
        [version, sunset],
        (chain, id, number: number, sunsetSec?: number) => chain.activateVersion(id, number, {}, sunsetSec ?? 0),
      ),
    )
    .addCommand(
      command(
        'apply-activation',
        'Carry out a scheduled activation',
        [version, sunset],
        (chain, id, number: number, sunsetSec?: number) => chain.applyActivation(id, number, sunsetSec ?? 0),
      ),
    )
    .addCommand(
      command(
        'cancel-activation',
        'Take back a scheduled activation',
        [version, sunset],
        (chain, id, number: number, sunsetSec?: number) => chain.cancelActivation(id, number, sunsetSec ?? 0),
      ),
    )
    .addCommand(
      command('stop-version', 'Stop a version for ever', [version], (chain, id, number: number) =>
        chain.stopVersion(id, number),
      ),
    )
}

type Argument = readonly [name: string, description: string, parse: (text: string) => unknown]

const version: Argument = ['<version>', 'number of the version', integer(1, 2 ** 32 - 1)]
const amount = (name: string): Argument => [`<${name}>`, 'decimal', decimal]
const seconds = (name: string): Argument => [`<${name}Sec>`, 'seconds', integer(0, 2 ** 32 - 1)]
const address = (name: string): Argument => [`<${name}>`, 'address', parseAddress]

function base(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .requiredOption('--rpc <url>', 'JSON-RPC URL of the chain')
    .requiredOption('--settlement <address>', 'settlement contract; it names the others', parseAddress)
    .argument('<projectId>', 'number of the project', decimal)
}

function command(name: string, description: string, args: readonly Argument[], send: Send): Command {
  const made = base(name, description)
  for (const [argument, told, parse] of args) made.argument(argument, told, parse)
  return made.action(async (projectId: bigint, ...rest: unknown[]) => {
    const chain = await openChain(rest[args.length] as ChainFlags)
    print(await send(chain, projectId, ...(rest.slice(0, args.length) as never[])))
  })
}

function showCommand(): Command {
  return base('show', 'What the chain has of a project').action(async (projectId: bigint, flags: ChainFlags) => {
    const chain = await openChain(flags)
    const [project, account, budget] = await Promise.all([
      chain.getProject(projectId),
      chain.getAccount(projectId),
      chain.getBudget(projectId),
    ])
    print({ ...project, ...account, budget })
  })
}

function publishCommand(): Command {
  return base('publish', 'Publish an applet version for ever')
    .requiredOption('--wasm <file>', "the applet's WASM")
    .requiredOption('--manifest <file, directory or URL>', 'of the built circuit, as `applet audit` takes it')
    .option('--fee-units <n>', 'units that each settlement pays to the payee', decimal, 0n)
    .option('--resets-state', 'State differs from that of the version before: cohorts start it anew', false)
    .action(async (projectId: bigint, flags: PublishFlags) => {
      const wasm = await readInput(flags.wasm, 'The applet')
      const abi: AppletAbi = parseAppletAbi(wasm)
      const { manifest } = await loadManifest(flags.manifest, appletId(wasm), {})
      const { feeUnits, resetsState } = flags
      const publication = { ...expectedPin(manifest, abi), feeUnits, resetsState, verifyingKey: manifest.verifyingKey }
      print(await (await openChain(flags)).publishVersion(projectId, publication))
    })
}

interface PublishFlags extends ChainFlags {
  readonly wasm: string
  readonly manifest: string
  readonly feeUnits: bigint
  readonly resetsState: boolean
}

function print(answer: object): void {
  console.log(JSON.stringify(answer, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value), 2))
}

function decimal(text: string): bigint {
  if (/^(0|[1-9][0-9]{0,77})$/.test(text)) return BigInt(text)
  throw new InvalidArgumentError('Expected a number in decimal.')
}

function parseAddress(text: string): Hex {
  if (isAddress(text)) return text
  throw new InvalidArgumentError('Expected an address: 0x and 40 hexadecimal digits.')
}
