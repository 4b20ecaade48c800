import { describe, it, expect } from 'vitest'
import fc from 'fast-check'
import { AttestreamError } from '../../engine/core/errors.ts'
import { decodeWasm, describeFunction } from '../../engine/core/wasm.ts'
import { WebAssembly } from '../webassembly.ts'
import { buildModule, I32, I64, i32Const, i64Const, localGet, memoryAccess } from '../wasm-builder.ts'

const sample = buildModule({
  functions: [
    {
      parameters: [I32, I64],
      results: [I32],
      locals: [I32, I64],
      code: [...localGet(0), ...i32Const(-5), 0x6a],
      name: 'f',
    },
    {
      parameters: [],
      results: [],
      code: [
        0x02,
        0x40,
        ...i32Const(0),
        0x0e,
        1,
        0,
        0,
        0x0b,
        ...i32Const(1),
        ...i32Const(2),
        ...i32Const(3),
        0xfc,
        10,
        0,
        0,
      ],
    },
  ],
  memoryPages: 1,
  globals: [{ type: I64, mutable: true, init: i64Const(-(2n ** 63n)), name: 'g' }],
  data: [{ offset: 64, bytes: [1, 2, 3] }],
  table: [1, 0],
  customs: [{ name: 'note', bytes: [7, 8] }],
})

function failure(bytes: Uint8Array): AttestreamError {
  try {
    decodeWasm(bytes)
  } catch (error) {
    if (error instanceof AttestreamError) return error
    throw error
  }
  throw new Error('decoded')
}

describe('decodeWasm', () => {
  it('returns every part of a module', () => {
    expect(WebAssembly.validate(sample)).toBe(true)
    const module = decodeWasm(sample)
    expect(module.types).toEqual([
      { parameters: ['i32', 'i64'], results: ['i32'] },
      { parameters: [], results: [] },
    ])
    expect(module.functions.map((f) => [f.index, f.name, f.locals.length])).toEqual([
      [0, 'f', 2],
      [1, undefined, 0],
    ])
    expect(module.functions[1]?.instructions.map((i) => i.name)).toContain('memory.copy')
    expect(module.functions[1]?.instructions.find((i) => i.name === 'br_table')?.targets).toEqual([0, 0])
    expect(module.globals[0]).toMatchObject({ type: 'i64', mutable: true, init: { value: -(2n ** 63n) } })
    expect(module.data[0]?.bytes).toEqual(Uint8Array.of(1, 2, 3))
    expect(module.elements[0]?.functions).toEqual([1, 0])
    expect(module.customs[0]).toMatchObject({ name: 'note', bytes: Uint8Array.of(7, 8) })
    expect(module.memories).toEqual([{ minimum: 1, maximum: 1 }])
    expect(describeFunction(module, 0)).toBe('function "f" (0)')
    expect(describeFunction(module, 1)).toBe('function 1')
  })

  it('gives offsets that tile each body exactly', () => {
    for (const { codeOffset, end, instructions } of decodeWasm(sample).functions) {
      let at = codeOffset
      for (const instruction of instructions) {
        expect(instruction.offset).toBe(at)
        at = instruction.end
      }
      expect(at).toBe(end)
      expect(sample[end - 1]).toBe(0x0b)
    }
  })

  it('gives section ranges that tile the file', () => {
    let at = 8
    for (const section of decodeWasm(sample).sections) {
      expect(section.offset).toBe(at)
      at = section.end
    }
    expect(at).toBe(sample.length)
  })

  it('decodes floats so that they can be refused by name', () => {
    const bytes = buildModule({
      functions: [{ parameters: [], results: [], code: [0x43, 0, 0, 0x80, 0x3f, 0x8c, 0x1a] }],
    })
    expect(decodeWasm(bytes).functions[0]?.instructions.map((i) => i.name)).toEqual([
      'f32.const',
      'f32.neg',
      'drop',
      'end',
    ])
  })

  it('stops a body at an instruction it cannot read', () => {
    const bytes = buildModule({
      functions: [{ parameters: [], results: [], code: [...i32Const(0), 0xfd, 0x0f, 0x1a] }],
    })
    const last = decodeWasm(bytes).functions[0]?.instructions.at(-1)
    expect(last).toMatchObject({ unreadable: true, name: 'SIMD instruction 0xfd 0xf' })
  })

  it('refuses every truncation with the code and an offset', () => {
    for (let size = 0; size < sample.length; size++) {
      const cut = sample.subarray(0, size)
      if (WebAssembly.validate(cut)) continue
      try {
        decodeWasm(cut)
      } catch (error) {
        expect(error).toMatchObject({ code: 'WASM_MALFORMED' })
        expect((error as AttestreamError).message).toMatch(/at byte 0x[0-9a-f]+/)
      }
    }
  })

  it('never fails in another way on altered bytes, and decodes all that the runtime accepts', () => {
    const edit = fc.array(fc.tuple(fc.nat(sample.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(edit, (edits) => {
        const bytes = sample.slice()
        for (const [at, value] of edits) bytes[at] = value
        try {
          decodeWasm(bytes)
        } catch (error) {
          expect(error).toMatchObject({ code: 'WASM_MALFORMED' })
        }
      }),
      { numRuns: 3000, seed: 7 },
    )
  })

  it('bounds what a small file can make it allocate', () => {
    const locals = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0]
    const body = [1, 0xff, 0xff, 0xff, 0xff, 0x0f, I32, 0x0b]
    expect(failure(Uint8Array.from([...locals, 10, body.length + 2, 1, body.length, ...body])).message).toMatch(
      /locals/,
    )
    expect(
      failure(Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 0xff, 0xff, 0xff, 0xff, 0x0f])).message,
    ).toMatch(/entries do not fit/)
  })

  it('agrees with the runtime on signed constants at the edges', () => {
    for (const value of [0n, -1n, 63n, 64n, -64n, -65n, 2n ** 63n - 1n, -(2n ** 63n), 0x7fffffffffn]) {
      const bytes = buildModule({ functions: [{ parameters: [], results: [I64], code: i64Const(value) }] })
      expect(decodeWasm(bytes).functions[0]?.instructions[0]?.value).toBe(value)
    }
    const bytes = buildModule({
      functions: [{ parameters: [I32], results: [I32], code: [...localGet(0), ...memoryAccess(0x28, 2 ** 32 - 1)] }],
      memoryPages: 1,
    })
    expect(decodeWasm(bytes).functions[0]?.instructions[1]).toMatchObject({ name: 'i32.load', second: 2 ** 32 - 1 })
  })
})
