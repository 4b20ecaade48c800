// The contracts around a settlement contract, all found from its address, and what can be read there with no key.

import { createPublicClient, http, type PublicClient } from 'viem'
import { settlementAbi } from '../../contracts/abi.ts'
import type { Addresses } from '../../contracts/deploy.ts'
import type { Hex } from '../core/codec.ts'
import { AttestreamError } from '../core/errors.ts'
import { createEvents, type Events } from './events.ts'
import { createReads, type Reads } from './reads.ts'
import { onChain } from './reverts.ts'

export interface ReadableChain extends Reads, Events {
  readonly client: PublicClient
  readonly chainId: number
  /** The reward token, which each project chooses, and the libraries are left at zero. */
  readonly addresses: Addresses
}

/** `fromBlock`: events are never looked for earlier. Throws CHAIN_MISMATCH if there is no contract, CHAIN_UNAVAILABLE. */
export async function readChainAt(rpcUrl: string, settlement: Hex, fromBlock = 0n): Promise<ReadableChain> {
  const client: PublicClient = createPublicClient({ transport: http(rpcUrl) })
  const chainId = await onChain('read the chain id', () => client.getChainId())
  await checkContract(client, settlement, chainId)
  const addresses = await linkedAddresses(client, settlement)
  return {
    client,
    chainId,
    addresses,
    ...createReads(client, addresses),
    ...createEvents(client, addresses, fromBlock),
  }
}

async function checkContract(client: PublicClient, settlement: Hex, chainId: number): Promise<void> {
  const code = await onChain('look for the settlement contract', () => client.getCode({ address: settlement }))
  if (code !== undefined) return
  const message = `Chain ${chainId} has no settlement contract at ${settlement}. Check the address and the RPC URL.`
  throw new AttestreamError('CHAIN_MISMATCH', message, { settlement, chainId })
}

async function linkedAddresses(client: PublicClient, settlement: Hex): Promise<Addresses> {
  const read = (functionName: 'projects' | 'applets' | 'devices' | 'verifier') =>
    onChain(`read the ${functionName} contract of the settlement`, () =>
      client.readContract({ address: settlement, abi: settlementAbi, functionName }),
    )
  const [projects, applets, devices, verifier] = await Promise.all([
    read('projects'),
    read('applets'),
    read('devices'),
    read('verifier'),
  ])
  const unused: Hex = '0x0000000000000000000000000000000000000000'
  const rest = { rewardToken: unused, poseidonT3: unused, poseidonT4: unused }
  return { projects, applets, devices, verifier, settlement, ...rest }
}
