// Multi-exponentiation: the sum of scalar·point over many fixed points. Scalars 0 and ±1 are taken out; the others are cut into
// windows of signed digits, every window has a bucket per digit, and each digit adds its point to a bucket in large batches. An
// addition to a bucket that the batch holds already goes to a spare place, which is folded into the bucket later.

import { Fq, Fq2, sizeOf } from './coordinate'
import { batchNumber, enqueue, flush } from './batch-add'
import { addAffine, addProjective, copyAffine, double, isEmpty, setEmpty, setInfinity, toAffine } from './point'
import * as fr from './fr'

/** Bits that all windows cover: scalars are at most r/2 in size, and signed digits need one bit more. */
const DIGIT_BITS: u32 = 254
export const MAX_WINDOWS: u32 = 64
/** Places for points with scalar ±1; a multiple of the batch size, so that a batch never meets one twice. */
const UNIT_PLACES: u32 = 1024
const SPARES: u32 = 2048

const offsetBits: usize = memory.data(32)
const windowStart: usize = memory.data(65 * 4)
const halfOrder: usize = memory.data(32)
const spareOwner: usize = memory.data(2048 * 4)

let windows: u32 = 0
/** Buckets of the widest window. */
let bucketCount: u32 = 0
let spareCount: u32 = 0

// Working memory, laid out by `layout`.
let digits: usize = 0
let active: usize = 0
let stamps: usize = 0
let spares: usize = 0
let units: usize = 0
let buckets: usize = 0
let rows: usize = 0
let columns: usize = 0
let end: usize = 0

/** Number of windows that needs the fewest additions. */
function chooseWindows(points: u32): u32 {
  let best: u32 = 0
  let bestCost = Infinity
  for (let count: u32 = 16; count <= MAX_WINDOWS; count++) {
    const bits = (DIGIT_BITS + count - 1) / count
    const cost = <f64>count * (<f64>points + 2.2 * <f64>(1 << (bits - 1)) + 40 * Math.sqrt(<f64>(1 << bits)))
    if (cost < bestCost) {
      bestCost = cost
      best = count
    }
  }
  return best
}

function layout<F>(points: u32, workspace: usize): void {
  windows = chooseWindows(points)
  const bits = (DIGIT_BITS + windows - 1) / windows
  bucketCount = 1 << (bits - 1)
  for (let w: u32 = 0; w <= windows; w++) {
    store<u32>(windowStart + ((<usize>w) << 2), <u32>((<u64>DIGIT_BITS * w) / windows))
  }
  const point = sizeOf<F>() * 2
  digits = workspace
  active = digits + <usize>points * 32
  stamps = active + <usize>points * 4
  spares = stamps + <usize>bucketCount * 4
  units = spares + <usize>SPARES * point
  buckets = units + <usize>UNIT_PLACES * point
  rows = buckets + <usize>windows * bucketCount * point
  columns = rows + <usize>windows * rowCount() * point
  end = columns + <usize>windows * columnCount() * point
}

/** Buckets stand in a table of rows and columns: bucket i is in row i / columnCount and column i % columnCount. */
function columnCount(): u32 {
  return 1 << ((31 - clz(bucketCount)) >> 1)
}

function rowCount(): u32 {
  return bucketCount / columnCount()
}

/** Bytes of working memory that a multi-exponentiation of so many points takes. */
export function msmBytes1(points: u32): u32 {
  layout<Fq>(points, 0)
  return <u32>end
}

export function msmBytes2(points: u32): u32 {
  layout<Fq2>(points, 0)
  return <u32>end
}

/**
 * o (affine) = Σ scalar[index[k]]·base[k] in G1, scalars as 32 canonical bytes. The workspace has msmBytes1(points) bytes.
 * No base is the point at infinity.
 */
export function msm1(o: usize, points: u32, bases: usize, indices: usize, scalars: usize, workspace: usize): void {
  msm<Fq>(o, points, bases, indices, scalars, workspace)
}

/** The same in G2. */
export function msm2(o: usize, points: u32, bases: usize, indices: usize, scalars: usize, workspace: usize): void {
  msm<Fq2>(o, points, bases, indices, scalars, workspace)
}

function msm<F>(o: usize, points: u32, bases: usize, indices: usize, scalars: usize, workspace: usize): void {
  layout<F>(points, workspace)
  const size = sizeOf<F>()
  clear<F>(units, UNIT_PLACES)
  clear<F>(buckets, windows * bucketCount)
  setDigitOffsets()
  const count = sortOut<F>(points, bases, indices, scalars)
  sumUnits<F>()
  for (let w: u32 = 0; w < windows; w++) accumulate<F>(w, count, bases)
  collect<F>()
  setInfinity<F>(total)
  for (let w: i32 = windows - 1; w >= 0; w--) {
    const bits = windowBits(w)
    for (let k: u32 = 0; k < bits; k++) double<F>(total)
    addWindow<F>(w)
  }
  addAffine<F>(total, units)
  toAffine<F>(o, total)
}

