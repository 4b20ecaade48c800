// After how many blocks a transaction counts, and after how many no reorganisation of a chain is expected any more.

export interface Finality {
  readonly confirmations: number
  readonly finalityBlocks: number
}

/**
 * Ethereum finalises in two epochs of 32 blocks; Polygon in seconds since its milestones, with reorganisations of more than a hundred
 * blocks before; rollups follow their base chain; IoTeX's blocks are final once they are signed. A batch that counts after few blocks is
 * proven early, and proven again if the chain reorganises.
 */
const BY_CHAIN: Readonly<Record<number, Finality>> = {
  1: { confirmations: 2, finalityBlocks: 64 },
  11155111: { confirmations: 2, finalityBlocks: 64 },
  137: { confirmations: 3, finalityBlocks: 128 },
  80002: { confirmations: 3, finalityBlocks: 128 },
  8453: { confirmations: 1, finalityBlocks: 600 },
  84532: { confirmations: 1, finalityBlocks: 600 },
  4689: { confirmations: 1, finalityBlocks: 4 },
  4690: { confirmations: 1, finalityBlocks: 4 },
}

const UNKNOWN: Finality = { confirmations: 1, finalityBlocks: 64 }

/** What is chosen, and for the rest what suits the chain. */
export function finalityOf(chainId: number, chosen: { readonly [Name in keyof Finality]?: Finality[Name] }): Finality {
  const suited = BY_CHAIN[chainId] ?? UNKNOWN
  return {
    confirmations: chosen.confirmations ?? suited.confirmations,
    finalityBlocks: chosen.finalityBlocks ?? suited.finalityBlocks,
  }
}
