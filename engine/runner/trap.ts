// Where an applet trapped, for people: the runner's module is instrumented and its offsets mean nothing to them, so a reading
// that was rejected is run again on the original module. The two differ in memory.grow alone, which only the runner traps.

import { CONTEXT_LAYOUT, RECORD_ADDRESS, type AppletAbi, type Layout, type RecordName } from '../core/applet.ts'
import type { RawRecord } from '../core/layout.ts'
import { decodeWasm } from '../core/wasm.ts'
import { writeField } from './record-memory.ts'

export interface TrapInput {
  readonly reading: RawRecord
  readonly state: RawRecord
  readonly config: RawRecord
  readonly anchorTimeSec: bigint
}

/** Byte offsets in the WASM file of the instruction that trapped and of the calls that led there, innermost first. */
export type TrapLocator = (input: TrapInput) => number[]

/**
 * A locator for one applet. It has no fuel: give it only readings that the runner has rejected, which end. It gives no offsets
 * without a trap, as when State left its declared width, nor for an applet that could grow its memory, which no circuit has.
 */
export function createTrapLocator(wasm: Uint8Array, abi: AppletAbi): TrapLocator {
  const mayGrow = decodeWasm(wasm).functions.some(({ instructions }) =>
    instructions.some(({ name }) => name === 'memory.grow'),
  )
  if (mayGrow) return () => []
  const module = new WebAssembly.Module(wasm as Uint8Array<ArrayBuffer>)
  const memoryName = WebAssembly.Module.exports(module).find(({ kind }) => kind === 'memory')?.name
  return ({ reading, state, config, anchorTimeSec }) => {
    const { exports } = new WebAssembly.Instance(module)
    const memory = memoryName === undefined ? undefined : (exports[memoryName] as WebAssembly.Memory)
    if (memory === undefined) return []
    const view = new DataView(memory.buffer)
    const write = (record: RecordName, layout: Layout, values: RawRecord) =>
      layout.forEach((field, i) => writeField(view, RECORD_ADDRESS[record] + field.offset, field, values[i]!))
    write('reading', abi.reading, reading)
    write('state', abi.state, state)
    write('config', abi.config, config)
    if (abi.parameters.includes('context')) write('context', CONTEXT_LAYOUT, [anchorTimeSec])
    const verify = exports['verify'] as (...addresses: number[]) => number
    try {
      verify(...abi.parameters.map((name) => RECORD_ADDRESS[name]))
      return []
    } catch (error) {
      return error instanceof WebAssembly.RuntimeError ? wasmOffsets(error) : []
    }
  }
}

/** V8 names WebAssembly frames `wasm-function[index]:0xoffset`; the offset counts from the start of the module. */
function wasmOffsets({ stack = '' }: Error): number[] {
  return [...stack.matchAll(/wasm-function\[\d+\]:0x([0-9a-f]+)/g)].map(([, offset]) => Number.parseInt(offset!, 16))
}
