/**
 * Closed integer intervals, in two types that do not convert into each other.
 * `Proven` follows from the circuit's constraints for every witness; gadgets are sized from it and from nothing else.
 * `Refined` also uses the conditions of the path, so it may be false on a path that is not taken: it folds constants
 * and enumerates addresses, whose results the path predicate masks, and it must never reach a gadget.
 */
declare const provenBrand: unique symbol
declare const refinedBrand: unique symbol

export interface Proven {
  readonly lo: bigint
  readonly hi: bigint
  readonly [provenBrand]: true
}

export interface Refined {
  readonly lo: bigint
  readonly hi: bigint
  readonly [refinedBrand]: true
}

export function proven(lo: bigint, hi: bigint): Proven {
  return { lo, hi } as Proven
}

export function refined(lo: bigint, hi: bigint): Refined {
  return { lo, hi } as Refined
}

/** Forgetting that an interval is proven is always allowed. */
export function asRefined(interval: Proven): Refined {
  return refined(interval.lo, interval.hi)
}

interface Bounds {
  readonly lo: bigint
  readonly hi: bigint
}

export function contains(outer: Bounds, inner: Bounds): boolean {
  return outer.lo <= inner.lo && inner.hi <= outer.hi
}

export function scaleShift<T extends Bounds>(interval: T, factor: bigint, shift: bigint): T {
  const a = interval.lo * factor + shift
  const b = interval.hi * factor + shift
  return { lo: minimum(a, b), hi: maximum(a, b) } as unknown as T
}

export function intersect<T extends Bounds>(a: T, b: T): T {
  return { lo: maximum(a.lo, b.lo), hi: minimum(a.hi, b.hi) } as unknown as T
}

export function hull<T extends Bounds>(a: T, b: T): T {
  return { lo: minimum(a.lo, b.lo), hi: maximum(a.hi, b.hi) } as unknown as T
}

export function product(a: Proven, b: Proven): Proven {
  const corners = [a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi]
  return proven(corners.reduce(minimum), corners.reduce(maximum))
}

export function minimum(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}

export function maximum(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}

/** Bits of a non-negative integer; 0 has none. */
export function bitLength(value: bigint): number {
  return value === 0n ? 0 : value.toString(2).length
}

export const UNSIGNED = (width: number): Proven => proven(0n, (1n << BigInt(width)) - 1n)
export const SIGNED = (width: number): Proven => proven(-(1n << BigInt(width - 1)), (1n << BigInt(width - 1)) - 1n)

export function floorDivide(a: bigint, b: bigint): bigint {
  const q = a / b
  return a % b !== 0n && a < 0n !== b < 0n ? q - 1n : q
}

export function ceilDivide(a: bigint, b: bigint): bigint {
  return -floorDivide(-a, b)
}
