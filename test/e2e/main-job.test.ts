// The main job, step by step: from an applet's source to a claimed reward, with a real chain, real proofs, and nothing but the
// HTTP API, the device SDK and the contracts. Read it from top to bottom: each test goes on where the one before ended.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildApplet } from '../../applets/build.ts'
import { verifyReceiptFile } from '../../cli/receipt.ts'
import { verifyAcknowledgement } from '../../engine/chain/typed-data.ts'
import { appletId as hashApplet, parseAppletAbi, type AppletAbi } from '../../engine/core/applet.ts'
import type { Hex } from '../../engine/core/codec.ts'
import { configHash } from '../../engine/core/journal.ts'
import { encodeRecord, layoutId } from '../../engine/core/layout.ts'
import { genesisPage, sequencesHash, statesHash } from '../../engine/core/ledger.ts'
import { createClient, createDevice, createSecretKey, publicKey, type Device } from '../../sdk/index.ts'
import { eventually, openWorld, type TestWorld } from './world.ts'

/** Devices in a cohort, readings in a frame. */
const SHAPE = { cohortSize: 4, frameSize: 4 }

/** A kWh earns 1,500 units; a unit is worth a thousandth of a token; the fuse allows 10 kW. */
const CONFIG = { maxWatts: 10_000, unitsPerKwh: 1_500 }
const REWARD_PER_UNIT_WEI = 10n ** 15n
const ESCROW_WEI = 8n * 4n * 10n ** 9n * REWARD_PER_UNIT_WEI

const NOON_SEC = 1_767_225_600

