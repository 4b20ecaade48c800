// `npm run coverage:contracts`: runs the tests of the contracts with instrumented contracts and prints what they reached of each
// file's lines and branches. Exits with 1 if a file is below the minimum. Tests of gas and of timing fail on instrumented code, which is
// slower and dearer; whether tests pass is for `npm test` to say. Takes minutes.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { compileContracts, ownSources, sourceOf } from '../../../contracts/build.ts'
import { instrument, type Instrumented } from './instrument.ts'
import { coverageByFile, percentCovered, renderCoverage } from './report.ts'

const MINIMUM_PERCENT = 95
/** What no input reaches, and why; counted as covered. */
const UNREACHABLE: readonly [point: string, reason: string][] = [
  ['src/BabyJubJub.sol: y == z → false', 'eight times a point of the curve is never (0, −1): no point has order 16'],
]
const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const DIR = join(ROOT, 'build/coverage')
const TESTS = ['test/contracts', 'test/chain']

function main(): number {
  const instrumented = instrument(ownSources(), sourceOf)
  compileOnce(instrumented)
  for (const file of readdirSync(DIR)) if (file.startsWith('reached-')) rmSync(join(DIR, file))
  const passed = runTests()
  if (!passed) process.stdout.write('some tests failed on instrumented code (gas, timing): `npm test` judges them\n')
  const reached = reachedPoints()
  for (const [i, { path, text }] of instrumented.points.entries()) {
    if (UNREACHABLE.some(([point]) => point === `${path}: ${text}`)) reached.add(i)
  }
  const files = coverageByFile(instrumented.points, reached)
  process.stdout.write(`${renderCoverage(files)}\n`)
  for (const [point, reason] of UNREACHABLE) process.stdout.write(`counted as covered: ${point} (${reason})\n`)
  const low = files.filter((file) => percentCovered(file) < MINIMUM_PERCENT)
  for (const { path } of low) process.stdout.write(`${path} is below ${MINIMUM_PERCENT} %\n`)
  return low.length === 0 ? 0 : 1
}

/** Writes artifacts.json unless it holds these sources already: compiling takes about a minute. */
function compileOnce({ read }: Instrumented): void {
  const hash = createHash('sha256')
  for (const path of [...ownSources(), 'coverage/Coverage.sol']) hash.update(read(path))
  const key = hash.update(readFileSync(join(ROOT, 'contracts/build.ts'))).digest('hex')
  const [artifacts, keyFile] = [join(DIR, 'artifacts.json'), join(DIR, 'artifacts.key')]
  if (existsSync(keyFile) && readFileSync(keyFile, 'utf8') === key) return
  mkdirSync(DIR, { recursive: true })
  rmSync(keyFile, { force: true })
  writeFileSync(artifacts, JSON.stringify(compileContracts(read)))
  writeFileSync(keyFile, key)
}

function runTests(): boolean {
  const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs')
  const config = join(ROOT, 'test/contracts/coverage/vitest.config.ts')
  const env = { ...process.env, ATTESTREAM_COVERAGE_DIR: DIR }
  const args = [
    vitest,
    'run',
    '--root',
    ROOT,
    '--config',
    config,
    ...(process.argv.length > 2 ? process.argv.slice(2) : TESTS),
  ]
  return spawnSync(process.execPath, args, { stdio: 'inherit', env, cwd: ROOT }).status === 0
}

function reachedPoints(): Set<number> {
  const files = readdirSync(DIR).filter((file) => file.startsWith('reached-'))
  return new Set(files.flatMap((file) => JSON.parse(readFileSync(join(DIR, file), 'utf8')) as number[]))
}

process.exitCode = main()
