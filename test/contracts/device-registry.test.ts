import { encodeFunctionData, toFunctionSelector } from 'viem'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { deviceRegistryAbi } from '../../contracts/abi.ts'
import { FIELD_ORDER } from '../../engine/core/field.ts'
import { deviceLeaf, identityRoot } from '../../engine/core/identity.ts'
import { createStage, deviceKey, GENESIS_TIME_SEC, type Stage } from './stage.ts'

const LOW_ORDER = { x: 0n, y: FIELD_ORDER - 1n }
/** (√(1/a), 0): a point of order 4. */
const ORDER_FOUR = { x: 2957874849018779266517920829765869116077630550401372566248359756137677864698n, y: 0n }
/** Subgroup order times a point outside the subgroup. */
const ORDER_EIGHT = {
  x: 17545522957889784193459637215142187266023652151580582754000402781682644312291n,
  y: 4826523245007015323400664741523384119579596407052839571721035538011798951543n,
}

describe('registering devices', () => {
  let stage: Stage
  beforeAll(async () => (stage = await createStage()))
  afterAll(() => stage?.close())

  it('fills slots in order, cohort after cohort, with the root that the core computes', async () => {
    const { chain, projectId } = stage
    const leaves: bigint[] = []
    for (let i = 0; i < 6; i++) {
      const registered = await stage.register(stage.alice, i + 1)
      expect(registered).toMatchObject({ deviceId: BigInt(i + 1), cohort: Math.floor(i / 4), slot: i % 4 })
      expect(registered.leaf).toBe(deviceLeaf(deviceKey(i + 1), registered.deviceId))
      leaves.push(registered.leaf)
      const cohort = leaves.slice(4 * Math.floor(i / 4))
      const padded = [...cohort, ...Array<bigint>(4 - cohort.length).fill(0n)]
      expect(registered.identityRoot).toBe(identityRoot(padded))
      expect(await chain.getLeaves(projectId, registered.cohort)).toEqual(padded)
    }
    const device = await chain.getDevice(6n)
    expect(device).toMatchObject({ cohort: 1, slot: 1, owner: stage.alice, status: 'active' })
  })

  it('refuses an admission used twice, expired, altered, or signed by somebody else', async () => {
    const { chain, keys, alice, bob } = stage
    const used = await stage.admission(alice, 1)
    await expect(chain.registerDevice(used, await chain.signAdmission(keys[2]!, used))).rejects.toThrow('KeyTaken')
    const fresh = await stage.admission(alice, 20)
    const signature = await chain.signAdmission(keys[2]!, fresh)
    const altered = [
      { ...fresh, owner: bob },
      { ...fresh, keyX: deviceKey(21).x, keyY: deviceKey(21).y },
      { ...fresh, metadataURI: 'ipfs://other' },
      { ...fresh, deadline: fresh.deadline + 1n },
    ]
    for (const admission of altered) {
      await expect(chain.registerDevice(admission, signature)).rejects.toThrow('AdmissionInvalid')
    }
    const stranger = await chain.signAdmission(keys[5]!, fresh)
    await expect(chain.registerDevice(fresh, stranger)).rejects.toThrow('AdmissionInvalid')
    await expect(chain.registerDevice({ ...fresh, projectId: 9n }, signature)).rejects.toThrow('ProjectUnknown(9)')
    const expired = await stage.admission(alice, 20, { deadline: 1n })
    const late = await chain.signAdmission(keys[2]!, expired)
    await expect(chain.registerDevice(expired, late)).rejects.toThrow('AdmissionExpired')
    await chain.registerDevice(fresh, signature, stage.as(5))
  })

  it('does not take an admission of one project for another', async () => {
    const { chain, keys, alice, terms } = stage
    const other = await chain.createProject({ ...terms, admitter: stage.bob })
    const admission = await stage.admission(alice, 30)
    const signature = await chain.signAdmission(keys[2]!, admission)
    const moved = { ...admission, projectId: other.projectId }
    await expect(chain.registerDevice(moved, signature)).rejects.toThrow('AdmissionInvalid')
  })

  it.each([
    ['off the curve', { x: 1n, y: 1n }],
    ['the identity', { x: 0n, y: 1n }],
    ['of order 2', LOW_ORDER],
    ['of order 4', ORDER_FOUR],
    ['of order 8', ORDER_EIGHT],
    ['not canonical', { x: deviceKey(40).x + FIELD_ORDER, y: deviceKey(40).y }],
  ])('refuses a key that is %s', async (_, { x, y }) => {
    await expect(stage.register(stage.alice, 40, { keyX: x, keyY: y })).rejects.toThrow('KeyInvalid')
  })

  it('keeps the metadata URI', async () => {
    const { deviceId } = await stage.register(stage.alice, 50, { metadataURI: 'ipfs://device-50' })
    expect((await stage.chain.getDevice(deviceId)).metadataURI).toBe('ipfs://device-50')
  })
})

