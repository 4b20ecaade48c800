import { describe, expect, it } from 'vitest'
import { runBatch, type BatchResult } from '../../engine/runner/run.ts'
import { U32, wat } from './wat.ts'

const COUNT_STATE = [{ ...U32, name: 'count' }]

function run(wasm: Uint8Array, readings: bigint[], state: bigint[] = [], fuel?: number): BatchResult['slots'][number] {
  const slots = [{ state, readings: readings.map((value) => [value]) }]
  return runBatch({ wasm, config: [], anchorTimeSec: 0n, slots }, fuel).slots[0]!
}

describe('running a batch', () => {
  it('returns the units of every reading as an unsigned number', () => {
    const wasm = wat({ body: '(i32.sub (i32.load (local.get $reading)) (i32.const 1))' })
    expect(run(wasm, [8n, 0n])).toEqual({
      units: [7n, 0xffff_ffffn],
      accepted: [true, true],
      nextState: [],
      rejections: [],
    })
  })

  it('carries State from reading to reading and keeps slots apart', () => {
    const body = `
      (i32.store (local.get $state) (i32.add (i32.load (local.get $state)) (i32.load (local.get $reading))))
      (i32.load (local.get $state))`
    const wasm = wat({ body, state: COUNT_STATE })
    const slots = [
      { state: [10n], readings: [[1n], [2n]] },
      { state: [0n], readings: [[5n]] },
      { state: [7n], readings: [] },
    ]
    const result = runBatch({ wasm, config: [], anchorTimeSec: 0n, slots })
    expect(result.slots.map((slot) => slot.units)).toEqual([[11n, 13n], [5n], []])
    expect(result.slots.map((slot) => slot.nextState)).toEqual([[13n], [5n], [7n]])
  })

  it('rolls State back when the applet traps', () => {
    const body = `
      (i32.store (local.get $state) (i32.const 99))
      (if (i32.eqz (i32.load (local.get $reading))) (then unreachable))
      (i32.const 1)`
    const slot = run(wat({ body, state: COUNT_STATE }), [0n, 1n, 0n], [5n])
    expect(slot).toMatchObject({ units: [0n, 1n, 0n], accepted: [false, true, false], nextState: [99n] })
    expect(slot.rejections).toEqual([
      { reading: 0, reason: 'unreachable' },
      { reading: 2, reason: 'unreachable' },
    ])
    expect(run(wat({ body, state: COUNT_STATE }), [0n], [5n]).nextState).toEqual([5n])
  })

  it.each([
    ['division by zero', '(i32.div_u (i32.const 1) (i32.load (local.get $reading)))', /divi/],
    ['an address outside memory', '(i32.load (i32.const -4))', /memory access/],
  ])('rejects a reading on %s', (_, body, reason) => {
    const slot = run(wat({ body }), [0n])
    expect(slot.accepted).toEqual([false])
    expect(slot.rejections[0]!.reason).toMatch(reason)
  })

  it.each([
    ['u32', 10, 1023, true],
    ['u32', 10, 1024, false],
    ['i32', 10, -512, true],
    ['i32', 10, -513, false],
    ['i32', 10, 512, false],
    ['bool', 1, 2, false],
    ['i8', 8, 200, true],
  ])('judges a State field %s of %i bits that becomes %i', (type, bits, value, accepted) => {
    const store = type === 'bool' || type === 'i8' ? 'i32.store8' : 'i32.store'
    const body = `(${store} (local.get $state) (i32.const ${value})) (i32.const 4)`
    const slot = run(wat({ body, state: [{ name: 'field', type, bits, offset: 0 }] }), [0n], [1n])
    expect(slot.accepted).toEqual([accepted])
    expect(slot.units).toEqual([accepted ? 4n : 0n])
    expect(slot.nextState).toEqual([accepted ? BigInt.asUintN(bits, BigInt(value)) : 1n])
  })

  it('writes signed fields sign-extended from their declared width', () => {
    const body = '(i32.sub (i32.const 0) (i32.load (local.get $state)))'
    const state = [{ name: 'field', type: 'i32', bits: 10, offset: 0 }]
    expect(run(wat({ body, state }), [0n], [0x3ffn]).units).toEqual([1n])
  })

  it('starts every call from the same memory and globals', () => {
    const body = `
      (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
      (i32.store (i32.const 9000) (i32.add (i32.load (i32.const 9000)) (i32.const 10)))
      (i32.add (global.get $calls) (i32.load (i32.const 9000)))`
    const wasm = wat({ body, module: '(global $calls (mut i32) (i32.const 0))' })
    expect(run(wasm, [0n, 0n, 0n]).units).toEqual([11n, 11n, 11n])
  })

  it('keeps what the start function prepared', () => {
    const module = `(global $base (mut i64) (i64.const 1)) (start $start)
      (func $start (global.set $base (i64.const 40)) (i32.store (i32.const 9000) (i32.const 2)))`
    const body = '(i32.add (i32.wrap_i64 (global.get $base)) (i32.load (i32.const 9000)))'
    expect(run(wat({ body, module }), [0n, 0n]).units).toEqual([42n, 42n])
  })

  it('refuses records that are not in raw form', () => {
    const wasm = wat({ body: '(i32.const 0)', state: COUNT_STATE })
    expect(() => run(wasm, [1n << 32n], [0n])).toThrow(/declares unsigned 32 bits/)
    expect(() => run(wasm, [0n], [-1n])).toThrow(/declares unsigned 32 bits/)
  })
})

