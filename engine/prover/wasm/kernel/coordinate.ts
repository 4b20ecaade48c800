// The coordinates of a group's points: F_q for G1, F_q² for G2. One source serves both; the branches fall away when it is compiled.

import * as fq from './fq'

@unmanaged
export class Fq {
  _0: i32
  _1: i32
  _2: i32
  _3: i32
  _4: i32
  _5: i32
  _6: i32
  _7: i32
  _8: i32
}

@unmanaged
export class Fq2 extends Fq {
  _9: i32
  _10: i32
  _11: i32
  _12: i32
  _13: i32
  _14: i32
  _15: i32
  _16: i32
  _17: i32
}

/** Bytes of a coordinate. */
export function sizeOf<F>(): usize {
  return offsetof<F>()
}

export function isExtension<F>(): bool {
  return offsetof<F>() != 36
}

export function mul<F>(o: usize, a: usize, b: usize): void {
  if (isExtension<F>()) fq.mul2(o, a, b)
  else fq.mul(o, a, b)
}

export function mulSub<F>(o: usize, a: usize, b: usize, c: usize): void {
  if (isExtension<F>()) fq.mulSub2(o, a, b, c)
  else fq.mulSub(o, a, b, c)
}

export function sqr<F>(o: usize, a: usize): void {
  if (isExtension<F>()) fq.sqr2(o, a)
  else fq.sqr(o, a)
}

export function sqrSub<F>(o: usize, a: usize, c: usize, d: usize): void {
  if (isExtension<F>()) fq.sqrSub2(o, a, c, d)
  else fq.sqrSub(o, a, c, d)
}

export function add<F>(o: usize, a: usize, b: usize): void {
  fq.add(o, a, b)
  if (isExtension<F>()) fq.add(o + 36, a + 36, b + 36)
}

export function sub<F>(o: usize, a: usize, b: usize): void {
  fq.sub(o, a, b)
  if (isExtension<F>()) fq.sub(o + 36, a + 36, b + 36)
}

export function difference<F>(o: usize, a: usize, b: usize): void {
  fq.difference(o, a, b)
  if (isExtension<F>()) fq.difference(o + 36, a + 36, b + 36)
}

export function neg<F>(o: usize, a: usize): void {
  fq.neg(o, a)
  if (isExtension<F>()) fq.neg(o + 36, a + 36)
}

export function copy<F>(o: usize, a: usize): void {
  fq.copy(o, a)
  if (isExtension<F>()) fq.copy(o + 36, a + 36)
}

export function setOne<F>(o: usize): void {
  fq.copy(o, fq.ONE)
  if (isExtension<F>()) memory.fill(o + 36, 0, 36)
}

/** o = a with small values and limbs again. */
export function reduce<F>(o: usize, a: usize): void {
  fq.reduce(o, a)
  if (isExtension<F>()) fq.reduce(o + 36, a + 36)
}

export function isZero<F>(a: usize): bool {
  return fq.isZero(a) && (!isExtension<F>() || fq.isZero(a + 36))
}

/** For a difference of coordinates; nearly every element that is not zero costs one multiplication of words. */
export function isZeroDifference<F>(a: usize): bool {
  return fq.maybeZero(a) && isZero<F>(a)
}

const norm: usize = memory.data(36)
const square: usize = memory.data(36)

/** o = 1/a. F_q²: (u − v·i)/(u² + v²). */
export function inverse<F>(o: usize, a: usize): void {
  if (!isExtension<F>()) {
    fq.inverse(o, a)
    return
  }
  fq.sqr(norm, a)
  fq.sqr(square, a + 36)
  fq.add(norm, norm, square)
  fq.inverse(norm, norm)
  fq.mul(o, a, norm)
  fq.neg(square, a + 36)
  fq.mul(o + 36, square, norm)
}
