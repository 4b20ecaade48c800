import { createWalletClient, encodeFunctionData, http, toFunctionSelector } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { foundry } from 'viem/chains'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { settlementAbi } from '../../contracts/abi.ts'
import type { Hex } from '../../engine/core/codec.ts'
import { compileHostileToken } from './hostile-token.ts'
import { createStage, type Stage } from './stage.ts'

const REENTERED = toFunctionSelector('ReentrancyGuardReentrantCall()')

describe('C-10 a reward token that does not behave', () => {
  const { abi, bytecode } = compileHostileToken()
  let stage: Stage
  let token: Hex
  let projectId: bigint
  let write: (functionName: string, args: readonly unknown[]) => Promise<void>

  beforeAll(async () => {
    stage = await createStage()
    const { anvil, publicClient, addresses, terms } = stage
    const account = privateKeyToAccount(stage.keys[0]!)
    const wallet = createWalletClient({
      account,
      chain: { ...foundry, id: anvil.chainId },
      transport: http(anvil.rpcUrl),
    })
    const mined = async (hash: Hex) => publicClient.waitForTransactionReceipt({ hash })
    token = (await mined(await wallet.deployContract({ abi, bytecode }))).contractAddress!
    write = async (functionName, args) => {
      const { status } = await mined(await wallet.writeContract({ address: token, abi, functionName, args }))
      expect(status).toBe('success')
    }
    projectId = (await stage.chain.createProject({ ...terms, rewardToken: token, owner: token })).projectId
    await write('mint', [token, 1_000n])
    await write('approve', [addresses.settlement, 0n])
  })
  afterAll(() => stage?.close())

  const escrow = async () => (await stage.chain.getAccount(projectId)).escrowWei
  const fund = (amountWei: bigint) =>
    encodeFunctionData({ abi: settlementAbi, functionName: 'fund', args: [projectId, amountWei] })
  const withdraw = (amountWei: bigint) =>
    encodeFunctionData({ abi: settlementAbi, functionName: 'withdraw', args: [projectId, amountWei, token] })
  const attack = (first: Hex, second: Hex) => write('attack', [stage.addresses.settlement, first, second])
  const answer = () => stage.publicClient.readContract({ address: token, abi, functionName: 'answer' })

  it('is not counted twice when it funds again from within the transfer that funds', async () => {
    await attack(fund(500n), fund(300n))
    expect(await answer()).toBe(REENTERED)
    expect(await escrow()).toBe(500n)
  })

  it('is not paid twice when it withdraws or claims again from within a payment', async () => {
    await attack(withdraw(200n), withdraw(300n))
    expect(await answer()).toBe(REENTERED)
    expect(await escrow()).toBe(300n)
    const claim = encodeFunctionData({ abi: settlementAbi, functionName: 'claim', args: [[1n], token] })
    await attack(withdraw(100n), claim)
    expect(await answer()).toBe(REENTERED)
    expect(await escrow()).toBe(200n)
  })

  it('counts what arrives when it keeps a fee', async () => {
    await write('setFee', [10n])
    await attack(fund(100n), withdraw(1n))
    expect(await escrow()).toBe(290n)
  })

  it('concerns no other project', async () => {
    const account = await stage.chain.getAccount(stage.projectId)
    const { rewardToken } = stage.addresses
    expect(await stage.chain.getTokenBalance(rewardToken, stage.addresses.settlement)).toBe(account.escrowWei)
  })
})
