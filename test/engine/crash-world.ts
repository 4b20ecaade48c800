// A chain that outlives the engine, with a project of energy-meter and two devices on it; and a gate between engine and chain
// that hands a transaction over and kills the engine before it hears of it.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { createPublicClient, createWalletClient, defineChain, http } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { buildApplet } from '../../applets/build.ts'
import { buildCircuit } from '../../circuits/build.ts'
import { deploy, type Addresses } from '../../contracts/deploy.ts'
import { startAnvil, type Anvil } from '../../engine/chain/anvil.ts'
import { createChain } from '../../engine/chain/chain.ts'
import { parseAppletAbi } from '../../engine/core/applet.ts'
import { configHash, deviceDomain } from '../../engine/core/journal.ts'
import { encodeRecord, layoutId } from '../../engine/core/layout.ts'
import { genesisPage, sequencesHash, statesHash } from '../../engine/core/ledger.ts'
import { publicKey } from '../../engine/core/signature.ts'
import { createDevice } from '../../sdk/index.ts'
import { secretKey } from './scene.ts'

/** Shared with the demo and built on demand. */
export const CIRCUITS = fileURLToPath(new URL('../../.attestream/circuits', import.meta.url))
export const SHAPE = { cohortSize: 4, frameSize: 4 }
export const CONFIG = { maxWatts: 7200, unitsPerKwh: 1500 }
const REWARD_PER_UNIT_WEI = 10n ** 9n
const BATCHES = 100n

export type CrashWorld = Awaited<ReturnType<typeof createCrashWorld>>

/** `devices` devices of one owner in cohort 0. */
export async function createCrashWorld(devices: number) {
  const anvil = await startAnvil()
  try {
    return await settle(anvil, devices)
  } catch (error) {
    await anvil.close()
    throw error
  }
}

async function settle(anvil: Anvil, devices: number) {
  const [owner, operator] = anvil.accounts as [Anvil['accounts'][number], Anvil['accounts'][number]]
  const { addresses, fromBlock } = await deployAs(anvil, owner.privateKey)
  const { rpcUrl, chainId } = anvil
  const chainOptions = { rpcUrl, chainId, addresses, fromBlock, pollingIntervalMs: 20 }
  const chain = await createChain({ ...chainOptions, privateKey: owner.privateKey })

  const wasm = await buildApplet(fileURLToPath(new URL('../../applets/energy-meter.ts', import.meta.url)))
  const abi = parseAppletAbi(wasm)
  const { manifest } = await buildCircuit(wasm, { ...SHAPE, cacheDir: CIRCUITS })
  const { projectId } = await chain.createProject({
    owner: owner.address,
    admitter: owner.address,
    sequencer: operator.address,
    rewardToken: addresses.rewardToken,
    rewardPerUnitWei: REWARD_PER_UNIT_WEI,
    cohortSize: SHAPE.cohortSize,
    configHash: configHash(abi.config, encodeRecord(abi.config, CONFIG)),
  })
  const genesis = genesisPage(abi.state, SHAPE.cohortSize)
  const publication = {
    appletId: manifest.appletId,
    r1csHash: manifest.r1csSha256,
    setupTranscriptHash: manifest.setupTranscriptHash,
    layoutId: layoutId(abi.reading, SHAPE.frameSize),
    genesisSequencesHash: sequencesHash(genesis.sequences),
    genesisStatesHash: statesHash(abi.state, genesis.states),
    frameSize: SHAPE.frameSize,
    maxUnitsPerFrame: abi.maxUnitsPerFrame,
    devSetup: manifest.devSetup,
    verifyingKey: manifest.verifyingKey,
  }
  const { version } = await chain.publishVersion(projectId, publication)
  await chain.activateVersion(projectId, version)
  const escrowWei = BATCHES * BigInt(SHAPE.cohortSize) * abi.maxUnitsPerFrame * REWARD_PER_UNIT_WEI
  await chain.mintReward(owner.address, escrowWei)
  await chain.fund(projectId, escrowWei)

  const domain = deviceDomain({ chainId, registry: addresses.devices, settlement: addresses.settlement, projectId })
  async function register(seed: number) {
    const { x: keyX, y: keyY } = publicKey(secretKey(seed))
    const deadline = BigInt(Math.floor(Date.now() / 1000)) + 3600n
    const admission = { owner: owner.address, projectId, keyX, keyY, metadataURI: '', deadline }
    const { deviceId } = await chain.registerDevice(admission, await chain.signAdmission(owner.privateKey, admission))
    const place = { secretKey: secretKey(seed), deviceId, deviceDomain: domain }
    return createDevice({ ...place, reading: abi.reading, frameSize: SHAPE.frameSize })
  }
  const registered = []
  for (let seed = 0; seed < devices; seed++) registered.push(await register(seed))
  const engineChain = { ...chainOptions, privateKey: operator.privateKey }
  const account = { owner, operator, publication }
  return { anvil, chain, engineChain, wasm, abi, projectId, devices: registered, register, ...account }
}

async function deployAs(anvil: Anvil, privateKey: `0x${string}`): Promise<{ addresses: Addresses; fromBlock: bigint }> {
  const rpcUrls = { default: { http: [anvil.rpcUrl] } }
  const nativeCurrency = { name: 'Ether', symbol: 'ETH', decimals: 18 }
  const chain = defineChain({ id: anvil.chainId, name: 'local', nativeCurrency, rpcUrls })
  const transport = http(anvil.rpcUrl)
  const publicClient = createPublicClient({ chain, transport, pollingInterval: 20, cacheTime: 0 })
  const walletClient = createWalletClient({ chain, transport, account: privateKeyToAccount(privateKey) })
  return deploy({ publicClient, walletClient })
}

export interface Gate {
  readonly rpcUrl: string
  /** Calls `kill` at the next transaction, before the chain has it or after, and never answers it. */
  arm(when: 'before' | 'after', kill: () => void): void
  close(): void
}

export async function createGate(target: string): Promise<Gate> {
  let armed: { when: 'before' | 'after'; kill: () => void } | undefined
  const forward = async (body: string): Promise<string | undefined> => {
    const send = async () => (await fetch(target, { method: 'POST', headers: JSON_TYPE, body })).text()
    if (!armed || !body.includes('"eth_sendRawTransaction"')) return send()
    const { when, kill } = armed
    armed = undefined
    if (when === 'after') await send()
    kill()
    return undefined
  }
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      void forward(body).then(
        (answer) => (answer === undefined ? undefined : response.writeHead(200, JSON_TYPE).end(answer)),
        () => response.destroy(),
      )
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    rpcUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arm: (when, kill) => (armed = { when, kill }),
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

const JSON_TYPE = { 'content-type': 'application/json' }
