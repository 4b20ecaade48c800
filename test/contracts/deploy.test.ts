// The deployment on a real chain: what it refuses, and what it makes of a run that broke off. The command line itself, killed for
// good, is in test/cli/deploy.test.ts.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createPublicClient,
  createTestClient,
  createWalletClient,
  custom,
  http,
  keccak256,
  parseEther,
  type Hex,
} from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { foundry, sepolia } from 'viem/chains'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rewardTokenAbi } from '../../contracts/abi.ts'
import { deploy, type DeployOptions } from '../../contracts/deploy.ts'
import { CANONICAL_FACTORY } from '../../contracts/deploy-checks.ts'
import type { DeploymentRecord } from '../../contracts/deploy-record.ts'
import { networkNamed, NETWORKS } from '../../contracts/networks.ts'
import { startAnvil, type Anvil } from '../../engine/chain/anvil.ts'

const directory = mkdtempSync(join(tmpdir(), 'attestream-deploy-'))
const CONTRACTS = 8
let anvil: Anvil
let clients: ReturnType<typeof connect>
let snapshot: Hex

beforeAll(async () => {
  anvil = await startAnvil()
  clients = connect()
  snapshot = await clients.testClient.snapshot()
})
afterAll(async () => {
  await anvil.close()
  rmSync(directory, { recursive: true })
})

function connect(privateKey: Hex = anvil.accounts[0]!.privateKey, chain = foundry as typeof foundry | typeof sepolia) {
  const transport = http(anvil.rpcUrl)
  const account = privateKeyToAccount(privateKey)
  return {
    account,
    publicClient: createPublicClient({ chain, transport, pollingInterval: 10, cacheTime: 0 }),
    walletClient: createWalletClient({ chain, transport, account }),
    testClient: createTestClient({ chain, transport, mode: 'anvil' }),
  } as const
}

/** The chain as it began. */
async function freshChain(): Promise<void> {
  await clients.testClient.revert({ id: snapshot })
  snapshot = await clients.testClient.snapshot()
}

const run = (options: Partial<DeployOptions> = {}) =>
  deploy({ publicClient: clients.publicClient as never, walletClient: clients.walletClient as never, ...options })

const nonce = () => clients.publicClient.getTransactionCount({ address: clients.account.address })
const recordIn = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as DeploymentRecord

describe('a deployment', () => {
  it('writes everything down, and a second run sends nothing, with its file or without', async () => {
    await freshChain()
    const file = join(directory, 'full.json')
    const start = await nonce()
    const first = await run({ file })
    expect(first.transactions).toHaveLength(CONTRACTS)
    const record = recordIn(file)
    expect(Object.keys(record.contracts)).toHaveLength(CONTRACTS)
    for (const [contract, { address, codeHash, initCodeHash }] of Object.entries(record.contracts)) {
      expect(keccak256((await clients.publicClient.getCode({ address }))!)).toBe(codeHash)
      expect([codeHash, initCodeHash, record.transactions[contract]!.hash].join()).toMatch(/^(0x[0-9a-f]{64},?){3}$/)
    }
    expect(record.pending).toBeUndefined()
    expect(record.contracts['Settlement']!.args).toHaveLength(4)

    const text = readFileSync(file, 'utf8')
    const again = await run({ file })
    const without = await run()
    expect([again.transactions, without.transactions]).toEqual([[], []])
    expect(readFileSync(file, 'utf8')).toBe(text)
    expect(again.addresses).toEqual(first.addresses)
    expect(without.addresses).toEqual(first.addresses)
    expect([again.fromBlock, without.fromBlock]).toEqual([first.fromBlock, 0n])
    expect((await nonce()) - start).toBe(CONTRACTS)
  })

  it('estimates what it then costs, and sends nothing when dry', async () => {
    await freshChain()
    const start = await nonce()
    const dry = await run({ dryRun: true, file: join(directory, 'dry.json') })
    expect(await nonce()).toBe(start)
    expect(() => recordIn(join(directory, 'dry.json'))).toThrow('ENOENT')
    const { transactions, addresses } = await run()
    const used = transactions.reduce((sum, { gasUsed }) => sum + gasUsed, 0n)
    expect(addresses).toEqual(dry.addresses)
    expect(Number(dry.cost.gas) / Number(used)).toBeGreaterThanOrEqual(1)
    expect(Number(dry.cost.gas) / Number(used)).toBeLessThan(1.1)
  })

  it('sends the very transaction again that it had signed when it broke off before sending', async () => {
    await freshChain()
    const file = join(directory, 'unsent.json')
    let sends = 0
    const failing = custom({
      request: (call: { method: string }) => {
        if (call.method === 'eth_sendRawTransaction' && ++sends === 3) throw new TypeError('the process ends here')
        return clients.publicClient.request(call as never)
      },
    })
    const broken = createPublicClient({ chain: foundry, transport: failing, pollingInterval: 10, cacheTime: 0 })
    await expect(run({ file, publicClient: broken as never })).rejects.toThrow('Could not send RewardToken')
    const { pending } = recordIn(file)
    expect(pending?.step).toBe('RewardToken')
    const start = await nonce()
    const { transactions } = await run({ file })
    expect(transactions).toHaveLength(CONTRACTS - 3)
    expect((await nonce()) - start).toBe(CONTRACTS - 2)
    const transaction = await clients.publicClient.getTransaction({ hash: pending!.hash })
    expect(transaction.nonce).toBe(pending!.nonce)
    expect(recordIn(file).transactions['RewardToken']!.hash).toBe(pending!.hash)
  })

  it('takes a new nonce when another transaction used that of the one it had signed', async () => {
    await freshChain()
    const file = join(directory, 'overtaken.json')
    await clients.testClient.setAutomine(false)
    await expect(run({ file, timeoutMs: 0 })).rejects.toMatchObject({ code: 'TRANSACTION_PENDING' })
    const { pending } = recordIn(file)
    await clients.testClient.dropTransaction({ hash: pending!.hash })
    await clients.testClient.setAutomine(true)
    const { account } = clients
    await (clients.walletClient as ReturnType<typeof createWalletClient>).sendTransaction({ account, chain: foundry, to: account.address, value: 0n, nonce: pending!.nonce }) // prettier-ignore
    const { transactions } = await run({ file })
    expect(transactions).toHaveLength(CONTRACTS)
  })

  it('creates a factory of its own where the canonical one is missing', async () => {
    await freshChain()
    const file = join(directory, 'factory.json')
    await clients.testClient.setCode({ address: CANONICAL_FACTORY, bytecode: '0x' })
    const first = await run({ file })
    expect(first.factory).not.toBe(CANONICAL_FACTORY)
    expect(first.transactions).toHaveLength(CONTRACTS + 1)
    const again = await run({ file })
    expect(again.transactions).toEqual([])
    expect(again.addresses).toEqual(first.addresses)
  })

  it('takes a token that exists, and none that is none', async () => {
    await freshChain()
    const supply = { name: 'T', symbol: 'T', capWei: 5n, supplyWei: 5n, holder: clients.account.address }
    const { addresses } = await run({ rewardToken: supply })
    const token = { address: addresses.rewardToken, abi: rewardTokenAbi } as const
    expect(await clients.publicClient.readContract({ ...token, functionName: 'totalSupply' })).toBe(5n)
    const { transactions } = await run({ rewardToken: addresses.rewardToken })
    expect(transactions).toEqual([])
    const refused = run({ rewardToken: addresses.verifier })
    await expect(refused).rejects.toMatchObject({ code: 'INPUT_INVALID' })
  })
})

