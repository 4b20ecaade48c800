/**
 * The intermediate representation between symbolic execution and the back-ends: a list of four kinds of gadgets over
 * integer linear combinations of signals, in the order of evaluation. A signal is a number; each item defines the
 * signals `first .. first+count`.
 *
 *   bits      Σ 2^k·out[k] = of, out[k] boolean, `count` of them: range check and decomposition.   count constraints
 *   mul       out = left · right.                                                                  1 constraint
 *   isZero    out = 1 if of = 0, else 0.                                                           2 constraints
 *   quotient  dividend = q·divisor + r, 0 ≤ r < divisor; out = bits of q, then bits of r.          see below
 *
 * Proven intervals guarantee for every input in range: `of` of bits lies in [0, 2^count), no combination reaches the
 * field's order in absolute value, the dividend is non-negative and the divisor positive. So each gadget has exactly
 * one solution. Quotient costs quotientBits + remainderBits + gapBits (divisor − 1 − r ≥ 0), plus 1 for a divisor
 * that is not constant.
 */
import type { TrailStep } from '../../engine/core/call-trail.ts'
import type { Lc } from './lc.ts'

/** Where an item comes from in the WASM. */
export interface Location {
  functionName: string
  offset: number
  instruction: string
  /** The calls and loops being followed, from the outside in. */
  trail?: readonly TrailStep[]
}

interface ItemBase {
  first: number
  count: number
  at: Location
}

export interface BitsItem extends ItemBase {
  kind: 'bits'
  of: Lc
}

export interface MulItem extends ItemBase {
  kind: 'mul'
  left: Lc
  right: Lc
}

export interface IsZeroItem extends ItemBase {
  kind: 'isZero'
  of: Lc
}

export interface QuotientItem extends ItemBase {
  kind: 'quotient'
  dividend: Lc
  divisor: Lc
  quotientBits: number
  remainderBits: number
  gapBits: number
}

export type Item = BitsItem | MulItem | IsZeroItem | QuotientItem

/** The inputs of the template, in the order in which their signals are numbered from 0. */
export interface InputSignals {
  enabled: number
  reading: number[]
  state: number[]
  config: number[]
  anchorTime: number
}

export interface Ir {
  inputs: InputSignals
  inputCount: number
  signalCount: number
  items: Item[]
  accepted: Lc
  units: Lc
  nextState: Lc[]
}

export function itemCost(item: Item): number {
  if (item.kind === 'bits') return item.count
  if (item.kind === 'mul') return 1
  if (item.kind === 'isZero') return 2
  const product = item.divisor.isConstant ? 0 : 1
  return item.quotientBits + item.remainderBits + item.gapBits + product
}

/** Combinations an item reads. */
export function operands(item: Item): Lc[] {
  if (item.kind === 'mul') return [item.left, item.right]
  if (item.kind === 'quotient') return [item.dividend, item.divisor]
  return [item.of]
}
