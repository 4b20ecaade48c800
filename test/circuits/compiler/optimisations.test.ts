/** What the compiler saves, construct by construct: its cost beyond the reading's bits, and the same outputs as the engine. */
import { describe, expect, it } from 'vitest'
import { compileApplet, interpret } from '../../../circuits/compiler/index.ts'
import { i32Const, localGet, memoryAccess } from '../../wasm-builder.ts'
import { buildTestApplet, fields, randomInputs, randomSource } from './applet-module.ts'
import { nativeApplet } from './native.ts'

const EMPTY = 0x40
const field = (k: number): number[] => [...localGet(0), ...memoryAccess(0x28, 8 * k)]
const [a, b] = [field(0), field(1)]
const trapIf = (condition: number[]): number[] => [...condition, 0x04, EMPTY, 0x00, 0x0b]
const min = [...a, ...b, ...a, ...b, 0x49, 0x1b]
const max = [...a, ...b, ...a, ...b, 0x4b, 0x1b]
const sign = [...a, ...i32Const(31), 0x75]

interface Case {
  name: string
  reading: string[]
  code: number[]
  /** Constraints beyond the reading's bits; the two products with `enabled` and `accepted` are among them. */
  most: number
}

const CASES: Case[] = [
  {
    name: 'four traps in a row: four comparisons, one test that none holds',
    reading: ['u32:8', 'u32:8'],
    code: [...[10, 60, 110, 160].flatMap((k) => trapIf([...a, ...b, ...i32Const(k), 0x6a, 0x4b])), ...a],
    most: 4 * 10 + 2 + 2,
  },
  {
    name: 'a trap behind br_if in a block: what follows is as cheap as without it',
    reading: ['u32:8', 'u32:8'],
    code: [
      ...[0x02, EMPTY, ...a, ...b, 0x49, 0x0d, 0, 0x00, 0x0b],
      ...a,
      ...i32Const(0),
      ...a,
      ...i32Const(9),
      0x49,
      0x1b,
    ],
    most: 9 + 9 + 3,
  },
  {
    name: 'min and max of two numbers: one comparison, one product',
    reading: ['u32:16', 'u32:16'],
    code: [...min, ...max, 0x6c],
    most: 17 + 1 + 1 + 2,
  },
  {
    name: 'the smaller of two numbers is as narrow as the narrower',
    reading: ['u32:16', 'u32:6'],
    code: [...min, ...i32Const(10), 0x6e],
    most: 17 + 1 + 3 + 4 + 4 + 2,
  },
  {
    name: 'an absolute value: one product',
    reading: ['i32:20'],
    code: [...sign, ...a, ...sign, 0x6a, 0x73],
    most: 1 + 2,
  },
  {
    name: 'one bit at a place that the path knows to be small: a product for each place but a few',
    reading: ['u32:20'],
    code: [...trapIf([...a, ...i32Const(16), 0x4f]), ...i32Const(1), ...a, 0x74],
    most: 4 + 11 + 2,
  },
  {
    name: 'a division of what the path knows to be small',
    reading: ['u32', 'u32'],
    code: [...trapIf([...a, ...b, 0x6b, ...i32Const(960), 0x4f]), ...a, ...b, 0x6b, ...i32Const(60), 0x6e],
    most: 38 + 17 + 2,
  },
  {
    name: 'a value behind two conditions is not masked again',
    reading: ['bool', 'bool', 'u32:8'],
    code: [...a, 0x04, 0x7f, ...b, 0x04, 0x7f, ...field(2), 0x05, ...i32Const(0), 0x0b, 0x05, ...i32Const(0), 0x0b],
    most: 2 + 2,
  },
]

describe('optimisations', () => {
  it.each(CASES)('$name', ({ reading, code, most }) => {
    const wasm = buildTestApplet({ reading: fields(...reading), code })
    const { ir, abi, stats } = compileApplet(wasm)
    const native = nativeApplet(wasm, abi)
    const random = randomSource(7)
    for (let k = 0; k < 300; k++) {
      const wild = randomInputs(random, abi)
      const near = wild.reading.map((value, at) => (at === 0 && random(2) === 0 ? (wild.reading[1] ?? value) : value))
      const small = near.map((value, at) =>
        BigInt.asUintN(abi.reading[at]!.bits, random(3) === 0 ? value % 20n : value),
      )
      const inputs = { ...wild, reading: small }
      expect({ inputs, ...interpret(ir, inputs) }).toEqual({ inputs, ...native(inputs) })
    }
    expect(stats.constraints - stats.readingConstraints).toBeLessThanOrEqual(most)
  })
})
