// Readings of any applet from CSV: what people write is understood, what is wrong is named by line and column.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { readReadings, type ReadingRow } from '../../../cli/datasets/readings.ts'
import type { Field, FieldType } from '../../../engine/core/layout.ts'

const directory = mkdtempSync(join(tmpdir(), 'attestream-csv-'))
afterAll(() => rmSync(directory, { recursive: true }))

const field = (name: string, type: FieldType, bits: number): Field => ({ name, type, bits, offset: 0 })
const LAYOUT = [field('timeSec', 'u32', 32), field('celsius', 'i16', 12), field('open', 'bool', 1)]
const FILE = join(directory, 'readings.csv')

async function read(text: string, layout = LAYOUT): Promise<ReadingRow[]> {
  writeFileSync(FILE, text)
  const rows: ReadingRow[] = []
  for await (const row of readReadings(FILE, layout)) rows.push(row)
  return rows
}

describe('readings from CSV', () => {
  it('come in any order of columns, signed and raw, past quotes, blank lines and a byte order mark', async () => {
    const text =
      '\uFEFFopen,"celsius",device,timeSec\r\ntrue,-5,"roof, ""east""",10\r\n\r\n 0 , +7 ,cellar,00020\r\n1,-2048,x,4294967295\n'
    expect(await read(text)).toEqual([
      { line: 2, device: 'roof, "east"', reading: [10n, 4091n, 1n] },
      { line: 4, device: 'cellar', reading: [20n, 7n, 0n] },
      { line: 5, device: 'x', reading: [4294967295n, 2048n, 1n] },
    ])
  })

  it('are of one device without the column, or if it is a field of the reading', async () => {
    expect(await read('timeSec,celsius,open\n1,2,false\n')).toMatchObject([{ device: '1' }])
    const rows = await read('device\n7\n', [field('device', 'u8', 8)])
    expect(rows).toEqual([{ line: 2, device: '1', reading: [7n] }])
  })

  it.each([
    ['a word', 'warm,1', "came 'warm', expected a whole number from -2048 to 2047 (i16, 12 bits)"],
    ['a fraction', '1.5,1', "came '1.5'"],
    ['nothing', ',1', 'came nothing'],
    ['a value above the declared width', '2048,1', "came '2048'"],
    ['a value below it', '-2049,1', "came '-2049'"],
    ['hexadecimal', '0x10,1', "came '0x10'"],
    ['a boolean that is none', '1,2', "column 3 (open): came '2', expected true, false, 1 or 0"],
  ])('refuse %s and name line and column', async (_, cells, message) => {
    const attempt = read(`timeSec,celsius,open\n1,1,1\n\n2,${cells}\n`)
    await expect(attempt).rejects.toMatchObject({ code: 'DATASET_INVALID' })
    await expect(attempt).rejects.toThrow(`${FILE}:4, column `)
    await expect(attempt).rejects.toThrow(message)
  })

  it.each([
    ['an unknown column', 'timeSec,celsius,open,colour', "unknown columns 'colour'"],
    ['a missing column', 'timeSec,open', "lacks the columns 'celsius'"],
    ['a repeated column', 'timeSec,timeSec,celsius,open', "repeats the columns 'timeSec'"],
    ['a name in another case', 'timesec,celsius,open', "unknown columns 'timesec' and lacks the columns 'timeSec'"],
  ])('refuse %s and list what is expected', async (_, header, message) => {
    const attempt = read(`${header}\n`)
    await expect(attempt).rejects.toMatchObject({ code: 'DATASET_UNKNOWN' })
    await expect(attempt).rejects.toThrow(message)
    await expect(attempt).rejects.toThrow('expected timeSec,celsius,open and, if there are several, device')
  })

  it('refuse a row of another length, an empty file, an unclosed quote and a file that is not there', async () => {
    const invalid = { code: 'DATASET_INVALID' }
    await expect(read('timeSec,celsius,open\n1,2\n')).rejects.toThrow(':2 has 2 cells; the header has 3 columns')
    await expect(read('')).rejects.toMatchObject(invalid)
    await expect(read('timeSec,celsius,open\n"1,2,3\n')).rejects.toMatchObject(invalid)
    await expect(readReadings(join(directory, 'none.csv'), LAYOUT).next()).rejects.toMatchObject(invalid)
  })

  it('of a large file are read as they are wanted', async () => {
    writeFileSync(FILE, `timeSec,celsius,open\n${'1,2,1\n'.repeat(300_000)}not,a,row\n`)
    const rows = readReadings(FILE, LAYOUT)
    for (let taken = 0; taken < 1000; taken++) expect((await rows.next()).value).toMatchObject({ line: taken + 2 })
    await rows.return()
  })
})
