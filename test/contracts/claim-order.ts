// The typed data that the owner of devices signs for a delegated claim.

import type { Hex } from '../../engine/core/codec.ts'
import type { Stage } from './stage.ts'

export interface ClaimOrder {
  readonly owner: Hex
  readonly to: Hex
  readonly deviceIds: bigint[]
  readonly nonce: bigint
  readonly deadline: bigint
}

export function claimTypedData({ anvil, addresses }: Stage, message: ClaimOrder) {
  return {
    domain: { name: 'Attestream', version: '1', chainId: anvil.chainId, verifyingContract: addresses.settlement },
    types: CLAIM_TYPES,
    primaryType: 'Claim' as const,
    message,
  }
}

const CLAIM_TYPES = {
  Claim: [
    { name: 'owner', type: 'address' },
    { name: 'to', type: 'address' },
    { name: 'deviceIds', type: 'uint256[]' },
    { name: 'nonce', type: 'uint256' },
    { name: 'deadline', type: 'uint64' },
  ],
} as const
