// Applets for tests, written as WebAssembly text around one `verify`, with the ABI section the transform would write.

import binaryen from 'assemblyscript/binaryen'

interface TestField {
  name: string
  type: string
  bits: number
  offset: number
}

export const U32: TestField = { name: 'value', type: 'u32', bits: 32, offset: 0 }

interface Shape {
  /** Function body of verify; its parameters are $reading and, with a state, $state. */
  body: string
  /** Further module fields. */
  module?: string
  state?: TestField[]
  memory?: string
  features?: number
}

const MAX_UNITS = '(global (export "maxUnitsPerFrame") i64 (i64.const 1000))'

export function wat({ body, module = '', state = [], memory = '(memory 1 1)', features }: Shape): Uint8Array {
  const parameters = state.length > 0 ? '(param $reading i32) (param $state i32)' : '(param $reading i32)'
  const text = `(module ${memory} ${MAX_UNITS} ${module} (func (export "verify") ${parameters} (result i32) ${body}))`
  const parsed = binaryen.parseText(text)
  parsed.setFeatures(features ?? binaryen.Features.All)
  const abi = {
    abi: 1,
    parameters: state.length > 0 ? ['reading', 'state'] : ['reading'],
    reading: [U32],
    state,
    config: [],
  }
  parsed.addCustomSection('attestream.abi', new TextEncoder().encode(JSON.stringify(abi)))
  const bytes = parsed.emitBinary()
  parsed.dispose()
  return bytes
}
