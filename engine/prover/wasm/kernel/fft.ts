// Transforms between values on the 2^power-th roots of unity and coefficients, without a bit reversal: `spread` takes natural order to
// reversed order, `gather` takes it back. Block i of every layer has the factor root^(n/2 · reversed fraction of i): one table in
// that order serves all layers, and the first block of each needs no multiplication.

import * as fr from './fr'

const ELEMENT: usize = 36
/** A sum doubles in every layer of `gather`; up to 2^5 times its bound it still is a factor of a product. */
const LAYERS_BETWEEN_REDUCTIONS = 5

const power: usize = memory.data(36)

/** Fills a table of 2^(log − 1) factors for a root of order 2^log in Montgomery form. */
export function fillFactors(table: usize, root: usize, log: u32): void {
  fr.copy(table, fr.ONE)
  fr.copy(power, root)
  // Entry 2^k + i is entry i times root^(n / 2^(k + 2)).
  for (let k: i32 = log - 2; k >= 0; k--) {
    fr.copy(table + ((<usize>1) << k) * ELEMENT, power)
    fr.sqr(power, power)
  }
  for (let k: u32 = 0; k + 1 < log; k++) {
    const step = table + ((<usize>1) << k) * ELEMENT
    for (let i: usize = 1; i < (<usize>1) << k; i++) {
      fr.mul(step + i * ELEMENT, step, table + i * ELEMENT)
      fr.reduce(step + i * ELEMENT, step + i * ELEMENT)
    }
  }
}

/** Σ value[j]·root^(j·k) for every k, in bit-reversed order of k, in place. */
export function spread(values: usize, log: u32, table: usize): void {
  for (let layer: u32 = 0; layer < log; layer++) {
    const half = (<usize>1) << (log - layer - 1)
    const bytes = half * ELEMENT
    fr.combine(values, values + bytes, <i32>half)
    for (let block: usize = 1; block < (<usize>1) << layer; block++) {
      const at = values + block * 2 * bytes
      fr.spread(at, at + bytes, <i32>half, table + block * ELEMENT)
    }
  }
}

/** Σ value[k]·root^(j·k) for every j in natural order, from values in bit-reversed order of k, in place; bounded by 70p. */
export function gather(values: usize, log: u32, table: usize): void {
  for (let layer: i32 = log - 1; layer >= 0; layer--) {
    const half = (<usize>1) << (log - layer - 1)
    const bytes = half * ELEMENT
    fr.combine(values, values + bytes, <i32>half)
    for (let block: usize = 1; block < (<usize>1) << layer; block++) {
      const at = values + block * 2 * bytes
      fr.gather(at, at + bytes, <i32>half, table + block * ELEMENT)
    }
    if ((log - layer) % LAYERS_BETWEEN_REDUCTIONS == 0) {
      for (let k: usize = 0; k < (<usize>1) << log; k++) fr.reduce(values + k * ELEMENT, values + k * ELEMENT)
    }
  }
}

/** Multiplies coefficient k of three polynomials in bit-reversed order by first·step^k. */
export function scaleCosets(a: usize, b: usize, c: usize, log: u32, first: usize, step: usize): void {
  fr.copy(power, first)
  const shift = 32 - log
  for (let k: u32 = 0; k < (<u32>1) << log; k++) {
    const at = log == 0 ? <usize>0 : <usize>(reverse(k) >> shift) * ELEMENT
    fr.mul(a + at, a + at, power)
    fr.mul(b + at, b + at, power)
    fr.mul(c + at, c + at, power)
    fr.mul(power, power, step)
  }
}

function reverse(value: u32): u32 {
  value = ((value >> 1) & 0x55555555) | ((value & 0x55555555) << 1)
  value = ((value >> 2) & 0x33333333) | ((value & 0x33333333) << 2)
  value = ((value >> 4) & 0x0f0f0f0f) | ((value & 0x0f0f0f0f) << 4)
  return bswap(value)
}
