/**
 * Runs an applet natively over a batch, in this thread: the semantics of docs/architecture.md §3, call by call.
 *
 * Every call finds memory and globals as they were after instantiation. A trap, or a State field that left its declared width, rejects
 * the reading: 0 units, State as before. Using up the fuel is no rejection: the whole run fails with APPLET_BUDGET_EXCEEDED, since the
 * circuit knows no fuel. One instance serves one batch and is then dropped.
 */
import {
  CONTEXT_LAYOUT,
  parseAppletAbi,
  RECORD_ADDRESS,
  type AppletAbi,
  type Layout,
  type RecordName,
} from '../core/applet.ts'
import { AttestreamError } from '../core/errors.ts'
import type { SlotJob, SlotResult } from '../core/execution.ts'
import { checkRecord, type RawRecord } from '../core/layout.ts'
import { readField, writeField } from './record-memory.ts'
import { GLOBAL_EXPORT_PREFIX, instrument, SANDBOX_EXPORT } from './sandbox.ts'

/** Instructions, about, that one call of `verify` may execute. */
export const FUEL_PER_READING = 1_000_000

/** A batch to run, less the applet: the public config, the time of the anchor and the slots. */
export interface BatchInput {
  readonly config: readonly bigint[]
  readonly anchorTimeSec: bigint
  readonly slots: readonly SlotJob[]
}

export interface BatchJob extends BatchInput {
  readonly wasm: Uint8Array
}

export interface Rejection {
  /** Place of the reading in its frame. */
  readonly reading: number
  /** For people: what trapped, or which State field left its width. */
  readonly reason: string
}

/** A slot's result, with what people want to know beside it. */
export interface SlotRun extends SlotResult {
  readonly rejections: readonly Rejection[]
}

export interface BatchResult {
  readonly slots: readonly SlotRun[]
}

/** An applet that passed the sandbox's checks: instantiated anew for every batch. */
export interface CompiledApplet {
  readonly abi: AppletAbi
  readonly module: WebAssembly.Module
}

/** Checks, meters and compiles an applet. Throws the codes of `instrument` and of `parseAppletAbi`; WASM_MALFORMED if V8 refuses it. */
export function compileApplet(wasm: Uint8Array): CompiledApplet {
  const metered = instrument(wasm)
  const abi = parseAppletAbi(wasm)
  try {
    new WebAssembly.Module(wasm as Uint8Array<ArrayBuffer>)
    return { abi, module: new WebAssembly.Module(metered as Uint8Array<ArrayBuffer>) }
  } catch (cause) {
    throw new AttestreamError('WASM_MALFORMED', `The WASM does not validate: ${messageOf(cause)}.`, {}, { cause })
  }
}

/**
 * Runs a batch in a fresh instance; `fuel` is per reading. Throws the codes of `compileApplet` and of `runCompiledBatch`.
 */
export function runBatch(job: BatchJob, fuel = FUEL_PER_READING): BatchResult {
  return runCompiledBatch(compileApplet(job.wasm), job, fuel)
}

/** Throws APPLET_START_FAILED, APPLET_BUDGET_EXCEEDED, and RECORD_FIELD_* for a record that is not in raw form. */
export function runCompiledBatch(applet: CompiledApplet, batch: BatchInput, fuel = FUEL_PER_READING): BatchResult {
  const call = startApplet(applet, batch, fuel)
  return { slots: batch.slots.map((slot) => runSlot(applet.abi, call, slot)) }
}

/** What one call of `verify` gave: units and State after it, or why the reading is rejected. */
export type CallOutcome = { readonly units: bigint; readonly state: bigint[] } | { readonly reason: string }

/** One reading of a device whose State is given. Throws APPLET_BUDGET_EXCEEDED. */
export type AppletCall = (reading: RawRecord, state: RawRecord) => CallOutcome

/** One instance for readings that come one by one, in raw form. Throws APPLET_START_FAILED, APPLET_BUDGET_EXCEEDED, RECORD_FIELD_*. */
export function startApplet(
  applet: CompiledApplet,
  { config, anchorTimeSec }: Pick<BatchInput, 'config' | 'anchorTimeSec'>,
  fuel = FUEL_PER_READING,
): AppletCall {
  checkRecord(applet.abi.config, config)
  const instance = new AppletInstance(applet, fuel)
  instance.setBatch(config, anchorTimeSec)
  return (reading, state) => instance.call(reading, state)
}

