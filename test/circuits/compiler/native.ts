/** Runs an applet's bytes on the JavaScript engine, one fresh instance for each call, as the oracle of the compiler's tests. */
import type { AppletAbi, Field, Layout } from '../../../engine/core/applet.ts'
import { RECORD_ADDRESS } from '../../../engine/core/applet.ts'
import { isSigned, storageBits } from '../../../engine/core/layout.ts'
import type { AppletInputs, AppletOutputs } from '../../../circuits/compiler/index.ts'
import { WebAssembly } from '../../webassembly.ts'

export type NativeRun = (inputs: AppletInputs) => AppletOutputs

/** Compiles the module once; each run instantiates it anew. */
export function nativeApplet(wasm: Uint8Array, abi: AppletAbi): NativeRun {
  const module = new WebAssembly.Module(wasm)
  return (inputs) => {
    const rejected = { accepted: false, units: 0n, nextState: [...inputs.state] }
    if (!inputs.enabled) return rejected
    const { exports } = new WebAssembly.Instance(module, {})
    const view = new DataView((exports.memory as { buffer: ArrayBuffer }).buffer)
    write(view, RECORD_ADDRESS.reading, abi.reading, inputs.reading)
    write(view, RECORD_ADDRESS.state, abi.state, inputs.state)
    write(view, RECORD_ADDRESS.config, abi.config, inputs.config)
    if (abi.parameters.includes('context')) view.setBigUint64(RECORD_ADDRESS.context, inputs.anchorTime, true)
    const verify = exports.verify as (...pointers: number[]) => number
    let units: bigint
    try {
      units = BigInt(verify(...abi.parameters.map((name) => RECORD_ADDRESS[name])) >>> 0)
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) return rejected
      throw error
    }
    const nextState = abi.state.map((field) => read(view, RECORD_ADDRESS.state, field))
    return nextState.includes(undefined) ? rejected : { accepted: true, units, nextState: nextState as bigint[] }
  }
}

function write(view: DataView, address: number, layout: Layout, values: readonly bigint[]): void {
  layout.forEach(({ type, bits, offset }, k) => {
    const value = isSigned(type) ? BigInt.asIntN(bits, values[k]!) : values[k]!
    const bytes = storageBits(type) / 8
    for (let at = 0; at < bytes; at++) view.setUint8(address + offset + at, Number((value >> BigInt(8 * at)) & 0xffn))
  })
}

/** The raw value, or undefined when the memory holds something wider than declared. */
function read(view: DataView, address: number, { type, bits, offset }: Field): bigint | undefined {
  const width = storageBits(type)
  let value = 0n
  for (let at = 0; at < width / 8; at++) value |= BigInt(view.getUint8(address + offset + at)) << BigInt(8 * at)
  if (!isSigned(type)) return value >> BigInt(bits) === 0n ? value : undefined
  const signed = BigInt.asIntN(width, value)
  return BigInt.asIntN(bits, signed) === signed ? BigInt.asUintN(bits, signed) : undefined
}
