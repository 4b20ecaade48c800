/**
 * The module as it is after instantiation: memory image with its data segments, table, globals, and the start function
 * run. Nothing here depends on inputs, so every value is a constant.
 */
import { RECORD_ADDRESS, RECORD_BYTES } from '../../engine/core/applet.ts'
import { AttestreamError } from '../../engine/core/errors.ts'
import type { WasmModule } from '../../engine/core/wasm.ts'
import type { Site } from '../../engine/core/call-trail.ts'
import { findCall, siteOf } from '../../engine/core/call-trail.ts'
import { unprovableImport, unprovableInstruction } from '../../engine/core/unprovable.ts'
import { Circuit } from './circuit.ts'
import { Executor } from './execute.ts'
import type { Lc } from './lc.ts'
import { ONE, constantLc } from './lc.ts'
import { Memory } from './memory.ts'
import type { CompilerLimits } from './refusal.ts'
import type { State } from './state.ts'
import { Words } from './words.ts'

const PAGE_BYTES = 65_536
const MAX_PAGES = 16
const WITH_CONFIG = 'Compile it with the asconfig.json of this project.'
const RECORDS_FROM = RECORD_ADDRESS.reading
const RECORDS_END = RECORD_ADDRESS.context + RECORD_BYTES

export interface Instance {
  globals: Lc[]
  memory: Memory
  table: readonly (number | undefined)[]
}

/** Throws `APPLET_UNSUPPORTED` when the module has imports, traps while it starts, or writes where the records lie. */
export function instantiate(module: WasmModule, limits: CompilerLimits): Instance {
  refuseShape(module)
  const instance: Instance = {
    globals: module.globals.map(({ init }) => constantLc(init.value)),
    memory: new Memory(initialImage(module)),
    table: initialTable(module),
  }
  if (module.start !== undefined) runStart(module, instance, limits)
  const records = instance.memory.image.subarray(RECORDS_FROM, RECORDS_END)
  if (records.some((byte) => byte !== 0)) {
    throw refused(
      `the applet's own data lies at ${RECORDS_FROM} to ${RECORDS_END}, where the records go`,
      'Compile it with --memoryBase 8192, as asconfig.json has it.',
    )
  }
  return instance
}

function refuseShape(module: WasmModule): void {
  const imported = module.imports[0]
  if (imported) {
    const { problem, advice } = unprovableImport(imported.module, imported.field)
    throw refused(problem, advice, imported.kind === 'function' ? findCall(module, 0) : undefined)
  }
  const pages = module.memories[0]?.minimum
  if (module.memories.length !== 1 || pages === undefined || pages < 1 || pages > MAX_PAGES) {
    throw refused(`it needs one memory of 1 to ${MAX_PAGES} pages`, WITH_CONFIG)
  }
  if (module.tables.length > 1 || (module.tables[0]?.minimum ?? 0) > 10_000)
    throw refused('it needs at most one small table', WITH_CONFIG)
  for (const { instructions, index } of module.functions) {
    const last = instructions.at(-1)
    if (last?.unreadable) {
      const { problem, advice } = unprovableInstruction(last.name)
      throw refused(problem, advice, siteOf(module, index, last))
    }
  }
  for (const { init, index } of module.globals) {
    if (init.opcode === 0x23) throw refused(`global ${index} is initialised from another one`, 'Use a constant.')
  }
}

function initialImage(module: WasmModule): Uint8Array {
  const image = new Uint8Array(module.memories[0]!.minimum * PAGE_BYTES)
  for (const { init, bytes, offset } of module.data) {
    if (init === undefined) continue
    const at = Number(BigInt.asUintN(32, init.value))
    if (init.opcode !== 0x41 || at + bytes.length > image.length) {
      throw refused(`the data segment at byte 0x${offset.toString(16)} does not fit the memory`, WITH_CONFIG)
    }
    image.set(bytes, at)
  }
  return image
}

function initialTable(module: WasmModule): (number | undefined)[] {
  const table = new Array<number | undefined>(module.tables[0]?.minimum ?? 0).fill(undefined)
  for (const { init, functions, offset } of module.elements) {
    const at = Number(BigInt.asUintN(32, init.value))
    if (init.opcode !== 0x41 || at + functions.length > table.length) {
      throw refused(`the element segment at byte 0x${offset.toString(16)} does not fit the table`, WITH_CONFIG)
    }
    functions.forEach((index, k) => (table[at + k] = index))
  }
  return table
}

/** Signals of the start function's own circuit mean nothing in another: everything it leaves behind is a constant. */
function runStart(module: WasmModule, instance: Instance, limits: CompilerLimits): void {
  const circuit = new Circuit(limits)
  const executor = new Executor(new Words(circuit), module, instance.table)
  const state = executor.call(module.start!, initialState(instance))
  if (state === undefined) throw refused('its start function traps', 'Check what is computed outside of functions.')
  if (circuit.signalCount > 0) throw new RangeError(`the start function made ${circuit.signalCount} signals`)
  instance.globals = state.globals
  instance.memory = state.memory.flatten()
}

/** The state in which every call begins, before the records are written. */
export function initialState(instance: Instance): State {
  return {
    predicate: ONE,
    stack: [],
    locals: [],
    globals: [...instance.globals],
    memory: instance.memory.clone(),
    known: new Map(),
  }
}

function refused(problem: string, advice: string, site?: Site): AttestreamError {
  const where =
    site === undefined ? 'the applet' : `${site.function} at byte 0x${site.offset.toString(16)} (${site.instruction})`
  return new AttestreamError('APPLET_UNSUPPORTED', `Cannot compile ${where}: ${problem}. ${advice}`, {
    ...site,
    problem,
    advice,
  })
}
