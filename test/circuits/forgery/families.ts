/**
 * Small applets, one for each family of instructions: six bits of reading and at most three of State, so that every input can
 * be tried, and yet every gadget and every way of combining them occurs.
 */
import type { AppletInputs, CompiledApplet } from '../../../circuits/compiler/index.ts'
import { compileModule } from '../../../circuits/compiler/index.ts'
import { I32, i32Const, localGet, localSet, memoryAccess } from '../../wasm-builder.ts'
import type { AppletSpec } from '../compiler/applet-module.ts'
import { buildTestApplet, fields } from '../compiler/applet-module.ts'

export interface Family {
  readonly name: string
  readonly wasm: Uint8Array
  readonly compiled: CompiledApplet
}

const EMPTY = 0x40
const a = [...localGet(0), ...memoryAccess(0x2d, 0)]
const b = [...localGet(0), ...memoryAccess(0x2d, 8)]
const signedA = [...a, ...i32Const(4), 0x6b]
const signedB = [...b, ...i32Const(3), 0x6b]
const state = [...localGet(1), ...memoryAccess(0x2d, 0)]
const storeState = memoryAccess(0x3a, 0)
const STATE: Partial<AppletSpec> = { state: fields('u8:3') }
const branch = (condition: number[], yes: number[], no: number[]): number[] =>
  [...condition, 0x04, I32, ...yes, 0x05, ...no, 0x0b] // prettier-ignore

const PROGRAMS: Record<string, Partial<AppletSpec> & { code: number[] }> = {
  'add and mask': { code: [...a, ...b, 0x6a, ...i32Const(7), 0x71] },
  'sub with wrap': { code: [...a, ...b, 0x6b] },
  mul: { code: [...a, ...b, 0x6c] },
  'div_u': { code: [...a, ...b, 0x6e] },
  'rem_u': { code: [...a, ...b, 0x70] },
  'div_s': { code: [...signedA, ...signedB, 0x6d] },
  'rem_s': { code: [...signedA, ...signedB, 0x6f] },
  'division by a constant': { code: [...a, ...i32Const(3), 0x74, ...b, 0x6a, ...i32Const(5), 0x6e] },
  shl: { code: [...a, ...b, 0x74] },
  'shr_u': { code: [...a, ...b, ...i32Const(3), 0x71, 0x76] },
  'shr_s': { code: [...signedA, ...b, ...i32Const(3), 0x71, 0x75] },
  'rotl': { code: [...a, ...b, ...i32Const(3), 0x71, 0x77] },
  'and or': { code: [...a, ...b, 0x71, ...a, ...b, 0x72, ...i32Const(3), 0x74, 0x6a] },
  xor: { code: [...a, ...b, 0x73] },
  'ctz and popcnt': { code: [...a, 0x68, ...b, 0x69, 0x6a] },
  clz: { code: [...a, ...b, 0x6a, 0x67] },
  'lt_s and ge_u': { code: [...signedA, ...signedB, 0x48, ...i32Const(1), 0x74, ...a, ...b, 0x4f, 0x6a] },
  'eq and eqz': { code: [...a, ...b, 0x46, ...i32Const(1), 0x74, ...a, 0x45, 0x6a] },
  select: { code: [...a, ...b, ...a, ...i32Const(3), 0x4b, 0x1b] },
  'branch with a store': {
    ...STATE,
    code: branch([...a, ...b, 0x49], [...localGet(1), ...a, ...storeState, ...b], [...localGet(1), ...b, ...storeState, ...i32Const(1)]),
  },
  'width of State': { ...STATE, code: [...localGet(1), ...state, ...a, 0x6a, ...storeState, ...b] },
  'trap on order': { ...STATE, code: [...a, ...b, 0x4b, 0x04, EMPTY, 0x00, 0x0b, ...localGet(1), ...a, ...storeState, ...b] },
  'loop with an exit': {
    locals: [I32],
    code: [...i32Const(0), ...localSet(1), 0x03, EMPTY, ...localGet(1), ...i32Const(5), 0x4f, 0x04, EMPTY, 0x00, 0x0b, ...localGet(1), ...i32Const(1), 0x6a, 0x22, 1, ...a, 0x49, 0x0d, 0, 0x0b, ...localGet(1), ...b, 0x6a],
  },
  'symbolic load': { code: [...localGet(0), ...a, ...i32Const(1), 0x71, ...i32Const(3), 0x74, 0x6a, ...memoryAccess(0x2d, 0)] },
  'symbolic store': {
    state: fields('u8:3', 'u8:3'),
    code: [...localGet(1), ...a, ...i32Const(1), 0x71, ...i32Const(3), 0x74, 0x6a, ...b, ...memoryAccess(0x3a, 0), ...b],
  },
  'table lookup': {
    data: [{ offset: 6000, bytes: Array.from({ length: 64 }, (_, k) => (k * 37 + 11) & 255) }],
    code: [...a, ...b, ...i32Const(3), 0x74, 0x6a, ...memoryAccess(0x2d, 6000)],
  },
} // prettier-ignore

/** Every reading of six bits, each with some State. */
export function everyInput({ abi }: CompiledApplet): AppletInputs[] {
  return Array.from({ length: 64 }, (_, k) => ({
    enabled: true,
    reading: [BigInt(k & 7), BigInt(k >> 3)],
    state: abi.state.map((_field, at) => BigInt((k * 5 + at) % 8)),
    config: [],
    anchorTime: 0n,
  }))
}

export function families(): Family[] {
  return Object.entries(PROGRAMS).map(([name, spec]) => {
    const wasm = buildTestApplet({ reading: fields('u8:3', 'u8:3'), ...spec })
    return { name, wasm, compiled: compileModule(wasm) }
  })
}
