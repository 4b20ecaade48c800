// Points as files hold them: coordinates of 32 bytes, little-endian, times 2^256, all zero for infinity.

import * as fq from './fq'
import { Fq, Fq2, isZero, mul, sizeOf, sqr, sub, add } from './coordinate'
import { isEmpty, setEmpty } from './point'

const left: usize = memory.data(72)
const right: usize = memory.data(72)

/**
 * Appends `count` points to bases that have `known` already, with index `first` + k for each, and leaves infinity out.
 * Returns the new number of bases, or −1 − k if point k is not on the curve y² = x³ + b.
 */
export function loadPoints1(
  bases: usize,
  indices: usize,
  known: u32,
  bytes: usize,
  count: u32,
  first: u32,
  b: usize,
): i32 {
  return loadPoints<Fq>(bases, indices, known, bytes, count, first, b)
}

/** The same for G2. */
export function loadPoints2(
  bases: usize,
  indices: usize,
  known: u32,
  bytes: usize,
  count: u32,
  first: u32,
  b: usize,
): i32 {
  return loadPoints<Fq2>(bases, indices, known, bytes, count, first, b)
}

function loadPoints<F>(bases: usize, indices: usize, known: u32, bytes: usize, count: u32, first: u32, b: usize): i32 {
  const size = sizeOf<F>()
  const fileBytes = (size / 36) * 64
  for (let k: u32 = 0; k < count; k++) {
    const from = bytes + <usize>k * fileBytes
    if (isZeroBytes(from, fileBytes)) continue
    const point = bases + <usize>known * 2 * size
    for (let part: usize = 0; part < size / 18; part++) {
      if (!fq.isCanonical(from + part * 32)) return -1 - k
      const element = point + part * 36
      fq.unpack(element, from + part * 32)
      fq.mul(element, element, fq.FROM_FILE)
      fq.canonical(element, element)
    }
    if (!isOnCurve<F>(point, b)) return -1 - k
    store<u32>(indices + ((<usize>known) << 2), first + k)
    known++
  }
  return known
}

function isZeroBytes(bytes: usize, length: usize): bool {
  let bits: u64 = 0
  for (let k: usize = 0; k < length; k += 8) bits |= load<u64>(bytes + k)
  return bits == 0
}

function isOnCurve<F>(point: usize, b: usize): bool {
  sqr<F>(left, point)
  mul<F>(left, left, point)
  add<F>(left, left, b)
  sqr<F>(right, point + sizeOf<F>())
  sub<F>(left, left, right)
  return isZero<F>(left)
}

/** Writes the plain coordinates of an affine point, 32 bytes each, little-endian; zeros for infinity. `size` of one coordinate. */
export function storePoint(o: usize, point: usize, size: u32): void {
  const parts = size / 18
  if (isEmpty(point)) {
    memory.fill(o, 0, parts * 32)
    return
  }
  for (let part: usize = 0; part < parts; part++) {
    fq.mul(left, point + part * 36, fq.PLAIN_ONE)
    fq.canonical(left, left)
    fq.pack(o + part * 32, left)
  }
}

export function storeInfinity(point: usize): void {
  setEmpty(point)
}
