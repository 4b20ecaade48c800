import { createServer as createHttpServer } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readPublishedVersion } from '../../engine/chain/published-version.ts'
import { startAnvil } from '../../engine/chain/anvil.ts'
import { createChain } from '../../engine/chain/chain.ts'
import { createAcknowledger, verifyAcknowledgement } from '../../engine/chain/typed-data.ts'
import { isAttestreamError } from '../../engine/core/errors.ts'
import { anchorHash } from '../../engine/core/journal.ts'
import { createStage, MAX_UNITS, type Stage } from '../contracts/stage.ts'

describe('the chain client', () => {
  let stage: Stage
  beforeAll(async () => (stage = await createStage({ devices: 2 })))
  afterAll(() => stage?.close())

  it('reads what was written, in the types of the core', async () => {
    const { chain, projectId, terms } = stage
    expect(await chain.getProject(projectId)).toEqual({ ...terms, projectId, activeVersion: 1 })
    const version = await chain.getVersion(projectId, 1)
    expect(version).toMatchObject({ version: 1, maxUnitsPerFrame: MAX_UNITS, layoutId: 4n, devSetup: true })
    const page = await chain.getCohort(projectId, 0)
    expect(page).toMatchObject({ ledger: 0n, nextToAnchor: 0n, openAnchors: 0, creditedUnits: [0n, 0n, 0n, 0n] })
    expect(page.identityRoot).not.toBe(0n)
  })

  it('names the custom error of a contract and its values', async () => {
    const error = await stage.chain.getVersion(stage.projectId, 9).catch((caught: unknown) => caught)
    expect(isAttestreamError(error, 'CHAIN_REVERTED') && error.details).toMatchObject({
      error: 'VersionUnknown',
      args: [1n, 9n],
    })
  })

  it('finds after a crash what a transaction did that nobody waited for', async () => {
    const { chain, projectId } = stage
    expect(await chain.findAnchor(projectId, 0, 0n)).toBeUndefined()
    const anchored = await stage.anchorNext(42n)
    const found = (await chain.findAnchor(projectId, 0, 0n))!
    expect(found).toMatchObject({ number: 0n, anchor: anchored.anchor, txHash: anchored.txHash })
    expect(found.gasUsed).toBe(anchored.gasUsed)
    expect(await chain.getAnchorHash(projectId, 0, 0n)).toBe(anchorHash(found.anchor))

    expect(await chain.findSettlement(projectId, 0, 0n)).toBeUndefined()
    const receipt = await stage.receipt(anchored, [1n, 2n, 0n, 0n], 8n)
    const settled = await chain.settle(receipt)
    const settlement = (await chain.findSettlement(projectId, 0, 0n))!
    const { txHash, gasUsed, blockNumber, blockTime, ledgerBefore, ledgerAfter, lanes } = settled
    const { payee } = receipt
    expect(settlement).toEqual({ ...settlement, txHash, gasUsed, blockNumber, blockTime, ledgerBefore, ledgerAfter })
    expect(settlement).toMatchObject({ projectId, cohort: 0, number: 0n, lanes, payee })
  })

  it('sends from one account at the same time without losing a nonce', async () => {
    const { chain, addresses, stranger } = stage
    const before = await chain.getTokenBalance(addresses.rewardToken, stranger)
    const sent = await Promise.all([1n, 2n, 3n, 4n, 5n].map((amount) => chain.mintReward(stranger, amount)))
    expect(new Set(sent.map(({ txHash }) => txHash)).size).toBe(5)
    expect(await chain.getTokenBalance(addresses.rewardToken, stranger)).toBe(before + 15n)
  })

  it('is read by somebody who knows the registry only: a version, or the active one', async () => {
    const { anvil, addresses, chain, projectId } = stage
    const { rpcUrl } = anvil
    const version = await chain.getVersion(projectId, 1)
    expect(await readPublishedVersion(rpcUrl, addresses.applets, projectId, 1)).toEqual(version)
    expect(await readPublishedVersion(rpcUrl, addresses.applets, projectId)).toEqual(version)
    const read = (registry: typeof addresses.applets, id: bigint, number?: number) =>
      readPublishedVersion(rpcUrl, registry, id, number)
    await expect(read(addresses.applets, projectId, 9)).rejects.toMatchObject({ code: 'CHAIN_REVERTED' })
    await expect(read(addresses.applets, 99n)).rejects.toMatchObject({ code: 'CHAIN_MISMATCH' })
    await expect(read(stage.stranger, projectId)).rejects.toMatchObject({ code: 'CHAIN_MISMATCH' })
  })

  it('finds the receipt of a block that the node announces before its receipts', async () => {
    const { anvil, addresses, keys, stranger } = stage
    const proxy = await startLateReceipts(anvil.rpcUrl)
    try {
      const { rpcUrl } = proxy
      const chain = await createChain({ rpcUrl, chainId: anvil.chainId, addresses, privateKey: keys[0]! })
      expect((await chain.mintReward(stranger, 1n)).blockNumber).toBeGreaterThan(0n)
      expect(proxy.hidden()).toBe(5)
    } finally {
      await proxy.close()
    }
  }, 20_000)

  it('goes on sending after a refusal', async () => {
    const { chain, stranger } = stage
    const refused = chain.mintReward(stranger, 2n ** 200n)
    const passed = chain.mintReward(stranger, 1n)
    await expect(refused).rejects.toThrow('CapExceeded')
    expect((await passed).blockTime).toBeGreaterThan(0n)
  })

  it('keeps the reward token mintable by its owner only', async () => {
    await expect(stage.chain.mintReward(stage.bob, 1n, stage.as(4))).rejects.toThrow('OwnableUnauthorizedAccount')
  })

  it('refuses another chain, a chain without the contracts, and a node that is not there', async () => {
    const { anvil, addresses, keys } = stage
    const good = { rpcUrl: anvil.rpcUrl, chainId: anvil.chainId, addresses, privateKey: keys[0]! }
    await expect(createChain({ ...good, chainId: 1 })).rejects.toMatchObject({ code: 'CHAIN_MISMATCH' })
    const elsewhere = { ...addresses, settlement: stage.stranger }
    await expect(createChain({ ...good, addresses: elsewhere })).rejects.toMatchObject({ code: 'CHAIN_MISMATCH' })
    const rpcUrl = 'http://127.0.0.1:9'
    await expect(createChain({ ...good, rpcUrl })).rejects.toMatchObject({ code: 'CHAIN_UNREACHABLE' })
  })
})

