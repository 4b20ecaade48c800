/**
 * Two judges of one program, and the audit: the JavaScript engine on the same bytes, the interpreter of the circuit, and
 * everything the compiler believed on the way. The third judge, circom's witness generator, takes many programs at once
 * (circom-judge.ts). Programs whose inputs have few bits are tried on all of them.
 */
import type { AppletAbi } from '../../../engine/core/applet.ts'
import { isAttestreamError } from '../../../engine/core/errors.ts'
import type { AppletInputs, AppletOutputs, CompiledApplet } from '../../../circuits/compiler/index.ts'
import { compileModule, interpret } from '../../../circuits/compiler/index.ts'
import { WebAssembly } from '../../webassembly.ts'
import { randomInputs, randomSource } from './applet-module.ts'
import { auditApplet } from './audit.ts'
import { nativeApplet } from './native.ts'

/** Programs with at most this many bits of inputs are tried on all inputs. */
const EXHAUSTIVE_BITS = 12
/** Inputs on which claims are tried, of each program. */
const AUDITED_INPUTS = 24

export interface Verdict {
  /** Undefined where the compiler refused the program. */
  compiled: CompiledApplet | undefined
  refusal: string | undefined
  inputs: number
}

/** Throws an error that shows program and inputs when the judges disagree or a claim is false. */
export function judge(wasm: Uint8Array, seed: number, randomCount: number): Verdict {
  if (!WebAssembly.validate(wasm)) throw new Error(`program ${seed} does not validate`)
  const compiled = compiledOrRefusal(wasm)
  if (typeof compiled === 'string') return { compiled: undefined, refusal: compiled, inputs: 0 }
  const native = nativeApplet(wasm, compiled.abi)
  const audit = auditApplet(wasm)
  const inputs = inputsOf(compiled.abi, seed, randomCount)
  const step = Math.ceil(inputs.length / AUDITED_INPUTS)
  inputs.forEach((input, k) => {
    const expected = native(input)
    const actual = attempt(() => interpret(compiled.ir, input))
    if (shown(expected) !== shown(actual))
      throw new Error(`inputs ${shown(input)}: the engine gives ${shown(expected)}, the circuit ${shown(actual)}`)
    const complaint = k % step === 0 ? attempt(() => audit.check(input)) : undefined
    if (complaint !== undefined) throw new Error(`inputs ${shown(input)}: ${shown(complaint)}`)
  })
  return { compiled, refusal: undefined, inputs: inputs.length }
}

function compiledOrRefusal(wasm: Uint8Array): CompiledApplet | string {
  try {
    return compileModule(wasm)
  } catch (error) {
    if (isAttestreamError(error, 'APPLET_UNSUPPORTED')) return (error as Error).message
    throw error
  }
}

function attempt<T>(run: () => T): T | string {
  try {
    return run()
  } catch (error) {
    return String(error)
  }
}

export function shown(value: AppletInputs | AppletOutputs | string | void): string {
  return JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? part.toString() : part))
}

function inputsOf(abi: AppletAbi, seed: number, randomCount: number): AppletInputs[] {
  const bits = [...abi.reading, ...abi.state, ...abi.config].reduce((total, field) => total + field.bits, 0)
  if (bits <= EXHAUSTIVE_BITS && !abi.parameters.includes('context')) return allInputs(abi, bits)
  const random = randomSource(seed ^ 0x5eed)
  return Array.from({ length: randomCount }, () => randomInputs(random, abi))
}

function allInputs(abi: AppletAbi, bits: number): AppletInputs[] {
  return Array.from({ length: 2 ** bits }, (_, number) => {
    let rest = BigInt(number)
    const record = (layout: AppletAbi['reading']): bigint[] =>
      layout.map((field) => {
        const value = BigInt.asUintN(field.bits, rest)
        rest >>= BigInt(field.bits)
        return value
      })
    const [reading, state, config] = [record(abi.reading), record(abi.state), record(abi.config)]
    return { enabled: true, reading, state, config, anchorTime: 0n }
  })
}
