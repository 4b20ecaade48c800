// A receipt: journal + seal + the fields of the anchor and the binding. Anybody verifies it offline;
// the chain tells whether it settled. Parsing checks that its fields agree with each other.

import { hexToBytes, type Hex } from './codec.ts'
import { AttestreamError } from './errors.ts'
import { checkField } from './field.ts'
import { JOURNAL_FIELDS, binding, deviceDomain, type AnchorFields, type Domain, type Journal } from './journal.ts'

/** 4 bytes of vkHash + 256 bytes of proof. */
export const SEAL_BYTES = 260

export interface Receipt extends Domain {
  readonly appletId: Hex
  readonly version: number
  readonly cohort: number
  readonly batchNumber: bigint
  readonly payee: Hex
  readonly daPointer: Hex
  /** True if the proving key comes from a development setup, which whoever made it can forge. */
  readonly devSetup: boolean
  readonly journal: Journal
  readonly seal: Hex
}

/** JSON form: integers that may pass 2^53 are decimal strings. */
export type ReceiptJson = ReturnType<typeof encodeReceipt>

/** The anchor that the receipt's batch was judged by. */
export function receiptAnchor(receipt: Receipt): AnchorFields {
  const { batchRoot, identityRoot, configHash, anchorTime } = receipt.journal
  return { batchRoot, identityRoot, configHash, version: receipt.version, anchorTime, daPointer: receipt.daPointer }
}

export function encodeReceipt(receipt: Receipt) {
  const { journal, ...rest } = receipt
  return {
    format: 'attestream.receipt.v1' as const,
    ...rest,
    projectId: receipt.projectId.toString(),
    batchNumber: receipt.batchNumber.toString(),
    journal: {
      ...(Object.fromEntries(JOURNAL_FIELDS.map((name) => [name, journal[name].toString()])) as Record<
        (typeof JOURNAL_FIELDS)[number],
        string
      >),
      lanes: journal.lanes.map(String),
    },
  }
}

/** Parses a receipt's JSON form and checks that deviceDomain and binding follow from its fields; throws RECEIPT_INVALID. */
export function parseReceipt(json: unknown): Receipt {
  const receipt = parseFields(json)
  if (receipt.journal.deviceDomain !== deviceDomain(receipt)) throw contradiction('deviceDomain')
  if (receipt.journal.binding !== binding(receipt, receipt)) throw contradiction('binding')
  return receipt
}

function parseFields(json: unknown): Receipt {
  try {
    const value = json as ReceiptJson
    if (value.format !== 'attestream.receipt.v1') throw new Error('format is not attestream.receipt.v1')
    const fields = JOURNAL_FIELDS.map((name) => [name, integer(value.journal[name], name)] as const)
    return {
      chainId: small(value.chainId, 'chainId'),
      registry: hex(value.registry, 20),
      settlement: hex(value.settlement, 20),
      projectId: integer(value.projectId, 'projectId'),
      appletId: hex(value.appletId, 32),
      version: small(value.version, 'version'),
      cohort: small(value.cohort, 'cohort'),
      batchNumber: integer(value.batchNumber, 'batchNumber'),
      payee: hex(value.payee, 20),
      daPointer: hex(value.daPointer, 32),
      devSetup: flag(value.devSetup),
      journal: {
        ...(Object.fromEntries(fields) as Record<(typeof JOURNAL_FIELDS)[number], bigint>),
        lanes: value.journal.lanes.map((lane) => integer(lane, 'lanes')),
      },
      seal: hex(value.seal, SEAL_BYTES),
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new AttestreamError('RECEIPT_INVALID', `The receipt is malformed: ${why}. Export it again from the engine.`)
  }
}

function integer(value: unknown, name: string): bigint {
  if (typeof value !== 'string' || !/^(0|[1-9][0-9]{0,77})$/.test(value))
    throw new Error(`${name} is not a decimal string`)
  return checkField(BigInt(value), name)
}

function small(value: unknown, name: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw new Error(`${name} is not a non-negative integer`)
  return value as number
}

function flag(value: unknown): boolean {
  if (typeof value !== 'boolean') throw new Error('devSetup is not true or false')
  return value
}

function hex(value: unknown, length: number): Hex {
  if (typeof value !== 'string') throw new Error('a bytes field is not a string')
  hexToBytes(value, length)
  return value as Hex
}

function contradiction(field: string): AttestreamError {
  return new AttestreamError(
    'RECEIPT_INVALID',
    `The receipt's ${field} does not follow from its own fields: at least one of them was altered.`,
  )
}