function runSlot(abi: AppletAbi, call: AppletCall, slot: SlotJob): SlotRun {
  checkRecord(abi.state, slot.state)
  let state = [...slot.state]
  const units: bigint[] = []
  const accepted: boolean[] = []
  const rejections: Rejection[] = []
  slot.readings.forEach((reading, index) => {
    checkRecord(abi.reading, reading)
    const outcome = call(reading, state)
    if ('reason' in outcome) rejections.push({ reading: index, reason: outcome.reason })
    else state = outcome.state
    units.push('reason' in outcome ? 0n : outcome.units)
    accepted.push(!('reason' in outcome))
  })
  return { units, accepted, nextState: state, rejections }
}

class AppletInstance {
  readonly #abi: AppletAbi
  readonly #fuel: bigint
  readonly #gauge: WebAssembly.Global
  readonly #memory: Uint8Array
  readonly #view: DataView
  readonly #pristine: Uint8Array
  readonly #globals: { global: WebAssembly.Global; value: unknown }[]
  readonly #verify: () => number

  constructor({ abi, module }: CompiledApplet, fuel: number) {
    this.#abi = abi
    this.#fuel = BigInt(fuel)
    const exports = instantiate(module)
    this.#gauge = exports[SANDBOX_EXPORT.fuel] as WebAssembly.Global
    this.#memory = new Uint8Array((exports[SANDBOX_EXPORT.memory] as WebAssembly.Memory).buffer)
    this.#view = new DataView(this.#memory.buffer)
    this.#start(exports[SANDBOX_EXPORT.start] as (() => void) | undefined)
    this.#pristine = this.#memory.slice()
    this.#globals = Object.entries(exports)
      .filter(([name]) => name.startsWith(GLOBAL_EXPORT_PREFIX))
      .map(([, value]) => value as WebAssembly.Global)
      .map((global) => ({ global, value: global.value }))
    const verify = exports['verify'] as (...addresses: number[]) => number
    const addresses = abi.parameters.map((name) => RECORD_ADDRESS[name])
    this.#verify = () => verify(...addresses)
  }

  /** Config and context are the same for every call: they join the state that every call starts from. */
  setBatch(config: readonly bigint[], anchorTimeSec: bigint): void {
    this.#memory.set(this.#pristine)
    this.#write('config', this.#abi.config, config)
    if (this.#abi.parameters.includes('context')) this.#write('context', CONTEXT_LAYOUT, [anchorTimeSec])
    this.#pristine.set(this.#memory)
  }

  call(reading: readonly bigint[], state: readonly bigint[]): CallOutcome {
    this.#memory.set(this.#pristine)
    for (const { global, value } of this.#globals) global.value = value
    this.#write('reading', this.#abi.reading, reading)
    this.#write('state', this.#abi.state, state)
    this.#gauge.value = this.#fuel
    try {
      const units = BigInt(this.#verify() >>> 0)
      return this.#readState(units)
    } catch (error) {
      this.#checkBudget(error, 'verify')
      return { reason: messageOf(error) }
    }
  }

  #start(start: (() => void) | undefined): void {
    if (!start) return
    this.#gauge.value = this.#fuel
    try {
      start()
    } catch (error) {
      this.#checkBudget(error, 'the start function')
      throw new AttestreamError('APPLET_START_FAILED', `The applet's start function traps: ${messageOf(error)}.`)
    }
  }

  /** A stack overflow counts as budget: how deep the stack is depends on the machine. */
  #checkBudget(error: unknown, what: string): void {
    const trapped = error instanceof WebAssembly.RuntimeError
    if (trapped && (this.#gauge.value as bigint) >= 0n) return
    throw new AttestreamError(
      'APPLET_BUDGET_EXCEEDED',
      trapped
        ? `${what} executed more than ${this.#fuel} instructions for one reading; bound its loops.`
        : `${what} failed outside WebAssembly's traps (${messageOf(error)}); applets may not recurse deeply.`,
    )
  }

  #write(record: RecordName, layout: Layout, values: readonly bigint[]): void {
    layout.forEach((field, i) => writeField(this.#view, RECORD_ADDRESS[record] + field.offset, field, values[i]!))
  }

  #readState(units: bigint): CallOutcome {
    const state: bigint[] = []
    for (const field of this.#abi.state) {
      const raw = readField(this.#view, RECORD_ADDRESS.state + field.offset, field)
      if (raw === undefined) return { reason: `State.${field.name} left its ${field.bits} bits` }
      state.push(raw)
    }
    return { units, state }
  }
}

function instantiate(module: WebAssembly.Module): WebAssembly.Exports {
  try {
    return new WebAssembly.Instance(module).exports
  } catch (cause) {
    const message = `The applet cannot be instantiated: ${messageOf(cause)}.`
    throw new AttestreamError('APPLET_START_FAILED', message, {}, { cause })
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