describe('acknowledgements', () => {
  const privateKey = `0x${'42'.repeat(32)}` as const
  const operator = '0x6Dff1D6f3AE1C9c2b0bE57DDDCEca3F8b5F5Cb38'
  const domain = { chainId: 31337, verifyingContract: `0x${'ab'.repeat(20)}` as const }
  const content = { deviceId: 7n, sequence: 9n, messageHash: 2n ** 253n, deadline: 1_790_000_000n }

  it('are EIP-712 signatures of the operator over exactly what they say', async () => {
    const { address } = privateKeyToAccount(privateKey)
    expect(address).not.toBe(operator)
    const sign = createAcknowledger(privateKey, domain)
    for (let sequence = 0n; sequence < 20n; sequence++) {
      const said = { ...content, sequence }
      await verifyAcknowledgement(address, domain, { ...said, signature: sign(said) })
    }
    const signature = sign(content)
    const refused = { code: 'ACKNOWLEDGEMENT_INVALID' }
    for (const field of ['deviceId', 'sequence', 'messageHash', 'deadline'] as const) {
      const altered = { ...content, [field]: content[field] + 1n, signature }
      await expect(verifyAcknowledgement(address, domain, altered)).rejects.toMatchObject(refused)
    }
    const good = { ...content, signature }
    await expect(verifyAcknowledgement(operator, domain, good)).rejects.toMatchObject(refused)
    await expect(verifyAcknowledgement(address, { ...domain, chainId: 1 }, good)).rejects.toMatchObject(refused)
    await expect(verifyAcknowledgement(address, domain, { ...good, signature: '0x00' })).rejects.toMatchObject(refused)
  })
})

describe('the local chain', () => {
  it('takes a free port, funds its accounts, and is gone after close', async () => {
    const [first, second] = await Promise.all([startAnvil(), startAnvil({ chainId: 4242 })])
    expect(first.rpcUrl).not.toBe(second.rpcUrl)
    expect(second).toMatchObject({ chainId: 4242 })
    expect(first.accounts).toHaveLength(10)
    expect(first.accounts[0]).toEqual({
      address: '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266',
      privateKey: '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80',
    })
    await first.close()
    await first.close()
    await second.close()
    await expect(fetch(first.rpcUrl, { method: 'POST' })).rejects.toThrow()
  })

  it('says so when its port is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    await expect(startAnvil({ port })).rejects.toMatchObject({ code: 'ANVIL_FAILED' })
    await new Promise((resolve) => server.close(resolve))
  })
})

/** A node whose first five answers to the question for a receipt say that there is none: no real node is late on demand. */
async function startLateReceipts(rpcUrl: string) {
  let hidden = 0
  const server = createHttpServer((request, response) => {
    void (async () => {
      const body = Buffer.concat(await request.toArray()).toString()
      const { id, method } = JSON.parse(body) as { id: number; method: string }
      const isLate = method === 'eth_getTransactionReceipt' && hidden < 5
      if (isLate) hidden++
      const answer = isLate
        ? JSON.stringify({ jsonrpc: '2.0', id, result: null })
        : await (await fetch(rpcUrl, { method: 'POST', headers: { 'content-type': 'application/json' }, body })).text()
      response.setHeader('content-type', 'application/json').end(answer)
    })()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const close = () => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  }
  return { rpcUrl: `http://127.0.0.1:${port}`, hidden: () => hidden, close }
}