describe('the instruction budget', () => {
  const exceeded = expect.objectContaining({ code: 'APPLET_BUDGET_EXCEEDED' })

  it.each([
    ['an endless loop', '(loop $again (br $again)) (i32.const 0)'],
    ['a loop of calls', '(loop $again (call $nothing) (br $again)) (i32.const 0)'],
    ['an endless recursion', '(call $forever)'],
  ])('stops %s and fails the run', (_, body) => {
    const module = '(func $nothing) (func $forever (result i32) (i32.add (call $forever) (i32.const 1)))'
    expect(() => run(wat({ body, module }), [0n])).toThrow(exceeded)
  })

  it('stops a start function that does not end', () => {
    const module = '(start $start) (func $start (loop $again (br $again)))'
    expect(() => run(wat({ body: '(i32.const 0)', module }), [])).toThrow(exceeded)
  })

  it('is counted per reading, and charges each turn of a loop', () => {
    const body = `(local $i i32)
      (loop $again
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $again (i32.lt_u (local.get $i) (i32.load (local.get $reading)))))
      (local.get $i)`
    const wasm = wat({ body })
    expect(run(wasm, [90n, 90n, 90n], [], 1000).units).toEqual([90n, 90n, 90n])
    expect(() => run(wasm, [90n, 200n], [], 1000)).toThrow(exceeded)
  })

  it('charges nothing for what stands behind a jump', () => {
    const dead = '(nop)'.repeat(8000)
    for (const jump of ['(br $skip)', '(br_table $skip (i32.const 0))']) {
      const body = `(block $skip ${jump} ${dead}) (i32.const 7)`
      expect(run(wat({ body }), [0n], [], 1000).units).toEqual([7n])
    }
    expect(run(wat({ body: `(return (i32.const 7)) ${dead} (i32.const 8)` }), [0n], [], 1000).units).toEqual([7n])
  })

  it('charges a bulk copy more than an instruction', () => {
    const body = '(memory.fill (i32.const 9000) (i32.const 1) (i32.const 5000)) (i32.const 0)'
    expect(() => run(wat({ body }), [0n], [], 1000)).toThrow(exceeded)
    expect(run(wat({ body }), [0n], [], 10_000).accepted).toEqual([true])
  })
})
