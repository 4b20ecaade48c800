// `attestream deploy` as people run it: it is killed, started again, asked for nonsense; and no key shows anywhere.

import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { createPublicClient, createTestClient, http, type Hex } from 'viem'
import { foundry } from 'viem/chains'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { deployCommand } from '../../cli/deploy.ts'
import type { DeploymentRecord } from '../../contracts/deploy-record.ts'
import { startAnvil, type Anvil } from '../../engine/chain/anvil.ts'
import { weakKeystore } from '../contracts/keystores.ts'
import { ROOT } from '../e2e/world.ts'

const directory = mkdtempSync(join(tmpdir(), 'attestream-deploy-'))
const PASSPHRASE = 'correct horse battery staple'
let anvil: Anvil
let key: Hex
const children: ChildProcess[] = []

beforeAll(async () => {
  anvil = await startAnvil()
  key = anvil.accounts[0]!.privateKey
})
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})
afterAll(async () => {
  await anvil.close()
  rmSync(directory, { recursive: true })
})

const clients = () => {
  const transport = http(anvil.rpcUrl)
  return {
    publicClient: createPublicClient({ chain: foundry, transport, cacheTime: 0 }),
    testClient: createTestClient({ chain: foundry, transport, mode: 'anvil' }),
  }
}

/** The command line as a process of its own. */
function start(args: string[]) {
  const env = { ...process.env, ATTESTREAM_PRIVATE_KEY: key }
  const child = spawn(process.execPath, ['--import', 'tsx', 'cli/main.ts', 'deploy', ...args], { cwd: ROOT, env })
  children.push(child)
  const said = { text: '' }
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (said.text += chunk.toString()))
  return { child, said, ended: new Promise<number | null>((resolve) => child.once('close', resolve)) }
}

/** The command in this process, which spares the time of loading it; returns all that it printed, or throws. */
async function deployHere(...args: string[]): Promise<string> {
  const lines: string[] = []
  vi.spyOn(console, 'log').mockImplementation((line: unknown) => void lines.push(String(line)))
  await deployCommand()
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .parseAsync(args, { from: 'user' })
  return lines.join('\n')
}

async function until<T>(look: () => T | undefined | false): Promise<T> {
  for (let i = 0; i < 3000; i++) {
    const found = look()
    if (found) return found
    await setTimeout(20)
  }
  throw new Error('waited for a minute in vain')
}

const recordIn = (file: string): DeploymentRecord | undefined =>
  existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as DeploymentRecord) : undefined

