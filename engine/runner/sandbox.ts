/**
 * Makes an applet's WASM safe to run: refuses what an applet may not contain and meters the rest.
 *
 * The instrumented module takes fuel at the head of every straight-line segment of every function, loop bodies included, and traps when
 * it is used up; growing its memory is a trap; its start function no longer runs by itself but is exported, so that it is metered too; its
 * mutable globals are exported, so that a caller can restore them. Nothing else changes: same indices, same results.
 * It leaves validation to the WebAssembly runtime, and rollback and time limits to run.ts and pool.ts.
 */
import { instructionFuel } from '../core/applet.ts'
import { findCall, siteOf, type Site } from '../core/call-trail.ts'
import { AttestreamError, type ErrorCode } from '../core/errors.ts'
import { FLOATS, unprovableImport, unprovableInstruction, type Unprovable } from '../core/unprovable.ts'
import { decodeWasm, type Instruction, type ValueType, type WasmModule } from '../core/wasm.ts'
import { byteVector, concat, name, section, signedLeb, unsignedLeb, vector } from './wasm-encoder.ts'

export const APPLET_BYTES_MAX = 256 * 1024
const MEMORY_PAGES_MAX = 16
const TABLE_ENTRIES_MAX = 1024

/** Names that the instrumented module exports beside the applet's own. */
export const SANDBOX_EXPORT = {
  fuel: 'attestream.fuel',
  memory: 'attestream.memory',
  start: 'attestream.start',
} as const
/** Followed by the global's index. */
export const GLOBAL_EXPORT_PREFIX = 'attestream.global.'

const FLOAT_TYPES: readonly ValueType[] = ['f32', 'f64']
const CONTROL = {
  unreachable: 0x00,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
} as const
const MEMORY_GROW = 0x40
const UNREACHABLE = 0x00
const EXPORT_KIND = { function: 0, table: 1, memory: 2, global: 3 } as const
const EMPTY = new Uint8Array()

/**
 * Checks and rewrites an applet. Throws APPLET_TOO_LARGE, WASM_MALFORMED, APPLET_IMPORTS, APPLET_MEMORY_INVALID, APPLET_FLOATS or
 * APPLET_INSTRUCTION_UNSUPPORTED. The same input gives the same bytes; without custom sections.
 */
export function instrument(wasm: Uint8Array): Uint8Array {
  if (wasm.length > APPLET_BYTES_MAX) {
    throw new AttestreamError(
      'APPLET_TOO_LARGE',
      `The applet has ${wasm.length} bytes; at most ${APPLET_BYTES_MAX} are allowed.`,
    )
  }
  const module = decodeWasm(wasm)
  checkImports(module)
  checkMemory(module)
  for (const fn of module.functions) {
    for (const instruction of fn.instructions) checkInstruction(module, fn.index, instruction)
  }
  checkTypes(module)
  return rewrite(wasm, module)
}

function checkImports(module: WasmModule): void {
  const first = module.imports[0]
  if (!first) return
  const site = first.kind === 'function' ? findCall(module, 0) : undefined
  throw refused(
    'APPLET_IMPORTS',
    `it imports ${first.module}.${first.field}`,
    unprovableImport(first.module, first.field),
    site,
  )
}

function checkMemory(module: WasmModule): void {
  const pages = module.memories[0]?.minimum ?? 0
  if (module.memories.length !== 1 || pages < 1 || pages > MEMORY_PAGES_MAX) {
    throw new AttestreamError(
      'APPLET_MEMORY_INVALID',
      `The applet declares ${module.memories.length} memories, the first of ${pages} pages; it needs one of 1 to ${MEMORY_PAGES_MAX} pages.`,
    )
  }
  if (module.tables.length > 1 || (module.tables[0]?.minimum ?? 0) > TABLE_ENTRIES_MAX) {
    throw unsupported(`tables of more than ${TABLE_ENTRIES_MAX} entries`)
  }
  const taken = module.exports.find((entry) => entry.name.startsWith('attestream.'))
  if (taken) throw unsupported(`the export name ${taken.name}`)
}

function checkTypes(module: WasmModule): void {
  const types = [
    ...module.types.flatMap((type) => [...type.parameters, ...type.results]),
    ...module.globals.map((global) => global.type),
    ...module.functions.flatMap((fn) => fn.locals),
  ]
  if (types.some((type) => FLOAT_TYPES.includes(type))) {
    throw refused('APPLET_FLOATS', 'it has a value of type f32 or f64', FLOATS)
  }
  const other = types.find((type) => type !== 'i32' && type !== 'i64')
  if (other) throw unsupported(`a value of type ${other}`)
}

function checkInstruction(module: WasmModule, fn: number, instruction: Instruction): void {
  const { name: what, block, unreadable } = instruction
  const isFloating = /f32|f64/.test(what) || [...(block?.parameters ?? []), ...(block?.results ?? [])].some(isFloat)
  const isOther = /^(memory\.init|(data|elem)\.drop|table\.|ref\.|select_t)/.test(what)
  if (!isFloating && !isOther && !unreadable) return
  const site = siteOf(module, fn, instruction)
  const where = `${site.function} has ${what} at byte 0x${site.offset.toString(16)}`
  if (isFloating) throw refused('APPLET_FLOATS', where, FLOATS, site)
  throw refused('APPLET_INSTRUCTION_UNSUPPORTED', where, unprovableInstruction(what), site)
}

