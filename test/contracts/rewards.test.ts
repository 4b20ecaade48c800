import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { settlementAbi } from '../../contracts/abi.ts'
import type { Hex } from '../../engine/core/codec.ts'
import { claimTypedData, type ClaimOrder } from './claim-order.ts'
import { createStage, MAX_UNITS, REWARD_PER_UNIT_WEI, type Stage } from './stage.ts'

const [OPERATOR, OWNER, ALICE, BOB, STRANGER] = [0, 1, 3, 4, 5]
const DAY_SEC = 86_400

describe('rewards', () => {
  let stage: Stage
  beforeAll(async () => {
    stage = await createStage({ devices: 3 })
    const { chain, projectId } = stage
    const { version } = await chain.publishVersion(
      projectId,
      { ...stage.publication(), feeUnits: 40n },
      stage.as(OWNER),
    )
    await chain.activateVersion(projectId, version, stage.as(OWNER))
    stage = { ...stage, version }
  })
  afterAll(() => stage?.close())

  const anchorNext = async () => {
    const { chain, projectId, version } = stage
    const page = await chain.getCohort(projectId, 0)
    const batch = { projectId, cohort: 0, expectedNumber: page.nextToAnchor, identityRoot: page.identityRoot, version }
    const { anchor } = await chain.anchor({ ...batch, batchRoot: 1n, daPointer: `0x${'11'.repeat(32)}` })
    return { number: page.nextToAnchor, anchor }
  }
  const balance = (account: Hex) => stage.chain.getTokenBalance(stage.addresses.rewardToken, account)
  const sign = (order: ClaimOrder, key = stage.keys[ALICE]!) =>
    privateKeyToAccount(key).signTypedData(claimTypedData(stage, order))
  const send = async (order: ClaimOrder, signature: Hex) =>
    stage.transact('settlement', 'claimFor', [order, signature], STRANGER)
  const feeUnits = async (payee: Hex) =>
    stage.publicClient.readContract({
      address: stage.addresses.settlement,
      abi: settlementAbi,
      functionName: 'feeUnitsOf',
      args: [stage.projectId, payee],
    })

  it('pay a fee, reserved with the batch, to the payee that the proof names', async () => {
    const { chain, projectId, stranger, transact } = stage
    const anchored = await anchorNext()
    expect((await chain.getAccount(projectId)).reservedUnits).toBe(4n * MAX_UNITS + 40n)
    const receipt = await stage.receipt(anchored, [1n, 2n, 3n, 0n], 20n, stranger)
    await chain.settle(receipt)
    expect(await chain.getAccount(projectId)).toMatchObject({ reservedUnits: 0n, creditedUnits: 46n })
    expect(await feeUnits(stranger)).toBe(40n)
    await expect(transact('settlement', 'claimFees', [projectId, stage.bob], BOB)).rejects.toThrow('NothingToClaim')
    await transact('settlement', 'claimFees', [projectId, stage.people[6]], STRANGER)
    expect(await balance(stage.people[6]!)).toBe(40n * REWARD_PER_UNIT_WEI)
    await expect(transact('settlement', 'claimFees', [projectId, stranger], STRANGER)).rejects.toThrow('NothingToClaim')
  })

  it('pay no fee to nobody', async () => {
    const { chain, projectId } = stage
    const nobody: Hex = `0x${'00'.repeat(20)}`
    await chain.settle(await stage.receipt(await anchorNext(), [1n, 0n, 0n, 0n], 21n, nobody))
    expect(await feeUnits(nobody)).toBe(0n)
    expect((await chain.getAccount(projectId)).creditedUnits).toBe(47n)
  })

  it('C-10 stay within a budget per window of time, whatever is open', async () => {
    const { chain, projectId, transact } = stage
    const most = 4n * MAX_UNITS + 40n
    await expect(transact('settlement', 'setBudget', [projectId, 1n, DAY_SEC], STRANGER)).rejects.toThrow(
      'NotProjectOwner',
    )
    const nextWindow = async () => {
      const { timestamp } = await stage.publicClient.getBlock()
      await stage.advance(DAY_SEC - Number(timestamp % BigInt(DAY_SEC)))
    }
    await nextWindow()
    await transact('settlement', 'setBudget', [projectId, 2n * most, DAY_SEC])
    const first = await anchorNext()
    await chain.settle(await stage.receipt(first, [MAX_UNITS, 0n, 0n, 0n], 22n))
    await anchorNext()
    await expect(anchorNext()).rejects.toThrow(
      `BudgetExceeded(${projectId}, ${MAX_UNITS + 40n + 2n * most}, ${2n * most})`,
    )
    await nextWindow()
    const third = await anchorNext()
    await expect(anchorNext()).rejects.toThrow('BudgetExceeded')
    await chain.voidFrom(projectId, 0, third.number)
    await transact('settlement', 'setBudget', [projectId, 2n * most, 2 * DAY_SEC])
    const call = { address: stage.addresses.settlement, abi: settlementAbi, args: [projectId] } as const
    const [, , creditedUnits] = await stage.publicClient.readContract({ ...call, functionName: 'budgetOf' })
    expect(creditedUnits, 'credited in a window that is over').toBe(0n)
    await transact('settlement', 'setBudget', [projectId, 0n, 0])
    await chain.voidFrom(projectId, 0, (await anchorNext()).number - 2n)
  })

  it('C-05 go where an owner signed for, by anybody, once and in time', async () => {
    const { chain, projectId, alice, people } = stage
    await chain.settle(await stage.receipt(await anchorNext(), [10n, 0n, 20n, 0n], 23n))
    const { timestamp } = await stage.publicClient.getBlock()
    const order = { owner: alice, to: people[7]!, deviceIds: [1n, 3n], nonce: 0n, deadline: timestamp + 3600n }
    const signature = await sign(order)
    for (const altered of [{ to: people[5]! }, { deviceIds: [1n] }, { deadline: order.deadline + 1n }]) {
      await expect(send({ ...order, ...altered }, signature)).rejects.toThrow('ClaimSignatureInvalid')
    }
    await expect(send(order, await sign(order, stage.keys[STRANGER]))).rejects.toThrow('ClaimSignatureInvalid')
    const late = { ...order, deadline: 1n }
    await expect(send(late, await sign(late))).rejects.toThrow('ClaimExpired')
    const units = (await chain.getPending(1n)).units + (await chain.getPending(3n)).units
    await send(order, signature)
    expect(await balance(people[7]!)).toBe(units * REWARD_PER_UNIT_WEI)
    await expect(send(order, signature)).rejects.toThrow('InvalidAccountNonce')
    const notHers = { ...order, deviceIds: [2n], nonce: 1n }
    await expect(send(notHers, await sign(notHers))).rejects.toThrow('NotDeviceOwner')
    await expect(chain.claim([1n, 1n], alice, stage.as(ALICE))).rejects.toThrow('NothingToClaim')
    expect((await chain.getAccount(projectId)).reservedUnits).toBe(0n)
  })

  it('C-09 are paid, claimed or by order, and so are fees, whatever is stopped', async () => {
    const { chain, projectId, transact, prover, bob, stranger, people, version } = stage
    await chain.settle(await stage.receipt(await anchorNext(), [1n, 2n, 4n, 0n], 24n, stranger))
    await transact('applets', 'stopVersion', [projectId, BigInt(version)])
    await transact('applets', 'stopKey', [prover.vkHash], OPERATOR)
    await chain.revokeDevice(2n, stage.as(BOB))
    await transact('settlement', 'claimFees', [projectId, people[8]], STRANGER)
    expect(await balance(people[8]!)).toBe(40n * REWARD_PER_UNIT_WEI)
    const { timestamp } = await stage.publicClient.getBlock()
    const pending = (await chain.getPending(2n)).units
    const order = { owner: bob, to: people[9]!, deviceIds: [2n], nonce: 0n, deadline: timestamp + 3600n }
    await send(order, await sign(order, stage.keys[BOB]))
    expect(await balance(people[9]!)).toBe(pending * REWARD_PER_UNIT_WEI)
    const { claims } = await chain.claim([1n, 3n], stage.alice, stage.as(ALICE))
    expect(claims.map((claim) => claim.units)).toEqual([1n, 4n])
  })
})
