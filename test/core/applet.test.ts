import { describe, expect, it } from 'vitest'
import { appletId, parseAppletAbi } from '../../engine/core/applet.ts'
import { isAttestreamError } from '../../engine/core/errors.ts'
import { I32, I64, buildModule, i32Const, i64Const, type ModuleSpec } from '../wasm-builder.ts'

const READING = [
  { name: 'timeSec', type: 'u32', bits: 32, offset: 0 },
  { name: 'celsius', type: 'i16', bits: 12, offset: 4 },
]
const ABI = { abi: 1, parameters: ['reading'], reading: READING, state: [], config: [] }
const MAX_UNITS = { type: I64, mutable: false, init: i64Const(1000n), name: 'maxUnitsPerFrame' }
const verify = (parameters: number) => ({
  parameters: new Array<number>(parameters).fill(I32),
  results: [I32],
  code: i32Const(1),
  name: 'verify',
})

function applet(abi: unknown, spec: Partial<ModuleSpec> = {}): Uint8Array {
  const bytes = typeof abi === 'string' ? abi : JSON.stringify(abi)
  const customs = [{ name: 'attestream.abi', bytes: [...new TextEncoder().encode(bytes)] }]
  const parameters = (abi as { parameters?: unknown[] }).parameters?.length ?? 1
  return buildModule({ functions: [verify(parameters)], memoryPages: 1, globals: [MAX_UNITS], customs, ...spec })
}

function codeOf(wasm: Uint8Array): string {
  try {
    parseAppletAbi(wasm)
  } catch (error) {
    if (isAttestreamError(error)) return error.code
    throw error
  }
  return 'none'
}