const total: usize = memory.data(288)
const running: usize = memory.data(288)
const weighted: usize = memory.data(288)

function windowBits(w: u32): u32 {
  return load<u32>(windowStart + ((<usize>w) << 2), 4) - load<u32>(windowStart + ((<usize>w) << 2))
}

function clear<F>(points: usize, count: u32): void {
  const step = sizeOf<F>() * 2
  for (let k: u32 = 0; k < count; k++) setEmpty(points + <usize>k * step)
}

/** Half of each window's range, added to a scalar so that its digits become unsigned, and half of the order. */
function setDigitOffsets(): void {
  memory.fill(offsetBits, 0, 32)
  for (let w: u32 = 0; w < windows; w++) {
    const bit = load<u32>(windowStart + ((<usize>w) << 2), 4) - 1
    const at = offsetBits + (bit >> 3)
    const flag: u32 = 1 << (bit & 7)
    store<u8>(at, load<u8>(at) | (<u8>flag))
  }
  let above: u64 = 0
  for (let k = 24; k >= 0; k -= 8) {
    const limb = load<u64>(fr.PRIME_BYTES + k)
    store<u64>(halfOrder + k, (limb >> 1) | (above << 63))
    above = limb & 1
  }
}

/** Adds the points with scalar ±1 into the unit places and prepares the digits of the rest. Returns how many those are. */
function sortOut<F>(points: u32, bases: usize, indices: usize, scalars: usize): u32 {
  const step = sizeOf<F>() * 2
  let count: u32 = 0
  let unit: u32 = 0
  for (let k: u32 = 0; k < points; k++) {
    const scalar = scalars + ((<usize>load<u32>(indices + ((<usize>k) << 2))) << 5)
    const digit = digits + ((<usize>count) << 5)
    const negative = shorten(digit, scalar)
    if ((load<u64>(digit, 8) | load<u64>(digit, 16) | load<u64>(digit, 24)) == 0 && load<u64>(digit) <= 1) {
      if (load<u64>(digit) == 0) continue
      if (unit == UNIT_PLACES) {
        flush<F>()
        unit = 0
      }
      enqueue<F>(units + <usize>unit * step, bases + <usize>k * step, negative)
      unit++
      continue
    }
    addOffsets(digit)
    store<u32>(active + ((<usize>count) << 2), (k << 1) | (<u32>negative))
    count++
  }
  flush<F>()
  return count
}

/** o = scalar, or r − scalar if that is smaller; returns whether it is. */
function shorten(o: usize, scalar: usize): bool {
  let k = 24
  while (k > 0 && load<u64>(scalar + k) == load<u64>(halfOrder + k)) k -= 8
  if (load<u64>(scalar + k) <= load<u64>(halfOrder + k)) {
    memory.copy(o, scalar, 32)
    return false
  }
  let borrow: u64 = 0
  for (let i = 0; i < 32; i += 8) {
    const a = load<u64>(fr.PRIME_BYTES + i)
    const b = load<u64>(scalar + i)
    const difference = a - b
    store<u64>(o + i, difference - borrow)
    borrow = (<u64>(a < b)) | (<u64>(difference < borrow))
  }
  return true
}

function addOffsets(digit: usize): void {
  let carry: u64 = 0
  for (let i = 0; i < 32; i += 8) {
    const a = load<u64>(digit + i)
    const sum = a + load<u64>(offsetBits + i)
    store<u64>(digit + i, sum + carry)
    carry = (<u64>(sum < a)) | (<u64>(sum + carry < sum))
  }
}

/** units[0] = the sum of all unit places. */
function sumUnits<F>(): void {
  const step = sizeOf<F>() * 2
  for (let half = UNIT_PLACES >> 1; half > 0; half >>= 1) {
    for (let k: u32 = 0; k < half; k++) enqueue<F>(units + <usize>k * step, units + <usize>(k + half) * step, false)
    flush<F>()
  }
}

/** Adds every active point to its bucket of window w. */
function accumulate<F>(w: u32, count: u32, bases: usize): void {
  const step = sizeOf<F>() * 2
  const start = load<u32>(windowStart + ((<usize>w) << 2))
  const half: i32 = 1 << (windowBits(w) - 1)
  const mask = 2 * half - 1
  const byte = <usize>min(start >> 3, 24)
  const shift = <u64>(start - <u32>byte * 8)
  const table = buckets + <usize>w * bucketCount * step
  memory.fill(stamps, 0, (<usize>bucketCount) << 2)
  spareCount = 0
  for (let k: u32 = 0; k < count; k++) {
    const digit = ((<i32>(load<u64>(digits + ((<usize>k) << 5) + byte) >> shift)) & mask) - half
    if (digit == 0) continue
    const flagged = load<u32>(active + ((<usize>k) << 2))
    const negative = <bool>(flagged & 1) != digit < 0
    add<F>(table, <u32>abs(digit) - 1, bases + <usize>(flagged >> 1) * step, negative)
  }
  fold<F>(table)
}

