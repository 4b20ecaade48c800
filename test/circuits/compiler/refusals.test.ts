import { describe, it, expect } from 'vitest'
import { compileModule, interpret } from '../../../circuits/compiler/index.ts'
import { AttestreamError } from '../../../engine/core/errors.ts'
import type { FunctionSpec } from '../../wasm-builder.ts'
import { I32, i32Const, i64Const, localGet, localSet, memoryAccess } from '../../wasm-builder.ts'
import type { AppletSpec } from './applet-module.ts'
import { buildTestApplet, fields, randomInputs, randomSource } from './applet-module.ts'
import { nativeApplet } from './native.ts'

const EMPTY = 0x40
const MAX_CPU_SEC = 20
const value = [...localGet(0), ...memoryAccess(0x28, 0)]

function refusal(spec: Partial<AppletSpec> & { code: number[] }): AttestreamError {
  const started = process.cpuUsage()
  try {
    compileModule(buildTestApplet({ reading: fields('u32', 'u32'), ...spec }))
  } catch (error) {
    const { user, system } = process.cpuUsage(started)
    expect((user + system) / 1e6).toBeLessThan(MAX_CPU_SEC)
    if (error instanceof AttestreamError) return error
    throw error
  }
  throw new Error('compiled')
}

function expectRefusal(spec: Partial<AppletSpec> & { code: number[] }, text: RegExp): void {
  const error = refusal(spec)
  expect(error).toMatchObject({ code: 'APPLET_UNSUPPORTED' })
  expect(error.message).toMatch(text)
}

const helper = (code: number[], parameters = [I32]): FunctionSpec => ({ parameters, results: [I32], code })

describe('compileApplet refuses', () => {
  it('A-16 floating point, with function, byte and what to write instead', () => {
    expectRefusal(
      { code: [...value, 0xb3, 0xbc] },
      /function "verify" \(0\) at byte 0x[0-9a-f]+ \(f32\.convert_i32_u\): floating point.*fixed point/,
    )
  })

  it('A-16 memory.grow', () => expectRefusal({ code: [...value, 0x40, 0] }, /memory\.grow.*cannot grow/))

  it('A-18 recursion', () => {
    expectRefusal({ code: [...value, 0x10, 1], helpers: [helper([...localGet(0), 0x10, 1])] }, /recurses/)
  })

  it('A-16 SIMD and instructions on tables', () => {
    expectRefusal({ code: [...value, 0xfd, 0x11, 0xfd, 0x1b, 0] }, /SIMD/)
    expectRefusal({ code: [0xfc, 16, 0], helpers: [helper(localGet(0))], table: [1] }, /table\.size/)
  })

  it('A-18 functions that call each other', () => {
    const helpers = [helper([...localGet(0), 0x10, 2]), helper([...localGet(0), 0x10, 1])]
    expectRefusal({ code: [...value, 0x10, 1], helpers }, /recurses/)
  })

  it('an endless loop', () => {
    expectRefusal({ code: [0x03, EMPTY, 0x0c, 0, 0x0b, 0x00] }, /\(loop\): this loop runs more than 300 times/)
  })

  const loop = (counter: number, body: number[]) => {
    const next = [...localGet(counter), ...i32Const(1), 0x6a, 0x22, counter, ...i32Const(290), 0x48, 0x0d, 0]
    return [...i32Const(0), ...localSet(counter), 0x03, EMPTY, ...body, ...next, 0x0b]
  }
  const behindCheck = (body: number[]) => [...value, ...i32Const(100), 0x4b, 0x04, EMPTY, ...body, 0x0b, ...localGet(3)]

  it('A-11 nested constant loops behind a check, that a reading could make the sandbox run out of fuel with', () => {
    const inner = [...localGet(3), ...localGet(2), 0x73, ...localGet(1), 0x6a, ...localSet(3)]
    expectRefusal(
      { locals: [I32, I32, I32], code: behindCheck(loop(1, loop(2, inner))) },
      /more than 200000 instructions/,
    )
  })

  it('A-11 many bulk copies behind a check', () => {
    const copy = [...i32Const(8192), ...i32Const(8200), ...i32Const(8), 0xfc, 10, 0, 0]
    expectRefusal({ locals: [I32, I32, I32], code: behindCheck(loop(1, copy)) }, /more than 200000 instructions/)
  })

  it('a loop whose end depends on data', () => {
    const code = [
      ...value,
      ...localSet(1),
      0x03,
      EMPTY,
      ...localGet(1),
      ...i32Const(1),
      0x6b,
      0x22,
      1,
      0x0d,
      0,
      0x0b,
      ...i32Const(0),
    ]
    expectRefusal({ locals: [I32], code }, /loop/)
  })

  it('an unbounded index', () => {
    expectRefusal({ code: [...value, ...memoryAccess(0x28, 0)] }, /index may be any of \d+ places/)
  })

  it('a call that depends on data', () => {
    const code = [...value, ...i32Const(1), 0x71, 0x11, 1, 0]
    expectRefusal(
      { code, helpers: [helper(i32Const(1), []), helper(i32Const(2), [])], table: [1, 2] },
      /depends on data/,
    )
  })

  it('memory.copy of a size that depends on data', () => {
    expectRefusal(
      { code: [...i32Const(0), ...i32Const(8), ...value, 0xfc, 10, 0, 0, ...i32Const(0)] },
      /size of this copy depends on data/,
    )
  })

  it('data where the records lie, and a start function that traps', () => {
    expectRefusal({ code: i32Const(0), data: [{ offset: 1030, bytes: [1] }] }, /where the records go/)
    expectRefusal(
      { code: i32Const(0), helpers: [{ parameters: [], results: [], code: [0x00] }], start: 1 },
      /start function traps/,
    )
  })

  it('a circuit that grows without bound, in seconds', () => {
    const square = [...localGet(1), ...localGet(1), 0x6c, ...i32Const(7), 0x73, ...localSet(1)]
    const code = [...value, ...localSet(1), ...Array.from({ length: 3000 }, () => square).flat(), ...localGet(1)]
    expectRefusal({ locals: [I32], code }, /exceeds 50000 constraints|too many steps/)
  })

  it('nested loops that multiply, in seconds', () => {
    let body: number[] = [...localGet(1), ...i32Const(1), 0x6a, ...localSet(1)]
    for (let level = 2; level < 8; level++) {
      const next = [...localGet(level), ...i32Const(1), 0x6a, 0x22, level, ...i32Const(200), 0x49, 0x0d, 0]
      body = [...i32Const(0), ...localSet(level), 0x03, EMPTY, ...body, ...next, 0x0b]
    }
    expectRefusal(
      { locals: [I32, I32, I32, I32, I32, I32, I32, I32], code: [...body, ...localGet(1)] },
      /too many steps|more than 200000 instructions/,
    )
  })

  it('filling all memory again and again, in seconds', () => {
    const fill = [...i32Const(0), ...value, ...i32Const(65536), 0xfc, 11, 0]
    const fork = [...value, 0x04, EMPTY, ...fill, 0x05, ...fill, 0x0b]
    expectRefusal(
      { code: [...Array.from({ length: 200 }, () => fork).flat(), ...i32Const(0)] },
      /too many steps|exceeds/,
    )
  })

  it('a module that does not validate', () => {
    const bytes = buildTestApplet({ reading: fields('u32'), code: [...value, 0x7c] })
    expect(() => compileModule(bytes)).toThrowError(expect.objectContaining({ code: 'WASM_MALFORMED' }))
  })
})

