// A device's token is owned, lent and sold like any other ERC-721, by people and by wallets that are contracts (ERC-1271); what
// the device earned goes with it, and its key does not work for a new owner before he says so.

import { encodeFunctionData, type Hex } from 'viem'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { deviceRegistryAbi, settlementAbi } from '../../contracts/abi.ts'
import { admissionTypedData, rotationTypedData } from '../../engine/chain/typed-data.ts'
import { deviceLeaf } from '../../engine/core/identity.ts'
import { claimTypedData } from './claim-order.ts'
import { deployWallet, type SmartWallet } from './smart-wallet.ts'
import { createStage, deviceKey, REWARD_PER_UNIT_WEI, type Stage } from './stage.ts'

const [OWNER, ALICE, BOB, STRANGER, BUYER] = [1, 3, 4, 5, 6] as const
const DAY_SEC = 86_400

const registryCall = (functionName: string, args: readonly unknown[]): Hex =>
  encodeFunctionData({ abi: deviceRegistryAbi, functionName, args } as never)

describe('a token of a device', () => {
  let stage: Stage
  beforeAll(async () => (stage = await createStage({ devices: 2 })))
  afterAll(() => stage?.close())

  const read = (functionName: string, args: readonly unknown[]): Promise<unknown> =>
    stage.publicClient.readContract({ address: stage.addresses.devices, abi: deviceRegistryAbi, functionName, args } as never) // prettier-ignore
  const leafOf = async (slot: number) => (await stage.chain.getLeaves(stage.projectId, 0))[slot]

  it('is an ERC-721 with metadata by ERC-165, and nothing that it is not', async () => {
    const supported = ['0x01ffc9a7', '0x80ac58cd', '0x5b5e139f']
    for (const id of supported) expect(await read('supportsInterface', [id])).toBe(true)
    for (const id of ['0x780e9d63', '0xffffffff']) expect(await read('supportsInterface', [id])).toBe(false)
    expect([await read('name', []), await read('symbol', [])]).toEqual(['Attestream Device', 'ATDEV'])
    expect([await read('ownerOf', [1n]), await read('balanceOf', [stage.alice])]).toEqual([stage.alice, 1n])
  })

  it('has the metadata URI that the project signed, for ever', async () => {
    const metadataURI = 'https://maker.example/devices/3/did.json'
    const { deviceId } = await stage.register(stage.alice, 3, { metadataURI })
    await stage.chain.transferDevice(deviceId, stage.alice, stage.bob, stage.as(ALICE))
    await stage.chain.revokeDevice(deviceId, stage.as(BOB))
    expect(await read('tokenURI', [deviceId])).toBe(metadataURI)
    expect(await read('ownerOf', [deviceId])).toBe(stage.bob)
    expect(await read('tokenURI', [1n])).toBe('')
    await expect(read('tokenURI', [99n])).rejects.toThrow('ERC721NonexistentToken')
  })

  it('B-04 is sold by whoever the owner approved, and its key is suspended until the buyer confirms', async () => {
    const { alice, bob, stranger, people, transact, chain } = stage
    const buyer = people[BUYER]!
    const sale = [alice, buyer, 1n] as const
    await expect(transact('devices', 'safeTransferFrom', sale, STRANGER)).rejects.toThrow('ERC721InsufficientApproval')
    await transact('devices', 'approve', [stranger, 1n], ALICE)
    await transact('devices', 'safeTransferFrom', sale, STRANGER)
    expect(await read('getApproved', [1n])).toBe('0x0000000000000000000000000000000000000000')
    expect(await leafOf(0)).toBe(0n)
    await expect(chain.confirmKey(1n, stage.as(ALICE))).rejects.toThrow('NotDeviceOwner')
    await expect(stage.rotate(1n, 40, ALICE)).rejects.toThrow('NotDeviceOwner')
    await chain.confirmKey(1n, stage.as(BUYER))
    expect(await leafOf(0)).toBe(deviceLeaf(deviceKey(1), 1n))
    await transact('devices', 'setApprovalForAll', [stranger, true], BUYER)
    await transact('devices', 'transferFrom', [buyer, bob, 1n], STRANGER)
    expect((await chain.getDevice(1n)).status).toBe('suspended')
    await transact('devices', 'setApprovalForAll', [stranger, false], BUYER)
    await stage.advance(DAY_SEC)
    await stage.rotate(1n, 41, BOB)
    expect(await leafOf(0)).toBe(deviceLeaf(deviceKey(41), 1n))
  })

  it('B-04 gives nobody who may move it a say in its key', async () => {
    const { chain, transact, stranger } = stage
    await transact('devices', 'approve', [stranger, 2n], BOB)
    await expect(chain.suspendKey(2n, stage.as(STRANGER))).rejects.toThrow('NotDeviceOwner')
    await expect(stage.rotate(2n, 42, STRANGER)).rejects.toThrow('NotDeviceOwner')
    await expect(chain.revokeDevice(2n, stage.as(STRANGER))).rejects.toThrow('NotDeviceOwnerOrProject')
    await expect(chain.claim([2n], stranger, stage.as(STRANGER))).rejects.toThrow('NotDeviceOwner')
  })

  it('stays active when its owner sends it to himself', async () => {
    await stage.chain.transferDevice(2n, stage.bob, stage.bob, stage.as(BOB))
    expect(await stage.chain.getDevice(2n)).toMatchObject({ status: 'active', owner: stage.bob })
  })

  it('C-10 takes with it what was earned before the sale and not claimed, once', async () => {
    const { chain, people, bob } = stage
    const buyer = people[BUYER]!
    await chain.settle(await stage.receipt(await stage.anchorNext(), [0n, 9n, 0n, 0n], 31n))
    await chain.transferDevice(2n, bob, buyer, stage.as(BOB))
    await expect(chain.claim([2n], bob, stage.as(BOB))).rejects.toThrow('NotDeviceOwner')
    const { claims } = await chain.claim([2n], buyer, stage.as(BUYER))
    expect(claims).toEqual([{ deviceId: 2n, units: 9n, amountWei: 9n * REWARD_PER_UNIT_WEI }])
    await expect(chain.claim([2n], buyer, stage.as(BUYER))).rejects.toThrow('NothingToClaim')
  })
})

