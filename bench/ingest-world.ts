// A chain, an engine that closes no batch by itself, its API, and devices of one project. In each cohort of four, three devices
// send and one keeps silent, so that the engine does nothing but ingest.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createPublicClient, createWalletClient, http } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { foundry } from 'viem/chains'
import { createServer } from '../api/server.ts'
import { buildApplet } from '../applets/build.ts'
import { createApi } from '../cli/demo/api.ts'
import { createProject, type DemoProject } from '../cli/demo/project.ts'
import type { ChainAccount } from '../cli/demo/world.ts'
import { DATASET_CONFIG } from '../cli/datasets/dataset.ts'
import { deploy } from '../contracts/deploy.ts'
import { startAnvil, type Anvil } from '../engine/chain/anvil.ts'
import { createChain, type Chain } from '../engine/chain/chain.ts'
import { publicKey } from '../engine/core/signature.ts'
import { createEngine } from '../engine/index.ts'
import { createSecretKey } from '../sdk/index.ts'

export interface SendingDevice {
  readonly deviceId: bigint
  readonly secretKey: Uint8Array
}

export interface IngestWorld {
  readonly apiUrl: string
  readonly directory: string
  readonly chain: Chain
  readonly project: DemoProject
  readonly devices: readonly SendingDevice[]
  close(): Promise<void>
}

/** The demo's circuit, kept where the demo keeps it. */
const SHAPE = { cohortSize: 4, frameSize: 4 }
const CIRCUITS = fileURLToPath(new URL('../.attestream/circuits/', import.meta.url))
const ADMIN_KEY = 'benchmark-of-one-minute'
const NEVER_MS = 86_400_000

/** @param senders devices that will send: a multiple of 3 */
export async function startIngestWorld(senders: number): Promise<IngestWorld> {
  const anvil = await startAnvil()
  const directory = mkdtempSync(join(tmpdir(), 'attestream-ingest-'))
  const [projectOwner, operator, deviceOwner] = anvil.accounts as [ChainAccount, ChainAccount, ChainAccount]
  const deployment = await deployContracts(anvil, projectOwner)
  const { rpcUrl, chainId } = anvil
  const chainOptions = { rpcUrl, chainId, ...deployment, privateKey: operator.privateKey }
  const dataDir = join(directory, 'engine')
  const engine = await createEngine({ dataDir, cacheDir: CIRCUITS, chain: chainOptions, closeAfterMs: NEVER_MS })
  const server = createServer({ engine, adminKey: ADMIN_KEY })
  const apiUrl = await server.listen()
  const chain = await createChain(chainOptions)
  const api = createApi(apiUrl, ADMIN_KEY)
  const { appletId } = await api.uploadApplet(await buildApplet('applets/energy-meter.ts'))
  await api.waitForCircuit(appletId, SHAPE, () => {})
  const world = { rpcUrl, apiUrl, adminKey: ADMIN_KEY, engine, chain, projectOwner, operator, owners: [deviceOwner] }
  const config = DATASET_CONFIG['energy-meter']
  const plan = { appletId, config, shape: SHAPE, batches: 1 }
  const project = await createProject({ ...world, close: () => Promise.resolve() }, api, plan)
  const devices = await registerDevices(chain, project.projectId, projectOwner, deviceOwner, (senders / 3) * 4)
  return {
    apiUrl,
    directory,
    chain,
    project,
    devices: devices.filter((_, i) => i % SHAPE.cohortSize !== SHAPE.cohortSize - 1),
    async close() {
      await server.close()
      await engine.close()
      await anvil.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

async function registerDevices(
  chain: Chain,
  projectId: bigint,
  projectOwner: ChainAccount,
  owner: ChainAccount,
  count: number,
): Promise<SendingDevice[]> {
  const devices: SendingDevice[] = []
  const deadline = BigInt(Math.floor(Date.now() / 1000) + 3600)
  for (let i = 0; i < count; i++) {
    const secretKey = createSecretKey()
    const { x: keyX, y: keyY } = publicKey(secretKey)
    const admission = { owner: owner.address, projectId, keyX, keyY, metadataURI: '', deadline }
    const signature = await chain.signAdmission(projectOwner.privateKey, admission)
    const { deviceId } = await chain.registerDevice(admission, signature, { privateKey: owner.privateKey })
    devices.push({ deviceId, secretKey })
  }
  return devices
}

async function deployContracts(anvil: Anvil, deployer: ChainAccount) {
  const chain = { ...foundry, id: anvil.chainId }
  const transport = http(anvil.rpcUrl)
  const account = privateKeyToAccount(deployer.privateKey)
  const publicClient = createPublicClient({ chain, transport, pollingInterval: 50, cacheTime: 0 })
  const walletClient = createWalletClient({ account, chain, transport })
  const { addresses, fromBlock } = await deploy({ publicClient, walletClient })
  return { addresses, fromBlock }
}
