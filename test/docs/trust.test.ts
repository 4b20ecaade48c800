import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')
const text = readFileSync(join(ROOT, 'docs/trust.md'), 'utf8')
const section = text.slice(text.indexOf('## The tests that show it'))
const lines = section.split('\n').filter((line) => line.startsWith('- '))
const named = lines.map((line) => / — `(test\/[^`]+\.test\.ts)`: (.+)$/.exec(line))

/** The text of a test file with its quotes as they are read. */
const sourceOf = (file: string): string => readFileSync(join(ROOT, file), 'utf8').replaceAll(/\\(['"`])/g, '$1')

it.each(lines.map((line, i) => [line, i] as const))('docs/trust.md names a test that exists: %s', (_, i) => {
  const [, file, name] = named[i] ?? []
  expect(sourceOf(file!)).toContain(name)
})

it('docs/trust.md shows something of each role', () => {
  const roles = [...section.matchAll(/^([A-Z][^:\n]+):$/gm)].map(([, role]) => role)
  expect(roles).toHaveLength(9)
  expect(lines.length).toBeGreaterThan(20)
})
