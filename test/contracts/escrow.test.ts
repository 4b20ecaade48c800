import { encodeFunctionData, zeroAddress } from 'viem'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { settlementAbi } from '../../contracts/abi.ts'
import type { Hex } from '../../engine/core/codec.ts'
import { mined } from './attack-calls.ts'
import { compileHostileToken } from './hostile-token.ts'
import { createStage, MAX_UNITS, REWARD_PER_UNIT_WEI, type Stage } from './stage.ts'

const [OWNER, STRANGER] = [1, 5]
const DAY_SEC = 86_400

describe("a project's escrow", () => {
  let stage: Stage
  beforeAll(async () => (stage = await createStage({ devices: 1 })))
  afterAll(() => stage?.close())

  const send = (functionName: string, args: readonly unknown[], sender = OWNER) =>
    stage.transact('settlement', functionName, [stage.projectId, ...args], sender)
  const read = (functionName: 'budgetOf' | 'anchorHash', args: readonly unknown[]) =>
    stage.publicClient.readContract({
      address: stage.addresses.settlement,
      abi: settlementAbi,
      functionName,
      args: args as never,
    })

  it('pays nothing to nowhere, and back only what is free, to the owner', async () => {
    const { chain, projectId } = stage
    await expect(send('withdraw', [1n, zeroAddress])).rejects.toThrow('AddressZero')
    await expect(send('claimFees', [zeroAddress])).rejects.toThrow('AddressZero')
    await expect(send('withdraw', [1n, stage.stranger], STRANGER)).rejects.toThrow('NotProjectOwner')
    await stage.anchorNext()
    const { escrowWei } = await chain.getAccount(projectId)
    const free = escrowWei - 4n * MAX_UNITS * REWARD_PER_UNIT_WEI
    await expect(send('withdraw', [free + 1n, stage.owner])).rejects.toThrow(`EscrowTooLow(${free + 1n}, ${free})`)
    await send('withdraw', [free, stage.people[7]])
    expect(await chain.getTokenBalance(stage.addresses.rewardToken, stage.people[7]!)).toBe(free)
    await chain.fund(projectId, free, stage.as(OWNER))
  })

  it('keeps what a budget has used when only its limit changes, and forgets it with the window', async () => {
    const { chain, projectId } = stage
    expect(await read('budgetOf', [projectId])).toEqual([0n, 0n, 0n])
    await stage.advance(DAY_SEC)
    await send('setBudget', [10n * MAX_UNITS, DAY_SEC])
    const { number, anchor } = await openAnchor()
    await chain.settle(await stage.receipt({ number, anchor }, [30n, 0n, 0n, 0n], 5n))
    expect(await read('budgetOf', [projectId])).toEqual([10n * MAX_UNITS, BigInt(DAY_SEC), 30n])
    await send('setBudget', [4n * MAX_UNITS, DAY_SEC])
    expect(await read('budgetOf', [projectId])).toEqual([4n * MAX_UNITS, BigInt(DAY_SEC), 30n])
    await expect(stage.anchorNext()).rejects.toThrow('BudgetExceeded')
    await stage.advance(DAY_SEC)
    expect(await read('budgetOf', [projectId])).toEqual([4n * MAX_UNITS, BigInt(DAY_SEC), 0n])
    await stage.anchorNext()
    await send('setBudget', [0n, 0])
  })

  it('tells no anchor for a number that has none, and lets a stranger void nothing', async () => {
    const { projectId } = stage
    expect(await read('anchorHash', [projectId, 0n, 99n])).toBe(`0x${'00'.repeat(32)}`)
    const { nextToSettle } = await stage.chain.getCohort(projectId, 0)
    await expect(send('voidFrom', [0n, nextToSettle, []], STRANGER)).rejects.toThrow('NotSequencer')
    await expect(send('voidFrom', [0n, nextToSettle, []], 0)).rejects.toThrow('SnapshotsMissing(0, 1)')
  })

  it('holds at most 2^120 - 1 units', async () => {
    const { chain, terms, transact } = stage
    const rewardToken = await hostileToken(2n ** 121n)
    const { projectId } = await chain.createProject({ ...terms, rewardToken, rewardPerUnitWei: 1n })
    const fund = (amountWei: bigint) => transact('settlement', 'fund', [projectId, amountWei])
    await expect(fund(2n ** 120n)).rejects.toThrow(`EscrowTooHigh(${2n ** 120n})`)
    await fund(2n ** 120n - 1n)
    await expect(fund(1n)).rejects.toThrow('EscrowTooHigh')
  })

  async function openAnchor() {
    const { chain, projectId } = stage
    const { nextToSettle } = await chain.getCohort(projectId, 0)
    await chain.voidFrom(projectId, 0, nextToSettle)
    return stage.anchorNext()
  }

  /** A token whose supply has no cap, with `amount` of it for the owner to fund with. */
  async function hostileToken(amount: bigint): Promise<Hex> {
    const { abi, bytecode } = compileHostileToken()
    const from = stage.owner
    const deployed = await sendRaw({ from, data: bytecode })
    const to = deployed.contractAddress!
    const calls = [
      { functionName: 'mint', args: [from, amount] },
      { functionName: 'approve', args: [stage.addresses.settlement, amount] },
    ]
    for (const call of calls) await sendRaw({ from, to, data: encodeFunctionData({ abi, ...call }) })
    return to
  }

  async function sendRaw(transaction: { from: Hex; to?: Hex; data: Hex }) {
    const params = [transaction]
    const hash = (await stage.testClient.request({ method: 'eth_sendTransaction', params } as never)) as Hex
    return mined(stage, hash)
  }
})
