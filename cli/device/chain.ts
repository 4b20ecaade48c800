// What the device commands share: where the contracts are, whose key signs, and sending a transaction or only telling what it would be.

import { Command, InvalidArgumentError } from 'commander'
import { isAddress } from 'viem'
import { readChainAt, type ReadableChain } from '../../engine/chain/at-settlement.ts'
import { createChain } from '../../engine/chain/chain.ts'
import type { Call, Connection } from '../../engine/chain/connection.ts'
import { createWrites, type Writes } from '../../engine/chain/writes.ts'
import type { Hex } from '../../engine/core/codec.ts'
import { signingKey, type KeyFlags } from '../signing-key.ts'
import { printJson } from '../table.ts'

export interface ChainFlags {
  readonly rpc: string
  readonly settlement: Hex
  readonly fromBlock?: bigint
}

export interface SendFlags extends ChainFlags, KeyFlags {
  readonly calldata: boolean
}

/** A command that reads the chain. */
export function chainCommand(name: string, description: string, example: string): Command {
  return new Command(name)
    .description(description)
    .requiredOption('--rpc <url>', 'JSON-RPC URL of the chain')
    .requiredOption('--settlement <address>', 'settlement contract; it names the others', address)
    .option('--from-block <n>', 'block of the deployment: nothing is looked for earlier', unsigned(64n))
    .addHelpText('after', `\nExample:\n  attestream device ${example}`)
}

/** A command that signs with the key in ATTESTREAM_PRIVATE_KEY or in a keystore. */
export function signCommand(name: string, description: string, example: string): Command {
  return chainCommand(name, description, example).option(
    '--keystore <file>',
    'encrypted key (version 3) that signs; without it ATTESTREAM_PRIVATE_KEY',
  )
}

/** A command that sends one transaction. */
export function sendCommand(name: string, description: string, example: string): Command {
  return signCommand(name, description, example).option(
    '--calldata',
    'send nothing, print the transaction: for an owner that is a smart account',
    false,
  )
}

export const openChain = ({ rpc, settlement, fromBlock }: ChainFlags): Promise<ReadableChain> =>
  readChainAt(rpc, settlement, fromBlock ?? 0n)

/** Sends what `write` asks for and gives its answer; with `--calldata` prints the transaction instead and gives undefined. */
export async function transact<T>(
  flags: SendFlags,
  chain: ReadableChain,
  write: (writes: Writes) => Promise<T>,
): Promise<T | undefined> {
  const { chainId, addresses } = chain
  if (!flags.calldata) {
    return write(await createChain({ rpcUrl: flags.rpc, chainId, addresses, privateKey: await signingKey(flags) }))
  }
  const { to, data } = await callOf(chain, write)
  printJson({ chainId, to, data, value: '0' })
  return undefined
}

/** The one call that `write` makes, caught on its way out. */
async function callOf(chain: ReadableChain, write: (writes: Writes) => Promise<unknown>): Promise<Call> {
  let caught: Call | undefined
  const send: Connection['send'] = (call) => {
    caught = call
    return Promise.reject(new Error('caught'))
  }
  await write(createWrites({ send } as Connection, chain.addresses, chain, chain)).catch((error: unknown) => {
    if (caught === undefined) throw error
  })
  return caught!
}

/** Parser of an option or argument that is an address. */
export function address(text: string): Hex {
  if (isAddress(text)) return text
  throw new InvalidArgumentError(
    'Expected an address: 0x and 40 hexadecimal digits, the checksum right if there is one.',
  )
}

/** Parser of an option or argument that is an unsigned integer. */
export function unsigned(bits: bigint): (text: string) => bigint {
  return (text) => {
    if (/^(0|[1-9][0-9]{0,77})$/.test(text) && BigInt(text) >> bits === 0n) return BigInt(text)
    throw new InvalidArgumentError(`Expected an unsigned integer of at most ${bits} bits.`)
  }
}
