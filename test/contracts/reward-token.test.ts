import { encodeFunctionData, parseSignature, type Abi } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { contractArtifacts } from '../../contracts/build.ts'
import { onChain } from '../../engine/chain/reverts.ts'
import type { Hex } from '../../engine/core/codec.ts'
import { mined } from './attack-calls.ts'
import { createStage, type Stage } from './stage.ts'

const [OPERATOR, ALICE, STRANGER] = [0, 3, 5]

describe('the reward token', () => {
  let stage: Stage
  let abi: Abi
  beforeAll(async () => {
    stage = await createStage()
    abi = contractArtifacts().RewardToken.abi
  })
  afterAll(() => stage?.close())

  const read = (functionName: string, args: readonly unknown[] = []) =>
    stage.publicClient.readContract({ address: stage.addresses.rewardToken, abi, functionName, args })
  const send = async (functionName: string, args: readonly unknown[], sender: number) => {
    const to = stage.addresses.rewardToken
    const call = { account: stage.people[sender]!, to, data: encodeFunctionData({ abi, functionName, args }) }
    await onChain(functionName, () => stage.publicClient.call(call))
    const gas = '0x100000' // an estimate in this block misses the checkpoint that the next block adds
    const params = [{ from: call.account, to, data: call.data, gas }]
    const hash = (await stage.testClient.request({ method: 'eth_sendTransaction', params } as never)) as Hex
    expect((await mined(stage, hash)).status).toBe('success')
  }

  it('is minted by its owner alone and never beyond its cap', async () => {
    const [cap, supply] = (await Promise.all([read('cap'), read('totalSupply')])) as [bigint, bigint]
    await expect(send('mint', [stage.alice, 1n], STRANGER)).rejects.toThrow('OwnableUnauthorizedAccount')
    await expect(send('mint', [stage.alice, cap - supply + 1n], OPERATOR)).rejects.toThrow('CapExceeded')
    await send('mint', [stage.alice, cap - supply], OPERATOR)
    expect(await read('totalSupply')).toBe(cap)
  })

  it('takes a permit once, in time, from the holder', async () => {
    const { anvil, addresses, alice, stranger, keys } = stage
    const message = { owner: alice, spender: stranger, value: 7n, nonce: 0n, deadline: 2n ** 40n }
    const sign = (key: Hex) =>
      privateKeyToAccount(key).signTypedData({
        domain: {
          name: 'Attestream Reward',
          version: '1',
          chainId: anvil.chainId,
          verifyingContract: addresses.rewardToken,
        },
        types: PERMIT_TYPES,
        primaryType: 'Permit',
        message,
      })
    const permit = async (signature: Hex, deadline = message.deadline) => {
      const { r, s, v } = parseSignature(signature)
      await send('permit', [alice, stranger, 7n, deadline, Number(v), r, s], STRANGER)
    }
    await expect(permit(await sign(keys[STRANGER]!))).rejects.toThrow('ERC2612InvalidSigner')
    await expect(permit(await sign(keys[ALICE]!), 1n)).rejects.toThrow('ERC2612ExpiredSignature')
    await permit(await sign(keys[ALICE]!))
    expect(await read('allowance', [alice, stranger])).toBe(7n)
    expect(await read('nonces', [alice])).toBe(1n)
    await expect(permit(await sign(keys[ALICE]!))).rejects.toThrow('ERC2612InvalidSigner')
  })

  it('counts time in seconds, as it says of itself', async () => {
    expect(await read('CLOCK_MODE')).toBe('mode=timestamp')
    expect(BigInt((await read('clock')) as number)).toBe((await stage.publicClient.getBlock()).timestamp)
  })

  it('counts votes from delegation on, and moves them with the tokens', async () => {
    const { alice, bob } = stage
    expect(await read('getVotes', [alice])).toBe(0n)
    await send('delegate', [alice], ALICE)
    const votes = (await read('getVotes', [alice])) as bigint
    expect(votes).toBe(await read('balanceOf', [alice]))
    await send('transfer', [bob, 5n], ALICE)
    expect(await read('getVotes', [alice])).toBe(votes - 5n)
  })
})

const PERMIT_TYPES = {
  Permit: [
    { name: 'owner', type: 'address' },
    { name: 'spender', type: 'address' },
    { name: 'value', type: 'uint256' },
    { name: 'nonce', type: 'uint256' },
    { name: 'deadline', type: 'uint256' },
  ],
} as const
