// Several RPC endpoints of one chain: real nodes that end and return, one of another chain, and one that lags.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { createPublicClient, createTestClient, http } from 'viem'
import { foundry } from 'viem/chains'
import { startAnvil, type Anvil } from '../../engine/chain/anvil.ts'
import { connect } from '../../engine/chain/connection.ts'
import { createEndpoints } from '../../engine/chain/endpoints.ts'

let first: Anvil
let second: Anvil
beforeAll(async () => {
  ;[first, second] = await Promise.all([startAnvil(), startAnvil()])
})
afterAll(() => Promise.all([first?.close(), second?.close()]))

const clientOf = (...urls: string[]) =>
  createPublicClient({ chain: foundry, transport: createEndpoints(urls, 31337, 2000), cacheTime: 0 })
const mine = ({ rpcUrl }: Anvil, blocks: number) =>
  createTestClient({ chain: foundry, mode: 'anvil', transport: http(rpcUrl) }).mine({ blocks })
const NOBODY = 'http://127.0.0.1:9/key-of-mine'

describe('RPC endpoints', { timeout: 30_000 }, () => {
  it('the first that answers serves; one of another chain or behind the others is left out', async () => {
    const other = await startAnvil({ chainId: 4711 })
    onTestFinished(() => other.close())
    await mine(second, 20)
    expect(await clientOf(NOBODY, second.rpcUrl).getBlockNumber()).toBe(20n)
    expect(await clientOf(other.rpcUrl, second.rpcUrl).getBlockNumber()).toBe(20n)
    const client = clientOf(second.rpcUrl, first.rpcUrl)
    expect(await client.getBlockNumber()).toBe(20n)
    await second.close()
    await expect(client.getBlockNumber()).rejects.toThrow(/it is at block 0, another at 20/)
    second = await startAnvil()
  })

  it('D-05 one that told a wrong height keeps out the others no longer than it stands by it', async () => {
    const replies = ['0x7a69', '0xffffffff', '0xffffffff', '0x7a69', '0x0', '0x0', '0x7a69', null]
    const liar = createServer((request, response) => {
      request.resume()
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ jsonrpc: '2.0', id: 1, result: replies.shift() }))
    }).listen(0, '127.0.0.1')
    onTestFinished(() => void liar.close())
    onTestFinished(() => void vi.useRealTimers())
    vi.useFakeTimers({ toFake: ['Date'] })
    await new Promise((resolve) => liar.once('listening', resolve))
    const client = clientOf(`http://127.0.0.1:${(liar.address() as AddressInfo).port}`, first.rpcUrl)
    expect(await client.getBlockNumber()).toBe(0xffffffffn)
    vi.setSystemTime(Date.now() + 16_000)
    expect(await client.getBlockNumber()).toBe(0n)
    vi.setSystemTime(Date.now() + 16_000)
    expect(await client.getBlockNumber()).toBe(0n) // of the other, for null is no height
    expect(replies).toEqual([])
  })

  it('an answer of the node, a refusal too, is no reason to ask another', async () => {
    const error = await clientOf(first.rpcUrl, NOBODY)
      .request({ method: 'eth_nonsense' } as never)
      .catch((caught: unknown) => caught)
    expect(String(error)).toMatch(/eth_nonsense|not found/i)
  })

  it('when all are gone that is said without the keys in the URLs, and a transaction goes on when one returns', async () => {
    const [{ privateKey, address }] = first.accounts as [Anvil['accounts'][number]]
    const port = Number(new URL(second.rpcUrl).port)
    const options = {
      rpcUrl: NOBODY,
      fallbackRpcUrls: [second.rpcUrl],
      chainId: 31337,
      privateKey,
      pollingIntervalMs: 20,
    }
    const connection = await connect(options)
    onTestFinished(() => connection.close())
    const call = { action: 'try', to: address, data: '0x01' as const }
    await connection.send(call)
    await second.close()
    const error = await connection.send(call).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'CHAIN_UNREACHABLE' })
    expect(String(error)).toContain('127.0.0.1:9: it does not answer')
    expect(String(error)).not.toContain('key-of-mine')
    second = await startAnvil({ port })
    expect((await connection.send(call)).blockNumber).toBe(1n)
  })
})
