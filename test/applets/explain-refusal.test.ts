import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BuiltApplet } from '../../applets/build.ts'
import { buildAppletsWithSource } from '../../applets/build.ts'
import { explainRefusal, withSourceLines } from '../../applets/explain-refusal.ts'
import { parseSourceLines } from '../../applets/source-lines.ts'
import { compileApplet } from '../../circuits/compiler/index.ts'
import { AttestreamError } from '../../engine/core/errors.ts'
import { instrument } from '../../engine/runner/sandbox.ts'

const folder = mkdtempSync(join(tmpdir(), 'explain-'))
afterAll(() => rmSync(folder, { recursive: true }))

const HEAD = `export const maxUnitsPerFrame: u64 = 10
@unmanaged class Reading { a: u32; b: u32 }
`
const SOURCES = {
  loop: `function halve(n: u32): u32 {
  let turns = 0
  while (n > 1) {
    n = n & 1 ? 3 * n + 1 : n / 2
    turns++
  }
  return turns
}
export function verify(reading: Reading): u32 { return halve(reading.a) }`,
  library: `export function verify(reading: Reading): u32 {
  const shown = reading.a.toString()
  return shown.endsWith('7') ? 1 : 0
}`,
  costly: `export function verify(reading: Reading): u32 {
  let x: u64 = reading.b
  for (let i = 0; i < 200; i++) {
    x = x / (reading.a + 1) ^ x * x
    x = x / (reading.b + 7) + x * x
  }
  return u32(x)
}`,
  turns: `export function verify(reading: Reading): u32 {
  let sum: u32 = reading.b
  for (let i: u32 = 0; i < 1000; i++) {
    sum += reading.a ^ i
  }
  return sum
}`,
  random: `export function verify(reading: Reading): u32 { return reading.a + u32(Math.random() * 6.0) }`,
  float: `export function verify(reading: Reading): u32 { return u32(reading.a * 1.5) }`,
}

const built = new Map<string, BuiltApplet>()
beforeAll(async () => {
  const paths = Object.entries(SOURCES).map(([name, source]) => {
    const path = join(folder, `${name}.ts`)
    writeFileSync(path, HEAD + source)
    return path
  })
  const results = await buildAppletsWithSource(paths)
  Object.keys(SOURCES).forEach((name, k) => built.set(name, results[k] as BuiltApplet))
})

function explained(name: keyof typeof SOURCES, run: (wasm: Uint8Array) => unknown = compileApplet): AttestreamError {
  const { wasm, sourceMap } = built.get(name)!
  try {
    withSourceLines(parseSourceLines(sourceMap!, wasm), () => run(wasm))
  } catch (error) {
    if (error instanceof AttestreamError) return error
    throw error
  }
  throw new Error(`${name} was not refused`)
}

describe('an explained refusal', () => {
  it('shows the line, says why, and what to write instead', () => {
    const { message, details, code } = explained('loop')
    expect(message.replaceAll(folder, '')).toBe(
      `/loop.ts:5:3: this loop may run without end: after 300 turns it still depends on data whether it goes on
    5 |   while (n > 1) {
      |   ^
A circuit has a fixed size and contains every turn. Write a constant bound and leave earlier: \`for (let i = 0; i < 32; i++) { if (<done>) break; … }\`.`,
    )
    expect(details).toMatchObject({ file: join(folder, 'loop.ts'), line: 5, column: 3, instruction: 'loop' })
    expect(details.offset).toBeTypeOf('number')
    expect(code).toBe('APPLET_UNSUPPORTED')
  })

  it('names the author’s line that called asc’s library, and the library’s', () => {
    const { message } = explained('library')
    expect(message).toMatch(/library\.ts:4:17: text is made here/)
    expect(message).toMatch(/\n {4}4 \| {3}const shown = reading\.a\.toString\(\)\n/)
    expect(message).toMatch(/\nIt happens in ~lib\/util\/string\.ts:\d+:\d+: /)
  })

  it('names the loop that makes a circuit too large, and the lines that cost most', () => {
    const { message, details } = explained('costly')
    expect(message).toMatch(/costly\.ts:6:\d+: the circuit of one reading exceeds 50000 constraints/)
    expect(message).toMatch(/In the loop of .*costly\.ts:5:19: for \(let i = 0; i < 200; i\+\+\) \{$/m)
    const lines = [...message.matchAll(/^(\d+) constraints so far in .*costly\.ts:(\d+): (.*)$/gm)]
    expect(lines.map(([, , line, text]) => [line, text])).toEqual([
      ['6', 'x = x / (reading.a + 1) ^ x * x'],
      ['7', 'x = x / (reading.b + 7) + x * x'],
    ])
    const [most, least] = lines.map(([, constraints]) => Number(constraints)) as [number, number]
    expect(most).toBeGreaterThan(least)
    expect(most + least).toBeGreaterThan(49_000)
    expect(details.dearest).toContainEqual(expect.objectContaining({ instruction: 'i64.div_u' }))
    const plain = (error: unknown) => (error as AttestreamError).cause as AttestreamError
    expect(plain(explained('costly')).message).toMatch(
      /smaller arrays\. Most constraints so far: (\d+ in function .* at byte 0x[0-9a-f]+ \(i64\.\w+\)[;.] ?){3}$/,
    )
  })

  it('names the line of a loop that runs too often, not the one before it', () => {
    expect(explained('turns').message).toMatch(/turns\.ts:5:24: this loop runs more than 300 times/)
  })

  it('is the same for an import, whichever library calls it', () => {
    for (const run of [instrument, compileApplet]) {
      expect(explained('random', run).message).toMatch(
        /random\.ts:3:\d+: an applet has no randomness[^]*device put a random number/,
      )
    }
  })

  it('keeps the code of the sandbox', () => {
    const error = explained('float', instrument)
    expect(error.code).toBe('APPLET_FLOATS')
    expect(error.message).toMatch(/float\.ts:3:\d+: floating point cannot be proven[^]*applets\/lib\/fixed16\.ts/)
  })

  it('leaves alone what names no place', () => {
    const { wasm, sourceMap } = built.get('loop')!
    const error = new AttestreamError('APPLET_TOO_LARGE', 'too large')
    expect(explainRefusal(error, parseSourceLines(sourceMap!, wasm))).toBe(error)
  })
})
