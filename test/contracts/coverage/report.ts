// What part of the contracts' lines and branches was reached, by file. A line is covered if every statement that begins on it was
// reached; a branch is one outcome of a condition, or one arm of try.

import type { Point } from './instrument.ts'

export interface FileCoverage {
  readonly path: string
  readonly lines: Share
  readonly branches: Share
  /** What is not covered: `12: text`. */
  readonly missing: readonly string[]
}

export interface Share {
  readonly covered: number
  readonly all: number
}

/** One entry for each file with a point, in the order of their first points. */
export function coverageByFile(points: readonly Point[], reached: ReadonlySet<number>): FileCoverage[] {
  const paths = [...new Set(points.map(({ path }) => path))]
  const numbered = points.map((point, id) => ({ ...point, isReached: reached.has(id) }))
  return paths.map((path) => {
    const own = numbered.filter((point) => point.path === path).sort((a, b) => a.line - b.line)
    const statements = own.filter(({ kind }) => kind === 'statement')
    const branches = own.filter(({ kind }) => kind === 'branch')
    const lines = [...new Set(statements.map(({ line }) => line))]
    const missed = new Set(statements.filter(({ isReached }) => !isReached).map(({ line }) => line))
    return {
      path,
      lines: { covered: lines.filter((line) => !missed.has(line)).length, all: lines.length },
      branches: { covered: branches.filter(({ isReached }) => isReached).length, all: branches.length },
      missing: own.filter(({ isReached }) => !isReached).map(({ line, text }) => `${line}: ${text}`),
    }
  })
}

/** The smaller of the two shares, in percent; what has nothing to cover is covered. */
export function percentCovered({ lines, branches }: FileCoverage): number {
  return Math.min(percent(lines), percent(branches))
}

/** A table, then what is missing. */
export function renderCoverage(files: readonly FileCoverage[]): string {
  const total = { path: 'all', lines: sum(files, 'lines'), branches: sum(files, 'branches'), missing: [] }
  const row = ({ path, lines, branches }: FileCoverage) =>
    `${path.padEnd(28)}${cell(lines).padStart(22)}${cell(branches).padStart(22)}`
  const missing = files.flatMap(({ path, missing }) => missing.map((text) => `${path}:${text}`))
  const head = `${'contract'.padEnd(28)}${'lines'.padStart(22)}${'branches'.padStart(22)}`
  return [head, ...files.map(row), row(total), '', 'not covered:', ...missing].join('\n')
}

function sum(files: readonly FileCoverage[], key: 'lines' | 'branches'): Share {
  const shares = files.map((file) => file[key])
  return {
    covered: shares.reduce((total, { covered }) => total + covered, 0),
    all: shares.reduce((total, { all }) => total + all, 0),
  }
}

function cell(share: Share): string {
  return `${percent(share).toFixed(1)} % ${`${share.covered}/${share.all}`.padStart(9)}`
}

function percent({ covered, all }: Share): number {
  return all === 0 ? 100 : (100 * covered) / all
}
