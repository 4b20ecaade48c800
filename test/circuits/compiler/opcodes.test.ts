import { describe, it, expect } from 'vitest'
import { compileModule, interpret } from '../../../circuits/compiler/index.ts'
import { opcodeInfo } from '../../../engine/core/wasm-opcodes.ts'
import { I32, I64, i32Const, i64Const, localGet, memoryAccess } from '../../wasm-builder.ts'
import { buildTestApplet, fields, randomInputs, randomSource } from './applet-module.ts'
import { nativeApplet } from './native.ts'

const INTEGER_OPCODES = [...range(0x45, 0x5a), ...range(0x67, 0x8a), 0xa7, 0xac, 0xad, ...range(0xc0, 0xc4)].filter(
  (opcode) => opcodeInfo(opcode) !== undefined,
)
const RUNS = 40

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, k) => first + k)
}

/** Compares circuit and engine on `RUNS` inputs; both must agree on everything. */
function compare(wasm: Uint8Array, seed: number, runs = RUNS): void {
  const { ir, abi } = compileModule(wasm)
  const native = nativeApplet(wasm, abi)
  const random = randomSource(seed)
  for (let run = 0; run < runs; run++) {
    const inputs = randomInputs(random, abi)
    expect({ inputs, ...interpret(ir, inputs) }).toEqual({ inputs, ...native(inputs) })
  }
}

function operandType(name: string): number {
  if (name.endsWith('extend_i32_s') || name.endsWith('extend_i32_u')) return I32
  if (name === 'i32.wrap_i64') return I64
  return name.startsWith('i64') ? I64 : I32
}

function resultType(name: string): number {
  const isComparison = /\.(eqz?|ne|[lg][te]_[su])$/.test(name)
  return isComparison || name.startsWith('i32') ? I32 : I64
}

const isUnary = (name: string): boolean => /\.(eqz|clz|ctz|popcnt|wrap_i64|extend.*)$/.test(name)

/** verify: state[0] = a op b. `operands` are the bytes that push a and b. */
function opcodeApplet(opcode: number, operands: number[][], reading: string[]): Uint8Array {
  const { name } = opcodeInfo(opcode)!
  const store = resultType(name) === I64 ? memoryAccess(0x37, 0) : memoryAccess(0x36, 0)
  const code = [...localGet(1), ...operands.flat(), opcode, ...store, ...i32Const(7)]
  return buildTestApplet({ reading: fields(...reading), state: fields('u64'), code })
}

describe('every integer instruction equals the engine', () => {
  for (const opcode of INTEGER_OPCODES) {
    const { name } = opcodeInfo(opcode)!
    const wide = operandType(name) === I64
    const load = (offset: number): number[] => [...localGet(0), ...memoryAccess(wide ? 0x29 : 0x28, offset)]
    const constant = (value: number): number[] => (wide ? i64Const(BigInt(value)) : i32Const(value))
    const types = wide ? ['u64', 'i64'] : ['u32', 'i32']

    it(`${name} of variables`, () => {
      compare(opcodeApplet(opcode, isUnary(name) ? [load(0)] : [load(0), load(8)], types), opcode)
    })

    it(`${name} of narrow and derived operands`, () => {
      const narrow = ['u16:11', 'i8']
      const a = [...localGet(0), ...memoryAccess(wide ? 0x33 : 0x2f, 0)]
      const b = [...localGet(0), ...memoryAccess(wide ? 0x30 : 0x2c, 8), ...constant(-3), wide ? 0x7c : 0x6a]
      compare(opcodeApplet(opcode, isUnary(name) ? [b] : [a, b], narrow), opcode)
      compare(opcodeApplet(opcode, isUnary(name) ? [a] : [b, a], narrow), opcode + 1)
    })

    if (isUnary(name)) continue
    it(`${name} with constants`, () => {
      for (const value of [0, 1, -1, 5, 31, 63, 64, -7, 1000, 2 ** 31 - 1, -(2 ** 31)]) {
        compare(opcodeApplet(opcode, [load(0), constant(value)], types), opcode, 12)
        compare(opcodeApplet(opcode, [constant(value), load(0)], types), opcode, 12)
      }
    })
  }

  it('select and comparisons feeding arithmetic', () => {
    const a = [...localGet(0), ...memoryAccess(0x28, 0)]
    const b = [...localGet(0), ...memoryAccess(0x28, 8)]
    const code = [
      ...localGet(1),
      ...a,
      ...b,
      ...a,
      ...b,
      0x49,
      0x1b,
      ...memoryAccess(0x36, 0),
      ...a,
      ...b,
      0x4e,
      ...a,
      0x6c,
    ]
    compare(buildTestApplet({ reading: fields('u32', 'i32'), state: fields('u32'), code }), 1)
  })
})
