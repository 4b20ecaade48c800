// Chains that a deployment may name. Any other EVM chain will do with its RPC URL; nothing in the contracts knows a chain.
// docs/deployment.md tells what each needs and has.

import { base, baseSepolia, foundry, iotex, iotexTestnet, mainnet, polygon, polygonAmoy, sepolia } from 'viem/chains'
import type { Chain } from 'viem'
import { AttestreamError } from '../engine/core/errors.ts'

export const NETWORKS: Readonly<Record<string, Chain>> = {
  iotex,
  'iotex-testnet': iotexTestnet,
  ethereum: mainnet,
  sepolia,
  polygon,
  'polygon-amoy': polygonAmoy,
  base,
  'base-sepolia': baseSepolia,
  local: foundry,
}

/** Throws NETWORK_UNKNOWN. */
export function networkNamed(name: string): Chain {
  const chain = Object.hasOwn(NETWORKS, name) ? NETWORKS[name] : undefined
  if (chain) return chain
  const names = Object.keys(NETWORKS).join(', ')
  throw new AttestreamError('NETWORK_UNKNOWN', `No network is called '${name}'; known are ${names}.`, { name })
}
