// Verify: anybody checks a receipt from chain and data availability alone, with no access to the operator.
// The seal is checked against the key on chain, the batch is read by its pointer, every root is recomputed, and the applet —
// the bytes behind appletId — is run again.

import { parseAppletAbi, type AppletAbi } from './core/applet.ts'
import { batchRoot, decodeBatchData, messageHashes, type BatchData } from './core/batch.ts'
import type { Hex } from './core/codec.ts'
import { AttestreamError, isAttestreamError } from './core/errors.ts'
import { applyResults, slotJobs, type Execution, type SlotJob, type SlotResult } from './core/execution.ts'
import { frameFormat } from './core/frame.ts'
import { anchorHash, configHash, packLanes, type Journal } from './core/journal.ts'
import { ledgerHash } from './core/ledger.ts'
import { encodeReceipt, parseReceipt, receiptAnchor, type Receipt } from './core/receipt.ts'

/** Where the verifier reads. Nothing here needs the engine that made the receipt. */
export interface ReceiptSources {
  /** The chain that is read, and the device registry that its settlement contract is bound to. */
  readonly chainId: number
  readonly registry: Hex
  /** The applet version as the chain pins it. */
  version(projectId: bigint, version: number): Promise<VersionTerms>
  /** The anchor stored on chain under a batch number. */
  anchorHash(projectId: bigint, cohort: number, batchNumber: bigint): Promise<Hex>
  /** What the chain settled under a batch number, if it did. */
  settlement(projectId: bigint, cohort: number, batchNumber: bigint): Promise<SettledTerms | undefined>
  /** Bytes by their SHA-256: batches and applets. */
  object(pointer: Hex): Promise<Uint8Array>
  runApplet(job: {
    wasm: Uint8Array
    config: readonly bigint[]
    anchorTimeSec: bigint
    slots: readonly SlotJob[]
  }): Promise<{ slots: readonly SlotResult[] }>
  verifySeal(verifyingKey: Hex, journal: Journal, seal: Hex): Promise<void>
}

export interface VersionTerms {
  readonly appletId: Hex
  readonly verifyingKey: Hex
  readonly cohortSize: number
  readonly frameSize: number
  readonly devSetup: boolean
}

export interface SettledTerms {
  readonly ledgerAfter: bigint
  readonly lanes: readonly bigint[]
  readonly payee: Hex
}

/** What was found, in the order it was checked. */
export interface ReceiptReport {
  readonly settled: boolean
  readonly devSetup: boolean
  readonly checks: readonly string[]
  readonly unitsBySlot: readonly bigint[]
}

/** Throws RECEIPT_INVALID, SEAL_INVALID, BATCH_INVALID or DA_OBJECT_* at the first thing that does not hold. */
export async function verifyReceipt(sources: ReceiptSources, claimed: Receipt): Promise<ReceiptReport> {
  const receipt = parseReceipt(JSON.parse(JSON.stringify(encodeReceipt(claimed))))
  const { journal, projectId, cohort, batchNumber } = receipt
  const checks = ['deviceDomain and binding follow from the receipt']
  expectSame('chainId', receipt.chainId, sources.chainId)
  expectSame('registry', receipt.registry.toLowerCase(), sources.registry.toLowerCase())
  const terms = await versionTerms(sources, receipt)
  expectSame('appletId', receipt.appletId, terms.appletId)
  expectSame('devSetup', receipt.devSetup, terms.devSetup)
  checks.push('applet and setup are the ones that the chain pins to the version')
  expectSame('anchor', anchorHash(receiptAnchor(receipt)), await sources.anchorHash(projectId, cohort, batchNumber))
  checks.push('roots, config and pointer are the ones anchored on chain')
  await sources.verifySeal(terms.verifyingKey, journal, receipt.seal)
  checks.push("the seal holds under the version's verifying key")
  const { data, abi, wasm } = await readBatch(sources, receipt, terms)
  checks.push('the batch behind the DA pointer has the anchored root and page')
  const execution = await runAgain(sources, data, abi, wasm, journal.anchorTime)
  expectSame('ledgerAfter', journal.ledgerAfter, ledgerHash(abi.state, execution.pageAfter))
  expectSame('lanes', journal.lanes.join(), packLanes(execution.unitsBySlot).join())
  checks.push('the applet, run again, gives the same units and ledger')
  const settled = await checkSettlement(sources, receipt)
  if (settled) checks.push('the chain settled this receipt')
  return { settled, devSetup: receipt.devSetup, checks, unitsBySlot: execution.unitsBySlot }
}

async function versionTerms(sources: ReceiptSources, { projectId, version }: Receipt): Promise<VersionTerms> {
  try {
    return await sources.version(projectId, version)
  } catch (cause) {
    if (!isAttestreamError(cause, 'CHAIN_REVERTED')) throw cause
    const message = `The receipt names version ${version} of project ${projectId}; the chain knows none: ${cause.message}`
    throw new AttestreamError('RECEIPT_INVALID', message, {}, { cause })
  }
}

async function readBatch(
  sources: ReceiptSources,
  receipt: Receipt,
  terms: VersionTerms,
): Promise<{ data: BatchData; abi: AppletAbi; wasm: Uint8Array }> {
  const { journal } = receipt
  const wasm = await sources.object(receipt.appletId)
  const abi = parseAppletAbi(wasm)
  const data = decodeBatchData(abi, await sources.object(receipt.daPointer))
  const format = frameFormat(abi.reading, data.frameSize)
  expectSame('applet of the batch', data.appletId, BigInt(receipt.appletId))
  expectSame('cohort', data.batch.cohort, receipt.cohort)
  expectSame('cohortSize', data.batch.frames.length, terms.cohortSize)
  expectSame('frameSize', data.frameSize, terms.frameSize)
  expectSame('deviceDomain', data.deviceDomain, journal.deviceDomain)
  expectSame('configHash', configHash(abi.config, data.config), journal.configHash)
  expectSame('batchRoot', batchRoot(messageHashes(format, data.deviceDomain, data.batch)), journal.batchRoot)
  expectSame('ledgerBefore', ledgerHash(abi.state, data.pageBefore), journal.ledgerBefore)
  return { data, abi, wasm }
}

async function runAgain(
  sources: ReceiptSources,
  { batch, pageBefore, config }: BatchData,
  abi: AppletAbi,
  wasm: Uint8Array,
  anchorTimeSec: bigint,
): Promise<Execution> {
  const { slots } = await sources.runApplet({ wasm, config, anchorTimeSec, slots: slotJobs(batch, pageBefore) })
  return applyResults(batch, pageBefore, slots, abi.maxUnitsPerFrame)
}

async function checkSettlement(sources: ReceiptSources, receipt: Receipt): Promise<boolean> {
  const { projectId, cohort, batchNumber, journal } = receipt
  const settled = await sources.settlement(projectId, cohort, batchNumber)
  if (!settled) return false
  expectSame('settled ledgerAfter', journal.ledgerAfter, settled.ledgerAfter)
  expectSame('settled lanes', journal.lanes.join(), settled.lanes.join())
  expectSame('settled payee', receipt.payee.toLowerCase(), settled.payee.toLowerCase())
  return true
}

function expectSame(what: string, claimed: unknown, found: unknown): void {
  if (claimed !== found) {
    throw new AttestreamError(
      'RECEIPT_INVALID',
      `The receipt's ${what} is ${String(claimed)}; chain and data say ${String(found)}.`,
    )
  }
}
