// What a transaction offers for gas: at first what the market asks with room for some full blocks, and, when it must be replaced,
// enough more for nodes to take the replacement, never above a maximum.

import type { PublicClient } from 'viem'

export interface Fees {
  /** Gas price on a chain without a base fee. */
  readonly maxFeePerGasWei: bigint
  /** Null on a chain without a base fee. */
  readonly maxPriorityFeePerGasWei: bigint | null
}

/** Nodes ask for 10 % more; some for an eighth. */
const BUMP_PER_MILLE = 1125n
/** A base fee grows by an eighth in a full block: twice the present one lasts for five. */
const BASE_FEE_ROOM = 2n

/** What a transaction should offer in the next blocks. */
export async function marketFees(client: PublicClient, baseFeePerGas: bigint | null): Promise<Fees> {
  if (baseFeePerGas === null) return { maxFeePerGasWei: await client.getGasPrice(), maxPriorityFeePerGasWei: null }
  const tip = await client.estimateMaxPriorityFeePerGas()
  return { maxFeePerGasWei: BASE_FEE_ROOM * baseFeePerGas + tip, maxPriorityFeePerGasWei: tip }
}

/** Fees cut down to a maximum. */
export function cappedFees({ maxFeePerGasWei, maxPriorityFeePerGasWei: tip }: Fees, capWei: bigint): Fees {
  return {
    maxFeePerGasWei: least(maxFeePerGasWei, capWei),
    maxPriorityFeePerGasWei: tip === null ? null : least(tip, capWei),
  }
}

/** Fees of a replacement: an eighth more than before and at least the market's; undefined if that is above the maximum. */
export function raisedFees(before: Fees, market: Fees, capWei: bigint): Fees | undefined {
  const maxFeePerGasWei = raised(before.maxFeePerGasWei)
  if (maxFeePerGasWei > capWei) return undefined
  const tip = before.maxPriorityFeePerGasWei
  return cappedFees(
    {
      maxFeePerGasWei: most(maxFeePerGasWei, market.maxFeePerGasWei),
      maxPriorityFeePerGasWei: tip === null ? null : most(raised(tip), market.maxPriorityFeePerGasWei ?? 0n),
    },
    capWei,
  )
}

const raised = (wei: bigint): bigint => (wei * BUMP_PER_MILLE) / 1000n + 1n
const least = (a: bigint, b: bigint): bigint => (a < b ? a : b)
const most = (a: bigint, b: bigint): bigint => (a > b ? a : b)
