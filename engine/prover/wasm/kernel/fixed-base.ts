// Multiples of one point for many scalars: a table holds digit·2^(bits·window)·G for every window and every digit up to 2^(bits−1), and
// a multiple is a sum of one entry for each window, with signed digits.

import * as fq from './fq'
import { enqueue, flush } from './batch-add'
import { Fq, Fq2, sizeOf } from './coordinate'
import { copyAffine, isEmpty, setEmpty } from './point'

/** Bytes of a scalar to which 2^(bits−1) was added at each window, so that its digits become unsigned. */
const SHIFTED_BYTES: usize = 40

/** Fills the table of G1 from its generator, an affine point in Montgomery form. */
export function fillTable1(table: usize, windows: u32, bits: u32, generator: usize): void {
  fillTable<Fq>(table, windows, bits, generator)
}

/** The same for G2. */
export function fillTable2(table: usize, windows: u32, bits: u32, generator: usize): void {
  fillTable<Fq2>(table, windows, bits, generator)
}

/** Affine points scalar·G in G1, for at most BATCH_SIZE shifted scalars, as files hold them: coordinates times 2^256, zeros for infinity. */
export function multiplyGenerator1(
  o: usize,
  sums: usize,
  scalars: usize,
  count: u32,
  table: usize,
  windows: u32,
  bits: u32,
): void {
  multiplyGenerator<Fq>(o, sums, scalars, count, table, windows, bits)
}

/** The same for G2. */
export function multiplyGenerator2(
  o: usize,
  sums: usize,
  scalars: usize,
  count: u32,
  table: usize,
  windows: u32,
  bits: u32,
): void {
  multiplyGenerator<Fq2>(o, sums, scalars, count, table, windows, bits)
}

function fillTable<F>(table: usize, windows: u32, bits: u32, generator: usize): void {
  const step = sizeOf<F>() * 2
  const half: u32 = 1 << (bits - 1)
  copyAffine<F>(table, generator, false)
  for (let window: u32 = 0; window < windows; window++) {
    for (let known: u32 = 1; known < half; known <<= 1) {
      // 1·P to known·P are there: add known·P to each of them, the last to itself.
      const last = table + <usize>(known - 1) * step
      for (let digit: u32 = 0; digit < known; digit++) {
        const target = table + <usize>(known + digit) * step
        copyAffine<F>(target, table + <usize>digit * step, false)
        enqueue<F>(target, last, false)
      }
      flush<F>()
    }
    const last = table + <usize>(half - 1) * step
    table += <usize>half * step
    if (window + 1 == windows) return
    copyAffine<F>(table, last, false)
    enqueue<F>(table, last, false)
    flush<F>()
  }
}

function multiplyGenerator<F>(
  o: usize,
  sums: usize,
  scalars: usize,
  count: u32,
  table: usize,
  windows: u32,
  bits: u32,
): void {
  const step = sizeOf<F>() * 2
  const half: i32 = 1 << (bits - 1)
  const mask = 2 * half - 1
  for (let k: u32 = 0; k < count; k++) setEmpty(sums + <usize>k * step)
  for (let window: u32 = 0; window < windows; window++) {
    const byte = <usize>((window * bits) >> 3)
    const shift = (window * bits) & 7
    for (let k: u32 = 0; k < count; k++) {
      const field = load<u32>(scalars + <usize>k * SHIFTED_BYTES + byte) >> shift
      const digit = ((<i32>field) & mask) - half
      if (digit == 0) continue
      const entry = table + <usize>(abs(digit) - 1) * step
      enqueue<F>(sums + <usize>k * step, entry, digit < 0)
    }
    flush<F>()
    table += <usize>half * step
  }
  for (let k: u32 = 0; k < count; k++) storeForFile<F>(o + ((<usize>k * (step / 36)) << 5), sums + <usize>k * step)
}

const element: usize = memory.data(36)

function storeForFile<F>(o: usize, point: usize): void {
  const parts = sizeOf<F>() / 18
  if (isEmpty(point)) {
    memory.fill(o, 0, parts << 5)
    return
  }
  for (let part: usize = 0; part < parts; part++) {
    fq.mul(element, point + part * 36, fq.TO_FILE)
    fq.canonical(element, element)
    fq.pack(o + (part << 5), element)
  }
}
