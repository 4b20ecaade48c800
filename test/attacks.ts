// `npx tsx test/attacks.ts`: the attacks of docs/attacks.md and the tests that name them. Ends with status 1 if an attack has none.

import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const ATTACK = /\b([A-D]-\d{2})\b/g
/** The text of one quoted name: of a test, or of a row of a table of tests. */
const NAME = /(['"`])((?:(?!\1).)*\b[A-D]-\d{2}\b(?:(?!\1).)*)\1/g

/** Names of tests by the attack that they name, for every attack of the list; also those that the list does not have. */
export function attackTests(): { tests: Map<string, string[]>; unlisted: string[] } {
  const list = readFileSync(join(ROOT, 'docs/attacks.md'), 'utf8')
  const tests = new Map([...list.matchAll(/^\| ([A-D]-\d{2}) \|/gm)].map(([, id]) => [id!, [] as string[]]))
  const families = new Set([...tests.keys()].map((id) => id[0]))
  const unlisted: string[] = []
  for (const file of testFiles()) {
    for (const [, , name] of readFileSync(join(ROOT, file), 'utf8').matchAll(NAME)) {
      for (const [id] of name!.matchAll(ATTACK)) {
        const named = tests.get(id)
        if (named) named.push(`${file}: ${name}`)
        else if (families.has(id[0])) unlisted.push(`${file}: ${name}`)
      }
    }
  }
  return { tests, unlisted }
}

function testFiles(): string[] {
  const files = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
  return files.filter((file) => file.endsWith('.test.ts')).map((file) => join('test', file))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { tests } = attackTests()
  for (const [id, names] of tests) console.log([id, ...(names.length > 0 ? names : ['no test'])].join('\n  '))
  if ([...tests.values()].some((names) => names.length === 0)) process.exitCode = 1
}
