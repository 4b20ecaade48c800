// `project …`: what the owner of a project does on chain after creating it. Each command sends one transaction (`fund` two), waits
// until it counts, and prints it; with --calldata it prints the transaction for an owner that is a contract. `show` only reads.

import { Command } from 'commander'
import { appletId, parseAppletAbi } from '../../engine/core/applet.ts'
import { expectedPin } from '../../engine/core/circuit.ts'
import type { Hex } from '../../engine/core/codec.ts'
import type { Writes } from '../../engine/chain/writes.ts'
import { integer, readInput } from '../applet/command.ts'
import { loadManifest } from '../applet/manifest.ts'
import { address, openChain, transact, unsigned, type ChainFlags, type SendFlags } from '../device/chain.ts'
import { printJson } from '../table.ts'

type Send = (writes: Writes, projectId: bigint, ...values: never[]) => Promise<unknown>

export function projectCommand(): Command {
  const sunset = ['[sunsetSec]', 'seconds that the version before stays anchorable', integer(0, 31_536_000)] as const
  return new Command('project')
    .description('Projects on chain: money, config, versions, stops')
    .addCommand(showCommand())
    .addCommand(publishCommand())
    .addCommand(
      command('fund', 'Pay into the escrow', [amount('wei')], (writes, id, wei: bigint) => writes.fund(id, wei)),
    )
    .addCommand(
      command(
        'withdraw',
        'Take back what is neither credited nor reserved',
        [amount('wei'), account('to')],
        (writes, id, wei: bigint, to: Hex) => writes.withdraw(id, wei, to),
      ),
    )
    .addCommand(
      command(
        'budget',
        'Limit what may be credited in each window; 0 seconds for no limit',
        [amount('units'), seconds('window')],
        (writes, id, units: bigint, windowSec: number) => writes.setBudget(id, units, windowSec),
      ),
    )
    .addCommand(
      command(
        'config',
        'Set the configHash, or schedule it if the project has a delay',
        [amount('configHash')],
        (writes, id, hash: bigint) => writes.setConfig(id, hash),
      ),
    )
    .addCommand(
      command(
        'apply-config',
        'Carry out a scheduled change of config',
        [amount('configHash')],
        (writes, id, hash: bigint) => writes.applyConfig(id, hash),
      ),
    )
    .addCommand(
      command(
        'cancel-config',
        'Take back a scheduled change of config',
        [amount('configHash')],
        (writes, id, hash: bigint) => writes.cancelConfig(id, hash),
      ),
    )
    .addCommand(
      command('sequencer', 'Replace who anchors, at once', [account('account')], (writes, id, sequencer: Hex) =>
        writes.setSequencer(id, sequencer),
      ),
    )
    .addCommand(
      command('delay', 'Change the delay of changes', [seconds('delay')], (writes, id, delaySec: number) =>
        writes.setDelay(id, delaySec),
      ),
    )
    .addCommand(
      command(
        'activate',
        'Activate a version, or schedule it if the project has a delay',
        [version, sunset],
        (writes, id, number: number, sunsetSec?: number) => writes.activateVersion(id, number, {}, sunsetSec ?? 0),
      ),
    )
    .addCommand(
      command(
        'apply-activation',
        'Carry out a scheduled activation',
        [version, sunset],
        (writes, id, number: number, sunsetSec?: number) => writes.applyActivation(id, number, sunsetSec ?? 0),
      ),
    )
    .addCommand(
      command(
        'cancel-activation',
        'Take back a scheduled activation',
        [version, sunset],
        (writes, id, number: number, sunsetSec?: number) => writes.cancelActivation(id, number, sunsetSec ?? 0),
      ),
    )
    .addCommand(
      command('stop-version', 'Stop a version for ever', [version], (writes, id, number: number) =>
        writes.stopVersion(id, number),
      ),
    )
}

type Argument = readonly [name: string, description: string, parse: (text: string) => unknown]

const version: Argument = ['<version>', 'number of the version', integer(1, 2 ** 32 - 1)]
const amount = (name: string): Argument => [`<${name}>`, 'decimal', unsigned(256n)]
const seconds = (name: string): Argument => [`<${name}Sec>`, 'seconds', integer(0, 2 ** 32 - 1)]
const account = (name: string): Argument => [`<${name}>`, 'address', address]

function readCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .requiredOption('--rpc <url>', 'JSON-RPC URL of the chain')
    .requiredOption('--settlement <address>', 'settlement contract; it names the others', address)
    .argument('<projectId>', 'number of the project', unsigned(64n))
}

function signCommand(name: string, description: string): Command {
  return readCommand(name, description).option(
    '--keystore <file>',
    'encrypted key (version 3) that signs; without it ATTESTREAM_PRIVATE_KEY',
  )
}

function sendCommand(name: string, description: string): Command {
  return signCommand(name, description).option('--calldata', 'send nothing, print the transaction', false)
}

function command(name: string, description: string, args: readonly Argument[], send: Send): Command {
  // funding is two transactions, of which calldata could show but one
  const made = name === 'fund' ? signCommand(name, description) : sendCommand(name, description)
  for (const [argument, told, parse] of args) made.argument(argument, told, parse)
  return made.action(async (projectId: bigint, ...rest: unknown[]) => {
    const flags = rest[args.length] as SendFlags
    const values = rest.slice(0, args.length) as never[]
    print(await transact(flags, await openChain(flags), (writes) => send(writes, projectId, ...values)))
  })
}

function showCommand(): Command {
  return readCommand('show', 'What the chain has of a project').action(async (projectId: bigint, flags: ChainFlags) => {
    const chain = await openChain(flags)
    const [project, money, budget] = await Promise.all([
      chain.getProject(projectId),
      chain.getAccount(projectId),
      chain.getBudget(projectId),
    ])
    printJson({ ...project, ...money, budget })
  })
}

function publishCommand(): Command {
  return sendCommand('publish', 'Publish an applet version for ever')
    .requiredOption('--wasm <file>', "the applet's WASM")
    .requiredOption('--manifest <file, directory or URL>', 'of the built circuit, as `applet audit` takes it')
    .option('--fee-units <n>', 'units that each settlement pays to the payee', unsigned(40n), 0n)
    .option('--resets-state', 'State differs from that of the version before: cohorts start it anew', false)
    .action(async (projectId: bigint, flags: PublishFlags) => {
      const wasm = await readInput(flags.wasm, 'The applet')
      const { manifest } = await loadManifest(flags.manifest, appletId(wasm), {})
      const { feeUnits, resetsState } = flags
      const { verifyingKey } = manifest
      const publication = { ...expectedPin(manifest, parseAppletAbi(wasm)), feeUnits, resetsState, verifyingKey }
      const send = (writes: Writes) => writes.publishVersion(projectId, publication)
      print(await transact(flags, await openChain(flags), send))
    })
}

interface PublishFlags extends SendFlags {
  readonly wasm: string
  readonly manifest: string
  readonly feeUnits: bigint
  readonly resetsState: boolean
}

function print(sent: unknown): void {
  if (sent !== undefined) printJson(sent)
}
