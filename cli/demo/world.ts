// Everything the demo runs on, embedded: a local chain with the contracts, the engine, and the API on 127.0.0.1.

import { randomBytes } from 'node:crypto'
import { createPublicClient, createWalletClient, defineChain, http } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { createServer } from '../../api/server.ts'
import { deploy } from '../../contracts/deploy.ts'
import { startAnvil, type Anvil } from '../../engine/chain/anvil.ts'
import { createChain, type Chain } from '../../engine/chain/chain.ts'
import { createEngine, type Engine, type EngineOptions } from '../../engine/index.ts'

export type ChainAccount = Anvil['accounts'][number]

export interface World {
  readonly rpcUrl: string
  readonly apiUrl: string
  readonly adminKey: string
  readonly engine: Engine
  /** Share of each begun proof that is done, by task. */
  readonly proofs?: ReadonlyMap<string, number>
  readonly chain: Chain
  /** Owns the project and admits its devices. */
  readonly projectOwner: ChainAccount
  readonly operator: ChainAccount
  /** Own the devices. */
  readonly owners: readonly ChainAccount[]
  close(): Promise<void>
}

/** Starts chain, engine and API. `dataDir` holds the run's state, `cacheDir` the built circuits. */
export async function startWorld(dataDir: string, cacheDir: string, setup?: EngineOptions['setup']): Promise<World> {
  const anvil = await startAnvil()
  const opened: (() => Promise<unknown>)[] = [() => anvil.close()]
  const close = async (): Promise<void> => {
    for (const closeOne of opened.reverse()) await closeOne()
    opened.length = 0
  }
  try {
    const [projectOwner, operator, ...others] = anvil.accounts as [ChainAccount, ChainAccount, ...ChainAccount[]]
    const { addresses, fromBlock } = await deployAs(anvil, projectOwner)
    const { rpcUrl, chainId } = anvil
    const chainOptions = { rpcUrl, chainId, addresses, fromBlock, privateKey: operator.privateKey }
    const proofs = new Map<string, number>()
    const engine = await createEngine({
      dataDir,
      cacheDir,
      chain: chainOptions,
      ...(setup ? { setup } : {}),
      onProofProgress: (taskId, { fraction }) => proofs.set(taskId, fraction),
    })
    opened.push(() => engine.close())
    const adminKey = randomBytes(24).toString('base64url')
    const server = createServer({ engine, adminKey })
    opened.push(() => server.close())
    const apiUrl = await server.listen()
    const chain = await createChain(chainOptions)
    return {
      rpcUrl,
      apiUrl,
      adminKey,
      engine,
      proofs,
      chain,
      projectOwner,
      operator,
      owners: others.slice(0, 3),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function deployAs(anvil: Anvil, deployer: ChainAccount) {
  const chain = defineChain({
    id: anvil.chainId,
    name: 'local',
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [anvil.rpcUrl] } },
  })
  const transport = http(anvil.rpcUrl)
  const publicClient = createPublicClient({ chain, transport, pollingInterval: 50, cacheTime: 0 })
  const account = privateKeyToAccount(deployer.privateKey)
  return deploy({ publicClient, walletClient: createWalletClient({ account, chain, transport }) })
}
