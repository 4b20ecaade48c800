/**
 * Decoder of WebAssembly modules: MVP, sign extension and bulk memory.
 * Promises exact byte offsets in the file for everything it returns, and for every malformed input an AttestreamError
 * `WASM_MALFORMED` naming the offset, in time and memory linear in the input. It does not type-check bodies: the caller
 * lets the WebAssembly runtime validate, and limits the size of the file. Floating point decodes normally; an
 * instruction the decoder cannot read (SIMD, threads) ends its body with `unreadable: true` for the caller to refuse.
 */
import { AttestreamError } from './errors.ts'
import type { FunctionType, Instruction } from './wasm-instructions.ts'
import { readBody, readInstruction } from './wasm-instructions.ts'
import type { ValueType } from './wasm-reader.ts'
import { Reader, malformed } from './wasm-reader.ts'

export type { FunctionType, Instruction } from './wasm-instructions.ts'
export type { ValueType } from './wasm-reader.ts'

export type ExternalKind = 'function' | 'table' | 'memory' | 'global'

export interface WasmFunction {
  /** Index among all functions, imported ones first. */
  index: number
  name: string | undefined
  typeIndex: number
  type: FunctionType
  /** Declared locals, without the parameters. */
  locals: ValueType[]
  instructions: Instruction[]
  /** The body's size field, its local declarations, its first instruction, one past its last byte. */
  bodyOffset: number
  localsOffset: number
  codeOffset: number
  end: number
}

export interface Limits {
  minimum: number
  maximum: number | undefined
}

export interface WasmImport {
  module: string
  field: string
  kind: ExternalKind
  typeIndex: number
  offset: number
}

export interface ConstantExpression {
  opcode: number
  /** Signed value, or the index for global.get. */
  value: bigint
  offset: number
}

export interface WasmGlobal {
  index: number
  type: ValueType
  mutable: boolean
  init: ConstantExpression
}

export interface WasmExport {
  name: string
  kind: ExternalKind
  index: number
}

export interface ElementSegment {
  table: number
  init: ConstantExpression
  functions: number[]
  offset: number
}

export interface DataSegment {
  /** Undefined for a passive segment. */
  init: ConstantExpression | undefined
  bytes: Uint8Array
  offset: number
}

export interface Section {
  id: number
  /** The id byte, the first byte of the payload, one past the payload. */
  offset: number
  payload: number
  end: number
}

export interface CustomSection {
  name: string
  bytes: Uint8Array
  offset: number
}

export interface WasmModule {
  types: FunctionType[]
  imports: WasmImport[]
  importedFunctions: number
  importedGlobals: number
  functions: WasmFunction[]
  tables: Limits[]
  memories: Limits[]
  globals: WasmGlobal[]
  exports: WasmExport[]
  start: number | undefined
  elements: ElementSegment[]
  data: DataSegment[]
  customs: CustomSection[]
  sections: Section[]
}

const MAX_LOCALS = 10_000
const MAX_LOCALS_OF_MODULE = 200_000
const SECTION_ORDER = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11]
const EXTERNAL_KINDS: readonly ExternalKind[] = ['function', 'table', 'memory', 'global']

/** Decodes a module. Throws `WASM_MALFORMED` with the byte offset; never reads or allocates beyond a small multiple of the input. */
export function decodeWasm(bytes: Uint8Array): WasmModule {
  const reader = new Reader(bytes, 0, bytes.length)
  const magic = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]
  for (const expected of magic) {
    if (reader.byte() !== expected) throw malformed(reader.offset - 1, 'not a WebAssembly version 1 module')
  }
  const module = emptyModule()
  const functionTypes: number[] = []
  let lastOrder = 0
  let bodies = 0
  while (reader.offset < bytes.length) {
    const offset = reader.offset
    const id = reader.byte()
    const section = reader.sub(reader.u32())
    module.sections.push({ id, offset, payload: section.offset, end: section.end })
    reader.offset = section.end
    const order = SECTION_ORDER.indexOf(id)
    if (order < 0) throw malformed(offset, `unknown section ${id}`)
    if (id !== 0) {
      if (order <= lastOrder) throw malformed(offset, `section ${id} out of order or repeated`)
      lastOrder = order
    }
    if (id === 10) bodies = readCode(section, module, functionTypes)
    else readSection(id, section, module, functionTypes, offset)
    if (section.offset !== section.end) throw malformed(section.offset, `section ${id} is longer than its content`)
  }
  if (bodies !== functionTypes.length) {
    throw malformed(bytes.length, `${functionTypes.length} functions declared, ${bodies} bodies`)
  }
  nameFunctions(module)
  return module
}

