// The chain's part of checking a receipt, read with no key and no engine: all addresses follow from the settlement contract.

import { createPublicClient, http, type PublicClient } from 'viem'
import { settlementAbi } from '../../contracts/abi.ts'
import type { Addresses } from '../../contracts/deploy.ts'
import type { Hex } from '../core/codec.ts'
import { AttestreamError } from '../core/errors.ts'
import type { ReceiptSources } from '../verify.ts'
import { createEvents } from './events.ts'
import { createReads } from './reads.ts'
import { onChain } from './reverts.ts'

const NO_ANCHOR: Hex = `0x${'00'.repeat(32)}`

/**
 * Reads what `verifyReceipt` needs of the chain behind `rpcUrl`. `fromBlock`: where the contracts were deployed. Throws
 * CHAIN_MISMATCH if there is no contract at `settlement`, CHAIN_UNAVAILABLE if the node does not answer.
 */
export async function createReceiptSources(
  rpcUrl: string,
  settlement: Hex,
  fromBlock = 0n,
): Promise<Pick<ReceiptSources, 'chainId' | 'registry' | 'version' | 'anchorHash' | 'settlement'>> {
  const client: PublicClient = createPublicClient({ transport: http(rpcUrl) })
  const chainId = await onChain('read the chain id', () => client.getChainId())
  await checkContract(client, settlement, chainId)
  const addresses = await linkedAddresses(client, settlement)
  const reads = createReads(client, addresses)
  const events = createEvents(client, addresses, fromBlock)
  return {
    chainId,
    registry: addresses.devices,
    async version(projectId, version) {
      const terms = await reads.getVersion(projectId, version)
      return { ...terms, verifyingKey: await readVerifyingKey(client, terms.keyAccount) }
    },
    anchorHash: async (projectId, cohort, number) =>
      (await events.getAnchorHash(projectId, cohort, number)) ?? NO_ANCHOR,
    settlement: (projectId, cohort, number) => events.findSettlement(projectId, cohort, number),
  }
}

async function checkContract(client: PublicClient, settlement: Hex, chainId: number): Promise<void> {
  const code = await onChain('look for the settlement contract', () => client.getCode({ address: settlement }))
  if (code !== undefined) return
  const message = `Chain ${chainId} has no contract at ${settlement}, where the receipt says it was settled. Check receipt and RPC URL.`
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
  return {
    projects,
    applets,
    devices,
    verifier,
    settlement,
    rewardToken: unused,
    poseidonT3: unused,
    poseidonT4: unused,
  }
}

/** The key's account holds one STOP byte and then the encoded key. */
async function readVerifyingKey(client: PublicClient, keyAccount: Hex): Promise<Hex> {
  const code = await onChain('read the verifying key', () => client.getCode({ address: keyAccount }))
  return `0x${(code ?? '0x00').slice(4)}`
}
