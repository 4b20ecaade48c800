import { describe, it, expect } from 'vitest'
import { compileApplet, interpret } from '../../../circuits/compiler/index.ts'
import { isAttestreamError } from '../../../engine/core/errors.ts'
import { WebAssembly } from '../../webassembly.ts'
import { randomInputs, randomSource } from './applet-module.ts'
import { nativeApplet } from './native.ts'
import { randomApplet } from './random-program.ts'

const PROGRAMS = Number(process.env.FUZZ_PROGRAMS ?? 300)
const FIRST_SEED = Number(process.env.FUZZ_SEED ?? 1)
const INPUTS = 12

/** Compares one program; false if the compiler refuses it, which is allowed. */
function agrees(seed: number): boolean {
  const wasm = randomApplet(seed)
  expect(WebAssembly.validate(wasm), `program ${seed} is valid`).toBe(true)
  let compiled
  try {
    compiled = compileApplet(wasm)
  } catch (error) {
    if (isAttestreamError(error, 'APPLET_UNSUPPORTED')) return false
    throw new Error(`program ${seed}: ${String((error as Error).stack)}`)
  }
  const native = nativeApplet(wasm, compiled.abi)
  const random = randomSource(seed ^ 0x5eed)
  for (let k = 0; k < INPUTS; k++) {
    const inputs = randomInputs(random, compiled.abi)
    let outputs
    try {
      outputs = interpret(compiled.ir, inputs)
    } catch (error) {
      throw new Error(`program ${seed}, input ${k}: ${String((error as Error).stack)}`)
    }
    expect({ seed, inputs, ...outputs }).toEqual({ seed, inputs, ...native(inputs) })
  }
  return true
}

describe('random programs', () => {
  it(`${PROGRAMS} of them give the same outputs in the circuit and on the engine`, { timeout: 600_000 }, () => {
    let compiled = 0
    for (let k = 0; k < PROGRAMS; k++) compiled += agrees(FIRST_SEED + k) ? 1 : 0
    expect(compiled).toBeGreaterThan(PROGRAMS * 0.6)
  })
})
