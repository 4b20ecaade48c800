import { zeroAddress } from 'viem'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { deviceRegistryAbi } from '../../contracts/abi.ts'
import { FIELD_ORDER } from '../../engine/core/field.ts'
import { identityRoot } from '../../engine/core/identity.ts'
import { setDeviceCount } from './gas.ts'
import { createStage, deviceKey, REWARD_PER_UNIT_WEI, type Stage } from './stage.ts'

const [ALICE, BOB] = [3, 4]

describe("devices' tokens", () => {
  let stage: Stage
  beforeAll(async () => (stage = await createStage({ devices: 5 })))
  afterAll(() => stage?.close())

  const read = (functionName: 'balanceOf' | 'ownerOf' | 'tokenURI', arg: unknown) =>
    stage.publicClient.readContract({
      address: stage.addresses.devices,
      abi: deviceRegistryAbi,
      functionName,
      args: [arg] as never,
    })

  it('are counted by owner and follow a transfer', async () => {
    const { chain, alice, bob } = stage
    expect([await read('balanceOf', alice), await read('balanceOf', bob)]).toEqual([3n, 2n])
    await expect(read('balanceOf', zeroAddress)).rejects.toThrow('ERC721InvalidOwner')
    await expect(read('ownerOf', 99n)).rejects.toThrow('ERC721NonexistentToken')
    await expect(read('tokenURI', 99n)).rejects.toThrow('ERC721NonexistentToken')
    await chain.transferDevice(4n, bob, alice, stage.as(BOB))
    expect([await read('balanceOf', alice), await read('balanceOf', bob)]).toEqual([4n, 1n])
    expect(await read('ownerOf', 4n)).toBe(alice)
    expect((await chain.getDevice(4n)).status).toBe('suspended')
    await chain.transferDevice(4n, alice, bob, stage.as(ALICE))
  })

  it('sent to their owner leave the key in service', async () => {
    const { chain, alice } = stage
    await chain.transferDevice(1n, alice, alice, stage.as(ALICE))
    expect(await chain.getDevice(1n)).toMatchObject({ owner: alice, status: 'active' })
  })

  it('are paid together by one owner, over words and cohorts, to an address that exists', async () => {
    const { chain, alice } = stage
    const first = await stage.anchorNext(1n, 0)
    await chain.settle(await stage.receipt(first, [5n, 6n, 7n, 0n], 40n))
    const second = await stage.anchorNext(2n, 1)
    await chain.settle(await stage.receipt(second, [9n, 0n, 0n, 0n], 41n))
    await expect(chain.claim([1n, 2n], alice, stage.as(ALICE))).rejects.toThrow('NotDeviceOwner(2')
    await expect(chain.claim([1n], zeroAddress, stage.as(ALICE))).rejects.toThrow('AddressZero')
    await expect(chain.claim([], alice, stage.as(ALICE))).rejects.toThrow('NothingToClaim')
    const { claims } = await chain.claim([5n, 1n, 3n, 1n], alice, stage.as(ALICE))
    expect(claims.map(({ units }) => units)).toEqual([9n, 5n, 7n, 0n])
    const balance = await chain.getTokenBalance(stage.addresses.rewardToken, alice)
    expect(balance).toBe(21n * REWARD_PER_UNIT_WEI)
    expect((await chain.getPending(5n)).units).toBe(0n)
  })

  it('are refused when no place is left, and for a key whose y is not canonical', async () => {
    const { x, y } = deviceKey(40)
    await expect(stage.register(stage.alice, 40, { keyX: x, keyY: y + FIELD_ORDER })).rejects.toThrow('KeyInvalid')
    const places = 2n ** 32n / 64n
    await setDeviceCount(stage, (places - 1n) * 4n - 1n)
    const last = await stage.register(stage.alice, 41)
    expect(last).toMatchObject({ cohort: Number(places - 2n), slot: 3 })
    await expect(stage.register(stage.alice, 42)).rejects.toThrow('RegistryFull')
  })
})

describe('a cohort of 64', () => {
  let stage: Stage
  beforeAll(async () => (stage = await createStage({ cohortSize: 64, devices: 1 })))
  afterAll(() => stage?.close())

  it('has the root that the core computes over one leaf and 63 empty slots', async () => {
    const { chain, projectId } = stage
    const leaves = await chain.getLeaves(projectId, 0)
    expect(leaves).toHaveLength(64)
    expect((await chain.getCohort(projectId, 0)).identityRoot).toBe(identityRoot(leaves))
    await stage.register(stage.bob, 2)
    expect((await chain.getCohort(projectId, 0)).identityRoot).toBe(identityRoot(await chain.getLeaves(projectId, 0)))
  })
})
