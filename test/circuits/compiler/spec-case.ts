/**
 * Runs cases of the specification's tests: each lists what the specification gives for some x. The JavaScript engine and
 * the circuit must give it too, with x as a field of the Reading and with x as a constant of the code.
 */
import { expect, it } from 'vitest'
import { compileModule, interpret } from '../../../circuits/compiler/index.ts'
import type { Bytes } from '../../wasm-builder.ts'
import { i32Const, localGet, memoryAccess } from '../../wasm-builder.ts'
import type { AppletSpec } from './applet-module.ts'
import { buildTestApplet, fields } from './applet-module.ts'
import { nativeApplet } from './native.ts'

const FIELD = [...localGet(0), ...memoryAccess(0x28, 0)]

export interface Case extends Partial<Omit<AppletSpec, 'code'>> {
  /** verify's body for the bytes that push x. */
  code: (x: Bytes) => Bytes
  gives: readonly (readonly [x: number, expected: number | 'trap'])[]
  bits?: number
}

function run(spec: Case, x: Bytes, input: number): number | 'trap' {
  const wasm = buildTestApplet({ ...spec, reading: fields(`u32:${spec.bits ?? 32}`), code: spec.code(x) })
  const { ir, abi } = compileModule(wasm)
  const inputs = { enabled: true, reading: [BigInt(input >>> 0)], state: [], config: [], anchorTime: 0n }
  const outputs = interpret(ir, inputs)
  expect(outputs).toEqual(nativeApplet(wasm, abi)(inputs))
  return outputs.accepted ? Number(outputs.units) : 'trap'
}

/** One test for each case, by its name. */
export function tryAll(cases: Readonly<Record<string, Case>>): void {
  for (const [name, spec] of Object.entries(cases)) {
    it(name, () => {
      for (const [x, expected] of spec.gives) {
        expect([x, run(spec, FIELD, x)]).toEqual([x, expected])
        expect([x, run(spec, i32Const(x), 0)]).toEqual([x, expected])
      }
    })
  }
}
