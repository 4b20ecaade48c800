// Points of G1 (F = Fq) and G2 (F = Fq2). An affine point is x, y; the point at infinity has EMPTY in the highest limb of x.
// A projective point is X, Y, ZZ, ZZZ with x = X/ZZ, y = Y/ZZZ and ZZ³ = ZZZ²; ZZ = 0 at infinity.
// Formulas: https://hyperelliptic.org/EFD/g1p/auto-shortw-xyzz.html (madd-2008-s, add-2008-s, dbl-2008-s-1).

import {
  add,
  copy,
  difference,
  inverse,
  isZero,
  isZeroDifference,
  mul,
  mulSub,
  neg,
  reduce,
  setOne,
  sizeOf,
  sqr,
  sqrSub,
  sub,
} from './coordinate'

const EMPTY: i32 = 0x7fffffff

const t0: usize = memory.data(72)
const t1: usize = memory.data(72)
const t2: usize = memory.data(72)
const t3: usize = memory.data(72)
const t4: usize = memory.data(72)
const t5: usize = memory.data(72)

export function isEmpty(point: usize): bool {
  return load<i32>(point, 32) == EMPTY
}

export function setEmpty(point: usize): void {
  store<i32>(point, EMPTY, 32)
}

export function copyAffine<F>(o: usize, a: usize, negative: bool): void {
  copy<F>(o, a)
  if (negative) neg<F>(o + sizeOf<F>(), a + sizeOf<F>())
  else copy<F>(o + sizeOf<F>(), a + sizeOf<F>())
}

export function setInfinity<F>(o: usize): void {
  memory.fill(o, 0, 4 * sizeOf<F>())
}

function isInfinity<F>(a: usize): bool {
  return isZero<F>(a + 2 * sizeOf<F>())
}

export function fromAffine<F>(o: usize, a: usize): void {
  if (isEmpty(a)) {
    setInfinity<F>(o)
    return
  }
  const size = sizeOf<F>()
  copyAffine<F>(o, a, false)
  setOne<F>(o + 2 * size)
  setOne<F>(o + 3 * size)
}

/** o = a as an affine point, with one inversion. */
export function toAffine<F>(o: usize, a: usize): void {
  if (isInfinity<F>(a)) {
    setEmpty(o)
    return
  }
  const size = sizeOf<F>()
  inverse<F>(t0, a + 3 * size)
  mul<F>(t1, t0, a + 2 * size) // 1/Z
  sqr<F>(t1, t1)
  mul<F>(t2, a, t1)
  mul<F>(t3, a + size, t0)
  reduce<F>(o, t2)
  reduce<F>(o + size, t3)
}

/** a = 2a */
export function double<F>(a: usize): void {
  if (isInfinity<F>(a)) return
  const size = sizeOf<F>()
  const y = a + size
  const zz = a + 2 * size
  const zzz = a + 3 * size
  add<F>(t0, y, y) // U
  sqr<F>(t1, t0) // V
  mul<F>(t2, t0, t1) // W
  mul<F>(t3, a, t1) // S
  sqr<F>(t4, a)
  add<F>(t5, t4, t4)
  add<F>(t4, t4, t5)
  reduce<F>(t4, t4) // M
  sqrSub<F>(a, t4, t3, t3)
  mul<F>(t5, t2, y)
  difference<F>(t3, t3, a)
  mulSub<F>(y, t4, t3, t5)
  mul<F>(zz, t1, zz)
  mul<F>(zzz, t2, zzz)
}

/** a = a + b, b affine */
export function addAffine<F>(a: usize, b: usize): void {
  if (isEmpty(b)) return
  fromAffine<F>(lifted, b)
  addProjective<F>(a, lifted)
}

const lifted: usize = memory.data(288)

/** a = a + b */
export function addProjective<F>(a: usize, b: usize): void {
  const size = sizeOf<F>()
  if (isInfinity<F>(b)) return
  if (isInfinity<F>(a)) {
    memory.copy(a, b, 4 * size)
    return
  }
  const y = a + size
  const zz = a + 2 * size
  const zzz = a + 3 * size
  mul<F>(t0, a, b + 2 * size) // U1
  mul<F>(t1, b, zz) // U2
  mul<F>(t2, y, b + 3 * size) // S1
  mul<F>(t3, b + size, zzz) // S2
  sub<F>(t1, t1, t0) // P
  sub<F>(t3, t3, t2) // R
  if (isZeroDifference<F>(t1)) {
    if (isZero<F>(t3)) double<F>(a)
    else setInfinity<F>(a)
    return
  }
  sqr<F>(t4, t1) // PP
  mul<F>(t5, t1, t4) // PPP
  mul<F>(t0, t0, t4) // Q
  mul<F>(zz, zz, b + 2 * size)
  mul<F>(zz, zz, t4)
  mul<F>(zzz, zzz, b + 3 * size)
  mul<F>(zzz, zzz, t5)
  mul<F>(t2, t2, t5)
  add<F>(t4, t0, t0)
  sqrSub<F>(a, t3, t5, t4)
  difference<F>(t0, t0, a)
  mulSub<F>(y, t3, t0, t2)
}

/** o = scalar·a for an affine point and 32 bytes; o is projective and not a. */
export function multiply<F>(o: usize, a: usize, scalar: usize): void {
  setInfinity<F>(o)
  for (let bit = 255; bit >= 0; bit--) {
    double<F>(o)
    if ((load<u8>(scalar + (bit >> 3)) >> (<u8>(bit & 7))) & 1) addAffine<F>(o, a)
  }
}
