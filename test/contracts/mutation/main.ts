// `npm run mutate:contracts [first] [last]`: takes one check at a time out of the contracts and shows that a named test fails for it;
// with no check taken out all of them must pass. Prints a table; exits with 1 if a mutant survives. Takes minutes.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compileContracts, ownSources, sourceOf } from '../../../contracts/build.ts'
import { MUTANTS, mutate, type Mutant } from './mutants.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const DIR = join(ROOT, 'build/mutation')

function main([first = '0', last = `${MUTANTS.length - 1}`]: string[]): number {
  const artifacts = compileOnce()
  const chosen = [...MUTANTS.entries()].slice(Number(first), Number(last) + 1)
  const files = [...new Set(chosen.map(([, { test }]) => test))]
  for (const file of files) {
    const named = chosen.filter(([, { test }]) => test === file).map(([, mutant]) => mutant)
    const { failed, passed } = run(artifacts, file, named)
    if (failed > 0 || passed === 0) throw new Error(`${file}: ${failed} of its tests fail with every check in place`)
  }
  let survivors = 0
  for (const [index, mutant] of chosen) {
    const { failed } = run(artifacts, mutant.test, [mutant], index)
    if (failed === 0) survivors++
    const check = mutant.find.replaceAll(/\s+/g, ' ')
    process.stdout.write(`| ${index} | ${mutant.file} | \`${check}\` | ${mutant.test}: ${mutant.name} | ${failed > 0 ? 'noticed' : 'SURVIVES'} |\n`)
  }
  process.stdout.write(`${chosen.length - survivors} of ${chosen.length} mutants noticed\n`)
  return survivors === 0 ? 0 : 1
} // prettier-ignore

/** Path of the artifacts with every mutant in them, compiled anew if a source or the list has changed. */
function compileOnce(): string {
  const read = (path: string): string => (path.startsWith('src/') ? mutate(path, sourceOf(path)) : sourceOf(path))
  const hash = createHash('sha256')
  for (const path of ownSources()) hash.update(read(path))
  const file = join(DIR, `${hash.digest('hex').slice(0, 32)}.json`)
  if (existsSync(file)) return file
  mkdirSync(DIR, { recursive: true })
  writeFileSync(file, JSON.stringify(compileContracts(read)))
  return file
}

/** Runs the named tests of one file, with one mutant on or none. */
function run(artifacts: string, file: string, mutants: readonly Mutant[], index?: number) {
  const pattern = [...new Set(mutants.map(({ name }) => name))].join('|')
  const report = join(DIR, `report-${process.pid}.json`)
  const config = 'test/contracts/mutation/vitest.config.ts'
  const args = ['vitest', 'run', `test/contracts/${file}.test.ts`, '--config', config, '-t', pattern]
  const env = { ...process.env, ATTESTREAM_MUTANTS: artifacts }
  if (index !== undefined) Object.assign(env, { ATTESTREAM_MUTANT: `${index}` })
  rmSync(report, { force: true })
  const { stderr } = spawnSync('npx', [...args, '--bail', '1', '--reporter', 'json', '--outputFile', report], { cwd: ROOT, env, encoding: 'utf8' })
  if (!existsSync(report)) throw new Error(`no test of ${file} ran: ${stderr}`)
  const { numFailedTests, numPassedTests } = JSON.parse(readFileSync(report, 'utf8')) as Record<string, number>
  rmSync(report)
  if (numFailedTests === 0 && numPassedTests === 0) throw new Error(`no test of ${file} ran for ${pattern}`)
  return { failed: numFailedTests!, passed: numPassedTests! }
} // prettier-ignore

process.exitCode = main(process.argv.slice(2))
