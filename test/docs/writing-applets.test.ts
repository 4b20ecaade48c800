// Runs docs/writing-applets.md: what it shows as refused gives the printed error, and what it shows instead compiles.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type BuiltApplet, buildAppletsWithSource } from '../../applets/build.ts'
import { withSourceLines } from '../../applets/explain-refusal.ts'
import { parseSourceLines } from '../../applets/source-lines.ts'
import { compileApplet, DEFAULT_LIMITS } from '../../circuits/compiler/index.ts'
import { compileApplet as compileNative } from '../../engine/runner/run.ts'
import { APPLET_BYTES_MAX } from '../../engine/runner/sandbox.ts'

const ROOT = new URL('../../', import.meta.url).pathname
const PAGE = readFileSync(join(ROOT, 'docs/writing-applets.md'), 'utf8')
const folder = mkdtempSync(join(tmpdir(), 'writing-applets-'))
afterAll(() => rmSync(folder, { recursive: true }))

const block = (kind: string, text: string): string => {
  const found = new RegExp(`\`\`\`${kind}\n([^]*?)\`\`\``).exec(text)?.[1]
  if (found === undefined) throw new Error(`no block ${kind}`)
  return found
}
const mistakes = PAGE.split('\n### ')
  .slice(1)
  .map((text) => ({
    title: text.split('\n')[0]!,
    before: block('ts before', text),
    error: block('text', text),
    after: block('ts after', text),
  }))

const tail = block('ts tail', PAGE)
  .split('\n')
  .map((line) => line.trim())
const sources = [
  block('ts applet', PAGE),
  ...mistakes.flatMap(({ before, after }) => [before, after]).map((source) => source + tailFor(source)),
]

/** The lines of the tail that the example uses. */
function tailFor(source: string): string {
  return tail.filter((line) => !/class (\w+)/.test(line) || source.includes(/class (\w+)/.exec(line)![1]!)).join('\n')
}

const path = (k: number): string => join(folder, `example-${k}.ts`)
let built: (BuiltApplet | Error)[]
beforeAll(async () => {
  sources.forEach((source, k) => {
    writeFileSync(path(k), source.replaceAll("'./lib/", `'${relative(folder, join(ROOT, 'applets/lib'))}/`))
  })
  built = await buildAppletsWithSource(sources.map((_, k) => path(k)))
})

/** What a command that compiles the example prints. */
function compile(k: number): void {
  const applet = built[k]!
  if (applet instanceof Error) throw applet
  withSourceLines(parseSourceLines(applet.sourceMap!, applet.wasm), () => {
    compileNative(applet.wasm)
    compileApplet(applet.wasm)
  })
}

/** The message with the path that the page uses; asc tells paths from where the tests run. */
function refusal(k: number): string {
  try {
    compile(k)
  } catch (error) {
    return (error as Error).message.replaceAll(new RegExp(`[^\\s(]*example-${k}\\.ts`, 'g'), 'applets/mine.ts')
  }
  return 'compiled'
}

describe('docs/writing-applets.md', () => {
  it('begins with an applet that compiles', () => expect(() => compile(0)).not.toThrow())

  it.each(mistakes.map((mistake, k) => [mistake.title, 2 * k + 1, mistake.error] as const))(
    'prints the error of: %s',
    (_, k, error) => expect(`${refusal(k)}\n`.slice(0, error.length)).toBe(error),
  )

  it.each(mistakes.map((mistake, k) => [mistake.title, 2 * k + 2] as const))('shows what compiles for: %s', (_, k) =>
    expect(() => compile(k)).not.toThrow(),
  )

  it('gives the limits that the compiler has', () => {
    for (const [name, limit] of Object.entries(DEFAULT_LIMITS)) {
      expect(PAGE).toMatch(new RegExp(`\\| ${limit.toLocaleString('en')} \\| \`${name}\` \\|`))
    }
    expect(PAGE).toContain(`| bytes of WASM | ${APPLET_BYTES_MAX.toLocaleString('en')} |`)
  })
})
