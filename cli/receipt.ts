// `receipt verify FILE`: checks a receipt from chain and data availability alone.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Command } from 'commander'
import { sha256 } from '@noble/hashes/sha2.js'
import { createReceiptSources } from '../engine/chain/receipt-sources.ts'
import { bytesToHex, type Hex } from '../engine/core/codec.ts'
import { AttestreamError, parseReceipt, type Receipt } from '../engine/index.ts'
import { verifySeal } from '../engine/prover/verify-seal.ts'
import { createRunner } from '../engine/runner/pool.ts'
import { verifyReceipt, type ReceiptReport, type ReceiptSources } from '../engine/verify.ts'

export interface VerifyOptions {
  readonly rpcUrl: string
  /** Where objects are read by their SHA-256: an engine's URL, or a directory of `<pointer>.batch` files. */
  readonly da: string
  /** The project's settlement contract, if the caller knows it: a receipt of another one is refused. */
  readonly settlement?: string
}

export function receiptCommand(): Command {
  return new Command('receipt').description('Receipts').addCommand(
    new Command('verify')
      .description('Check a receipt from chain and data availability alone')
      .argument('<file>', 'receipt in JSON, as GET /v1/receipts/{taskId} gives it')
      .requiredOption('--rpc <url>', 'JSON-RPC URL of the chain')
      .requiredOption('--da <url or directory>', 'where batches and applets are read: an engine, or its da directory')
      .option('--settlement <address>', "the project's settlement contract; a receipt of another one is refused")
      .addHelpText(
        'after',
        '\nExample:\n  attestream receipt verify receipt.json --rpc http://127.0.0.1:8545 --da http://127.0.0.1:8080',
      )
      .action(async (file: string, { rpc, ...options }: { rpc: string; da: string; settlement?: string }) => {
        const text = await readText(file)
        const report = await verifyReceiptFile(text, { rpcUrl: rpc, ...options })
        if (!options.settlement) {
          const { settlement, chainId } = parseReceipt(parseJson(text))
          console.log(`  !!  settlement ${settlement} on chain ${chainId}: compare with the project's`)
        }
        for (const check of report.checks) console.log(`  ok  ${check}`)
        if (report.devSetup)
          console.log('  !!  development setup: whoever made the key can forge; no money is protected')
        console.log(
          report.settled ? 'The receipt is valid and settled.' : 'The receipt is valid; the chain has not settled it.',
        )
      }),
  )
}

/** Parses and checks a receipt's JSON text. */
export async function verifyReceiptFile(text: string, options: VerifyOptions): Promise<ReceiptReport> {
  return verifyReceiptFrom(parseReceipt(parseJson(text)), options)
}

/** Checks a receipt from chain and data availability; throws RECEIPT_INVALID and others of `verifyReceipt`. */
export async function verifyReceiptFrom(
  receipt: Receipt,
  { rpcUrl, da, settlement }: VerifyOptions,
): Promise<ReceiptReport> {
  if (settlement !== undefined && settlement.toLowerCase() !== receipt.settlement.toLowerCase()) {
    throw new AttestreamError(
      'RECEIPT_INVALID',
      `The receipt is of settlement ${receipt.settlement}; expected ${settlement}. Whoever deploys contracts of his own can settle anything there.`,
    )
  }
  const chain = await createReceiptSources(rpcUrl, receipt.settlement)
  const object = (pointer: Hex) => readObject(da, pointer)
  return verifyReceipt({ ...chain, object, runApplet, verifySeal }, receipt)
}

/** In a thread of its own, which ends with it. */
const runApplet: ReceiptSources['runApplet'] = async (job) => {
  const runner = createRunner({ threads: 1 })
  try {
    return await runner.run(job)
  } finally {
    await runner.close()
  }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new AttestreamError('RECEIPT_INVALID', `${file} cannot be read: ${reasonOf(cause)}.`, {}, { cause })
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new AttestreamError('RECEIPT_INVALID', 'The file is not JSON. Export the receipt again from the engine.')
  }
}

/** Throws DA_OBJECT_UNKNOWN or DA_OBJECT_CORRUPT. */
async function readObject(da: string, pointer: Hex): Promise<Uint8Array> {
  const bytes = await (/^https?:/.test(da) ? fetchObject(da, pointer) : readFile(join(da, `${pointer}.batch`))).catch(
    (cause: unknown) => {
      const message = `${da} does not give the object ${pointer}: ${reasonOf(cause)}. Try another copy.`
      throw new AttestreamError('DA_OBJECT_UNKNOWN', message, {}, { cause })
    },
  )
  if (bytesToHex(sha256(bytes)) === pointer) return bytes
  throw new AttestreamError('DA_OBJECT_CORRUPT', `What ${da} gives for ${pointer} has another hash; try another copy.`)
}

async function fetchObject(url: string, pointer: Hex): Promise<Uint8Array> {
  const response = await fetch(new URL(`/v1/da/${pointer}`, url))
  if (response.ok) return new Uint8Array(await response.arrayBuffer())
  throw new Error(`HTTP ${response.status}`)
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message
}