describe('attestream deploy', () => {
  it('goes on after kill -9 between sending and receipt, and deploys nothing twice', async () => {
    const file = join(directory, 'killed.json')
    const { publicClient, testClient } = clients()
    const [deployer] = anvil.accounts
    await testClient.setAutomine(false)
    const first = start(['--network', 'local', '--rpc', anvil.rpcUrl, '--file', file])
    await until(() => first.said.text.includes('sent   PoseidonT3'))
    first.child.kill('SIGKILL')
    await first.ended
    const pending = recordIn(file)!.pending!
    expect(pending.step).toBe('PoseidonT3')
    expect((await publicClient.getTransaction({ hash: pending.hash })).blockNumber).toBeNull()

    await testClient.setAutomine(true)
    await testClient.mine({ blocks: 1 })
    const second = start(['--network', 'local', '--rpc', anvil.rpcUrl, '--file', file])
    expect(await second.ended, second.said.text).toBe(0)
    const record = recordIn(file)!
    expect(record.pending).toBeUndefined()
    expect(record.transactions['PoseidonT3']!.hash).toBe(pending.hash)
    expect(second.said.text).toContain('7 transactions sent')
    expect(await publicClient.getTransactionCount({ address: deployer!.address })).toBe(8)

    vi.stubEnv('ATTESTREAM_PRIVATE_KEY', key)
    const third = await deployHere('--rpc', anvil.rpcUrl, '--chain-id', '31337', '--file', file)
    expect(third).toContain('0 transactions sent')
    expect(await publicClient.getTransactionCount({ address: deployer!.address })).toBe(8)
    for (const text of [first.said.text, second.said.text, third, readFileSync(file, 'utf8')]) {
      expect(text).not.toContain(key.slice(2))
    }
  })

  it('deploys with a keystore; neither key nor passphrase shows', async () => {
    const keystore = join(directory, 'key.json')
    writeFileSync(keystore, weakKeystore(anvil.accounts[1]!.privateKey, PASSPHRASE))
    vi.stubEnv('ATTESTREAM_KEYSTORE_PASSPHRASE', PASSPHRASE)
    vi.stubEnv('ATTESTREAM_RPC_URL', anvil.rpcUrl)
    const file = join(directory, 'keystore.json')
    const said = await deployHere('--network', 'local', '--keystore', keystore, '--dry-run', '--file', file)
    expect(said).toContain(`deployer ${anvil.accounts[1]!.address}`)
    expect(said).toMatch(
      /missing {2}Settlement .*\nabout [0-9,]+ gas, at most 0\.\d+ ETH.*10000 ETH\nNothing was sent\.$/s,
    )
    expect(said).not.toMatch(new RegExp(`${PASSPHRASE}|${anvil.accounts[1]!.privateKey.slice(2)}`))

    vi.stubEnv('ATTESTREAM_KEYSTORE_PASSPHRASE', 'wrong')
    const wrong = deployHere('--network', 'local', '--keystore', keystore)
    await expect(wrong).rejects.toMatchObject({ code: 'KEYSTORE_PASSPHRASE_WRONG' })
    await expect(deployHere('--network', 'local', '--keystore', '/nowhere')).rejects.toThrow('ENOENT')
  })

  it.each([
    ['an unknown network', 'NETWORK_UNKNOWN', ['--network', 'mainnet']],
    ['a node of another chain', 'CHAIN_MISMATCH', ['--network', 'sepolia']],
    ['a node without the id that was asked for', 'CHAIN_MISMATCH', ['--chain-id', '1']],
    ['a governor without votes', 'INPUT_INVALID', ['--network', 'local', '--governance']],
    [
      'a timelock with two masters',
      'INPUT_INVALID',
      ['--network', 'local', '--governance', '--proposer', `0x${'11'.repeat(20)}`],
    ],
    [
      'more supply than the cap',
      'INPUT_INVALID',
      ['--token-cap', '1', '--supply', '2', '--holder', `0x${'11'.repeat(20)}`],
    ],
    [
      'an address with a wrong digit',
      'commander.invalidArgument',
      ['--owner', '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92267'],
    ],
  ])('refuses %s', async (_, code, args) => {
    vi.stubEnv('ATTESTREAM_PRIVATE_KEY', key)
    vi.stubEnv('ATTESTREAM_RPC_URL', anvil.rpcUrl)
    await expect(deployHere(...args)).rejects.toMatchObject({ code })
  })

  it.each([
    ['no key', undefined],
    ['a key that is too short', '0x1234abcd'],
    ['a key above the order of the curve', `0x${'ff'.repeat(32)}`],
  ])('refuses %s without repeating it', async (_, wrong) => {
    vi.stubEnv('ATTESTREAM_PRIVATE_KEY', wrong)
    const error = await deployHere('--network', 'local', '--rpc', anvil.rpcUrl).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'SIGNING_KEY_INVALID' })
    if (wrong) expect(JSON.stringify(error) + String(error)).not.toContain(wrong.slice(2))
  })

  it('does not show an RPC URL that carries a key', async () => {
    vi.stubEnv('ATTESTREAM_PRIVATE_KEY', key)
    const error = await deployHere('--network', 'local', '--rpc', 'http://127.0.0.1:9/v2/s3cret').catch(
      (caught: Error) => caught,
    )
    expect(error).toMatchObject({ code: 'CHAIN_UNREACHABLE' })
    expect((error as Error).message).not.toContain('s3cret')
  })
})