/** How error messages call a function: its name in quotes when the module has one, and its index. */
export function describeFunction(module: WasmModule, index: number): string {
  const name = module.functions[index - module.importedFunctions]?.name
  return name === undefined ? `function ${index}` : `function "${name}" (${index})`
}

function emptyModule(): WasmModule {
  return {
    types: [],
    imports: [],
    importedFunctions: 0,
    importedGlobals: 0,
    functions: [],
    tables: [],
    memories: [],
    globals: [],
    exports: [],
    start: undefined,
    elements: [],
    data: [],
    customs: [],
    sections: [],
  }
}

function readSection(id: number, r: Reader, module: WasmModule, functionTypes: number[], offset: number): void {
  if (id === 0) module.customs.push({ name: r.name(), bytes: r.rest(), offset })
  else if (id === 1) r.vector(() => module.types.push(readFunctionType(r)))
  else if (id === 2) r.vector(() => readImport(r, module))
  else if (id === 3) r.vector(() => functionTypes.push(readTypeIndex(r, module)))
  else if (id === 4) r.vector(() => module.tables.push(readTable(r)))
  else if (id === 5) r.vector(() => module.memories.push(readLimits(r)))
  else if (id === 6) r.vector(() => readGlobal(r, module))
  else if (id === 7) r.vector(() => module.exports.push({ name: r.name(), kind: readKind(r), index: r.u32() }))
  else if (id === 8) module.start = r.u32()
  else if (id === 9) r.vector(() => module.elements.push(readElement(r)))
  else if (id === 11) r.vector(() => module.data.push(readData(r)))
  else if (id === 12) r.u32()
}

function readFunctionType(r: Reader): FunctionType {
  const offset = r.offset
  if (r.byte() !== 0x60) throw malformed(offset, 'expected a function type (0x60)')
  const parameters: ValueType[] = []
  const results: ValueType[] = []
  r.vector(() => parameters.push(r.valueType()))
  r.vector(() => results.push(r.valueType()))
  return { parameters, results }
}

function readTypeIndex(r: Reader, module: WasmModule): number {
  const offset = r.offset
  const index = r.u32()
  if (index >= module.types.length) throw malformed(offset, `type ${index} does not exist`)
  return index
}

function readKind(r: Reader): ExternalKind {
  const offset = r.offset
  const kind = EXTERNAL_KINDS[r.byte()]
  if (kind === undefined) throw malformed(offset, 'unknown kind of import or export')
  return kind
}

function readImport(r: Reader, module: WasmModule): void {
  const offset = r.offset
  const imported = r.name()
  const field = r.name()
  const kind = readKind(r)
  let typeIndex = 0
  if (kind === 'function') {
    typeIndex = readTypeIndex(r, module)
    module.importedFunctions++
  } else if (kind === 'table') readTable(r)
  else if (kind === 'memory') readLimits(r)
  else {
    r.valueType()
    r.byte()
    module.importedGlobals++
  }
  module.imports.push({ module: imported, field, kind, typeIndex, offset })
}

function readTable(r: Reader): Limits {
  const offset = r.offset
  const type = r.byte()
  if (type !== 0x70 && type !== 0x6f) throw malformed(offset, 'unknown table element type')
  return readLimits(r)
}

function readLimits(r: Reader): Limits {
  const offset = r.offset
  const flags = r.byte()
  if (flags > 1) throw malformed(offset, 'shared and 64-bit memories are not supported')
  const minimum = r.u32()
  return { minimum, maximum: flags === 1 ? r.u32() : undefined }
}

