// What the engine calls. All memory is laid out by the caller from `__heap_base` on; addresses are multiples of eight.

import * as fq from './fq'
import * as fr from './fr'
import { Fq, Fq2 } from './coordinate'
import { addAffine, fromAffine, multiply, toAffine } from './point'

export { msm1, msm2, msmBytes1, msmBytes2 } from './msm'
export { fillTable1, fillTable2, multiplyGenerator1, multiplyGenerator2 } from './fixed-base'
export { fillFactors, gather, scaleCosets, spread } from './fft'
export {
  clearCoefficients,
  countTerms,
  evaluateRows,
  fillTerms,
  joinRows,
  loadWitness,
  multiplyRows,
  startRows,
} from './constraints'
export { brokenRow, placeWitness, runPlan, setInputs, storeWitness } from './witness'
export { loadPoints1, loadPoints2, storeInfinity, storePoint } from './points-file'

const sum: usize = memory.data(288)

/** Affine o = a + b in G1. */
export function add1(o: usize, a: usize, b: usize): void {
  fromAffine<Fq>(sum, a)
  addAffine<Fq>(sum, b)
  toAffine<Fq>(o, sum)
}

/** Affine o = a + b in G2. */
export function add2(o: usize, a: usize, b: usize): void {
  fromAffine<Fq2>(sum, a)
  addAffine<Fq2>(sum, b)
  toAffine<Fq2>(o, sum)
}

/** Affine o = scalar·a in G1; 32 bytes of scalar. */
export function multiply1(o: usize, a: usize, scalar: usize): void {
  multiply<Fq>(sum, a, scalar)
  toAffine<Fq>(o, sum)
}

/** Affine o = scalar·a in G2; 32 bytes of scalar. */
export function multiply2(o: usize, a: usize, scalar: usize): void {
  multiply<Fq2>(sum, a, scalar)
  toAffine<Fq2>(o, sum)
}

/** o = the Montgomery form of 32 bytes; returns false, and leaves o alone, if they are not below the order. */
export function toField(o: usize, bytes: usize): bool {
  if (!fr.isCanonical(bytes)) return false
  fr.unpack(o, bytes)
  fr.mul(o, o, fr.SQUARE)
  fr.canonical(o, o)
  return true
}

/** The same for the base field. */
export function toBaseField(o: usize, bytes: usize): bool {
  if (!fq.isCanonical(bytes)) return false
  fq.unpack(o, bytes)
  fq.mul(o, o, fq.SQUARE)
  fq.canonical(o, o)
  return true
}

/** 32 bytes of an element of the scalar field. */
export function fromField(o: usize, a: usize): void {
  fr.mul(sum, a, fr.PLAIN_ONE)
  fr.canonical(sum, sum)
  fr.pack(o, sum)
}

/** 32 bytes of an element of the base field. */
export function fromBaseField(o: usize, a: usize): void {
  fq.mul(sum, a, fq.PLAIN_ONE)
  fq.canonical(sum, sum)
  fq.pack(o, sum)
}

// One by one for the tests, which hold every layer against other implementations.
export {
  mul as frMul,
  sqr as frSqr,
  inverse as frInverse,
  add as frAdd,
  sub as frSub,
  difference as frDifference,
  mulAdd as frMulAdd,
  mulSub as frMulSub,
  sqrSub as frSqrSub,
} from './fr'
export {
  mul as fqMul,
  sqr as fqSqr,
  inverse as fqInverse,
  add as fqAdd,
  sub as fqSub,
  difference as fqDifference,
  mulAdd as fqMulAdd,
  mulSub as fqMulSub,
  sqrSub as fqSqrSub,
  mul2 as fq2Mul,
  sqr2 as fq2Sqr,
  mulSub2 as fq2MulSub,
  sqrSub2 as fq2SqrSub,
} from './fq'

/** Where free memory begins. */
export function heapBase(): usize {
  return (__heap_base + 7) & ~7
}