describe('a wallet that is a contract', () => {
  let stage: Stage
  let wallet: SmartWallet
  beforeAll(async () => {
    stage = await createStage()
    wallet = await deployWallet(stage, ALICE, BOB)
    await stage.transact('projects', 'setAdmitter', [stage.projectId, wallet.address], OWNER)
  })
  afterAll(() => stage?.close())

  const domain = () => ({ chainId: stage.anvil.chainId, verifyingContract: stage.addresses.devices })
  const asWallet = (functionName: string, args: readonly unknown[]) =>
    wallet.execute(stage.addresses.devices, registryCall(functionName, args))

  it('admits devices for its project, and is one that owns them; anybody pays for the registration', async () => {
    const admission = await stage.admission(wallet.address, 1)
    const signature = await wallet.sign(admissionTypedData(domain(), admission))
    const { deviceId } = await stage.chain.registerDevice(admission, signature, stage.as(STRANGER))
    expect(await stage.chain.getDevice(deviceId)).toMatchObject({ owner: wallet.address, status: 'active' })
  })

  it('B-04 admits nothing with one of its two signatures, with a former owner, or for another project', async () => {
    const { chain, keys, people } = stage
    const admission = await stage.admission(stage.bob, 2)
    const signature = await wallet.sign(admissionTypedData(domain(), admission))
    const refused = (change: Partial<typeof admission>, by: Hex = signature) =>
      expect(chain.registerDevice({ ...admission, ...change }, by)).rejects.toThrow('AdmissionInvalid')
    await refused({}, await chain.signAdmission(keys[ALICE]!, admission))
    await refused({}, `0x${signature.slice(132)}${signature.slice(2, 132)}`)
    await refused({ owner: people[STRANGER]! })
    const terms = { ...stage.terms, admitter: (await deployWallet(stage, ALICE, BOB)).address }
    const other = await chain.createProject(terms)
    await refused({ projectId: other.projectId })
    await wallet.set('setOwner', [1n, people[STRANGER]!])
    await refused({})
    await wallet.set('setOwner', [1n, stage.bob])
    await chain.registerDevice(admission, signature)
  })

  it('C-07 that fails to answer admits nothing and breaks nothing', async () => {
    const admission = await stage.admission(stage.bob, 3)
    const signature = await wallet.sign(admissionTypedData(domain(), admission))
    await wallet.set('setBroken', [true])
    await expect(stage.chain.registerDevice(admission, signature)).rejects.toThrow('AdmissionInvalid')
    await wallet.set('setBroken', [false])
    await stage.chain.registerDevice(admission, signature)
  })

  it("suspends, confirms and rotates its device's key", async () => {
    await asWallet('suspendKey', [1n])
    expect((await stage.chain.getDevice(1n)).status).toBe('suspended')
    await asWallet('confirmKey', [1n])
    const key = deviceKey(11)
    const deadline = (await stage.publicClient.getBlock()).timestamp + 3600n
    const rotation = { deviceId: 1n, keyX: key.x, keyY: key.y, deadline }
    const signature = await wallet.sign(rotationTypedData(domain(), rotation))
    const args = [1n, key.x, key.y, deadline, signature]
    await expect(stage.transact('devices', 'rotateKey', args, ALICE)).rejects.toThrow('NotDeviceOwner')
    await asWallet('rotateKey', args)
    expect((await stage.chain.getLeaves(stage.projectId, 0))[0]).toBe(deviceLeaf(key, 1n))
  })

  it('C-05 is paid where both of its owners signed for, once', async () => {
    const { chain, addresses, people } = stage
    await chain.settle(await stage.receipt(await stage.anchorNext(), [12n, 0n, 0n, 0n], 41n))
    const deadline = (await stage.publicClient.getBlock()).timestamp + 3600n
    const order = { owner: wallet.address, to: people[7]!, deviceIds: [1n], nonce: 0n, deadline }
    const signature = await wallet.sign(claimTypedData(stage, order))
    const claim = (terms: typeof order, by: Hex) => stage.transact('settlement', 'claimFor', [terms, by], STRANGER)
    await expect(claim({ ...order, to: people[STRANGER]! }, signature)).rejects.toThrow('ClaimSignatureInvalid')
    await expect(claim(order, signature.slice(0, 132) as Hex)).rejects.toThrow('ClaimSignatureInvalid')
    await claim(order, signature)
    expect(await chain.getTokenBalance(addresses.rewardToken, people[7]!)).toBe(12n * REWARD_PER_UNIT_WEI)
    await expect(claim(order, signature)).rejects.toThrow('InvalidAccountNonce')
  })

  it('claims by itself, sells and buys; one that takes no tokens is refused, not robbed', async () => {
    const { chain, people, addresses, bob } = stage
    await chain.settle(await stage.receipt(await stage.anchorNext(), [5n, 0n, 0n, 0n], 42n))
    const claim = encodeFunctionData({ abi: settlementAbi, functionName: 'claim', args: [[1n], people[8]!] })
    await wallet.execute(addresses.settlement, claim)
    expect(await chain.getTokenBalance(addresses.rewardToken, people[8]!)).toBe(5n * REWARD_PER_UNIT_WEI)
    await asWallet('transferFrom', [wallet.address, bob, 1n])
    await wallet.set('setTakesTokens', [false])
    await expect(chain.transferDevice(1n, bob, wallet.address, stage.as(BOB))).rejects.toThrow('ERC721InvalidReceiver')
    await expect(chain.transferDevice(1n, bob, addresses.settlement, stage.as(BOB))).rejects.toThrow(
      'ERC721InvalidReceiver',
    )
    await wallet.set('setTakesTokens', [true])
    await chain.transferDevice(1n, bob, wallet.address, stage.as(BOB))
    expect(await chain.getDevice(1n)).toMatchObject({ owner: wallet.address, status: 'suspended' })
    await asWallet('confirmKey', [1n])
    await asWallet('revoke', [1n])
    expect(await chain.getDevice(1n)).toMatchObject({ owner: wallet.address, status: 'revoked' })
  })
})
