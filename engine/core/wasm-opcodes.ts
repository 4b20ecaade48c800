/**
 * Names and immediates of the WebAssembly instructions the decoder knows: MVP, sign extension, and the
 * bulk-memory and saturating instructions of the 0xFC page. Floating point is listed so that it can be refused by name.
 * A prefixed instruction's opcode is `prefix * 0x10000 + sub`, e.g. memory.copy = 0xfc000a.
 */

export type ImmediateKind =
  | 'none'
  | 'block'
  | 'index'
  | 'twoIndices'
  | 'table'
  | 'memory'
  | 'byte'
  | 'twoBytes'
  | 'i32'
  | 'i64'
  | 'f32'
  | 'f64'
  | 'types'

export interface OpcodeInfo {
  name: string
  immediates: ImmediateKind
}

const OPCODES = new Map<number, OpcodeInfo>()

/** The instruction with this opcode, or undefined when it is outside what the decoder can read. */
export function opcodeInfo(opcode: number): OpcodeInfo | undefined {
  return OPCODES.get(opcode)
}

const PAGES: readonly [first: number, immediates: ImmediateKind, names: string][] = [
  [0x00, 'none', 'unreachable nop'],
  [0x02, 'block', 'block loop if'],
  [0x05, 'none', 'else'],
  [0x0b, 'none', 'end'],
  [0x0c, 'index', 'br br_if'],
  [0x0e, 'table', 'br_table'],
  [0x0f, 'none', 'return'],
  [0x10, 'index', 'call'],
  [0x11, 'twoIndices', 'call_indirect'],
  [0x1a, 'none', 'drop select'],
  [0x1c, 'types', 'select_t'],
  [0x20, 'index', 'local.get local.set local.tee global.get global.set table.get table.set'],
  [0x28, 'memory', 'i32.load i64.load f32.load f64.load i32.load8_s i32.load8_u i32.load16_s i32.load16_u'],
  [0x30, 'memory', 'i64.load8_s i64.load8_u i64.load16_s i64.load16_u i64.load32_s i64.load32_u'],
  [0x36, 'memory', 'i32.store i64.store f32.store f64.store i32.store8 i32.store16 i64.store8 i64.store16 i64.store32'],
  [0x3f, 'byte', 'memory.size memory.grow'],
  [0x41, 'i32', 'i32.const'],
  [0x42, 'i64', 'i64.const'],
  [0x43, 'f32', 'f32.const'],
  [0x44, 'f64', 'f64.const'],
  [0x45, 'none', prefixed('i32', 'eqz eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u')],
  [0x50, 'none', prefixed('i64', 'eqz eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u')],
  [0x5b, 'none', prefixed('f32', 'eq ne lt gt le ge')],
  [0x61, 'none', prefixed('f64', 'eq ne lt gt le ge')],
  [0x67, 'none', prefixed('i32', 'clz ctz popcnt add sub mul div_s div_u rem_s rem_u')],
  [0x71, 'none', prefixed('i32', 'and or xor shl shr_s shr_u rotl rotr')],
  [0x79, 'none', prefixed('i64', 'clz ctz popcnt add sub mul div_s div_u rem_s rem_u')],
  [0x83, 'none', prefixed('i64', 'and or xor shl shr_s shr_u rotl rotr')],
  [0x8b, 'none', prefixed('f32', 'abs neg ceil floor trunc nearest sqrt add sub mul div min max copysign')],
  [0x99, 'none', prefixed('f64', 'abs neg ceil floor trunc nearest sqrt add sub mul div min max copysign')],
  [0xa7, 'none', prefixed('i32', 'wrap_i64 trunc_f32_s trunc_f32_u trunc_f64_s trunc_f64_u')],
  [0xac, 'none', prefixed('i64', 'extend_i32_s extend_i32_u trunc_f32_s trunc_f32_u trunc_f64_s trunc_f64_u')],
  [0xb2, 'none', prefixed('f32', 'convert_i32_s convert_i32_u convert_i64_s convert_i64_u demote_f64')],
  [0xb7, 'none', prefixed('f64', 'convert_i32_s convert_i32_u convert_i64_s convert_i64_u promote_f32')],
  [0xbc, 'none', 'i32.reinterpret_f32 i64.reinterpret_f64 f32.reinterpret_i32 f64.reinterpret_i64'],
  [0xc0, 'none', 'i32.extend8_s i32.extend16_s i64.extend8_s i64.extend16_s i64.extend32_s'],
  [0xd0, 'byte', 'ref.null'],
  [0xd1, 'none', 'ref.is_null'],
  [0xd2, 'index', 'ref.func'],
  [0xfc0000, 'none', prefixed('i32', 'trunc_sat_f32_s trunc_sat_f32_u trunc_sat_f64_s trunc_sat_f64_u')],
  [0xfc0004, 'none', prefixed('i64', 'trunc_sat_f32_s trunc_sat_f32_u trunc_sat_f64_s trunc_sat_f64_u')],
  [0xfc0008, 'twoIndices', 'memory.init'],
  [0xfc0009, 'index', 'data.drop'],
  [0xfc000a, 'twoBytes', 'memory.copy'],
  [0xfc000b, 'byte', 'memory.fill'],
  [0xfc000c, 'twoIndices', 'table.init'],
  [0xfc000d, 'index', 'elem.drop'],
  [0xfc000e, 'twoIndices', 'table.copy'],
  [0xfc000f, 'index', 'table.grow table.size table.fill'],
]

function prefixed(type: string, names: string): string {
  return names
    .split(' ')
    .map((name) => `${type}.${name}`)
    .join(' ')
}

for (const [first, immediates, names] of PAGES) {
  names.split(' ').forEach((name, position) => OPCODES.set(first + position, { name, immediates }))
}
