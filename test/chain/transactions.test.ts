// The outbox on a real chain that mines when it is told, over a real store: what is killed between writing down, sending and hearing
// of a transaction goes on from the store's file alone. Every test has an account of its own; the calls go to an empty address.

import {
  createPublicClient,
  createTestClient,
  createWalletClient,
  http,
  HttpRequestError,
  publicActions,
  type Hex,
} from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { foundry } from 'viem/chains'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { startAnvil, type Anvil } from '../../engine/chain/anvil.ts'
import { raisedFees } from '../../engine/chain/fees.ts'
import { createTransactions, type TransactionRules } from '../../engine/chain/transactions.ts'
import type { Store } from '../../engine/store/index.ts'
import { testStore } from '../engine/scene.ts'

const EMPTY: Hex = `0x${'e0'.repeat(20)}`
const GWEI = 10n ** 9n

let anvil: Anvil
beforeAll(async () => (anvil = await startAnvil({ arguments: ['--no-mining'] })))
afterAll(() => anvil?.close())

let used = 0

function scene(rules: Partial<TransactionRules> = {}) {
  const { address, privateKey } = anvil.accounts[used++]!
  const account = privateKeyToAccount(privateKey)
  const transport = http(anvil.rpcUrl)
  const client = createPublicClient({ chain: foundry, transport, cacheTime: 0 })
  const node = createTestClient({ chain: foundry, mode: 'anvil', transport }).extend(publicActions)
  const wallet = createWalletClient({ account, chain: foundry, transport })
  const files = testStore({ devices: false })
  const clock = { nowMs: 1_000_000 }
  const handed: Hex[] = []
  const start = ({ store = files.store, dies = false, refuse = (_raw: Hex): unknown => undefined } = {}) => {
    const counting: typeof client = {
      ...client,
      sendRawTransaction: (request) => {
        handed.push(request.serializedTransaction)
        const refusal = refuse(request.serializedTransaction)
        if (refusal !== undefined) return Promise.reject(refusal)
        return dies ? new Promise(() => {}) : client.sendRawTransaction(request)
      },
    }
    const defaults = { confirmations: 1, finalityBlocks: 8, pollingIntervalMs: 20, replaceAfterMs: 60_000 }
    const transactions = createTransactions({
      client: counting,
      chainId: anvil.chainId,
      account,
      outbox: store,
      rules: { ...defaults, ...rules },
      nowMs: () => clock.nowMs,
    })
    onTestFinished(() => void transactions.close())
    return transactions
  }
  const call = (data: Hex, key = 'the purpose') => ({ action: `send ${data}`, to: EMPTY, data, keys: [key] })
  const mine = () => node.mine({ blocks: 1 })
  const sentCount = () => client.getTransactionCount({ address })
  return { ...{ address, account, client, node, wallet, files, clock, handed, start, call, mine, sentCount } }
}

type Transactions = ReturnType<ReturnType<typeof scene>['start']>

