// A version of an applet as a registry holds it, read with no key, no engine and no other contract.

import { createPublicClient, http, type PublicClient } from 'viem'
import { appletRegistryAbi } from '../../contracts/abi.ts'
import type { Hex } from '../core/codec.ts'
import { AttestreamError } from '../core/errors.ts'
import { readVersion, type ChainVersion } from './reads.ts'
import { onChain } from './reverts.ts'

/**
 * The version, or the active one if none is named. Throws CHAIN_MISMATCH if there is no contract at `registry` or no version is
 * active, CHAIN_REVERTED for a version that is not there, CHAIN_UNAVAILABLE if the node does not answer.
 */
export async function readPublishedVersion(
  rpcUrl: string,
  registry: Hex,
  projectId: bigint,
  version?: number,
): Promise<ChainVersion> {
  const client: PublicClient = createPublicClient({ transport: http(rpcUrl) })
  const code = await onChain('look for the applet registry', () => client.getCode({ address: registry }))
  if (code === undefined) {
    throw new AttestreamError('CHAIN_MISMATCH', `The chain has no contract at ${registry}; name its AppletRegistry.`)
  }
  const number = version ?? (await activeVersion(client, registry, projectId))
  return readVersion(client, registry, projectId, number)
}

async function activeVersion(client: PublicClient, address: Hex, projectId: bigint): Promise<number> {
  const args = [projectId] as const
  const active = await onChain(`read the active version of project ${projectId}`, () =>
    client.readContract({ address, abi: appletRegistryAbi, functionName: 'activeVersion', args }),
  )
  if (active > 0n) return Number(active)
  throw new AttestreamError('CHAIN_MISMATCH', `Project ${projectId} has no active version; name one that is published.`)
}
