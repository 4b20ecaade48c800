// The engine's own witness calculator: carries out a circuit's plan in the kernel. Every row of the circuit is checked before a witness
// leaves; the witness is the one that circom's calculator gives, byte for byte.

import type { CircuitPlan } from '../../../circuits/witness/circuit-plan.ts'
import { FIELD_ORDER } from '../../core/field.ts'
import type { CircuitInput } from '../../core/witness.ts'
import { Kernel, SCALAR_BYTES, type Address } from './kernel.ts'
import { ELEMENT_BYTES } from './unrolled-field.ts'

/** A .wtns file, or the row of the circuit that the input breaks; −1 if it is no input of this circuit. */
export type Calculated = { readonly wtns: Uint8Array } | { readonly brokenRow: number }

export interface WitnessEvaluator {
  calculate(input: CircuitInput): Calculated
  /** The first row that a .wtns file of this circuit breaks, or −1; 0 for a file of another size. */
  brokenRow(wtns: Uint8Array): number
}

const WTNS_HEADER_BYTES = 76

/** Takes 36 bytes a wire and 8 a term, as long as it is kept. */
export function createWitnessEvaluator(module: WebAssembly.Module, plan: CircuitPlan): WitnessEvaluator {
  const kernel = new Kernel(module)
  const { ownRows, rowCount, planWires, wireCount, inputs } = plan
  const names = Object.keys(inputs)
  const wires = Object.values(inputs).flat()
  const coefficients = kernel.allocate(plan.coefficients.length * ELEMENT_BYTES)
  writeElements(kernel, coefficients, plan.coefficients)
  const rowStart = words(kernel, plan.rowStart)
  const terms = words(kernel, plan.terms)
  const steps = words(kernel, plan.steps)
  const inputWires = words(kernel, Uint32Array.from(wires))
  const inputValues = kernel.allocate(wires.length * SCALAR_BYTES)
  const values = kernel.allocate(planWires * ELEMENT_BYTES)
  const kinds = kernel.allocate(planWires)
  const scratch = kernel.allocate(2 * plan.widestStep * ELEMENT_BYTES)
  const out = kernel.allocate(wireCount * SCALAR_BYTES)
  const allWires = words(
    kernel,
    Uint32Array.from({ length: wireCount }, (_, wire) => wire),
  )
  const place = () => kernel.call('placeWitness', values, kinds, rowStart, rowCount, terms, coefficients, scratch)
  return {
    brokenRow(wtns) {
      if (wtns.length !== WTNS_HEADER_BYTES + wireCount * SCALAR_BYTES) return 0
      kernel.bytes(out, wireCount * SCALAR_BYTES).set(wtns.subarray(WTNS_HEADER_BYTES))
      place()
      const unusable = kernel.call('setInputs', planWires, allWires, out, wireCount)
      return unusable >= 0 ? 0 : kernel.call('brokenRow', 0, ownRows)
    },
    calculate(input) {
      const flat = flatten(input, names, inputs)
      if (!flat) return { brokenRow: -1 }
      flat.forEach((value, k) => kernel.writeScalar(inputValues + k * SCALAR_BYTES, value))
      place()
      kernel.call('setInputs', planWires, inputWires, inputValues, wires.length)
      kernel.call('runPlan', steps, steps + 4 * plan.steps.length)
      const brokenRow = kernel.call('brokenRow', 0, ownRows)
      if (brokenRow >= 0) return { brokenRow }
      kernel.call('storeWitness', out, wireCount)
      return { wtns: wtnsFile(kernel.bytes(out, wireCount * SCALAR_BYTES), wireCount) }
    },
  }
}

function words(kernel: Kernel, values: Uint32Array): Address {
  const address = kernel.allocate(4 * values.length)
  kernel.words(address, values.length).set(values)
  return address
}

function writeElements(kernel: Kernel, address: Address, values: readonly bigint[]): void {
  const mark = kernel.mark()
  const plain = kernel.allocate(SCALAR_BYTES)
  values.forEach((value, k) => {
    kernel.writeScalar(plain, value)
    kernel.call('toField', address + k * ELEMENT_BYTES, plain)
  })
  kernel.release(mark)
}

/** Undefined unless the input has exactly the circuit's names, each with as many values. */
function flatten(input: CircuitInput, names: readonly string[], inputs: CircuitPlan['inputs']): bigint[] | undefined {
  if (Object.keys(input).some((name) => !(name in inputs))) return undefined
  const values: bigint[] = []
  for (const name of names) {
    const before = values.length
    collect(input[name] ?? [], values)
    if (values.length - before !== inputs[name]!.length) return undefined
  }
  return values
}

function collect(signal: CircuitInput[string], values: bigint[]): void {
  if (typeof signal !== 'string') {
    for (const entry of signal) collect(entry, values)
    return
  }
  const value = BigInt(signal) % FIELD_ORDER
  values.push(value < 0n ? value + FIELD_ORDER : value)
}

/** circom's format: a section of sizes and one of values. */
function wtnsFile(values: Uint8Array, count: number): Uint8Array {
  const file = Buffer.alloc(WTNS_HEADER_BYTES + values.length)
  file.write('wtns', 0, 'latin1')
  file.writeUInt32LE(2, 4)
  file.writeUInt32LE(2, 8)
  file.writeUInt32LE(1, 12)
  file.writeBigUInt64LE(BigInt(8 + SCALAR_BYTES), 16)
  file.writeUInt32LE(SCALAR_BYTES, 24)
  Buffer.from(FIELD_ORDER.toString(16).padStart(2 * SCALAR_BYTES, '0'), 'hex')
    .reverse()
    .copy(file, 28)
  file.writeUInt32LE(count, 60)
  file.writeUInt32LE(2, 64)
  file.writeBigUInt64LE(BigInt(values.length), 68)
  file.set(values, WTNS_HEADER_BYTES)
  return file
}
