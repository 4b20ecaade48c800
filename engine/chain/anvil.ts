// Starts a local chain from the npm package of anvil: the embedded chain of the demo and of the tests. Listens on 127.0.0.1
// only, keeps its state in memory, and is gone after close(). Its accounts are the well-known development keys: worthless anywhere else.

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { bytesToHex } from 'viem'
import type { Hex } from 'viem'
import { mnemonicToAccount } from 'viem/accounts'
import { AttestreamError } from '../core/errors.ts'

export interface AnvilOptions {
  /** Default: a free one. */
  port?: number
  /** Default 31337. */
  chainId?: number
  /** Unix time of the genesis block in seconds. Default: now. */
  genesisTimeSec?: number
  /** Seconds between blocks. Default: a block for each transaction. */
  blockTimeSec?: number
}

export interface Anvil {
  rpcUrl: string
  chainId: number
  /** Ten accounts with 10,000 ether each. */
  accounts: { address: Hex; privateKey: Hex }[]
  close(): Promise<void>
}

const MNEMONIC = 'test test test test test test test test test test test junk'
const ACCOUNTS = 10
const START_TIMEOUT_MS = 30_000

/** Resolves when the node answers. Fails with ANVIL_MISSING or ANVIL_FAILED. */
export async function startAnvil(options: AnvilOptions = {}): Promise<Anvil> {
  const binary = anvilBinary()
  const port = options.port ?? (await freePort())
  const chainId = options.chainId ?? 31337
  const args = ['--host', '127.0.0.1', '--port', String(port), '--chain-id', String(chainId), '--silent']
  args.push('--mnemonic', MNEMONIC, '--accounts', String(ACCOUNTS))
  if (options.genesisTimeSec !== undefined) args.push('--timestamp', String(options.genesisTimeSec))
  if (options.blockTimeSec !== undefined) args.push('--block-time', String(options.blockTimeSec))
  const child = spawn(binary, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const stopWithUs = (): void => void child.kill('SIGKILL')
  process.once('exit', stopWithUs)
  const rpcUrl = `http://127.0.0.1:${port}`
  try {
    await answers(child, rpcUrl)
  } catch (error) {
    stopWithUs()
    process.off('exit', stopWithUs)
    throw error
  }
  async function close(): Promise<void> {
    process.off('exit', stopWithUs)
    await stop(child)
  }
  return { rpcUrl, chainId, accounts: developmentAccounts(), close }
}

function anvilBinary(): string {
  const name = `@foundry-rs/anvil-${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}`
  try {
    const root = dirname(createRequire(import.meta.url).resolve(`${name}/package.json`))
    const binary = join(root, 'bin', process.platform === 'win32' ? 'anvil.exe' : 'anvil')
    if (existsSync(binary)) return binary
  } catch {
    // not installed: the error below says so
  }
  throw new AttestreamError(
    'ANVIL_MISSING',
    `The package ${name} with the local chain is not installed for this platform. Run \`npm ci\` with optional dependencies, ` +
      'or give the RPC URL of a chain of your own.',
    { package: name },
  )
}

async function answers(child: ChildProcess, rpcUrl: string): Promise<void> {
  let stderr = ''
  let failure: string | undefined
  child.stderr?.on('data', (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-2000)))
  child.once('error', (error) => (failure = error.message))
  child.once('exit', (code, signal) => (failure ??= `it ended with ${signal ?? `code ${code}`}`))
  const deadline = performance.now() + START_TIMEOUT_MS
  while (performance.now() < deadline && failure === undefined) {
    if (await isUp(rpcUrl)) return
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  const reason = failure ?? `no answer within ${START_TIMEOUT_MS / 1000} s`
  throw new AttestreamError('ANVIL_FAILED', `The local chain did not start: ${reason}. ${stderr.trim()}`, { rpcUrl })
}

async function isUp(rpcUrl: string): Promise<boolean> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] })
  try {
    const response = await fetch(rpcUrl, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    await response.arrayBuffer()
    return response.ok
  } catch {
    return false
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.kill('SIGTERM')
  const force = setTimeout(() => child.kill('SIGKILL'), 2000)
  await ended
  clearTimeout(force)
}

function developmentAccounts(): Anvil['accounts'] {
  return Array.from({ length: ACCOUNTS }, (_, addressIndex) => {
    const account = mnemonicToAccount(MNEMONIC, { addressIndex })
    return { address: account.address, privateKey: bytesToHex(account.getHdKey().privateKey!) }
  })
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() =>
        typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port')),
      )
    })
  })
}
