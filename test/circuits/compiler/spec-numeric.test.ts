// Every integer instruction of WebAssembly 1.0 and sign extension at the edges that chapter 4.3 "Numerics" of the
// specification names. No npm package of the official spec tests was found, so these are written from the specification.
// Each value is what the specification's definition (spec-model.ts), the JavaScript engine and the circuit agree on, with
// operands as fields of the Reading and with either operand a constant of the code.
import { describe, expect, it } from 'vitest'
import { opcodeInfo } from '../../../engine/core/wasm-opcodes.ts'
import { compileModule, interpret } from '../../../circuits/compiler/index.ts'
import { i32Const, i64Const, localGet, memoryAccess } from '../../wasm-builder.ts'
import { buildTestApplet, fields } from './applet-module.ts'
import { nativeApplet } from './native.ts'
import { BINARY, UNARY } from './spec-model.ts'

const from = (first: number, last: number): number[] => Array.from({ length: last - first + 1 }, (_, k) => first + k)
const OPCODES = [...from(0x45, 0x5a), ...from(0x67, 0x8a), 0xa7, 0xac, 0xad, ...from(0xc0, 0xc4)]

/** 0, 1, −1, the smallest and largest signed integers, and shift counts around the width. */
function edges(width: number): bigint[] {
  const w = BigInt(width)
  const half = 2n ** (w - 1n)
  const patterns = BigInt.asUintN(width, 0xfedcba9876543210n)
  return [0n, 1n, 2n * half - 1n, half, half - 1n, w - 1n, w, w + 1n, 0x80n, 0x7fn, 0x8000n, patterns]
}

interface Instruction {
  opcode: number
  operation: string
  operandWidth: number
  resultWidth: number
}

function instruction(opcode: number): Instruction {
  const [type, operation] = opcodeInfo(opcode)!.name.split('.') as [string, string]
  const isWide = operation === 'wrap_i64' || (type === 'i64' && !operation.startsWith('extend_i32'))
  const isComparison = /^(eqz?|ne|[lg][te]_[su])$/.test(operation)
  const resultWidth = isComparison || type === 'i32' ? 32 : 64
  return { opcode, operation, operandWidth: isWide ? 64 : 32, resultWidth }
}

type Judge = (reading: readonly bigint[]) => bigint | undefined

/** The result, or undefined for a trap; it fails when engine and circuit differ. */
function applet({ opcode, operandWidth, resultWidth }: Instruction, operands: number[][]): Judge {
  const store = memoryAccess(resultWidth === 64 ? 0x37 : 0x36, 0)
  const code = [...localGet(1), ...operands.flat(), opcode, ...store, ...i32Const(0)]
  const type = operandWidth === 64 ? 'u64' : 'u32'
  const wasm = buildTestApplet({ reading: fields(type, type), state: fields('u64'), code })
  const { ir, abi } = compileModule(wasm)
  const native = nativeApplet(wasm, abi)
  return (reading) => {
    const inputs = { enabled: true, reading, state: [0n], config: [], anchorTime: 0n }
    const outputs = interpret(ir, inputs)
    expect({ reading, ...outputs }).toEqual({ reading, ...native(inputs) })
    return outputs.accepted ? outputs.nextState[0] : undefined
  }
}

const field = (width: number, at: number): number[] => [...localGet(0), ...memoryAccess(width === 64 ? 0x29 : 0x28, at)]
const constant = (width: number, value: bigint): number[] =>
  width === 64 ? i64Const(value) : i32Const(Number(BigInt.asIntN(32, value)))

describe('WebAssembly specification, 4.3 Numerics', () => {
  for (const opcode of OPCODES) {
    const spelled = instruction(opcode)
    const { operation, operandWidth: width } = spelled
    const id = /^(div|rem)/.test(operation) ? 'A-04 A-12' : /^(sh|rot)/.test(operation) ? 'A-06 A-10' : 'A-02 A-03 A-05'
    it(`${id} A-16 ${opcodeInfo(opcode)!.name}`, () => {
      const values = edges(width)
      const unary = UNARY[operation]
      if (unary !== undefined) {
        const result = applet(spelled, [field(width, 0)])
        for (const a of values) expect(result([a, 0n])).toBe(unary(width, a))
        return
      }
      const expected = (a: bigint, b: bigint): bigint | undefined => BINARY[operation]!(width, a, b)
      const ofFields = applet(spelled, [field(width, 0), field(width, 8)])
      for (const a of values) for (const b of values) expect(ofFields([a, b])).toBe(expected(a, b))
      for (const c of values) {
        const left = applet(spelled, [constant(width, c), field(width, 8)])
        const right = applet(spelled, [field(width, 0), constant(width, c)])
        for (const v of values) {
          expect(left([0n, v])).toBe(expected(c, v))
          expect(right([v, 0n])).toBe(expected(v, c))
        }
      }
    })
  }
})