function isFloat(type: ValueType): boolean {
  return FLOAT_TYPES.includes(type)
}

function refused(code: ErrorCode, where: string, { problem, advice }: Unprovable, site?: Site): AttestreamError {
  return new AttestreamError(code, `The applet is refused, ${where}: ${problem}. ${advice}`, {
    ...site,
    problem,
    advice,
  })
}

function unsupported(what: string): AttestreamError {
  return new AttestreamError(
    'APPLET_INSTRUCTION_UNSUPPORTED',
    `The applet has ${what}, which applets may not use. Compile it with the asconfig.json of this project.`,
  )
}

function rewrite(wasm: Uint8Array, module: WasmModule): Uint8Array {
  const fuelGlobal = module.globals.length
  const payload = (id: number): Uint8Array => {
    const found = module.sections.find((entry) => entry.id === id)
    return found ? wasm.subarray(found.payload, found.end) : EMPTY
  }
  const pages = unsignedLeb(module.memories[0]!.minimum)
  const copied = (id: number): Uint8Array => (payload(id).length > 0 ? section(id, payload(id)) : EMPTY)
  return concat([
    wasm.subarray(0, 8),
    copied(1),
    copied(3),
    copied(4),
    section(5, vector([concat([[1], pages, pages])])),
    section(6, globalSection(payload(6), fuelGlobal)),
    section(7, exportSection(payload(7), module, fuelGlobal)),
    copied(9),
    copied(12),
    section(10, vector(module.functions.map((fn) => byteVector(meteredBody(wasm, fn, fuelGlobal))))),
    copied(11),
  ])
}

/** The applet's globals and, last, the mutable i64 fuel gauge. */
function globalSection(payload: Uint8Array, count: number): Uint8Array {
  const fuel = [0x7e, 1, 0x42, 0, CONTROL.end]
  return concat([unsignedLeb(count + 1), withoutCount(payload, count), fuel])
}

function exportSection(payload: Uint8Array, module: WasmModule, fuelGlobal: number): Uint8Array {
  const added: [string, keyof typeof EXPORT_KIND, number][] = [
    [SANDBOX_EXPORT.fuel, 'global', fuelGlobal],
    [SANDBOX_EXPORT.memory, 'memory', 0],
  ]
  if (module.start !== undefined) added.push([SANDBOX_EXPORT.start, 'function', module.start])
  for (const { index, mutable } of module.globals) {
    if (mutable) added.push([`${GLOBAL_EXPORT_PREFIX}${index}`, 'global', index])
  }
  const entries = added.map(([text, kind, index]) => concat([name(text), [EXPORT_KIND[kind]], unsignedLeb(index)]))
  const count = module.exports.length
  return concat([unsignedLeb(count + entries.length), withoutCount(payload, count), ...entries])
}

/** The entries of a vector whose bytes are kept; its count may be encoded in more bytes than needed. */
function withoutCount(payload: Uint8Array, count: number): Uint8Array {
  if (count === 0) return EMPTY
  const first = payload.findIndex((byte) => byte < 0x80)
  return payload.subarray(first + 1)
}

function meteredBody(wasm: Uint8Array, fn: WasmModule['functions'][number], fuelGlobal: number): Uint8Array {
  const parts: (Uint8Array | number[])[] = [wasm.subarray(fn.localsOffset, fn.codeOffset)]
  let segment: Instruction[] = []
  const close = (): void => {
    const [first, last] = [segment[0], segment.at(-1)]
    if (!first || !last) return
    parts.push(
      takeFuel(
        segment.reduce((sum, instruction) => sum + instructionFuel(instruction.name), 0),
        fuelGlobal,
      ),
    )
    const grows = last.opcode === MEMORY_GROW
    parts.push(wasm.subarray(first.offset, grows ? last.offset : last.end))
    if (grows) parts.push([UNREACHABLE])
    segment = []
  }
  for (const instruction of fn.instructions) {
    segment.push(instruction)
    if (endsSegment(instruction.opcode)) close()
  }
  close()
  return concat(parts)
}

/** Control can leave after, or arrive behind, these: what follows is charged on its own. */
function endsSegment(opcode: number): boolean {
  return opcode === MEMORY_GROW || Object.values(CONTROL).includes(opcode as (typeof CONTROL)['loop'])
}

/** fuel −= amount; trap if it is negative now. */
function takeFuel(amount: number, global: number): Uint8Array {
  const index = unsignedLeb(global)
  return concat([
    [0x23],
    index,
    [0x42],
    signedLeb(BigInt(amount)),
    [0x7d, 0x24],
    index,
    [0x23],
    index,
    [0x42, 0x00, 0x53, 0x04, 0x40, 0x00, CONTROL.end],
  ])
}