describe('from an applet to a claimed reward', () => {
  let world: TestWorld
  let wasm: Uint8Array
  let abi: AppletAbi
  let appletId: Hex
  let projectId: bigint
  let projectKey: string
  let anna: Device
  let bert: Device

  beforeAll(async () => (world = await openWorld()))
  afterAll(() => world?.close())

  it('an applet is compiled from AssemblyScript and uploaded; its id is the hash of its bytes', async () => {
    wasm = await buildApplet('applets/energy-meter.ts')
    abi = parseAppletAbi(wasm)
    const uploaded = await request('POST', '/v1/applets', { key: world.adminKey, wasm })
    appletId = uploaded.appletId
    expect(appletId).toBe(hashApplet(wasm))
    expect(uploaded.abi.reading.map((field: { name: string }) => field.name)).toEqual(['timeSec', 'wattHours'])
  })

  it('its circuit is compiled from these very bytes', async () => {
    await request('POST', `/v1/applets/${appletId}/circuits`, { key: world.adminKey, json: SHAPE })
    await eventually('the circuit', async () => (await circuit()).status === 'ready')
    expect((await circuit()).manifest).toMatchObject({ appletId, ...SHAPE, devSetup: true })
  })

  it('the project is created on chain: it publishes and activates the applet version and funds the escrow', async () => {
    const { chain, projectOwner } = world
    const owner = { privateKey: projectOwner.privateKey }
    const created = await chain.createProject(
      {
        owner: projectOwner.address,
        admitter: projectOwner.address,
        sequencer: world.operator.address,
        rewardToken: chain.addresses.rewardToken,
        rewardPerUnitWei: REWARD_PER_UNIT_WEI,
        cohortSize: SHAPE.cohortSize,
        configHash: configHash(abi.config, encodeRecord(abi.config, CONFIG)),
      },
      owner,
    )
    projectId = created.projectId
    const { manifest } = await circuit()
    const genesis = genesisPage(abi.state, SHAPE.cohortSize)
    const { version } = await chain.publishVersion(
      projectId,
      {
        appletId,
        r1csHash: manifest.r1csSha256,
        setupTranscriptHash: manifest.setupTranscriptHash,
        layoutId: layoutId(abi.reading, SHAPE.frameSize),
        genesisSequencesHash: sequencesHash(genesis.sequences),
        genesisStatesHash: statesHash(abi.state, genesis.states),
        frameSize: SHAPE.frameSize,
        maxUnitsPerFrame: abi.maxUnitsPerFrame,
        devSetup: manifest.devSetup,
        verifyingKey: manifest.verifyingKey,
      },
      owner,
    )
    await chain.activateVersion(projectId, version, owner)
    await chain.mintReward(projectOwner.address, ESCROW_WEI, owner)
    await chain.fund(projectId, ESCROW_WEI, owner)
    expect(await chain.getAccount(projectId)).toEqual({ escrowWei: ESCROW_WEI, reservedUnits: 0n, creditedUnits: 0n })
  })

  it('the engine serves the project and hands out a key for its team', async () => {
    const json = { projectId: `${projectId}`, config: CONFIG }
    expect(await request('POST', '/v1/projects', { key: world.adminKey, json })).toMatchObject({ appletId, version: 1 })
    const { apiKey } = await request('POST', `/v1/projects/${projectId}/keys`, { key: world.adminKey })
    projectKey = apiKey
    expect(await request('GET', `/v1/projects/${projectId}`, { key: projectKey })).toMatchObject({ version: 1 })
  })

  it('two owners register a meter each, with an admission that the project signed', async () => {
    anna = await registerMeter(0)
    bert = await registerMeter(1)
    await eventually('both meters in the engine', async () => (await list('/v1/devices')).length === 2)
  })

  it('the meters sign readings, and each frame is answered with a promise that the operator signed', async () => {
    const client = createClient({ url: world.apiUrl })
    const hours = (...wattHours: number[]) =>
      wattHours.map((wh, i) => ({ timeSec: NOON_SEC + 3600 * i, wattHours: wh }))
    const annaHours = hours(5_000, 5_250, 6_001, 6_000, 7_000, 8_000)
    const bertHours = hours(90_000, 100_000, 110_002, 110_003, 110_103)
    const frames = [
      anna.buildFrame(annaHours.slice(0, 4)),
      anna.buildFrame(annaHours.slice(4)),
      bert.buildFrame(bertHours.slice(0, 4)),
      bert.buildFrame(bertHours.slice(4)),
    ]
    const outcomes = await client.send(frames)
    const version = await request('GET', '/version', {})
    for (const outcome of outcomes) {
      if ('error' in outcome) throw new Error(outcome.error.message)
      const acknowledgement = { ...outcome.acknowledgement, signature: outcome.acknowledgement.signature as Hex }
      const { chainId, settlement } = version.chain
      await verifyAcknowledgement(version.operator, { chainId, verifyingContract: settlement }, acknowledgement)
    }
    expect(outcomes).toHaveLength(4)
  })

  it('the engine batches, anchors, executes, proves and settles them: exactly the units that the energy is worth', async () => {
    await eventually('two settled batches', async () => {
      const tasks = await list('/v1/tasks')
      return tasks.length === 2 && tasks.every((task) => task.state === 'settled')
    })
    // Anna: 5,000 Wh sets the counter; 250 Wh earn 375 units; 751 Wh earn 1,126.5, of which half a unit is kept;
    // 6,000 is a counter that runs backwards: rejected. In her second frame 999 Wh and 1,000 Wh earn 1,498.5 + 0.5 and 1,500.
    const annaUnits = 375n + 1_126n + 1_499n + 1_500n
    // Bert: 10,000 Wh in an hour is what the fuse allows and earns 15,000; 10,002 Wh in the next is not: rejected.
    // The next counts from the one accepted before: 10,003 Wh in two hours earn 15,004.5. At last 100 Wh earn 150.
    const bertUnits = 15_000n + 15_004n + 150n
    const claims = await list('/v1/claims')
    expect(claims.map(({ deviceId, pendingUnits, pendingWei }) => ({ deviceId, pendingUnits, pendingWei }))).toEqual([
      pending(anna, annaUnits),
      pending(bert, bertUnits),
    ])
    expect((await world.chain.getAccount(projectId)).creditedUnits).toBe(annaUnits + bertUnits)
    const settlements = await list('/v1/settlements')
    expect(settlements.map((settlement) => settlement.units)).toEqual(['3149', '31505'])
  })

  it('each owner claims from the contract alone, and the token moves once', async () => {
    const [annaOwner, bertOwner] = world.owners as [TestWorld['owners'][number], TestWorld['owners'][number]]
    expect(await balances()).toEqual([0n, 0n, ESCROW_WEI])
    await world.chain.claim([anna.deviceId], annaOwner.address, { privateKey: annaOwner.privateKey })
    expect(await balances()).toEqual([4_500n * REWARD_PER_UNIT_WEI, 0n, ESCROW_WEI - 4_500n * REWARD_PER_UNIT_WEI])
    await world.chain.claim([bert.deviceId], bertOwner.address, { privateKey: bertOwner.privateKey })
    expect(await balances()).toEqual([
      4_500n * REWARD_PER_UNIT_WEI,
      30_154n * REWARD_PER_UNIT_WEI,
      ESCROW_WEI - 34_654n * REWARD_PER_UNIT_WEI,
    ])
    const again = world.chain.claim([anna.deviceId], annaOwner.address, { privateKey: annaOwner.privateKey })
    await expect(again).rejects.toThrow('NothingToClaim')
  })

  it('and anybody checks the receipts from chain and data availability alone', async () => {
    for (const { taskId } of await list('/v1/tasks')) {
      const receipt = await request('GET', `/v1/receipts/${taskId}`, {})
      const report = await verifyReceiptFile(JSON.stringify(receipt), { rpcUrl: world.rpcUrl, da: world.apiUrl })
      expect(report).toMatchObject({ settled: true, devSetup: true })
      expect(report.checks).toHaveLength(7)
    }
  })

  async function registerMeter(ownerIndex: number): Promise<Device> {
    const { chain, projectOwner, owners } = world
    const owner = owners[ownerIndex]!
    const secretKey = createSecretKey()
    const key = publicKey(secretKey)
    const deadline = BigInt(Math.floor(Date.now() / 1000)) + 600n
    const terms = { owner: owner.address, projectId, metadataURI: 'urn:example:meter', deadline }
    const admission = { ...terms, keyX: key.x, keyY: key.y }
    const signature = await chain.signAdmission(projectOwner.privateKey, admission)
    const { deviceId } = await chain.registerDevice(admission, signature, { privateKey: owner.privateKey })
    const { deviceDomain } = await request('GET', `/v1/projects/${projectId}`, { key: projectKey })
    const { frameSize } = SHAPE
    return createDevice({ secretKey, deviceId, deviceDomain: BigInt(deviceDomain), reading: abi.reading, frameSize })
  }

  function pending(device: Device, units: bigint) {
    const [pendingUnits, pendingWei] = [`${units}`, `${units * REWARD_PER_UNIT_WEI}`]
    return { deviceId: `${device.deviceId}`, pendingUnits, pendingWei }
  }

  /** Of Anna's owner, Bert's owner, and the settlement contract. */
  async function balances(): Promise<bigint[]> {
    const { chain, owners } = world
    const accounts = [owners[0]!.address, owners[1]!.address, chain.addresses.settlement]
    return Promise.all(accounts.map((account) => chain.getTokenBalance(chain.addresses.rewardToken, account)))
  }

  async function circuit(): Promise<any> {
    return (await request('GET', `/v1/applets/${appletId}`, {})).circuits[0]
  }

  async function list(path: string): Promise<any[]> {
    return (await request('GET', path, { key: projectKey })).items
  }

  async function request(
    method: string,
    path: string,
    { key, json, wasm }: { key?: string; json?: object; wasm?: Uint8Array },
  ): Promise<any> {
    const type = wasm ? 'application/wasm' : 'application/json'
    const response = await fetch(new URL(path, world.apiUrl), {
      method,
      headers: { ...(key && { authorization: `Bearer ${key}` }), ...((json ?? wasm) && { 'content-type': type }) },
      ...(wasm ? { body: wasm as Uint8Array<ArrayBuffer> } : json ? { body: JSON.stringify(json) } : {}),
    })
    const answer: any = await response.json()
    if (!response.ok) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`)
    return answer
  }
})
