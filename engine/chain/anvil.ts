// Starts a local chain from the npm package of anvil: the embedded chain of the demo and of the tests. Listens on 127.0.0.1
// only, keeps its state in memory, and is gone after close(). Its accounts are the well-known development keys: worthless anywhere else.

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
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
  /** Further arguments of anvil's command line. */
  arguments?: readonly string[]
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

/** Resolves when the node listens. Fails with ANVIL_MISSING or ANVIL_FAILED. */
export async function startAnvil(options: AnvilOptions = {}): Promise<Anvil> {
  const chainId = options.chainId ?? 31337
  const args = ['--host', '127.0.0.1', '--port', String(options.port ?? 0), '--chain-id', String(chainId)]
  args.push('--mnemonic', MNEMONIC, '--accounts', String(ACCOUNTS))
  if (options.genesisTimeSec !== undefined) args.push('--timestamp', String(options.genesisTimeSec))
  if (options.blockTimeSec !== undefined) args.push('--block-time', String(options.blockTimeSec))
  args.push(...(options.arguments ?? []))
  const child = spawn(anvilBinary(), args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const stopWithUs = (): void => void child.kill('SIGKILL')
  process.once('exit', stopWithUs)
  async function close(): Promise<void> {
    process.off('exit', stopWithUs)
    await stop(child)
  }
  try {
    const rpcUrl = `http://${await listeningAddress(child)}`
    return { rpcUrl, chainId, accounts: developmentAccounts(), close }
  } catch (error) {
    await close()
    throw error
  }
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

/** Waits for the line in which anvil names its address: only then is it this child, and no other program, that answers there. */
function listeningAddress(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = ''
    const fail = (reason: string): void => {
      clearTimeout(timer)
      const message = `The local chain did not start: ${reason}. ${output.slice(-500).trim()}`
      reject(new AttestreamError('ANVIL_FAILED', message, { reason }))
    }
    const timer = setTimeout(() => fail(`it did not listen within ${START_TIMEOUT_MS / 1000} s`), START_TIMEOUT_MS)
    const read = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-4000)
      const address = /Listening on (127\.0\.0\.1:\d+)/.exec(output)?.[1]
      if (address === undefined) return
      clearTimeout(timer)
      for (const stream of [child.stdout, child.stderr]) stream?.off('data', read).resume()
      resolve(address)
    }
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', read)
    child.once('error', (error) => fail(error.message))
    child.once('exit', (code, signal) => fail(`it ended with ${signal ?? `code ${code}`}`))
  })
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
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
