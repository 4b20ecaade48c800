// What the project commands share: the chain, its contracts found from the settlement contract, and the key that signs.

import { createPublicClient, http } from 'viem'
import { settlementAbi } from '../../contracts/abi.ts'
import { createChain, type Chain } from '../../engine/chain/chain.ts'
import { onChain } from '../../engine/chain/reverts.ts'
import type { Hex } from '../../engine/core/codec.ts'
import { AttestreamError } from '../../engine/index.ts'
import { readEnvironment } from '../environment.ts'

export interface ChainFlags {
  readonly rpc: string
  readonly settlement: Hex
}

const KEY = /^0x[0-9a-fA-F]{64}$/

/** Signs with the key in ATTESTREAM_PRIVATE_KEY; throws INPUT_INVALID, with nothing of the key in it. */
export async function openChain({ rpc, settlement }: ChainFlags): Promise<Chain> {
  const { privateKey } = readEnvironment()
  if (privateKey === undefined || !KEY.test(privateKey)) {
    const came = privateKey === undefined ? 'is not set' : 'is not 0x and 64 hexadecimal digits'
    throw new AttestreamError('INPUT_INVALID', `ATTESTREAM_PRIVATE_KEY ${came}; set it to the key that shall sign.`)
  }
  const client = createPublicClient({ transport: http(rpc) })
  const read = (functionName: 'projects' | 'applets' | 'devices' | 'verifier') =>
    onChain(`read the ${functionName} contract of the settlement`, () =>
      client.readContract({ address: settlement, abi: settlementAbi, functionName }),
    )
  const chainId = await onChain('read the chain id', () => client.getChainId())
  const names = ['projects', 'applets', 'devices', 'verifier'] as const
  const [projects, applets, devices, verifier] = await Promise.all(names.map(read))
  const unused: Hex = `0x${'00'.repeat(20)}` // each project names its reward token; nothing calls the libraries
  const linked = { projects: projects!, applets: applets!, devices: devices!, verifier: verifier!, settlement }
  const addresses = { ...linked, rewardToken: unused, poseidonT3: unused, poseidonT4: unused }
  return createChain({ rpcUrl: rpc, chainId, addresses, privateKey: privateKey as Hex })
}
