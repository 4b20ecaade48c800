// One test for each bug of the compiler that the fuzzer found, as small as it could be made.
import { describe, expect, it } from 'vitest'
import { Circuit } from '../../../circuits/compiler/circuit.ts'
import { UNSIGNED } from '../../../circuits/compiler/interval.ts'
import { addConstant, constantLc, fromBits, scale, signalLc } from '../../../circuits/compiler/lc.ts'
import { DEFAULT_LIMITS } from '../../../circuits/compiler/refusal.ts'
import { Words } from '../../../circuits/compiler/words.ts'
import { compileModule, interpret } from '../../../circuits/compiler/index.ts'
import { I32, i32Const, localGet, memoryAccess } from '../../wasm-builder.ts'
import { buildTestApplet, fields } from './applet-module.ts'
import { judge } from './judge.ts'

const EMPTY = 0x40

describe('bugs that the fuzzer found', () => {
  it('A-06 the bits of 32 − x, where x is proven to be 0, are those of 32', () => {
    const circuit = new Circuit(DEFAULT_LIMITS)
    const x = signalLc(circuit.signal(UNSIGNED(0)))
    const bits = new Words(circuit).bits(addConstant(scale(x, -1n), 32n), 6)
    const atZero = bits.map(({ constant }) => constantLc(constant))
    expect(fromBits(atZero).constant).toBe(32n)
  })

  it('A-08 an access on a path that its conditions rule out: x + y ≥ 3, x < 2 and y < 2', () => {
    const [x, y] = [0, 8].map((at) => [...localGet(0), ...memoryAccess(0x28, at)]) as [number[], number[]]
    const code = [
      ...[...x, ...y, 0x6a, ...i32Const(3), 0x4f, 0x04, EMPTY],
      ...[...x, ...i32Const(2), 0x49, 0x04, EMPTY, ...y, ...i32Const(2), 0x49, 0x04, EMPTY],
      ...[...x, ...y, 0x6a, ...memoryAccess(0x2d, 8192), 0x0f, 0x0b, 0x0b, 0x0b, ...i32Const(1)],
    ]
    const data = [{ offset: 8192, bytes: [5, 6, 7, 8] }]
    const { inputs } = judge(buildTestApplet({ reading: fields('u32:3', 'u32:3'), data, code }), 1, 1)
    expect(inputs).toBe(64)
  })

  it('A-09 a start function divides: its results are the constants that memory and globals start with', () => {
    const start = { parameters: [], results: [], code: [...i32Const(1000), ...i32Const(7), 0x6e, 0x24, 0] }
    const stored = [...i32Const(8192), ...i32Const(-1000), ...i32Const(7), 0x6f, ...memoryAccess(0x36, 0)]
    const wasm = buildTestApplet({
      reading: fields('u8:4'),
      globals: [{ type: I32, mutable: true, init: i32Const(5) }],
      helpers: [{ ...start, code: [...start.code, ...stored] }],
      start: 1,
      code: [
        0x23,
        0,
        ...i32Const(8192),
        ...memoryAccess(0x28, 0),
        0x6a,
        ...localGet(0),
        ...memoryAccess(0x2d, 0),
        0x6a,
      ],
    })
    expect(judge(wasm, 1, 1).inputs).toBe(16)
    const { ir } = compileModule(wasm)
    const inputs = { enabled: true, reading: [3n], state: [], config: [], anchorTime: 0n }
    expect(interpret(ir, inputs).units).toBe(142n - 6n + 3n)
  })
})
