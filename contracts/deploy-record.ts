// The file that tells what a deployment did and where it stopped. It is written before a transaction is sent, signed transaction
// included, and again when its receipt is there: a run that was killed in between sends the very same transaction again, which no
// chain carries out twice. It holds no key and no RPC URL.

import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Hex } from 'viem'
import { AttestreamError } from '../engine/core/errors.ts'

export const RECORD_FORMAT = 'attestream.deployment.v1'

export interface TransactionRecord {
  hash: Hex
  nonce: number
  block: number
  gasUsed: string
}

export interface ContractRecord {
  address: Hex
  /** Integers as decimal strings. */
  args: unknown[]
  /** Absent for a contract that another's constructor created. */
  initCodeHash?: Hex
  codeHash: Hex
}

export interface PendingRecord {
  /** Contract or call that the transaction is for. */
  step: string
  from: Hex
  hash: Hex
  nonce: number
  signed: Hex
}

export interface DeploymentRecord {
  format: typeof RECORD_FORMAT
  network: string
  chainId: number
  deployer: Hex
  /** Absent until there is one. */
  factory?: Hex
  salt: Hex
  /** By name, once their code was found on chain and compared. */
  contracts: Record<string, ContractRecord>
  /** What was sent, by contract or call; a contract without one was there before this file. */
  transactions: Record<string, TransactionRecord>
  pending?: PendingRecord
}

/** Reads a deployment file; undefined if there is none. Throws INPUT_INVALID if it is not one. */
export function readRecord(file: string): DeploymentRecord | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new AttestreamError('INPUT_INVALID', `${file} cannot be read: ${(error as Error).message}.`, { file })
  }
  const record = parseJson(text) as Partial<DeploymentRecord> | undefined
  if (record?.format === RECORD_FORMAT && record.contracts && record.transactions) return record as DeploymentRecord
  throw new AttestreamError('INPUT_INVALID', `${file} is no deployment file; name another with --file.`, { file })
}

/** Replaces the file in one step, so that no crash leaves half of it. */
export function writeRecord(file: string, record: DeploymentRecord): void {
  mkdirSync(dirname(file), { recursive: true })
  const draft = `${file}.${process.pid}`
  const descriptor = openSync(draft, 'w')
  try {
    writeSync(descriptor, `${JSON.stringify(record, null, 2)}\n`)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  renameSync(draft, file)
}

/** Constructor arguments as the file holds them. */
export function plainArguments(args: readonly unknown[]): unknown[] {
  return JSON.parse(JSON.stringify(args, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value))) as unknown[] // prettier-ignore
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