function add<F>(table: usize, bucket: u32, point: usize, negative: bool): void {
  const step = sizeOf<F>() * 2
  const stamp = stamps + ((<usize>bucket) << 2)
  const current = batchNumber
  if (load<u32>(stamp) != current) {
    if (enqueue<F>(table + <usize>bucket * step, point, negative)) store<u32>(stamp, current)
    return
  }
  if (spareCount == SPARES) {
    fold<F>(table)
    add<F>(table, bucket, point, negative)
    return
  }
  copyAffine<F>(spares + <usize>spareCount * step, point, negative)
  store<u32>(spareOwner + ((<usize>spareCount) << 2), bucket)
  spareCount++
}

/** Adds spares of one bucket to each other, pair by pair, until each bucket has one at most, and that to its bucket. */
function fold<F>(table: usize): void {
  flush<F>()
  const step = sizeOf<F>() * 2
  while (pairUp<F>()) {}
  for (let s: u32 = 0; s < spareCount; s++) {
    enqueue<F>(table + <usize>load<u32>(spareOwner + ((<usize>s) << 2)) * step, spares + <usize>s * step, false)
  }
  flush<F>()
  spareCount = 0
  memory.fill(stamps, 0, (<usize>bucketCount) << 2)
}

/** One round of additions among spares; returns whether there was any. The stamps hold each bucket's spare without partner, plus one. */
function pairUp<F>(): bool {
  const step = sizeOf<F>() * 2
  memory.fill(stamps, 0, (<usize>bucketCount) << 2)
  let kept: u32 = 0
  for (let s: u32 = 0; s < spareCount; s++) {
    const owner = load<u32>(spareOwner + ((<usize>s) << 2))
    const stamp = stamps + ((<usize>owner) << 2)
    const partner = load<u32>(stamp)
    if (partner) {
      store<u32>(stamp, 0)
      enqueue<F>(spares + <usize>(partner - 1) * step, spares + <usize>s * step, false)
      store<u32>(spareOwner + ((<usize>s) << 2), 0xffffffff)
    } else {
      store<u32>(stamp, s + 1)
    }
  }
  flush<F>()
  for (let s: u32 = 0; s < spareCount; s++) {
    const owner = load<u32>(spareOwner + ((<usize>s) << 2))
    if (owner == 0xffffffff) continue
    if (kept != s) {
      memory.copy(spares + <usize>kept * step, spares + <usize>s * step, step)
      store<u32>(spareOwner + ((<usize>kept) << 2), owner)
    }
    kept++
  }
  const found = kept != spareCount
  spareCount = kept
  return found
}

/** Row and column sums of every window's buckets, all windows together so that the batches are large. */
function collect<F>(): void {
  const step = sizeOf<F>() * 2
  const columnsOf = columnCount()
  const rowsOf = rowCount()
  clear<F>(rows, windows * rowsOf)
  clear<F>(columns, windows * columnsOf)
  for (let column: u32 = 0; column < columnsOf; column++) {
    for (let w: u32 = 0; w < windows; w++) {
      for (let row: u32 = 0; row < rowsOf; row++) {
        const bucket = buckets + <usize>((w * rowsOf + row) * columnsOf + column) * step
        enqueue<F>(rows + <usize>(w * rowsOf + row) * step, bucket, false)
      }
    }
    flush<F>()
  }
  for (let row: u32 = 0; row < rowsOf; row++) {
    for (let w: u32 = 0; w < windows; w++) {
      for (let column: u32 = 0; column < columnsOf; column++) {
        const bucket = buckets + <usize>((w * rowsOf + row) * columnsOf + column) * step
        enqueue<F>(columns + <usize>(w * columnsOf + column) * step, bucket, false)
      }
    }
    flush<F>()
  }
}

/** total += Σ (i + 1)·bucket[i] = columnCount·Σ row·rows[row] + Σ (column + 1)·columns[column] */
function addWindow<F>(w: u32): void {
  const step = sizeOf<F>() * 2
  const columnsOf = columnCount()
  const rowsOf = rowCount()
  setInfinity<F>(running)
  setInfinity<F>(weighted)
  for (let row: i32 = rowsOf - 1; row > 0; row--) {
    addAffine<F>(running, rows + <usize>(w * rowsOf + row) * step)
    addProjective<F>(weighted, running)
  }
  for (let k = columnsOf; k > 1; k >>= 1) double<F>(weighted)
  addProjective<F>(total, weighted)
  setInfinity<F>(running)
  setInfinity<F>(weighted)
  for (let column: i32 = columnsOf - 1; column >= 0; column--) {
    addAffine<F>(running, columns + <usize>(w * columnsOf + column) * step)
    addProjective<F>(weighted, running)
  }
  addProjective<F>(total, weighted)
}