describe('a deployment refuses', () => {
  it('a node of another chain', async () => {
    const walletClient = connect(undefined, sepolia).walletClient as never
    await expect(run({ walletClient })).rejects.toMatchObject({ code: 'CHAIN_MISMATCH' })
  })

  it('the file of another chain, and one whose contracts are gone', async () => {
    await freshChain()
    const file = join(directory, 'gone.json')
    await run({ file })
    await freshChain()
    const start = await nonce()
    await expect(run({ file })).rejects.toMatchObject({ code: 'CHAIN_MISMATCH' })
    expect(await nonce()).toBe(start)
  })

  it('code at its addresses that is not its own', async () => {
    await freshChain()
    const { addresses } = await run()
    const code = await clients.publicClient.getCode({ address: addresses.settlement })
    await clients.testClient.setCode({ address: addresses.settlement, bytecode: `${code!.slice(0, -2)}ff` as Hex })
    await expect(run()).rejects.toMatchObject({ code: 'CODE_MISMATCH', details: { contract: 'Settlement' } })
  })

  it('other terms than those of its file', async () => {
    await freshChain()
    const file = join(directory, 'changed.json')
    await run({ file })
    const start = await nonce()
    await expect(run({ file, production: true })).rejects.toMatchObject({ code: 'DEPLOYMENT_CHANGED' })
    await expect(run({ file, production: true })).rejects.toThrow(/AppletRegistry has the arguments .*false.*true/)
    await expect(run({ file, salt: `0x${'01'.repeat(32)}` })).rejects.toThrow('other code or another salt')
    expect(await nonce()).toBe(start)
  })

  it('a deployer who cannot pay, before anything is sent', async () => {
    await freshChain()
    const poor = connect(generatePrivateKey())
    const walletClient = poor.walletClient as never
    await clients.testClient.setBalance({ address: poor.account.address, value: parseEther('0.001') })
    await expect(run({ walletClient })).rejects.toMatchObject({ code: 'FUNDS_INSUFFICIENT' })
    expect(await clients.publicClient.getTransactionCount({ address: poor.account.address })).toBe(0)
  })

  it('a chain without what the contracts need', async () => {
    const old = custom({
      request: async (call: { method: string; params: { to?: Hex }[] }) => {
        if (call.method === 'eth_call' && !call.params[0]?.to) throw { code: -32000, message: 'invalid opcode: TSTORE' }
        return clients.publicClient.request(call as never)
      },
    })
    const publicClient = createPublicClient({ chain: foundry, transport: old }) as never
    const refused = { code: 'CHAIN_UNSUPPORTED', message: expect.stringContaining('TSTORE') as string }
    await expect(run({ publicClient })).rejects.toMatchObject(refused)
  })
})

describe('networks', () => {
  it('have the ids that they have', () => {
    const ids = Object.fromEntries(Object.entries(NETWORKS).map(([name, { id }]) => [name, id]))
    expect(ids).toEqual({ iotex: 4689, 'iotex-testnet': 4690, ethereum: 1, sepolia: 11155111, polygon: 137, 'polygon-amoy': 80002, base: 8453, 'base-sepolia': 84532, local: 31337 }) // prettier-ignore
  })

  it('are named or refused', () => {
    expect(() => networkNamed('constructor')).toThrow('polygon-amoy')
  })
})
