/** What an attacker writes in place of a gadget's honest hints, and of single wires. */
import type { Item } from '../../../circuits/compiler/ir.ts'
import { FIELD_ORDER } from '../../../engine/core/field.ts'
import type { Overrides, Prover } from './prover.ts'
import { fieldValue, range } from './prover.ts'
import { inverse, modulo } from './system.ts'

export interface Mutation {
  readonly overrides: Overrides
  /** Wires set last, whatever their slot says. */
  readonly wires?: ReadonlyMap<number, bigint>
  /** The mutation is of the reading itself: it wins as soon as the circuit takes it. */
  readonly isAlias?: boolean
}

type Random = (below: number) => number

/** All mutations of the hints of one item, given the honest values. */
export function mutationsOf(prover: Prover, index: number, slots: readonly bigint[], random: Random): Mutation[] {
  const item = prover.ir.items[index]!
  const out: Overrides[] = []
  if (item.kind === 'bits') out.push(...ofBits(item.first, item.count, fieldValue(item.of, slots), slots))
  if (item.kind === 'mul') out.push(...around(item.first, slots[item.first]!))
  if (item.kind === 'isZero') out.push(...ofZero(item, prover.extra[index]!, slots))
  if (item.kind === 'quotient') {
    out.push(...ofBits(item.first, item.quotientBits, undefined, slots))
    out.push(...ofBits(item.first + item.quotientBits, item.remainderBits, undefined, slots))
    const [quotient, remainder] = [prover.extra[index]!, prover.extra[index]! + 1]
    out.push(...ofBits(remainder + 1, item.gapBits, undefined, slots))
    out.push(...around(quotient, slots[quotient]!), ...around(remainder, slots[remainder]!))
    out.push(...ofDivision(quotient, remainder, fieldValue(item.divisor, slots), slots))
  }
  for (const slot of prover.slotsOf(index)) out.push(new Map([[slot, randomElement(random)]]))
  return out.map((overrides) => ({ overrides }))
}

/** Every wire but the inputs changed alone, with nothing solved again. */
export function wireMutations(wires: readonly number[], values: readonly bigint[]): Mutation[] {
  return wires.flatMap((wire) =>
    [1n, -1n].map((step) => ({ overrides: new Map(), wires: new Map([[wire, modulo(values[wire]! + step)]]) })),
  )
}

/**
 * Readings outside their declared widths: each field 2^bits more, alone, with one less in the field packed before it, so that
 * the packed word, and with it the device's signature, stays the same, and with one of its digits too large.
 */
export function readingAliases({ ir }: Prover, widths: readonly number[], slots: readonly bigint[]): Mutation[] {
  return ir.inputs.reading.flatMap((slot, k) => {
    const width = widths[k]!
    const beyond: [number, bigint] = [slot, slots[slot]! + (1n << BigInt(width))]
    const before = ir.inputs.reading[k - 1]
    const lists: [number, bigint][][] = [[beyond]]
    if (before !== undefined) lists.push([beyond, [before, slots[before]! - 1n]])
    const item = ir.items.find(({ kind, ...rest }) => kind === 'bits' && 'of' in rest && rest.of.key === `1*${slot}|0`)
    const digits = item === undefined ? [] : range(item.first, width)
    digits.forEach((digit, at) => lists.push([beyond, [digit, slots[digit]! + (1n << BigInt(width - at))]]))
    return lists.map((list) => ({ overrides: new Map(list), isAlias: true }))
  })
}

export function randomElement(random: Random): bigint {
  let value = 0n
  for (let k = 0; k < 9; k++) value = (value << 30n) | BigInt(random(2 ** 30))
  return value % FIELD_ORDER
}

function around(slot: number, value: bigint): Overrides[] {
  const others = [value + 1n, value - 1n, value + (1n << 32n), value - (1n << 32n), value + (1n << 64n), -value, 0n, 1n]
  return others.filter((other) => modulo(other) !== value).map((other) => new Map([[slot, other]]))
}

/** Digits: each flipped or out of range, pairs that keep the sum, and the digits of numbers near and congruent to `value`. */
function ofBits(first: number, count: number, value: bigint | undefined, slots: readonly bigint[]): Overrides[] {
  const out: Overrides[] = []
  for (const slot of range(first, count)) {
    const bit = slots[slot]!
    for (const other of [1n - bit, 2n, -1n, bit + (1n << 32n)]) out.push(new Map([[slot, other]]))
    const [low, high] = [slot - 1, slot + 1]
    if (low >= first) {
      const flip = 1n - 2n * slots[low]!
      out.push(new Map([[low, 1n - slots[low]!], [slot, bit - flip * inverse(2n)]])) // prettier-ignore
    }
    if (high < first + count) {
      const flip = 1n - 2n * slots[high]!
      out.push(new Map([[high, 1n - slots[high]!], [slot, bit - 2n * flip]])) // prettier-ignore
      out.push(new Map([[high, 1n - slots[high]!], [slot, 1n - bit]])) // prettier-ignore
    }
  }
  if (value === undefined) return out
  const near = [value + 1n, value - 1n, value + (1n << 32n), value + (1n << 64n), value + FIELD_ORDER, FIELD_ORDER - 1n]
  for (const other of near) out.push(digits(first, count, other))
  return out
}

function digits(first: number, count: number, value: bigint): Overrides {
  const positive = value < 0n ? value + FIELD_ORDER : value
  return new Map(range(first, count).map((slot, k) => [slot, (positive >> BigInt(k)) & 1n]))
}

/** Output turned round with the inverse that fits, with the inverse of the opposite, and inverses alone. */
function ofZero(item: Item & { kind: 'isZero' }, inv: number, slots: readonly bigint[]): Overrides[] {
  const out: Overrides[] = []
  const of = fieldValue(item.of, slots)
  for (const output of [1n - slots[item.first]!, 2n, -1n]) {
    out.push(new Map([[item.first, output]]))
    for (const forced of [0n, 1n, of]) out.push(new Map([[item.first, output], [inv, forced]])) // prettier-ignore
  }
  for (const forced of [0n, slots[inv]! + 1n, 2n * slots[inv]!]) out.push(new Map([[inv, forced]]))
  return out
}

/** Other pairs with q·d + r = a: r beyond d, r below 0, and small r with q = (a − r)/d in the field. */
function ofDivision(quotient: number, remainder: number, divisor: bigint, slots: readonly bigint[]): Overrides[] {
  const out: Overrides[] = []
  const [q, r] = [slots[quotient]!, slots[remainder]!]
  for (const by of [1n, 2n, 3n, -1n, q]) out.push(new Map([[quotient, q - by], [remainder, r + by * divisor]])) // prettier-ignore
  for (let small = 0n; small < 8n; small++) if (small !== r) out.push(new Map([[remainder, small]]))
  for (const other of [divisor, divisor - 1n, divisor + 1n, r + 1n, r - 1n]) out.push(new Map([[remainder, other]]))
  return out
}
