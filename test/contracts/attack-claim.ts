// The EIP-712 type of a claim order, written down a second time.

export const CLAIM_TYPES = {
  Claim: [
    { name: 'owner', type: 'address' },
    { name: 'to', type: 'address' },
    { name: 'deviceIds', type: 'uint256[]' },
    { name: 'nonce', type: 'uint256' },
    { name: 'deadline', type: 'uint64' },
  ],
} as const
