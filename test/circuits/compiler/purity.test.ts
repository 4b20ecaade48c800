import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BuiltApplet } from '../../../applets/build.ts'
import { buildAppletsWithSource } from '../../../applets/build.ts'
import { withSourceLines } from '../../../applets/explain-refusal.ts'
import { parseSourceLines } from '../../../applets/source-lines.ts'
import { compileApplet, compileModule, interpret } from '../../../circuits/compiler/index.ts'
import { compileApplet as compileNative, runCompiledBatch } from '../../../engine/runner/run.ts'

const HEAD = `export const maxUnitsPerFrame: u64 = 10
@unmanaged class Reading { a: u32; b: u32 }
@unmanaged class State { last: u32; narrow: u8; total: u64 }
@unmanaged class Config { limit: u32 }
class Pair { constructor(public a: u32, public b: u32) {} }
`
const verify = (body: string): string =>
  `export function verify(reading: Reading, state: State, config: Config): u32 {\n  ${body}\n}\n`

const REFUSED: Record<string, [source: string, problem: RegExp]> = {
  'a counter': [`let counter: u32 = 0\n${verify('counter++\n  return counter')}`, /:8:3: this variable starts anew/],
  'a variable that one path sets': [
    `let last: u32 = 7\n${verify('if (reading.a > 5) last = reading.b\n  return last')}`,
    /starts anew/,
  ],
  'an array of totals': [
    `const totals = new StaticArray<u32>(4)\n${verify('totals[1] += reading.a\n  return totals[1]')}`,
    /:8:\d+: this variable starts anew[^]*totals\[1\] \+= reading\.a/,
  ],
  'a ring that a computed place of is set': [
    `const ring = new StaticArray<u32>(8)\n${verify('ring[reading.a & 7] = reading.b\n  let sum: u32 = 0\n  for (let i = 0; i < 8; i++) sum += ring[i]\n  return sum')}`,
    /starts anew/,
  ],
  'a write to Reading': [verify('reading.a = 5\n  return reading.a'), /:7:3: this writes to Reading/],
  'a write to Config': [verify('config.limit = reading.a\n  return 1'), /this writes to Config/],
  'a write behind State': [
    verify('store<u32>(changetype<usize>(state) + 16, 1)\n  return 1'),
    /outside of State|writes to/,
  ],
}

const ALLOWED: Record<string, string> = {
  'State, whole and in parts': verify(
    'state.last = reading.a\n  state.total += reading.b\n  state.narrow = 3\n  return state.last & 0xff',
  ),
  'tables and constants': `const table: StaticArray<u32> = [5, 6, 7]\nlet bonus: u32 = 7\n${verify('return bonus + table[reading.a % 3]')}`,
  'scratch that is set before it is read': `const scratch = new StaticArray<u32>(8)\n${verify(
    'for (let i = 0; i < 8; i++) scratch[i] = reading.a ^ i\n  scratch[reading.b & 7] = 1\n  return scratch[0] + scratch[7]',
  )}`,
  'objects and arrays made inside verify': verify(
    'const pair = new Pair(reading.a, reading.b)\n  const list = new StaticArray<u32>(4)\n  list[reading.a & 3] = pair.b\n  return list[0] + list[1] + pair.a',
  ),
  'an object made in a branch': verify(
    'let pair = new Pair(reading.a, 1)\n  if (reading.b > 5) pair = new Pair(1, reading.b)\n  return pair.a + pair.b',
  ),
}

const folder = mkdtempSync(join(tmpdir(), 'purity-'))
afterAll(() => rmSync(folder, { recursive: true }))
const built = new Map<string, BuiltApplet>()
beforeAll(async () => {
  const sources = Object.entries({
    ...Object.fromEntries(Object.entries(REFUSED).map(([k, [s]]) => [k, s])),
    ...ALLOWED,
  })
  const paths = sources.map(([, source], k) => {
    const path = join(folder, `${k}.ts`)
    writeFileSync(path, HEAD + source)
    return path
  })
  const results = await buildAppletsWithSource(paths)
  sources.forEach(([name], k) => built.set(name, results[k] as BuiltApplet))
})

const compiled = (name: string) => {
  const { wasm, sourceMap } = built.get(name)!
  return withSourceLines(parseSourceLines(sourceMap!, wasm), () => compileApplet(wasm))
}

/** Readings one after the other on one instance, and in the circuit's interpreter. */
function expectSameTwice(name: string, compile: typeof compileApplet): void {
  const { wasm } = built.get(name)!
  const { ir } = compile(wasm)
  const readings = [
    [6n, 9n],
    [6n, 9n],
    [3n, 2n],
  ]
  const state = [1n, 2n, 3n]
  const [slot] = runCompiledBatch(compileNative(wasm), {
    config: [4n],
    anchorTimeSec: 0n,
    slots: [{ readings, state }],
  }).slots
  let before = state
  readings.forEach((reading, k) => {
    const after = interpret(ir, { enabled: true, reading, state: before, config: [4n], anchorTime: 0n })
    expect({ accepted: after.accepted, units: after.units }).toEqual({ accepted: true, units: slot!.units[k] })
    before = after.nextState
  })
  expect(before).toEqual(slot!.nextState)
}

describe('A-14 what would not last between readings', () => {
  it.each(Object.entries(REFUSED))('is refused: %s', (name, [, problem]) => {
    expect(() => compiled(name)).toThrow(
      expect.objectContaining({ code: 'APPLET_UNSUPPORTED', message: expect.stringMatching(problem) }),
    )
  })

  it.each(Object.keys(REFUSED))('is the same natively and in the circuit all the same: %s', (name) => {
    expectSameTwice(name, compileModule)
  })
})

describe('a pure applet', () => {
  it.each(Object.keys(ALLOWED))('may use %s, with the same results on one instance', (name) => {
    compiled(name)
    expectSameTwice(name, compileApplet)
  })
})
