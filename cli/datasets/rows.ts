/**
 * Rows of a plain CSV: comma separated, no quotes, one header row. Read as a stream; a row knows its line for messages.
 */
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { AttestreamError } from '../../engine/core/errors.ts'

export interface Row {
  /** Where the row stands, for messages: file and line. */
  readonly place: string
  readonly cells: readonly string[]
}

export interface CsvFile {
  readonly header: string
  /** Stops reading the file when the loop over it ends. */
  readonly rows: AsyncIterable<Row>
}

/** Opens a CSV; throws DATASET_INVALID if it cannot be read or is empty. */
export async function readRows(file: string): Promise<CsvFile> {
  const lines = readLines(file)
  const first = await lines.next()
  if (first.done) throw new AttestreamError('DATASET_INVALID', `${file} is empty.`)
  return { header: first.value, rows: splitRows(file, lines) }
}

/** A finite number in a cell. Throws DATASET_INVALID naming the place. */
export function numberAt(row: Row, column: number): number {
  const text = row.cells[column]?.trim() ?? ''
  const value = Number(text)
  if (text === '' || !Number.isFinite(value)) throw badCell(row, column, 'a number')
  return value
}

/** Unix seconds of `yyyy-mm-dd hh:mm:ss` in a cell, whose clock runs `offsetHours` ahead of UTC. */
export function timeAt(row: Row, column: number, offsetHours: number): number {
  const match = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)$/.exec(row.cells[column] ?? '')
  if (!match) throw badCell(row, column, 'a time as yyyy-mm-dd hh:mm:ss')
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  return Date.UTC(year, month - 1, day, hour, minute, second) / 1000 - offsetHours * 3600
}

export function badCell(row: Row, column: number, expected: string): AttestreamError {
  const came = row.cells[column] ?? 'nothing'
  return new AttestreamError('DATASET_INVALID', `${row.place}, column ${column + 1}: '${came}' is not ${expected}.`)
}

async function* readLines(file: string): AsyncGenerator<string, void> {
  const stream = createReadStream(file, 'utf8')
  const reader = createInterface({ input: stream, crlfDelay: Infinity })
  try {
    yield* reader
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new AttestreamError('DATASET_INVALID', `${file} cannot be read: ${why}`, {}, { cause })
  } finally {
    reader.close()
    stream.destroy()
  }
}

async function* splitRows(file: string, lines: AsyncGenerator<string, void>): AsyncGenerator<Row, void> {
  let line = 1
  for await (const text of lines) {
    line++
    if (text !== '') yield { place: `${file}:${line}`, cells: text.split(',') }
  }
}
