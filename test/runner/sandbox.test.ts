import { describe, expect, it } from 'vitest'
import { APPLET_BYTES_MAX, instrument } from '../../engine/runner/sandbox.ts'
import { compileApplet, runBatch } from '../../engine/runner/run.ts'
import { wat } from './wat.ts'

const ZERO = '(i32.const 0)'
const FORTY_TWO = [{ state: [], readings: [[42n]] }]

describe('the sandbox refuses', () => {
  it.each([
    ['a float constant', { body: '(i32.trunc_sat_f32_s (f32.const 1))' }, 'APPLET_FLOATS'],
    ['a float load', { body: '(i32.trunc_f64_u (f64.load (local.get $reading)))' }, 'APPLET_FLOATS'],
    ['a float local', { body: `(local f64) ${ZERO}` }, 'APPLET_FLOATS'],
    ['a float global', { body: ZERO, module: '(global f32 (f32.const 0))' }, 'APPLET_FLOATS'],
    ['a float in a function nobody calls', { body: ZERO, module: '(func (param f32))' }, 'APPLET_FLOATS'],
    ['SIMD', { body: '(i32x4.extract_lane 0 (v128.load (local.get $reading)))' }, 'APPLET_INSTRUCTION_UNSUPPORTED'],
    ['an atomic', { body: '(i32.atomic.load (local.get $reading))' }, 'APPLET_INSTRUCTION_UNSUPPORTED'],
    [
      'an imported function',
      { body: ZERO, memory: '(import "env" "now" (func (result i32))) (memory 1)' },
      'APPLET_IMPORTS',
    ],
    ['an imported memory', { body: ZERO, memory: '(import "env" "memory" (memory 1))' }, 'APPLET_IMPORTS'],
    ['no memory', { body: ZERO, memory: '' }, 'APPLET_MEMORY_INVALID'],
    ['too many pages', { body: ZERO, memory: '(memory 17)' }, 'APPLET_MEMORY_INVALID'],
    [
      'its own export names',
      { body: ZERO, module: '(func (export "attestream.fuel"))' },
      'APPLET_INSTRUCTION_UNSUPPORTED',
    ],
  ])('%s', (_, shape, code) => {
    expect(() => instrument(wat(shape))).toThrow(expect.objectContaining({ code }))
  })

  it('bytes that are too many, without reading them', () => {
    const wasm = new Uint8Array(10 * 1024 * 1024)
    expect(() => instrument(wasm)).toThrow(expect.objectContaining({ code: 'APPLET_TOO_LARGE' }))
    expect(() => instrument(wasm.subarray(0, APPLET_BYTES_MAX))).toThrow(
      expect.objectContaining({ code: 'WASM_MALFORMED' }),
    )
  })

  it('a module that decodes but does not validate', () => {
    const wasm = wat({ body: '(i32.add (i32.const 1) (i32.const 2))' })
    const add = wasm.findIndex((byte, i) => byte === 0x6a && wasm[i + 1] === 0x0b)
    const broken = Uint8Array.from(wasm)
    broken[add] = 0x7c
    expect(() => compileApplet(broken)).toThrow(expect.objectContaining({ code: 'WASM_MALFORMED' }))
  })

  it.each([
    ['a start function that traps', '(start $start) (func $start unreachable)'],
    ['data outside memory', '(data (i32.const 65535) "ab")'],
  ])('%s', (_, module) => {
    const wasm = wat({ body: ZERO, module })
    const run = () => runBatch({ wasm, config: [], anchorTimeSec: 0n, slots: FORTY_TWO })
    expect(run).toThrow(expect.objectContaining({ code: 'APPLET_START_FAILED' }))
  })
})

describe('the sandbox changes no result', () => {
  const value = '(i32.load (local.get $reading))'
  it.each([
    [
      'if and else',
      `(if (result i32) (i32.gt_u ${value} (i32.const 50)) (then (i32.const 1)) (else (i32.const 2)))`,
      2n,
    ],
    [
      'br_table',
      `(block $b (block $a (br_table $a $b (i32.and ${value} (i32.const 1)))) (return (i32.const 7))) (i32.const 8)`,
      7n,
    ],
    ['block results', `(block $out (result i32) (br_if $out (i32.const 3) ${value}) drop (i32.const 4))`, 3n],
    ['code after return', `(return ${value}) (i32.const 1)`, 42n],
    ['call_indirect', '(call_indirect (type $binary) (i32.const 40) (i32.const 2) (i32.const 0))', 42n],
    [
      'memory.copy',
      `(memory.copy (i32.const 9000) (local.get $reading) (i32.const 4)) (i32.load (i32.const 9000))`,
      42n,
    ],
    ['data and globals', '(i32.add (i32.load8_u (i32.const 8192)) (global.get $seven))', 104n],
  ])('%s', (_, body, units) => {
    const module = `(type $binary (func (param i32 i32) (result i32))) (table 1 1 funcref) (elem (i32.const 0) $add)
      (func $add (type $binary) (i32.add (local.get 0) (local.get 1)))
      (global $seven i32 (i32.const 7)) (data (i32.const 8192) "a")`
    const result = runBatch({ wasm: wat({ body, module }), config: [], anchorTimeSec: 0n, slots: FORTY_TWO })
    expect(result.slots[0]!.units).toEqual([units])
  })

  it('but that growing memory is a trap, even by nothing', () => {
    for (const pages of [0, 1]) {
      const wasm = wat({
        body: `(if (i32.eq ${value} (i32.const 7)) (then (drop (memory.grow (i32.const ${pages}))))) ${value}`,
      })
      const slots = [{ state: [], readings: [[7n], [42n]] }]
      const [slot] = runBatch({ wasm, config: [], anchorTimeSec: 0n, slots }).slots
      expect(slot).toMatchObject({ units: [0n, 42n], accepted: [false, true] })
    }
  })

  it('nor its own bytes from one time to the next', () => {
    const wasm = wat({ body: ZERO })
    expect(instrument(wasm)).toEqual(instrument(wasm))
  })
})
