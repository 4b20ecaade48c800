// The base fee of the next block beside what blocks asked for lately. Whoever asks gets what is known; a look at the chain that is due
// goes on behind him, so that nothing waits for a node in order to learn that it could wait for a price.

import type { PublicClient } from 'viem'

export interface GasPrice {
  /** Base fee of the next block. */
  readonly nowWei: bigint
  /** Median of the base fees of the latest blocks. */
  readonly medianWei: bigint
}

const BLOCKS = 100
const KNOWN_FOR_MS = 10_000
/** A price that old says nothing any more. */
const FORGOTTEN_AFTER_MS = 120_000

/** Undefined while nothing is known, and on a chain without base fees. */
export function createGasPrice(client: PublicClient): () => GasPrice | undefined {
  let known: { readonly price: GasPrice | undefined; readonly readMs: number } | undefined
  let reading = false

  const read = async (): Promise<void> => {
    reading = true
    try {
      const { baseFeePerGas } = await client.getFeeHistory({ blockCount: BLOCKS, rewardPercentiles: [] })
      known = { price: gasPriceOf(baseFeePerGas), readMs: Date.now() }
    } catch {
      if (known && Date.now() - known.readMs > FORGOTTEN_AFTER_MS) known = undefined
    } finally {
      reading = false
    }
  }

  return () => {
    if (!reading && Date.now() - (known?.readMs ?? -Infinity) > KNOWN_FOR_MS) void read()
    return known?.price
  }
}

/** Of base fees by block, oldest first; the last is that of the next block. */
export function gasPriceOf(baseFees: readonly bigint[]): GasPrice | undefined {
  const nowWei = baseFees.at(-1)
  const past = baseFees.slice(0, -1).sort((a, b) => (a < b ? -1 : 1))
  const medianWei = past[Math.floor(past.length / 2)]
  return nowWei && medianWei ? { nowWei, medianWei } : undefined
}
