/**
 * The direct back-end: an IR as constraint system, without circom. The wires are those of `template Applet()` as main with
 * all inputs public: 1, accepted, units, nextState, enabled, reading, state, config, anchorTime, then private ones.
 * A decomposition takes one of its bits from the sum of the others, so items cost what `itemCost` says; each output
 * has a linear row of its own. circom's circuit stays the one that is published, and the judge of this one.
 */
import { invertField } from '../setup/field-batch.ts'
import { encodeR1cs, type Combination, type Row } from '../setup/r1cs-writer.ts'
import { toField } from '../../engine/core/field.ts'
import { evaluate, valueOf, type AppletInputs } from './interpret.ts'
import type { Ir, IsZeroItem, Item, QuotientItem } from './ir.ts'
import { operands } from './ir.ts'
import { addConstant, addScaled, fromBits, ONE, scale, signalLc, subtract, ZERO, type Lc } from './lc.ts'

export interface DirectR1cs {
  /** An .r1cs file, version 1; the same IR gives the same bytes. */
  readonly file: Uint8Array
  readonly constraintCount: number
  /** The value of every wire, in [0, r). Throws a RangeError for inputs out of range. */
  witness(inputs: AppletInputs): bigint[]
}

type Value = (signals: readonly bigint[]) => bigint

/** Constraints and witness of one reading. */
export function directR1cs(ir: Ir): DirectR1cs {
  const builder = new Builder(ir)
  for (const item of ir.items) builder.item(item)
  builder.finish()
  const { rows, values } = builder
  const outputs = outputsOf(ir).length
  const sizes = { wireCount: values.length, outputCount: outputs, publicInputCount: ir.inputCount }
  return {
    file: encodeR1cs(rows, sizes),
    constraintCount: rows.length,
    witness: (inputs) => {
      const signals = evaluate(ir, inputs)
      return values.map((value) => toField(value(signals)))
    },
  }
}

function outputsOf({ accepted, units, nextState }: Ir): Lc[] {
  return [accepted, units, ...nextState]
}

function inputsOf({ enabled, reading, state, config, anchorTime }: Ir['inputs']): number[] {
  return [enabled, ...reading, ...state, ...config, anchorTime]
}

class Builder {
  readonly rows: Row[] = []
  /** The value of each wire, from those of the signals. */
  readonly values: Value[] = [() => 1n]
  readonly #ir: Ir
  /** Each signal over wires: a wire of its own, or the sum that replaces it. */
  readonly #signals: Combination[]
  /** How many combinations read a signal: a bit that nothing reads is the cheapest to replace. */
  readonly #readers: Uint32Array

  constructor(ir: Ir) {
    this.#ir = ir
    this.#signals = new Array<Combination>(ir.signalCount)
    this.#readers = countReaders(ir)
    for (const output of outputsOf(ir)) this.#wire((signals) => valueOf(output, signals))
    for (const input of inputsOf(ir.inputs)) this.#signalWire(input)
  }

  item(item: Item): void {
    if (item.kind === 'bits') this.#decompose(item.first, item.count, item.of)
    else if (item.kind === 'mul') this.#row(item.left, item.right, this.#signalWire(item.first))
    else if (item.kind === 'isZero') this.#isZero(item)
    else this.#quotient(item)
  }

  /** Ties the outputs' wires to their combinations. */
  finish(): void {
    outputsOf(this.#ir).forEach((output, k) => this.#row(output, ONE, new Map([[1 + k, 1n]])))
  }

  #isZero({ first, of }: IsZeroItem): void {
    const inverse = this.#wire((signals) => invertField(toField(valueOf(of, signals))))
    const out = signalLc(first)
    this.#signalWire(first)
    this.#row(of, inverse, addScaled(ONE, out, -1n))
    this.#row(of, out, ZERO)
  }

