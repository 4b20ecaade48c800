/**
 * Readings of any applet from CSV: the header holds the names of Reading's fields in any order, and `device` if there is more than
 * one. Numbers as people write them, signed where the field is; quotes, blank lines and a byte order mark are understood. Read as
 * a stream: a file of any size takes constant memory.
 */
import { createReadStream } from 'node:fs'
import { parse } from 'csv-parse'
import { AttestreamError } from '../../engine/core/errors.ts'
import { isSigned, type Field, type Layout, type RawRecord } from '../../engine/core/layout.ts'

export interface ReadingRow {
  /** Line of the file, from 1; of a row with line breaks in quotes the last. */
  readonly line: number
  /** What the column `device` says; ONE_DEVICE without it. */
  readonly device: string
  /** In raw form, in ABI order. */
  readonly reading: RawRecord
}

/** Name of the device in a file that has no such column. */
export const ONE_DEVICE = '1'
const DEVICE_COLUMN = 'device'
const ROW_CHARACTERS_MAX = 1 << 20

interface CsvRecord {
  readonly record: readonly string[]
  readonly info: { readonly lines: number }
}

interface Columns {
  /** Column of each field in ABI order. */
  readonly fields: readonly number[]
  readonly device: number | undefined
  readonly count: number
}

/** Rows of a CSV in their order. Throws DATASET_UNKNOWN for a header that is not the applet's, DATASET_INVALID for the rest. */
export async function* readReadings(file: string, layout: Layout): AsyncGenerator<ReadingRow, void> {
  let columns: Columns | undefined
  for await (const { record, info } of readCsv(file)) {
    if (columns === undefined) {
      columns = readHeader(file, record, layout)
      continue
    }
    const place = `${file}:${info.lines}`
    if (record.length !== columns.count) {
      throw invalid(`${place} has ${record.length} cells; the header has ${columns.count} columns.`)
    }
    const { fields, device } = columns
    yield {
      line: info.lines,
      device: device === undefined ? ONE_DEVICE : deviceAt(record[device]!, place, device),
      reading: layout.map((field, i) => readCell(record[fields[i]!]!, field, place, fields[i]!)),
    }
  }
  if (columns === undefined) throw invalid(`${file} is empty; expected the header ${expectedHeader(layout)}.`)
}

async function* readCsv(file: string): AsyncGenerator<CsvRecord, void> {
  const source = createReadStream(file)
  const parser = parse({
    bom: true,
    info: true,
    trim: true,
    skip_empty_lines: true,
    relax_column_count: true,
    max_record_size: ROW_CHARACTERS_MAX,
  })
  source.on('error', (error) => parser.destroy(error)).pipe(parser)
  try {
    for await (const row of parser as AsyncIterable<CsvRecord>) yield row
  } catch (cause) {
    if (cause instanceof AttestreamError) throw cause
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new AttestreamError('DATASET_INVALID', `${file} cannot be read: ${why}`, {}, { cause })
  } finally {
    source.destroy()
  }
}

function readHeader(file: string, header: readonly string[], layout: Layout): Columns {
  const fieldNames = layout.map(({ name }) => name)
  const unknown = header.filter((name) => name !== DEVICE_COLUMN && !fieldNames.includes(name))
  const missing = fieldNames.filter((name) => !header.includes(name))
  const repeated = header.filter((name, i) => header.indexOf(name) !== i)
  const problems = [
    ...named('has unknown columns', unknown),
    ...named('lacks the columns', missing),
    ...named('repeats the columns', repeated),
  ]
  if (problems.length > 0) {
    throw new AttestreamError(
      'DATASET_UNKNOWN',
      `The header of ${file} ${problems.join(' and ')}; expected ${expectedHeader(layout)}, in any order.`,
      { unknown, missing, repeated, expected: fieldNames },
    )
  }
  const device = fieldNames.includes(DEVICE_COLUMN) ? -1 : header.indexOf(DEVICE_COLUMN)
  return {
    fields: fieldNames.map((name) => header.indexOf(name)),
    device: device === -1 ? undefined : device,
    count: header.length,
  }
}

function named(problem: string, names: readonly string[]): string[] {
  return names.length === 0 ? [] : [`${problem} ${names.map((name) => `'${name.slice(0, 64)}'`).join(', ')}`]
}

function expectedHeader(layout: Layout): string {
  const names = layout.map(({ name }) => name)
  return `${names.join(',')}${names.includes(DEVICE_COLUMN) ? '' : ` and, if there are several, ${DEVICE_COLUMN}`}`
}

function deviceAt(text: string, place: string, column: number): string {
  if (text !== '') return text
  throw invalid(`${place}, column ${column + 1} (${DEVICE_COLUMN}) is empty; expected the name of a device.`)
}

/** The raw value of a cell, unsigned at the field's declared width. */
function readCell(text: string, field: Field, place: string, column: number): bigint {
  const value = parseInteger(text, field)
  const [least, most] = fieldRange(field)
  if (value !== undefined && value >= least && value <= most) return BigInt.asUintN(field.bits, value)
  const came = text === '' ? 'nothing' : `'${text.slice(0, 64)}'`
  throw new AttestreamError(
    'DATASET_INVALID',
    `${place}, column ${column + 1} (${field.name}): came ${came}, expected ${describeField(field)}.`,
    { column: column + 1, field: field.name },
  )
}

function parseInteger(text: string, { type }: Field): bigint | undefined {
  if (type === 'bool' && /^(true|false)$/i.test(text)) return text.toLowerCase() === 'true' ? 1n : 0n
  return /^[+-]?\d{1,40}$/.test(text) ? BigInt(text.replace(/^\+/, '')) : undefined
}

/** Least and greatest value that a field of its type and declared width holds. */
export function fieldRange({ type, bits }: Field): [least: bigint, most: bigint] {
  const width = BigInt(bits)
  return isSigned(type) ? [-(1n << (width - 1n)), (1n << (width - 1n)) - 1n] : [0n, (1n << width) - 1n]
}

function describeField(field: Field): string {
  if (field.type === 'bool') return 'true, false, 1 or 0'
  const [least, most] = fieldRange(field)
  return `a whole number from ${least} to ${most} (${field.type}, ${field.bits} bits)`
}

function invalid(message: string): AttestreamError {
  return new AttestreamError('DATASET_INVALID', message)
}
