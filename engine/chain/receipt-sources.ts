// The chain's part of checking a receipt, read with no key and no engine: all addresses follow from the settlement contract.

import type { PublicClient } from 'viem'
import type { Hex } from '../core/codec.ts'
import type { ReceiptSources } from '../verify.ts'
import { readChainAt } from './at-settlement.ts'
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
  const chain = await readChainAt(rpcUrl, settlement, fromBlock)
  return {
    chainId: chain.chainId,
    registry: chain.addresses.devices,
    async version(projectId, version) {
      const terms = await chain.getVersion(projectId, version)
      return { ...terms, verifyingKey: await readVerifyingKey(chain.client, terms.keyAccount) }
    },
    anchorHash: async (projectId, cohort, number) =>
      (await chain.getAnchorHash(projectId, cohort, number)) ?? NO_ANCHOR,
    settlement: (projectId, cohort, number) => chain.findSettlement(projectId, cohort, number),
  }
}

/** The key's account holds one STOP byte and then the encoded key. */
async function readVerifyingKey(client: PublicClient, keyAccount: Hex): Promise<Hex> {
  const code = await onChain('read the verifying key', () => client.getCode({ address: keyAccount }))
  return `0x${(code ?? '0x00').slice(4)}`
}