describe('keys during the life of a device', () => {
  let stage: Stage
  beforeAll(async () => (stage = await createStage({ devices: 3 })))
  afterAll(() => stage?.close())

  const leaf = async (slot: number) => (await stage.chain.getLeaves(stage.projectId, 0))[slot]

  it('rotates by the owner, at most once a day, keeping the slot', async () => {
    const { chain } = stage
    await expect(stage.rotate(1n, 60, 4)).rejects.toThrow('NotDeviceOwner')
    const weak = { deviceId: 1n, keyX: 1n, keyY: 1n, deadline: 2n ** 63n }
    const signature = await chain.signRotation(stage.keys[2]!, weak)
    await expect(chain.rotateKey(weak, signature, stage.as(3))).rejects.toThrow('KeyInvalid')
    await expect(stage.rotate(1n, 2, 3)).rejects.toThrow('KeyTaken')
    await stage.rotate(1n, 60, 3)
    expect(await leaf(0)).toBe(deviceLeaf(deviceKey(60), 1n))
    await expect(stage.rotate(1n, 61, 3)).rejects.toThrow('KeyChangeTooEarly')
    await stage.advance(86_400)
    await stage.rotate(1n, 1, 3)
    expect(await leaf(0)).toBe(deviceLeaf(deviceKey(1), 1n))
  })

  it('takes no key but one that the project admitted for this device, in time', async () => {
    const { chain, keys } = stage
    const { x: keyX, y: keyY } = deviceKey(62)
    const rotation = { deviceId: 2n, keyX, keyY, deadline: BigInt(GENESIS_TIME_SEC + 10_000_000) }
    const signature = await chain.signRotation(keys[2]!, rotation)
    const byOwner = await chain.signRotation(keys[4]!, rotation)
    await expect(chain.rotateKey(rotation, byOwner, stage.as(4))).rejects.toThrow('AdmissionInvalid')
    await expect(chain.rotateKey({ ...rotation, deviceId: 3n }, signature, stage.as(3))).rejects.toThrow(
      'AdmissionInvalid',
    )
    const late = { ...rotation, deadline: 1n }
    const expired = chain.rotateKey(late, await chain.signRotation(keys[2]!, late), stage.as(4))
    await expect(expired).rejects.toThrow('AdmissionExpired')
  })

  it('B-04 never gives one key to two devices, also not a key that a device once had', async () => {
    await expect(stage.register(stage.bob, 60)).rejects.toThrow('KeyTaken')
    await expect(stage.rotate(2n, 60, 4)).rejects.toThrow('KeyTaken')
    expect(await stage.chain.deviceOfKey(stage.projectId, deviceKey(60))).toBe(1n)
  })

  it('lets the owner of a lost device suspend its key and confirm it again', async () => {
    const { chain } = stage
    await expect(chain.suspendKey(2n, stage.as(3))).rejects.toThrow('NotDeviceOwner')
    await chain.suspendKey(2n, stage.as(4))
    expect(await leaf(1)).toBe(0n)
    await expect(chain.suspendKey(2n, stage.as(4))).rejects.toThrow('DeviceStatus(2, 1)')
    await chain.confirmKey(2n, stage.as(4))
    expect(await leaf(1)).toBe(deviceLeaf(deviceKey(2), 2n))
  })

  it('suspends the key of a sold device until the new owner confirms it', async () => {
    const { chain, alice, stranger } = stage
    await expect(chain.confirmKey(1n, stage.as(3))).rejects.toThrow('DeviceStatus(1, 0)')
    await chain.transferDevice(1n, alice, stranger, stage.as(3))
    expect(await leaf(0)).toBe(0n)
    expect((await chain.getDevice(1n)).status).toBe('suspended')
    await expect(chain.confirmKey(1n, stage.as(3))).rejects.toThrow('NotDeviceOwner')
    await chain.confirmKey(1n, stage.as(5))
    expect(await leaf(0)).toBe(deviceLeaf(deviceKey(1), 1n))
  })

  it('revokes for good, by owner or project, and keeps the token', async () => {
    const { chain } = stage
    await expect(chain.revokeDevice(2n, stage.as(5))).rejects.toThrow('NotDeviceOwnerOrProject')
    await chain.revokeDevice(2n, stage.as(4))
    expect(await leaf(1)).toBe(0n)
    expect(await chain.getDevice(2n)).toMatchObject({ status: 'revoked', owner: stage.bob })
    await expect(stage.rotate(2n, 70, 4)).rejects.toThrow('DeviceStatus')
    await expect(chain.revokeDevice(2n, stage.as(1))).rejects.toThrow('DeviceStatus')
    await chain.transferDevice(2n, stage.bob, stage.alice, stage.as(4))
    await expect(chain.confirmKey(2n, stage.as(3))).rejects.toThrow('DeviceStatus')
    const next = await stage.register(stage.alice, 80)
    expect(next).toMatchObject({ deviceId: 4n, slot: 3 })
  })

  it("B-04 takes an owner's former root for 64 blocks, and none from before a revocation by the project", async () => {
    const { chain, projectId, testClient } = stage
    const before = (await chain.getCohort(projectId, 0)).identityRoot
    await stage.advance(86_400)
    await stage.rotate(3n, 90, 3)
    expect(await chain.isRecentRoot(projectId, 0, before)).toBe(true)
    await testClient.mine({ blocks: 64 })
    expect(await chain.isRecentRoot(projectId, 0, before)).toBe(true)
    await testClient.mine({ blocks: 1 })
    expect(await chain.isRecentRoot(projectId, 0, before)).toBe(false)

    const current = (await chain.getCohort(projectId, 0)).identityRoot
    await chain.revokeDevice(3n, stage.as(1))
    expect(await chain.isRecentRoot(projectId, 0, current)).toBe(false)
    expect(await chain.isRecentRoot(projectId, 0, (await chain.getCohort(projectId, 0)).identityRoot)).toBe(true)
    expect(await chain.isRecentRoot(projectId, 0, 0n)).toBe(false)
  })

  it('tells every change in order, so that an indexer arrives at the same leaves', async () => {
    const { chain, projectId } = stage
    const { events, nextBlock } = await chain.getDeviceEvents(0n)
    const leaves = [0n, 0n, 0n, 0n]
    const changes = events.filter((event) => event.kind !== 'transferred')
    for (const event of changes) {
      leaves[event.slot] = event.leaf
      expect(event.identityRoot).toBe(identityRoot(leaves))
    }
    expect(leaves).toEqual(await chain.getLeaves(projectId, 0))
    expect(events.map((event) => event.kind)).toEqual([
      ...Array<string>(3).fill('registered'),
      ...['rotated', 'rotated', 'suspended', 'confirmed', 'transferred', 'suspended', 'confirmed'],
      ...['revoked', 'transferred', 'registered', 'rotated', 'revoked'],
    ])
    const { timestamp } = await stage.publicClient.getBlock({ blockNumber: events.at(-1)!.blockNumber })
    expect(events.at(-1)!.blockTime).toBe(timestamp)
    expect(await chain.getDeviceEvents(nextBlock)).toEqual({ events: [], nextBlock })
  })

  it('pays what a revoked device earned', async () => {
    const { chain } = stage
    const anchored = await stage.anchorNext()
    await chain.settle(await stage.receipt(anchored, [0n, 6n, 0n, 0n], 5n))
    const { claims } = await chain.claim([2n], stage.alice, stage.as(3))
    expect(claims[0]).toMatchObject({ deviceId: 2n, units: 6n })
  })

  it("never moves a token without its owner's leave", async () => {
    const args = [stage.alice, stage.bob, 4n] as const
    const data = encodeFunctionData({ abi: deviceRegistryAbi, functionName: 'transferFrom', args })
    const call = stage.publicClient.call({ account: stage.bob, to: stage.addresses.devices, data })
    await expect(call).rejects.toThrow(toFunctionSelector('ERC721InsufficientApproval(address,uint256)'))
    const transfer = stage.chain.transferDevice(4n, stage.alice, stage.bob, stage.as(4))
    await expect(transfer).rejects.toMatchObject({ details: { error: 'ERC721InsufficientApproval' } })
  })
})
