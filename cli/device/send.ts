// The device commands that change something on chain: each sends one transaction, or with --calldata prints it.

import type { Command } from 'commander'
import type { ReadableChain } from '../../engine/chain/at-settlement.ts'
import type { Sent } from '../../engine/chain/connection.ts'
import type { Writes } from '../../engine/chain/writes.ts'
import {
  parseAdmission,
  parseRotation,
  type SignedAdmission,
  type SignedRotation,
} from '../../engine/core/admission.ts'
import { deviceDid } from '../../engine/core/did.ts'
import type { Hex } from '../../engine/core/codec.ts'
import { AttestreamError } from '../../engine/index.ts'
import { registerDevice } from '../../sdk/register.ts'
import { readJson } from '../applet/command.ts'
import { readEnvironment } from '../environment.ts'
import { printFacts } from '../table.ts'
import { address, openChain, sendCommand, transact, unsigned, type SendFlags } from './chain.ts'

interface PermissionFlags extends SendFlags {
  readonly signature?: Hex
}

export function registerCommand(): Command {
  return sendCommand(
    'register',
    'Register a device with its admission; anybody may send it and pays the gas, or an engine does (--engine)',
    'register admission.json --rpc URL --settlement 0x…',
  )
    .argument('<file>', 'what `device admit` printed')
    .option('--signature <hex>', "the admitter's signature, if the file has none")
    .option('--engine <url>', 'let this engine pay; ATTESTREAM_API_KEY is a key of the project')
    .action(async (file: string, flags: PermissionFlags & { engine?: string }) => {
      const chain = await openChain(flags)
      const signed = withSignature(parseAdmission(await readJson(file, 'The admission')), chain, flags)
      const registered = flags.engine
        ? await registerDevice(signed, { url: flags.engine, apiKey: readEnvironment().apiKey ?? '' })
        : await transact(flags, chain, (writes) => writes.registerDevice(signed.admission, signed.signature))
      if (!registered) return
      const { deviceId, cohort, slot, txHash } = registered
      const did = deviceDid({ chainId: chain.chainId, registry: chain.addresses.devices, deviceId })
      printFacts([
        ['device', deviceId.toString()],
        ['DID', did],
        ['place', `cohort ${cohort}, slot ${slot}`],
        ['transaction', txHash],
      ])
    })
}

export function rotateCommand(): Command {
  return sendCommand(
    'rotate',
    "Change a device's key to one that the project admitted, as its owner; also lifts a suspension",
    'rotate rotation.json --rpc URL --settlement 0x…',
  )
    .argument('<file>', 'what `device admit --device` printed')
    .option('--signature <hex>', "the admitter's signature, if the file has none")
    .action(async (file: string, flags: PermissionFlags) => {
      const chain = await openChain(flags)
      const signed = withSignature(parseRotation(await readJson(file, 'The rotation')), chain, flags)
      const change = (writes: Writes) => writes.rotateKey(signed.rotation, signed.signature)
      tell('rotated', signed.rotation.deviceId, await transact(flags, chain, change))
    })
}

type KeyChange = 'suspendKey' | 'confirmKey' | 'revokeDevice'

export const suspendCommand = (): Command =>
  statusCommand('suspend', "Take a lost device's key out of service, as its owner", 'suspendKey')

export const confirmCommand = (): Command =>
  statusCommand('confirm', 'Keep the key of a device that was bought or suspended, as its owner', 'confirmKey')

export const revokeCommand = (): Command =>
  statusCommand(
    'revoke',
    'Empty the slot of a device for good, as its owner or its project’s; claims stay',
    'revokeDevice',
  )

function statusCommand(name: string, description: string, change: KeyChange): Command {
  return sendCommand(name, description, `${name} 5 --rpc URL --settlement 0x…`)
    .argument('<device>', 'its id', unsigned(64n))
    .action(async (deviceId: bigint, flags: SendFlags) => {
      const chain = await openChain(flags)
      const sent = await transact(flags, chain, (writes) => writes[change](deviceId))
      tell({ suspend: 'suspended', confirm: 'confirmed', revoke: 'revoked' }[name]!, deviceId, sent)
    })
}

export function transferCommand(): Command {
  return sendCommand(
    'transfer',
    'Give a device to another account, with all that it has earned and is not claimed; suspends its key',
    'transfer 5 --to 0x… --rpc URL --settlement 0x…',
  )
    .argument('<device>', 'its id', unsigned(64n))
    .requiredOption('--to <address>', 'the new owner', address)
    .action(async (deviceId: bigint, flags: SendFlags & { to: Hex }) => {
      const chain = await openChain(flags)
      const { owner } = await chain.getDevice(deviceId)
      const sent = await transact(flags, chain, (writes) => writes.transferDevice(deviceId, owner, flags.to))
      tell(
        `transferred to ${flags.to}; it is suspended until the new owner confirms or rotates its key`,
        deviceId,
        sent,
      )
    })
}

export function claimCommand(): Command {
  return sendCommand(
    'claim',
    'Pay out what devices of one owner and one project have earned, as their owner',
    'claim 5 6 7 --to 0x… --rpc URL --settlement 0x…',
  )
    .argument('<devices...>', 'their ids')
    .requiredOption('--to <address>', 'who is paid', address)
    .action(async (devices: string[], flags: SendFlags & { to: Hex }) => {
      const chain = await openChain(flags)
      const sent = await transact(flags, chain, (writes) => writes.claim(devices.map(unsigned(64n)), flags.to))
      for (const { deviceId, units, amountWei } of sent?.claims ?? []) {
        console.log(`Device ${deviceId}: ${units} units, ${amountWei} of the token's smallest unit to ${flags.to}.`)
      }
    })
}

/** The permission complete and for this registry; throws INPUT_INVALID. */
function withSignature<T extends SignedAdmission | SignedRotation>(
  permission: T,
  { chainId, addresses }: ReadableChain,
  flags: PermissionFlags,
): T & { readonly signature: Hex } {
  const { registry } = permission
  if (permission.chainId !== chainId || registry.toLowerCase() !== addresses.devices.toLowerCase()) {
    throw misused(
      `The file is for registry ${registry} on chain ${permission.chainId}; this is ${addresses.devices} on chain ${chainId}.`,
    )
  }
  const signature = flags.signature ?? permission.signature
  if (signature !== null && /^0x([0-9a-fA-F]{2})+$/.test(signature)) return { ...permission, signature }
  throw misused("The admitter's signature is missing or not hexadecimal; pass it as --signature.")
}

function tell(done: string, deviceId: bigint, sent: Sent | undefined): void {
  if (sent) console.log(`Device ${deviceId} is ${done}; transaction ${sent.txHash}.`)
}

function misused(message: string): AttestreamError {
  return new AttestreamError('INPUT_INVALID', message)
}