  #quotient({ first, quotientBits, remainderBits, gapBits, dividend, divisor }: QuotientItem): void {
    const quotient = this.#freeBits(first, quotientBits)
    const rest = first + quotientBits
    let remainder: Lc
    if (divisor.isConstant) {
      remainder = addScaled(dividend, quotient, -divisor.constant)
      this.#decompose(rest, remainderBits, remainder)
    } else {
      remainder = this.#freeBits(rest, remainderBits)
      this.#row(quotient, divisor, subtract(dividend, remainder))
    }
    this.#gap(addConstant(subtract(divisor, remainder), -1n), gapBits)
  }

  /** Boolean wires for signals that another row ties to something. */
  #freeBits(first: number, count: number): Lc {
    const bits = Array.from({ length: count }, (_, k) => signalLc(first + k))
    bits.forEach((bit, k) => {
      this.#signalWire(first + k)
      this.#boolean(bit)
    })
    return fromBits(bits)
  }

  /** Σ 2^k·(first+k) = of: the bit that is read least becomes what the others leave. */
  #decompose(first: number, count: number, of: Lc): void {
    if (count === 0) return this.#row(of, ONE, ZERO)
    const signals = Array.from({ length: count }, (_, k) => first + k)
    const chosen = signals.reduce((best, s) => (this.#readers[s]! < this.#readers[best]! ? s : best))
    for (const s of signals) if (s !== chosen) this.#signalWire(s)
    const others = fromBits(signals.map((s) => (s === chosen ? ZERO : signalLc(s))))
    const weight = invertField(1n << BigInt(chosen - first))
    this.#signals[chosen] = this.#combine(scale(subtract(of, others), weight))
    for (const s of signals) this.#boolean(signalLc(s))
  }

  /** A range check of a combination whose bits are signals of nothing. */
  #gap(of: Lc, count: number): void {
    if (count === 0) return this.#row(of, ONE, ZERO)
    const lowest = this.#combine(of)
    for (let k = 1; k < count; k++) {
      const bit = this.#wire((signals) => (valueOf(of, signals) >> BigInt(k)) & 1n)
      accumulate(lowest, bit, -(1n << BigInt(k)))
      this.#booleanRow(bit)
    }
    this.#booleanRow(lowest)
  }

  #boolean(bit: Lc): void {
    this.#booleanRow(this.#combine(bit))
  }

  #booleanRow(bit: Combination): void {
    const less = new Map(bit)
    accumulate(less, new Map([[0, 1n]]), -1n)
    this.rows.push([bit, less, new Map()])
  }

  #row(a: Lc | Combination, b: Lc | Combination, c: Lc | Combination): void {
    const over = (side: Lc | Combination) => (side instanceof Map ? side : this.#combine(side as Lc))
    this.rows.push([over(a), over(b), over(c)])
  }

  #signalWire(signal: number): Combination {
    return (this.#signals[signal] = this.#wire((signals) => signals[signal]!))
  }

  #wire(value: Value): Combination {
    return new Map([[this.values.push(value) - 1, 1n]])
  }

  #combine({ constant, signals, coefficients }: Lc): Map<number, bigint> {
    const sum = new Map<number, bigint>()
    accumulate(sum, new Map([[0, 1n]]), constant)
    signals.forEach((signal, k) => accumulate(sum, this.#signals[signal]!, coefficients[k]!))
    return sum
  }
}

/** Adds `factor·terms` in the field. */
function accumulate(sum: Map<number, bigint>, terms: Combination, factor: bigint): void {
  for (const [wire, coefficient] of terms) {
    const total = toField((sum.get(wire) ?? 0n) + coefficient * factor)
    if (total === 0n) sum.delete(wire)
    else sum.set(wire, total)
  }
}

function countReaders(ir: Ir): Uint32Array {
  const readers = new Uint32Array(ir.signalCount)
  for (const lc of [...ir.items.flatMap(operands), ...outputsOf(ir)]) for (const s of lc.signals) readers[s]!++
  return readers
}