function readGlobal(r: Reader, module: WasmModule): void {
  const index = module.importedGlobals + module.globals.length
  const type = r.valueType()
  const offset = r.offset
  const mutability = r.byte()
  if (mutability > 1) throw malformed(offset, 'mutability must be 0 or 1')
  module.globals.push({ index, type, mutable: mutability === 1, init: readConstant(r) })
}

function readConstant(r: Reader): ConstantExpression {
  const offset = r.offset
  const instruction = readInstruction(r, [])
  const { opcode, value, index } = instruction
  if ((opcode < 0x41 || opcode > 0x44) && opcode !== 0x23) {
    throw malformed(offset, `${instruction.name} is not supported in a constant expression`)
  }
  if (r.byte() !== 0x0b) throw malformed(r.offset - 1, 'a constant expression must be a single constant')
  return { opcode, value: opcode === 0x23 ? BigInt(index) : value, offset }
}

function readElement(r: Reader): ElementSegment {
  const offset = r.offset
  const flags = r.u32()
  if (flags !== 0 && flags !== 2) throw malformed(offset, `element segments of kind ${flags} are not supported`)
  const table = flags === 2 ? r.u32() : 0
  const init = readConstant(r)
  if (flags === 2 && r.byte() !== 0) throw malformed(r.offset - 1, 'unknown element kind')
  const functions: number[] = []
  r.vector(() => functions.push(r.u32()))
  return { table, init, functions, offset }
}

function readData(r: Reader): DataSegment {
  const offset = r.offset
  const flags = r.u32()
  if (flags > 2) throw malformed(offset, `data segments of kind ${flags} do not exist`)
  if (flags === 2) r.u32()
  const init = flags === 1 ? undefined : readConstant(r)
  return { init, bytes: r.sub(r.u32(), true).rest(), offset }
}

function readCode(r: Reader, module: WasmModule, functionTypes: number[]): number {
  let position = 0
  let localsOfModule = 0
  r.vector(() => {
    const bodyOffset = r.offset
    const typeIndex = functionTypes[position]
    const type = module.types[typeIndex ?? -1]
    if (typeIndex === undefined || type === undefined) throw malformed(bodyOffset, 'a body without a declaration')
    const body = r.sub(r.u32(), true)
    const localsOffset = body.offset
    const locals = readLocals(body)
    localsOfModule += locals.length
    if (localsOfModule > MAX_LOCALS_OF_MODULE) throw malformed(localsOffset, 'too many locals in all')
    const codeOffset = body.offset
    const instructions = readBody(body, module.types)
    const index = module.importedFunctions + position++
    const { end } = body
    module.functions.push({
      index,
      name: undefined,
      typeIndex,
      type,
      locals,
      instructions,
      bodyOffset,
      localsOffset,
      codeOffset,
      end,
    })
  })
  return position
}

function readLocals(r: Reader): ValueType[] {
  const locals: ValueType[] = []
  r.vector(() => {
    const offset = r.offset
    const count = r.u32()
    if (locals.length + count > MAX_LOCALS) throw malformed(offset, `more than ${MAX_LOCALS} locals`)
    const type = r.valueType()
    for (let k = 0; k < count; k++) locals.push(type)
  })
  return locals
}

function nameFunctions(module: WasmModule): void {
  for (const { name, kind, index } of module.exports) {
    const exported = module.functions[index - module.importedFunctions]
    if (kind === 'function' && exported !== undefined) exported.name ??= name
  }
  const section = module.customs.find((custom) => custom.name === 'name')
  if (section === undefined) return
  try {
    readNames(new Reader(section.bytes, 0, section.bytes.length), module)
  } catch (error) {
    if (!(error instanceof AttestreamError)) throw error
    // A damaged name section only costs the names: the specification makes it ignorable.
  }
}

function readNames(r: Reader, module: WasmModule): void {
  while (r.offset < r.end) {
    const id = r.byte()
    const sub = r.sub(r.u32(), true)
    if (id !== 1) continue
    sub.vector(() => {
      const named = module.functions[sub.u32() - module.importedFunctions]
      const name = sub.name()
      if (named !== undefined) named.name = name
    })
  }
}
