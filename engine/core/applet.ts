// The applet's binary interface: the custom section attestream.abi, the export `verify`, and maxUnitsPerFrame
// (docs/architecture.md §3). Everything that runs, compiles or displays an applet reads it here.

import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, type Hex } from './codec.ts'
import { AttestreamError } from './errors.ts'
import { isSigned, storageBits, type Field, type FieldType, type Layout } from './layout.ts'
import { decodeWasm, type WasmModule } from './wasm.ts'

export type { Field, Layout } from './layout.ts'

export type RecordName = 'reading' | 'state' | 'config' | 'context'

export interface AppletAbi {
  /** What `verify` takes, in order. Always starts with `reading`. */
  readonly parameters: readonly RecordName[]
  readonly reading: Layout
  readonly state: Layout
  readonly config: Layout
  /** Units of a frame saturate here; in [1, 2^38). */
  readonly maxUnitsPerFrame: bigint
}

/** Fixed addresses of the records in the applet's linear memory; each holds at most RECORD_BYTES. */
export const RECORD_ADDRESS = { reading: 1024, state: 2048, config: 3072, context: 4096 } as const
export const RECORD_BYTES = 1024

const BULK_INSTRUCTIONS = 4096

/**
 * What an instruction counts as fuel in the sandbox and against the compiler's limit: the same, so that a reading which the compiler
 * followed cannot run out of fuel. A bulk one counts for about a sixteenth of the bytes of a page, whatever its length.
 */
export function instructionFuel(name: string): number {
  return name.startsWith('memory.') && name !== 'memory.size' ? BULK_INSTRUCTIONS : 1
}

/** The circuit takes no later time of a block, in seconds, so that applets compute with no more bits: good for 34,000 years. */
export const ANCHOR_TIME_BITS = 40

/** The record that the chain fills: the time of the anchor, in seconds. */
export const CONTEXT_LAYOUT: Layout = [{ name: 'anchorTimeSec', type: 'u64', bits: 64, offset: 0 }]

const SECTION = 'attestream.abi'
const OPTIONAL_PARAMETERS: readonly RecordName[] = ['state', 'config', 'context']
const FIELD_TYPES: readonly FieldType[] = ['bool', 'u8', 'i8', 'u16', 'i16', 'u32', 'i32', 'u64', 'i64']
const MAX_UNITS = (1n << 38n) - 1n

/** SHA-256 of the WASM bytes. */
export function appletId(wasm: Uint8Array): Hex {
  return bytesToHex(sha256(wasm))
}

/** Reads and checks the ABI of an applet; throws WASM_MALFORMED, APPLET_ABI_MISSING or APPLET_ABI_INVALID. */
export function parseAppletAbi(wasm: Uint8Array): AppletAbi {
  const module = decodeWasm(wasm)
  const section = readSection(module)
  const abi: AppletAbi = {
    parameters: parseParameters(section.parameters),
    reading: parseLayout(section.reading, 'reading'),
    state: parseLayout(section.state, 'state'),
    config: parseLayout(section.config, 'config'),
    maxUnitsPerFrame: readMaxUnits(module),
  }
  if (abi.reading.length === 0) throw invalid('Reading declares no field')
  for (const name of ['state', 'config'] as const) {
    if (abi[name].length > 0 !== abi.parameters.includes(name))
      throw invalid(`parameters and the ${name} record disagree`)
  }
  checkVerify(module, abi.parameters.length)
  return abi
}

interface AbiSection {
  readonly abi: unknown
  readonly parameters: unknown
  readonly reading: unknown
  readonly state: unknown
  readonly config: unknown
}

function readSection(module: WasmModule): AbiSection {
  const sections = module.customs.filter((custom) => custom.name === SECTION)
  if (sections.length !== 1) {
    throw new AttestreamError(
      'APPLET_ABI_MISSING',
      `The WASM has ${sections.length} ${SECTION} sections, expected one. Compile it with the asconfig.json of this project.`,
    )
  }
  const parsed = parseJson(sections[0]!.bytes)
  if (typeof parsed !== 'object' || parsed === null || !('abi' in parsed) || parsed.abi !== 1) {
    throw invalid('it is not an object with "abi": 1')
  }
  return parsed as AbiSection
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw invalid('it is not UTF-8 JSON')
  }
}

