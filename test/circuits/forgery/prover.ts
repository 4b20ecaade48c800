/**
 * A prover who does not have to be honest: computes every value of an applet's circuit over the field, in the order of the
 * IR, and keeps to whatever values were forced on it. Values are held in slots: the IR's signals, then the hints inside
 * gadgets (the inverse of a zero test; quotient, remainder and gap of a division).
 */
import type { AppletInputs } from '../../../circuits/compiler/index.ts'
import type { Ir, Item, QuotientItem } from '../../../circuits/compiler/ir.ts'
import { operands } from '../../../circuits/compiler/ir.ts'
import type { Lc } from '../../../circuits/compiler/lc.ts'
import { FIELD_ORDER } from '../../../engine/core/field.ts'
import { inverse, modulo } from './system.ts'

/** Values forced by the attacker, by slot. */
export type Overrides = ReadonlyMap<number, bigint>

export class Prover {
  readonly ir: Ir
  readonly slotCount: number
  /** First extra slot of an item: `inv`; or quotient, remainder and the gap's bits. */
  readonly extra: readonly number[]
  readonly #readers: number[][]
  readonly #itemOf: Int32Array

  constructor(ir: Ir) {
    this.ir = ir
    let next = ir.signalCount
    this.extra = ir.items.map((item) => {
      const first = next
      if (item.kind === 'isZero') next += 1
      if (item.kind === 'quotient') next += 2 + item.gapBits
      return first
    })
    this.slotCount = next
    this.#readers = Array.from({ length: next }, () => [])
    this.#itemOf = new Int32Array(next).fill(-1)
    ir.items.forEach((item, index) => {
      for (const lc of operands(item)) for (const signal of lc.signals) this.#readers[signal]!.push(index)
      for (const slot of this.slotsOf(index)) this.#itemOf[slot] = index
    })
  }

  /** All slots that an item defines. */
  slotsOf(index: number): number[] {
    const item = this.ir.items[index]!
    const more = item.kind === 'isZero' ? 1 : item.kind === 'quotient' ? 2 + item.gapBits : 0
    return [...range(item.first, item.count), ...range(this.extra[index]!, more)]
  }

  /** The item that defines a slot, or −1 for an input. */
  itemOf(slot: number): number {
    return this.#itemOf[slot]!
  }

  honest(inputs: AppletInputs): bigint[] {
    const values = new Array<bigint>(this.slotCount).fill(0n)
    const { inputs: signals } = this.ir
    values[signals.enabled] = inputs.enabled ? 1n : 0n
    values[signals.anchorTime] = modulo(inputs.anchorTime)
    for (const name of ['reading', 'state', 'config'] as const)
      signals[name].forEach((signal, k) => (values[signal] = modulo(inputs[name][k]!)))
    this.ir.items.forEach((_, index) => this.#compute(index, values, new Map()))
    return values
  }

  /** The slots that change when the prover, starting from `base`, is held to the overrides: their new values. */
  resolve(base: readonly bigint[], overrides: Overrides): Map<number, bigint> {
    const values = [...base]
    const dirty = new Uint8Array(this.ir.items.length)
    const changed = new Map<number, bigint>()
    const touch = (slot: number): void => {
      for (const reader of this.#readers[slot]!) dirty[reader] = 1
    }
    for (const [slot, value] of overrides) {
      values[slot] = modulo(value)
      touch(slot)
      if (this.itemOf(slot) >= 0) dirty[this.itemOf(slot)] = 1
      else changed.set(slot, values[slot])
    }
    for (let index = 0; index < dirty.length; index++) {
      if (dirty[index] === 0) continue
      this.#compute(index, values, overrides)
      for (const slot of this.slotsOf(index)) {
        if (values[slot] === base[slot]) continue
        changed.set(slot, values[slot]!)
        touch(slot)
      }
    }
    return changed
  }

  #compute(index: number, values: bigint[], overrides: Overrides): void {
    const item = this.ir.items[index]!
    const set = (slot: number, value: bigint): void => {
      values[slot] = modulo(overrides.get(slot) ?? value)
    }
    if (item.kind === 'mul') set(item.first, fieldValue(item.left, values) * fieldValue(item.right, values))
    else if (item.kind === 'bits') setBits(item.first, item.count, fieldValue(item.of, values), set)
    else if (item.kind === 'isZero') this.#isZero(item, this.extra[index]!, values, overrides, set)
    else this.#quotient(item, this.extra[index]!, values, overrides, set)
  }

  /** Whichever of output and inverse is forced, the other one follows so that in·inv = 1 − out if it can. */
  #isZero(
    item: Item & { kind: 'isZero' },
    inv: number,
    values: bigint[],
    overrides: Overrides,
    set: (slot: number, value: bigint) => void,
  ): void {
    const of = fieldValue(item.of, values)
    if (overrides.has(inv) && !overrides.has(item.first)) {
      set(inv, 0n)
      set(item.first, 1n - of * values[inv]!)
      return
    }
    set(item.first, of === 0n ? 1n : 0n)
    set(inv, of === 0n ? 0n : (1n - values[item.first]!) * inverse(of))
  }

  /** A forced remainder gives the quotient (a − r)/d of the field; a forced quotient, or one of its bits, the remainder. */
  #quotient(
    item: QuotientItem,
    first: number,
    values: bigint[],
    overrides: Overrides,
    set: (slot: number, value: bigint) => void,
  ): void {
    const { quotientBits, remainderBits, gapBits } = item
    const dividend = fieldValue(item.dividend, values)
    const divisor = fieldValue(item.divisor, values)
    const [q, r, gap] = [item.first, item.first + quotientBits, first + 2]
    const forced = (slot: number, count: number): boolean => range(slot, count).some((at) => overrides.has(at))
    const sum = (slot: number, count: number): bigint =>
      range(slot, count).reduce((total, at, k) => total + (values[at]! << BigInt(k)), 0n)
    let quotient = divisor === 0n ? 0n : dividend / divisor
    let remainder = modulo(dividend - quotient * divisor)
    if (overrides.has(first + 1) || forced(r, remainderBits)) {
      setBits(r, remainderBits, overrides.get(first + 1) ?? remainder, set)
      remainder = overrides.get(first + 1) ?? modulo(sum(r, remainderBits))
      if (divisor !== 0n) quotient = modulo((dividend - remainder) * inverse(divisor))
    } else if (overrides.has(first) || forced(q, quotientBits)) {
      setBits(q, quotientBits, overrides.get(first) ?? quotient, set)
      quotient = overrides.get(first) ?? modulo(sum(q, quotientBits))
      remainder = modulo(dividend - quotient * divisor)
    }
    set(first, quotient)
    set(first + 1, remainder)
    setBits(q, quotientBits, values[first]!, set)
    setBits(r, remainderBits, values[first + 1]!, set)
    setBits(gap, gapBits, modulo(divisor - 1n - values[first + 1]!), set)
  }
}

/** The bits of the field element, without those that do not fit. */
function setBits(first: number, count: number, value: bigint, set: (slot: number, value: bigint) => void): void {
  const canonical = modulo(value)
  for (let k = 0; k < count; k++) set(first + k, (canonical >> BigInt(k)) & 1n)
}

export function fieldValue(lc: Lc, values: readonly bigint[]): bigint {
  let total = lc.constant
  for (let k = 0; k < lc.signals.length; k++) total += lc.coefficients[k]! * values[lc.signals[k]!]!
  const rest = total % FIELD_ORDER
  return rest < 0n ? rest + FIELD_ORDER : rest
}

export function range(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, k) => first + k)
}
