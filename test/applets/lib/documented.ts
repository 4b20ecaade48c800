/**
 * The constraints that docs/applet-library.md tells of each function: the last column of the rows whose first is a call in backquotes.
 */
import { readFileSync, writeFileSync } from 'node:fs'

export const LIBRARY_PAGE = 'docs/applet-library.md'
const ROW = /^\| `([^`]+)`( *\|.*\| *)([\d,]+|\?)( *\|)$/gm

export function documentedCosts(): Map<string, number> {
  const rows = readFileSync(LIBRARY_PAGE, 'utf8').matchAll(ROW)
  return new Map([...rows].map((row) => [row[1]!, Number(row[3]!.replaceAll(',', ''))]))
}

/** Replaces the figures of the rows that have one. */
export function writeCosts(costs: ReadonlyMap<string, number>): void {
  const page = readFileSync(LIBRARY_PAGE, 'utf8')
  const written = page.replace(ROW, (_row, name: string, middle: string, old: string, end: string) => {
    const cost = costs.get(name)
    return `| \`${name}\`${middle}${cost === undefined ? old : cost.toLocaleString('en-US')}${end}`
  })
  writeFileSync(LIBRARY_PAGE, written)
}