describe('compileApplet', () => {
  const wasm = buildTestApplet({
    reading: fields('u32', 'i16'),
    state: fields('u32:20', 'i32:12'),
    context: true,
    code: [
      ...[...localGet(1), ...localGet(1), ...memoryAccess(0x28, 0), ...value, 0x6a, ...memoryAccess(0x36, 0)],
      ...[...localGet(1), ...localGet(0), ...memoryAccess(0x2e, 8), ...memoryAccess(0x36, 8)],
      ...[...localGet(2), ...memoryAccess(0x29, 0), ...i64Const(1000n), 0x54, 0x04, EMPTY, 0x00, 0x0b],
      ...[...value, ...i32Const(10), 0x70],
    ],
  })

  it('gives the same text for the same bytes', () => {
    expect(compileModule(wasm.slice()).circom).toBe(compileModule(wasm).circom)
  })

  it('rejects and rolls back what does not fit the declared width of State', () => {
    const { ir, abi } = compileModule(wasm)
    const base = { enabled: true, config: [], anchorTime: 1000n }
    const narrow = { ...base, reading: [5n, 3n], state: [(1n << 20n) - 6n, 9n] }
    expect(interpret(ir, narrow)).toEqual({ accepted: true, units: 5n, nextState: [(1n << 20n) - 1n, 3n] })
    const wide = { ...narrow, reading: [6n, 3n] }
    expect(interpret(ir, wide)).toEqual({ accepted: false, units: 0n, nextState: wide.state })
    const signed = { ...narrow, reading: [1n, 0xffffn] }
    expect(interpret(ir, signed).nextState[1]).toBe(0xfffn)
    const early = { ...narrow, anchorTime: 999n }
    expect(interpret(ir, early).accepted).toBe(false)
    const random = randomSource(3)
    for (let k = 0; k < 200; k++) {
      const inputs = randomInputs(random, abi)
      expect(interpret(ir, inputs)).toEqual(nativeApplet(wasm, abi)(inputs))
    }
  })

  it('does nothing when it is not enabled', () => {
    const { ir } = compileModule(wasm)
    const inputs = { enabled: false, reading: [5n, 3n], state: [1n, 2n], config: [], anchorTime: 1000n }
    expect(interpret(ir, inputs)).toEqual({ accepted: false, units: 0n, nextState: [1n, 2n] })
  })
})
