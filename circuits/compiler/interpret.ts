/**
 * Evaluates the IR: the oracle that tests compare with the native run and with circom's witness. It computes over the
 * integers and fails loudly when a gadget could not be satisfied, so it also checks the compiler's interval proofs.
 */
import type { Ir, Item } from './ir.ts'
import type { Lc } from './lc.ts'

/** Raw (unsigned) field values in ABI order. */
export interface AppletInputs {
  enabled: boolean
  reading: readonly bigint[]
  state: readonly bigint[]
  config: readonly bigint[]
  anchorTime: bigint
}

export interface AppletOutputs {
  accepted: boolean
  units: bigint
  nextState: bigint[]
}

/** The template's outputs. Throws a RangeError when an input is out of range or a gadget has no solution. */
export function interpret(ir: Ir, inputs: AppletInputs): AppletOutputs {
  const values = evaluate(ir, inputs)
  const accepted = valueOf(ir.accepted, values)
  if (accepted !== 0n && accepted !== 1n) throw new RangeError(`accepted is ${accepted}`)
  return {
    accepted: accepted === 1n,
    units: valueOf(ir.units, values),
    nextState: ir.nextState.map((lc) => valueOf(lc, values)),
  }
}

/** The value of every signal, by its number. */
export function evaluate(ir: Ir, inputs: AppletInputs): bigint[] {
  const values: bigint[] = new Array<bigint>(ir.signalCount).fill(0n)
  values[ir.inputs.enabled] = inputs.enabled ? 1n : 0n
  values[ir.inputs.anchorTime] = inputs.anchorTime
  for (const name of ['reading', 'state', 'config'] as const) {
    if (inputs[name].length !== ir.inputs[name].length) throw new RangeError(`${name} has the wrong number of fields`)
    ir.inputs[name].forEach((signal, k) => (values[signal] = inputs[name][k]!))
  }
  for (const item of ir.items) {
    evaluateItem(item, values).forEach((value, k) => (values[item.first + k] = value))
  }
  return values
}

export function valueOf(lc: Lc, values: readonly bigint[]): bigint {
  return lc.signals.reduce((total, signal, k) => total + lc.coefficients[k]! * values[signal]!, lc.constant)
}

/** The outputs an honest prover computes for an item. */
function evaluateItem(item: Item, values: readonly bigint[]): bigint[] {
  if (item.kind === 'mul') return [valueOf(item.left, values) * valueOf(item.right, values)]
  if (item.kind === 'isZero') return [valueOf(item.of, values) === 0n ? 1n : 0n]
  if (item.kind === 'bits') return toBits(valueOf(item.of, values), item.count, item)
  const dividend = valueOf(item.dividend, values)
  const divisor = valueOf(item.divisor, values)
  if (dividend < 0n || divisor < 1n) throw new RangeError(`quotient of ${dividend} by ${divisor} at ${describe(item)}`)
  const remainder = dividend % divisor
  toBits(divisor - 1n - remainder, item.gapBits, item)
  return [...toBits(dividend / divisor, item.quotientBits, item), ...toBits(remainder, item.remainderBits, item)]
}

function toBits(value: bigint, count: number, item: Item): bigint[] {
  if (value < 0n || value >> BigInt(count) !== 0n) {
    throw new RangeError(`${value} does not fit ${count} bits at ${describe(item)}`)
  }
  return Array.from({ length: count }, (_, k) => (value >> BigInt(k)) & 1n)
}

function describe({ at }: Item): string {
  return `${at.functionName} 0x${at.offset.toString(16)} ${at.instruction}`
}