describe('the applet ABI', () => {
  it('is read from the WASM', () => {
    const state = [{ name: 'total', type: 'u64', bits: 64, offset: 0 }]
    const abi = parseAppletAbi(applet({ ...ABI, parameters: ['reading', 'state', 'context'], state }))
    expect(abi).toEqual({ parameters: ['reading', 'state', 'context'], reading: READING, state, config: [], maxUnitsPerFrame: 1000n }) // prettier-ignore
  })

  it.each<[string, unknown]>([
    ['no JSON', 'not json'],
    ['invalid UTF-8 or cut off', '{"abi":1'],
    ['null', null],
    ['a list', []],
    ['another version', { ...ABI, abi: 2 }],
    ['parameters that do not start with reading', { ...ABI, parameters: ['state'] }],
    ['a parameter twice', { ...ABI, parameters: ['reading', 'context', 'context'] }],
    ['an unknown parameter', { ...ABI, parameters: ['reading', 'clock'] }],
    ['no list of parameters', { ...ABI, parameters: 'reading' }],
    ['an empty Reading', { ...ABI, reading: [] }],
    ['State without its parameter', { ...ABI, state: READING }],
    ['the state parameter without State', { ...ABI, parameters: ['reading', 'state'] }],
    ['Config without its parameter', { ...ABI, config: READING }],
    ['a field that is null', { ...ABI, reading: [null] }],
    ['a field without a name', { ...ABI, reading: [{ ...READING[0], name: '' }] }],
    ['a name with a separator of layoutId', { ...ABI, reading: [{ ...READING[0], name: 'a:u8,b' }] }],
    ['a name that is too long', { ...ABI, reading: [{ ...READING[0], name: 'n'.repeat(65) }] }],
    ['a float field', { ...ABI, reading: [{ ...READING[0], type: 'f64' }] }],
    ['a type that is no text', { ...ABI, reading: [{ ...READING[0], type: ['u32'] }] }],
    ['more bits than the type', { ...ABI, reading: [{ ...READING[0], bits: 33 }] }],
    ['no bits', { ...ABI, reading: [{ ...READING[0], bits: 0 }] }],
    ['one bit of a signed type', { ...ABI, reading: [{ ...READING[1], bits: 1 }] }],
    ['a bool of two bits', { ...ABI, reading: [{ name: 'a', type: 'bool', bits: 2, offset: 0 }] }],
    ['bits that are no integer', { ...ABI, reading: [{ ...READING[0], bits: 7.5 }] }],
    ['a negative offset', { ...ABI, reading: [{ ...READING[0], offset: -4 }] }],
    ['a field beyond the record', { ...ABI, reading: [{ ...READING[0], offset: 1022 }] }],
    ['overlapping fields', { ...ABI, reading: [READING[0], { ...READING[1], offset: 3 }] }],
    ['a name twice', { ...ABI, reading: [READING[0], { ...READING[0], offset: 4 }] }],
    ['too many fields', { ...ABI, reading: Array.from({ length: 129 }, (_, i) => ({ name: `f${i}`, type: 'u8', bits: 8, offset: i })) }], // prettier-ignore
    ['a record that is no list', { ...ABI, reading: { length: 1 } }],
    ['nesting without end', '['.repeat(100_000)],
  ])('with %s is refused', (_what, abi) => {
    expect(codeOf(applet(abi ?? 'null'))).toBe('APPLET_ABI_INVALID')
  })

  it('needs its section exactly once', () => {
    expect(codeOf(applet(ABI, { customs: [] }))).toBe('APPLET_ABI_MISSING')
    const one = { name: 'attestream.abi', bytes: [...new TextEncoder().encode(JSON.stringify(ABI))] }
    expect(codeOf(applet(ABI, { customs: [one, one] }))).toBe('APPLET_ABI_MISSING')
  })

  it('needs verify with one i32 for each parameter and an i32 result', () => {
    expect(codeOf(applet(ABI))).toBe('none')
    expect(codeOf(applet(ABI, { functions: [verify(2)] }))).toBe('APPLET_ABI_INVALID')
    expect(codeOf(applet(ABI, { functions: [{ ...verify(1), name: 'check' }] }))).toBe('APPLET_ABI_INVALID')
    expect(codeOf(applet(ABI, { functions: [{ ...verify(1), results: [I64] }] }))).toBe('APPLET_ABI_INVALID')
    expect(codeOf(applet(ABI, { functions: [{ ...verify(1), results: [] }] }))).toBe('APPLET_ABI_INVALID')
    expect(codeOf(applet(ABI, { functions: [{ ...verify(1), parameters: [I64] }] }))).toBe('APPLET_ABI_INVALID')
  })

  it('needs maxUnitsPerFrame, a constant from 1 to 2^38 − 1', () => {
    const withUnits = (change: object) => codeOf(applet(ABI, { globals: [{ ...MAX_UNITS, ...change }] }))
    expect(withUnits({})).toBe('none')
    expect(withUnits({ init: i64Const(2n ** 38n - 1n) })).toBe('none')
    expect(withUnits({ type: I32, init: i32Const(-1) })).toBe('none')
    expect(withUnits({ init: i64Const(2n ** 38n) })).toBe('APPLET_ABI_INVALID')
    expect(withUnits({ init: i64Const(0n) })).toBe('APPLET_ABI_INVALID')
    expect(withUnits({ init: i64Const(-1n) })).toBe('APPLET_ABI_INVALID')
    expect(withUnits({ mutable: true })).toBe('APPLET_ABI_INVALID')
    expect(withUnits({ name: 'other' })).toBe('APPLET_ABI_INVALID')
    expect(codeOf(applet(ABI, { globals: [] }))).toBe('APPLET_ABI_INVALID')
  })

  it('of bytes that are no WASM is refused as such', () => {
    for (const bytes of [new Uint8Array(), Uint8Array.of(1, 2, 3), applet(ABI).subarray(0, 40)]) {
      expect(codeOf(bytes)).toBe('WASM_MALFORMED')
    }
  })

  it('gives every WASM its own id', () => {
    const wasm = applet(ABI)
    expect(appletId(wasm)).toMatch(/^0x[0-9a-f]{64}$/)
    expect(appletId(Uint8Array.of(...wasm, 0))).not.toBe(appletId(wasm))
  })
})