function parseParameters(value: unknown): RecordName[] {
  if (!Array.isArray(value) || value[0] !== 'reading') throw invalid('parameters must start with "reading"')
  const rest = value.slice(1) as RecordName[]
  if (new Set(rest).size !== rest.length || !rest.every((name) => OPTIONAL_PARAMETERS.includes(name))) {
    throw invalid(
      `parameters are ${JSON.stringify(value).slice(0, 80)}; state, config and context may follow reading once each`,
    )
  }
  return ['reading', ...rest]
}

function parseLayout(value: unknown, record: string): Layout {
  if (!Array.isArray(value) || value.length > 128) throw invalid(`${record} must be a list of at most 128 fields`)
  const fields = value.map((field: unknown) => parseField(field, record))
  if (new Set(fields.map((field) => field.name)).size !== fields.length) throw invalid(`${record} repeats a field name`)
  let end = 0
  for (const field of [...fields].sort((a, b) => a.offset - b.offset)) {
    if (field.offset < end) throw invalid(`${record}.${field.name} overlaps another field`)
    end = field.offset + storageBits(field.type) / 8
  }
  if (end > RECORD_BYTES) throw invalid(`${record} takes ${end} bytes; at most ${RECORD_BYTES} are allowed`)
  return fields
}

function parseField(value: unknown, record: string): Field {
  const { name, type, bits, offset } = (value ?? {}) as Record<string, unknown>
  if (typeof name !== 'string' || !/^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(name))
    throw invalid(`${record} has a field without a valid name`)
  if (!FIELD_TYPES.includes(type as FieldType)) throw invalid(`${record}.${name} has an unknown type`)
  const width = storageBits(type as FieldType)
  const least = isSigned(type as FieldType) ? 2 : 1
  if (!Number.isInteger(bits) || (bits as number) < least || (bits as number) > (type === 'bool' ? 1 : width)) {
    throw invalid(`${record}.${name} declares ${String(bits)} bits for ${String(type)}`)
  }
  if (!Number.isInteger(offset) || (offset as number) < 0 || (offset as number) > RECORD_BYTES) {
    throw invalid(`${record}.${name} has no valid byte offset`)
  }
  return { name, type: type as FieldType, bits: bits as number, offset: offset as number }
}

function readMaxUnits(module: WasmModule): bigint {
  const exported = module.exports.find((entry) => entry.name === 'maxUnitsPerFrame' && entry.kind === 'global')
  const global = module.globals.find((entry) => entry.index === exported?.index)
  if (!global || global.mutable || !['i32.const', 'i64.const'].includes(constantName(global.init.opcode))) {
    throw invalid('it needs `export const maxUnitsPerFrame: u64 = …`, a constant')
  }
  const units = BigInt.asUintN(global.type === 'i32' ? 32 : 64, global.init.value)
  if (units < 1n || units > MAX_UNITS) throw invalid(`maxUnitsPerFrame is ${units}; expected 1 to ${MAX_UNITS}`)
  return units
}

function checkVerify(module: WasmModule, parameters: number): void {
  const exported = module.exports.find((entry) => entry.name === 'verify' && entry.kind === 'function')
  const target = module.functions.find((fn) => fn.index === exported?.index)
  const type = target?.type
  const fits = type?.parameters.length === parameters && type.parameters.every((parameter) => parameter === 'i32')
  if (!fits || type.results.length !== 1 || type.results[0] !== 'i32') {
    throw invalid(`it must export verify(${'i32, '.repeat(parameters).slice(0, -2)}) -> i32`)
  }
}

function constantName(opcode: number): string {
  return opcode === 0x41 ? 'i32.const' : opcode === 0x42 ? 'i64.const' : 'other'
}

function invalid(why: string): AttestreamError {
  return new AttestreamError(
    'APPLET_ABI_INVALID',
    `The applet's interface is refused: ${why}. See docs/architecture.md, Applet ABI.`,
  )
}
