/** Instructions of a function body, as a flat list with exact byte ranges. */
import type { ImmediateKind } from './wasm-opcodes.ts'
import { opcodeInfo } from './wasm-opcodes.ts'
import type { Reader, ValueType } from './wasm-reader.ts'
import { VALUE_TYPES, malformed } from './wasm-reader.ts'

export interface FunctionType {
  parameters: ValueType[]
  results: ValueType[]
}

/** Fields an instruction does not have are 0, 0n, [] or undefined. */
export interface Instruction {
  /** One byte, or `prefix * 0x10000 + sub`. */
  opcode: number
  name: string
  /** First byte of the instruction in the file, and one past its last byte. */
  offset: number
  end: number
  /** Label depth, function, type, local or global index; alignment exponent of a memory access. */
  index: number
  /** Second index: table of call_indirect; static offset of a memory access. */
  second: number
  /** Signed value of a constant; raw bits of a float constant. */
  value: bigint
  /** br_table's labels, the default one last. */
  targets: readonly number[]
  /** Signature of block, loop and if. */
  block: FunctionType | undefined
  /** The bytes from `offset` to `end` could not be read; nothing follows in this body. */
  unreadable: boolean
}

const MAX_BLOCK_DEPTH = 1_000

/** The instructions up to the end of a body, blocks properly nested. */
export function readBody(r: Reader, types: FunctionType[]): Instruction[] {
  const instructions: Instruction[] = []
  const open: number[] = [0x02]
  while (open.length > 0) {
    const instruction = readInstruction(r, types)
    instructions.push(instruction)
    if (instruction.unreadable) return instructions
    trackNesting(instruction, open)
  }
  if (r.offset !== r.end) throw malformed(r.offset, 'bytes after the end of a function')
  return instructions
}

function trackNesting({ opcode, offset }: Instruction, open: number[]): void {
  if (opcode >= 0x02 && opcode <= 0x04) {
    if (open.length >= MAX_BLOCK_DEPTH) throw malformed(offset, `blocks nested deeper than ${MAX_BLOCK_DEPTH}`)
    open.push(opcode)
  } else if (opcode === 0x05) {
    if (open.pop() !== 0x04) throw malformed(offset, 'else without if')
    open.push(0x05)
  } else if (opcode === 0x0b) open.pop()
}

export function readInstruction(r: Reader, types: FunctionType[]): Instruction {
  const offset = r.offset
  const first = r.byte()
  const opcode = first >= 0xfb && first <= 0xfe ? first * 0x10000 + r.u32() : first
  const info = opcodeInfo(opcode)
  const instruction: Instruction = {
    opcode,
    name: info?.name ?? unreadableName(first, opcode),
    offset,
    end: r.offset,
    index: 0,
    second: 0,
    value: 0n,
    targets: [],
    block: undefined,
    unreadable: info === undefined,
  }
  if (info === undefined) r.offset = r.end
  else readImmediates(r, info.immediates, instruction, types)
  instruction.end = r.offset
  return instruction
}

function unreadableName(first: number, opcode: number): string {
  if (first === 0xfd) return `SIMD instruction 0xfd 0x${(opcode & 0xffff).toString(16)}`
  if (first === 0xfe) return `atomic instruction 0xfe 0x${(opcode & 0xffff).toString(16)}`
  return `instruction 0x${opcode.toString(16)}`
}

function readImmediates(r: Reader, kind: ImmediateKind, into: Instruction, types: FunctionType[]): void {
  if (kind === 'block') into.block = readBlockType(r, types)
  else if (kind === 'index') into.index = r.u32()
  else if (kind === 'byte') into.index = r.byte()
  else if (kind === 'i32') into.value = r.signed(32)
  else if (kind === 'i64') into.value = r.signed(64)
  else if (kind === 'f32') into.value = r.littleEndian(4)
  else if (kind === 'f64') into.value = r.littleEndian(8)
  else if (kind === 'types') r.vector(() => r.valueType())
  else if (kind === 'table') {
    const targets: number[] = []
    r.vector(() => targets.push(r.u32()))
    targets.push(r.u32())
    into.targets = targets
  } else if (kind === 'twoBytes') {
    into.index = r.byte()
    into.second = r.byte()
  } else if (kind === 'memory' || kind === 'twoIndices') {
    into.index = r.u32()
    into.second = r.u32()
  }
}

function readBlockType(r: Reader, types: FunctionType[]): FunctionType {
  const offset = r.offset
  const code = Number(r.signed(33))
  if (code === -64) return { parameters: [], results: [] }
  if (code < 0) {
    const type = VALUE_TYPES.get(code + 0x80)
    if (type === undefined) throw malformed(offset, 'unknown block type')
    return { parameters: [], results: [type] }
  }
  const type = types[code]
  if (type === undefined) throw malformed(offset, `type ${code} does not exist`)
  return type
}
