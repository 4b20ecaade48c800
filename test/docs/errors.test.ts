import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { ERROR_TABLE } from '../../api/error-table.ts'
import { errorBody, httpStatus, publicError } from '../../api/errors.ts'
import { errorsDocument } from '../../api/errors-doc.ts'
import { AttestreamError, ERRORS, type ErrorCode } from '../../engine/index.ts'

const CODES = Object.keys(ERRORS) as ErrorCode[]

describe('docs/errors.md', () => {
  it('is what `npx tsx api/errors-doc.ts` writes', async () => {
    expect(await readFile(new URL('../../docs/errors.md', import.meta.url), 'utf8')).toBe(errorsDocument())
  })

  it('has one row for each code', () => {
    const rows = [...errorsDocument().matchAll(/^\| `([A-Z0-9_]+)` \| ([0-9]{3}) \| .+ \| .+ \|$/gm)]
    expect(rows.map((row) => row[1])).toEqual([...CODES].sort())
  })
})

describe('the table of statuses', () => {
  it('has each code of ERRORS and no other', () => {
    expect(Object.keys(ERROR_TABLE).sort()).toEqual([...CODES].sort())
  })

  it.each(CODES)('gives %s an error status and a remedy', (code) => {
    expect(httpStatus(code)).toBeGreaterThanOrEqual(400)
    expect(httpStatus(code)).toBeLessThan(600)
    expect(ERROR_TABLE[code][1]).toMatch(/^.{5,}[.;].*$|^.{10,}\.$/)
    expect(code).toMatch(/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/)
  })
})

describe('an error over HTTP', () => {
  it('carries code, message, request and details, bigint as decimal strings', () => {
    const error = new AttestreamError('SEQUENCE_REPEATED', 'used', { sequence: 2n ** 64n, list: [1n] })
    expect(errorBody(error, 'r1')).toEqual({
      error: { code: 'SEQUENCE_REPEATED', message: 'used', details: { sequence: '18446744073709551616', list: ['1'] }, requestId: 'r1' }, // prettier-ignore
    })
    expect(errorBody(new AttestreamError('TASK_UNKNOWN', 'none'), 'r2').error).not.toHaveProperty('details')
  })

  it('tells nothing of failures without a code', () => {
    for (const failure of [
      new Error('secret'),
      new TypeError('secret'),
      'secret',
      undefined,
      { code: 'TASK_UNKNOWN', message: 'secret' },
    ]) {
      // prettier-ignore
      const { code, message } = publicError(failure)
      expect([code, message.includes('secret')]).toEqual(['INTERNAL', false])
    }
  })
})
