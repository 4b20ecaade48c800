import { describe, expect, it } from 'vitest'
import { isAttestreamError } from '../../engine/core/errors.ts'
import { FIELD_ORDER } from '../../engine/core/field.ts'
import { JOURNAL_FIELDS, journalSignals } from '../../engine/core/journal.ts'
import { encodeReceipt, parseReceipt } from '../../engine/core/receipt.ts'
import { sampleReceipt } from './samples.ts'

type Json = Record<string, unknown> & { journal: Record<string, unknown> }
const json = (): Json => structuredClone(encodeReceipt(sampleReceipt())) as unknown as Json

function codeOf(value: unknown): string {
  try {
    parseReceipt(value)
  } catch (error) {
    if (isAttestreamError(error)) return error.code
    throw error
  }
  return 'none'
}

describe('a receipt', () => {
  it('survives its JSON form', () => {
    expect(parseReceipt(JSON.parse(JSON.stringify(json())))).toEqual(sampleReceipt())
  })

  it('lists its public signals in the order of the circuit', () => {
    const { journal } = sampleReceipt()
    expect(journalSignals(journal)).toEqual([11n, 12n, 13n, 14n, 15n, journal.deviceDomain, 1_700_000_000n, journal.binding, 2n ** 200n]) // prettier-ignore
    expect(JOURNAL_FIELDS.indexOf('binding')).toBe(7)
  })

  it.each<[string, unknown]>([
    ['chainId', 1],
    ['registry', `0x${'00'.repeat(20)}`],
    ['settlement', `0x${'00'.repeat(20)}`],
    ['projectId', '8'],
    ['version', 9],
    ['cohort', 9],
    ['batchNumber', '13'],
    ['payee', `0x${'00'.repeat(20)}`],
  ])('whose %s was altered contradicts its own journal', (field, value) => {
    expect(codeOf({ ...json(), [field]: value })).toBe('RECEIPT_INVALID')
  })

  it.each(['deviceDomain', 'binding'])('whose journal.%s was altered is refused', (field) => {
    const value = json()
    value.journal[field] = '1'
    expect(codeOf(value)).toBe('RECEIPT_INVALID')
  })

  it.each([...Object.keys(encodeReceipt(sampleReceipt()))])('without %s is refused', (field) => {
    expect(codeOf({ ...json(), [field]: undefined })).toBe('RECEIPT_INVALID')
    expect(codeOf({ ...json(), [field]: {} })).toBe('RECEIPT_INVALID')
  })

  it.each([...JOURNAL_FIELDS, 'lanes'])('with a journal.%s that is no field element is refused', (field) => {
    for (const bad of [undefined, null, 5, '', '-1', '01', '0x1', '1e3', ' 1', FIELD_ORDER.toString(), 'x', {}]) {
      const value = json()
      value.journal[field] = field === 'lanes' ? [bad] : bad
      expect(codeOf(value)).toBe('RECEIPT_INVALID')
    }
  })

  it.each<[string, unknown]>([
    ['seal', `0x${'01'.repeat(259)}`],
    ['seal', `0x${'01'.repeat(261)}`],
    ['seal', '0x'],
    ['daPointer', `0x${'0g'.repeat(32)}`],
    ['chainId', -1],
    ['chainId', 1.5],
    ['chainId', '31337'],
    ['devSetup', 'false'],
    ['format', 'attestream.receipt.v2'],
  ])('with %s %s is refused', (field, value) => {
    expect(codeOf({ ...json(), [field]: value })).toBe('RECEIPT_INVALID')
  })

  it.each([null, undefined, 5, 'receipt', [], {}, { format: 'attestream.receipt.v1' }])('is not %j', (value) => {
    expect(codeOf(value)).toBe('RECEIPT_INVALID')
  })
})
