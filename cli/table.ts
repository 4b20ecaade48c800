// Tables for people: columns padded to their widest cell, colours on a terminal only.

import { styleText } from 'node:util'

export type Alignment = 'left' | 'right'

/** Lines of a table, header first; a column without an alignment is left-aligned. */
export function tableLines(rows: readonly (readonly string[])[], alignments: readonly Alignment[] = []): string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]!.length)))
  const cell = (text: string, i: number) =>
    alignments[i] === 'right' ? text.padStart(widths[i]!) : text.padEnd(widths[i]!)
  return rows.map((row) => `  ${row.map(cell).join('  ')}`.trimEnd())
}

/** Name and value on each line. */
export function printFacts(facts: readonly (readonly [name: string, value: string])[]): void {
  const width = Math.max(...facts.map(([name]) => name.length))
  for (const [name, value] of facts) console.log(`  ${name.padEnd(width)}  ${value}`)
}

export function paint(style: 'green' | 'red' | 'yellow' | 'dim', text: string): string {
  return process.stdout.isTTY === true ? styleText(style, text) : text
}

export function grouped(value: number | bigint): string {
  return value.toLocaleString('en')
}

/** JSON in which integers beyond 2^53 may stand: bigint becomes a decimal string. */
export function printJson(value: unknown): void {
  console.log(JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? item.toString() : item), 2))
}