/** Waits until the node has what was handed to it. */
async function until(is: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = Date.now() + 20_000
  while (!(await is())) {
    if (Date.now() > endMs) throw new Error('it did not come to pass')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** Starts to send, and ignores what becomes of it: whoever waits is killed. */
const sendAndDie = (transactions: Transactions, call: Parameters<Transactions['send']>[0]): void =>
  void transactions.send(call).catch(() => undefined)

const records = (store: Store, address: Hex) => store.transactions(address)

describe('a transaction', { timeout: 30_000 }, () => {
  it('D-05 written down and not sent before a crash is sent by the next run, with its nonce, once', async () => {
    const { files, start, call, mine, address, handed, sentCount } = scene()
    const killed = start({ dies: true })
    sendAndDie(killed, call('0x01'))
    await until(() => handed.length === 1)
    void killed.close()
    const next = start({ store: files.reopen() })
    await until(() => handed.length === 2)
    expect(handed[1]).toBe(handed[0])
    const decided = next.untilDecided(['the purpose'])
    await until(async () => (await poolOf(address)) === 1)
    await mine()
    await decided
    expect(await sentCount()).toBe(1)
    expect(next.pending()).toEqual([])
  })

  it('D-05 sent before a crash is neither sent under another nonce nor waited for in vain', async () => {
    const { files, start, call, mine, address, sentCount } = scene()
    const killed = start()
    sendAndDie(killed, call('0x02'))
    await until(async () => (await poolOf(address)) === 1)
    await killed.close()
    const next = start({ store: files.reopen() })
    const [decided, second] = [next.untilDecided(['the purpose']), next.send(call('0x0202'))]
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(next.pending()).toMatchObject([{ nonce: 0, action: 'send 0x02', attempts: 1 }])
    await mine()
    await decided
    await until(async () => (await poolOf(address)) === 1)
    await mine()
    expect((await second).status).toBe('success')
    expect(await sentCount()).toBe(2)
  })

  it('D-05 mined between a crash and the next start is found', async () => {
    const { files, start, call, mine, address, handed } = scene()
    const killed = start()
    sendAndDie(killed, call('0x03'))
    await until(async () => (await poolOf(address)) === 1)
    await killed.close()
    await mine()
    const next = start({ store: files.reopen() })
    await next.untilDecided(['the purpose'])
    expect(handed).toHaveLength(1)
    expect(records(files.store, address)).toMatchObject([{ nonce: 0, block: { hash: expect.any(String) } }])
  })

  it('that the nodes lost is handed over again', async () => {
    const { start, call, mine, clock, node, address } = scene()
    const transactions = start()
    const sent = transactions.send(call('0x04'))
    await until(async () => (await poolOf(address)) === 1)
    await node.dropTransaction({ hash: transactions.pending()[0]!.txHash })
    expect(await poolOf(address)).toBe(0)
    clock.nowMs += 2000
    await until(async () => (await poolOf(address)) === 1)
    await mine()
    expect((await sent).status).toBe('success')
  })

  it('D-05 that is stuck is replaced under its nonce for more, up to a maximum that ends in a state and not in a loop', async () => {
    const { files, start, call, mine, clock, node, address, handed, sentCount } = scene({ maxFeePerGasWei: 4n * GWEI })
    await node.setNextBlockBaseFeePerGas({ baseFeePerGas: GWEI })
    await mine()
    const transactions = start()
    const sent = transactions.send(call('0x05'))
    sent.catch(() => undefined)
    await until(async () => (await poolOf(address)) === 1)
    const dear = async () => {
      await node.setNextBlockBaseFeePerGas({ baseFeePerGas: 50n * GWEI })
      await mine()
    }
    await dear()
    const attempts = () => records(files.store, address)[0]!.attempts
    await until(() => (clock.nowMs += 20_000) > 0 && attempts().length > 1)
    const [first, second] = attempts()
    expect(second!.maxFeePerGasWei).toBeGreaterThanOrEqual((first!.maxFeePerGasWei * 1125n) / 1000n)
    await expect(sent).rejects.toThrow(/CHAIN_FEE_CAPPED|4 gwei, and blocks ask for/)
    clock.nowMs += 120_000
    await expect(transactions.untilDecided(['the purpose'])).rejects.toMatchObject({ code: 'CHAIN_FEE_CAPPED' })
    expect(transactions.pending()).toMatchObject([{ nonce: 0, trouble: { code: 'CHAIN_FEE_CAPPED' } }])
    const signed = attempts().length
    clock.nowMs += 120_000
    await expect(transactions.untilDecided(['the purpose'])).rejects.toMatchObject({ code: 'CHAIN_FEE_CAPPED' })
    expect(attempts()).toHaveLength(signed)
    expect(attempts().every(({ maxFeePerGasWei }) => maxFeePerGasWei <= 4n * GWEI)).toBe(true)

    await node.setNextBlockBaseFeePerGas({ baseFeePerGas: GWEI })
    await mine()
    await until(async () => (clock.nowMs += 500) > 0 && ((await poolOf(address)) === 1 || (await sentCount()) === 1))
    await node.setNextBlockBaseFeePerGas({ baseFeePerGas: GWEI })
    await mine()
    await transactions.untilDecided(['the purpose'])
    expect(await sentCount()).toBe(1)
    expect(handed.length).toBeLessThan(60)
  })

  it('D-05 whose nonce somebody else used is given up once that is proven, and its purpose goes on under the next', async () => {
    const { files, start, call, mine, node, wallet, address, sentCount } = scene()
    const transactions = start()
    const sent = transactions.send(call('0x06'))
    sent.catch(() => undefined)
    await until(async () => (await poolOf(address)) === 1)
    await node.dropTransaction({ hash: transactions.pending()[0]!.txHash })
    await wallet.sendTransaction({ to: EMPTY, value: 1n, nonce: 0 })
    await mine()
    await expect(sent).rejects.toMatchObject({ code: 'CHAIN_NONCE_CONFLICT', details: { nonce: 0 } })
    expect(records(files.store, address)).toEqual([])
    const again = transactions.send(call('0x06'))
    await until(async () => (await poolOf(address)) === 1)
    await mine()
    expect((await again).status).toBe('success')
    expect(await sentCount()).toBe(2)
  })

  it('D-05 that no node answered for is not given up while others wait behind its nonce', async () => {
    const { start, call, mine, files, address } = scene()
    const silence = new HttpRequestError({ url: anvil.rpcUrl, body: {} })
    let answer: unknown = silence
    let firstRaw: Hex | undefined
    const transactions = start({ refuse: (raw) => ((firstRaw ??= raw) === raw ? answer : undefined) })
    sendAndDie(transactions, call('0x01', 'one'))
    await until(() => firstRaw !== undefined)
    const second = transactions.send(call('0x02', 'two'))
    void second.catch(() => undefined)
    await until(() => records(files.store, address).length === 2)
    answer = new Error('txpool is full')
    await until(() => transactions.pending()[0]!.trouble?.code === 'CHAIN_UNAVAILABLE')
    expect(records(files.store, address)).toHaveLength(2)
    answer = undefined
    const decided = transactions.untilDecided(['one', 'two']).catch(() => transactions.untilDecided(['one', 'two']))
    await until(() => transactions.pending().every(({ trouble }) => trouble === null))
    await mine()
    await decided
    expect(transactions.pending()).toEqual([])
  })

  it('D-05 that a reorganisation drops is open again and mined once more, and forgotten only when it is final', async () => {
    const { files, start, call, mine, node, address, clock, sentCount } = scene()
    const transactions = start()
    await mine()
    const sent = transactions.send(call('0x07'))
    await until(async () => (await poolOf(address)) === 1)
    await mine()
    const { blockHash } = await sent
    await transactions.recheck()
    expect(records(files.store, address)).toMatchObject([{ block: { hash: blockHash } }])
    await node.request({ method: 'anvil_reorg', params: [1, []] } as never)
    expect(await sentCount()).toBe(0)
    await transactions.recheck()
    expect(transactions.pending()).toMatchObject([{ nonce: 0, attempts: 1 }])
    clock.nowMs += 2000
    const decided = transactions.untilDecided(['the purpose'])
    await until(async () => (await poolOf(address)) === 1)
    await mine()
    await decided
    expect(await sentCount()).toBe(1)
    await node.mine({ blocks: 7 })
    await transactions.recheck()
    expect(records(files.store, address)).toHaveLength(1)
    await node.mine({ blocks: 1 })
    await transactions.recheck()
    expect(records(files.store, address)).toEqual([])
  })

  it('of an account without funds is not begun, and says what it has and needs', async () => {
    const { files, start, call, mine, node, address } = scene()
    await node.setBalance({ address, value: 1000n })
    const transactions = start()
    const broke = await transactions.send(call('0x08')).catch((error: unknown) => error)
    expect(broke).toMatchObject({ code: 'CHAIN_FUNDS_LOW', details: { from: address, hasWei: 1000n } })
    expect((broke as Error).message).toMatch(
      new RegExp(`Waiting for funds of ${address}.* it has 0\\.0+1, needs 0\\.\\d+`),
    )
    expect(records(files.store, address)).toEqual([])
    await node.setBalance({ address, value: 10n ** 18n })
    const sent = transactions.send(call('0x08'))
    await until(async () => (await poolOf(address)) === 1)
    await mine()
    expect((await sent).status).toBe('success')
  })

  it('counts after as many blocks as are asked for, no sooner', async () => {
    const { start, call, mine, address } = scene({ confirmations: 3 })
    const transactions = start()
    let counts = false
    const sent = transactions.send(call('0x09')).then((receipt) => {
      counts = true
      return receipt
    })
    await until(async () => (await poolOf(address)) === 1)
    await mine()
    await mine()
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(counts).toBe(false)
    expect(transactions.pending()).toHaveLength(1)
    await mine()
    expect((await sent).status).toBe('success')
  })
})

describe('the fees of a replacement', () => {
  const fees = (max: bigint, tip: bigint | null) => ({ maxFeePerGasWei: max, maxPriorityFeePerGasWei: tip })

  it('are an eighth more, or the market if that is more, and never above the maximum', () => {
    expect(raisedFees(fees(1000n, 80n), fees(900n, 10n), 5000n)).toEqual(fees(1126n, 91n))
    expect(raisedFees(fees(1000n, 80n), fees(3000n, 100n), 5000n)).toEqual(fees(3000n, 100n))
    expect(raisedFees(fees(1000n, 80n), fees(9000n, 100n), 5000n)).toEqual(fees(5000n, 100n))
    expect(raisedFees(fees(1000n, null), fees(900n, null), 1126n)).toEqual(fees(1126n, null))
    expect(raisedFees(fees(1000n, null), fees(900n, null), 1125n)).toBeUndefined()
  })
})

/** Transactions of an account that wait to be mined. */
async function poolOf(address: Hex): Promise<number> {
  const client = createPublicClient({ chain: foundry, transport: http(anvil.rpcUrl), cacheTime: 0 })
  const [pending, mined] = await Promise.all([
    client.getTransactionCount({ address, blockTag: 'pending' }),
    client.getTransactionCount({ address }),
  ])
  return pending - mined
}
