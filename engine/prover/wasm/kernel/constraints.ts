// The rows of the matrices A and B of a circuit, times the witness. Terms are kept row by row as wire and coefficient; equal
// coefficients are stored once.

import * as fr from './fr'

const ELEMENT: usize = 36
/** matrix, row, wire, coefficient·2^512 */
const TERM_BYTES: usize = 44
const COEFFICIENT_BYTES: usize = 32

const NONE: u32 = 0xffffffff
let one: u32 = NONE
let minusOne: u32 = NONE
let known: u32 = 0

const raw: usize = memory.data(36)
const value: usize = memory.data(36)

/** Adds `count` terms to the row counts: rowStart[matrix·rows + row + 1]. Returns the number of the first unusable term, or −1. */
export function countTerms(rowStart: usize, rows: u32, wires: u32, terms: usize, count: u32): i32 {
  for (let k: u32 = 0; k < count; k++) {
    const term = terms + <usize>k * TERM_BYTES
    const matrix = load<u32>(term)
    const row = load<u32>(term, 4)
    if (matrix > 1 || row >= rows || load<u32>(term, 8) >= wires || !fr.isCanonical(term + 12)) return k
    const at = rowStart + ((<usize>matrix * rows + row + 1) << 2)
    store<u32>(at, load<u32>(at) + 1)
  }
  return -1
}

/** Turns the counts into the places where each row's next term goes. */
export function startRows(rowStart: usize, rows: u32): void {
  for (let k: usize = 1; k <= <usize>rows * 2; k++) {
    const at = rowStart + (k << 2)
    store<u32>(at, load<u32>(at) + load<u32>(at - 4))
  }
  // One place lower: fillTerms moves each row's start to its end, which is the start of the next.
  memory.copy(rowStart + 4, rowStart, (<usize>rows * 2) << 2)
  store<u32>(rowStart, 0)
}

/** Forgets all coefficients; the hash table has 2^log places. */
export function clearCoefficients(slots: usize, log: u32): void {
  memory.fill(slots, 0, (<usize>4) << log)
  one = NONE
  minusOne = NONE
  known = 0
}

/** Puts terms (wire, coefficient number) into their rows and new coefficients into the table. Returns how many coefficients there are. */
export function fillTerms(
  rowStart: usize,
  rows: u32,
  rowTerms: usize,
  coefficients: usize,
  slots: usize,
  log: u32,
  terms: usize,
  count: u32,
): u32 {
  for (let k: u32 = 0; k < count; k++) {
    const term = terms + <usize>k * TERM_BYTES
    const at = rowStart + ((<usize>load<u32>(term) * rows + load<u32>(term, 4) + 1) << 2)
    const place = load<u32>(at)
    store<u32>(at, place + 1)
    const entry = rowTerms + ((<usize>place) << 3)
    store<u32>(entry, load<u32>(term, 8))
    store<u32>(entry, coefficientNumber(coefficients, slots, log, term + 12), 4)
  }
  return known
}

function coefficientNumber(coefficients: usize, slots: usize, log: u32, bytes: usize): u32 {
  fr.unpack(raw, bytes)
  fr.mul(value, raw, fr.FROM_FILE_TWICE)
  fr.canonical(value, value)
  const mixed = load<u64>(bytes) ^ (load<u64>(bytes, 8) * 3) ^ (load<u64>(bytes, 16) * 5) ^ (load<u64>(bytes, 24) * 7)
  let slot = <u32>((mixed * 0x9e3779b97f4a7c15) >> (64 - log))
  for (;;) {
    const number = load<u32>(slots + ((<usize>slot) << 2))
    if (number == 0) break
    if (memory.compare(coefficients + <usize>(number - 1) * ELEMENT, value, ELEMENT) == 0) return number - 1
    slot = (slot + 1) & ((1 << log) - 1)
  }
  fr.copy(coefficients + <usize>known * ELEMENT, value)
  store<u32>(slots + ((<usize>slot) << 2), known + 1)
  noteUnit()
  return known++
}

/** Remembers which coefficients are 1 and −1: they need no multiplication. */
function noteUnit(): void {
  fr.sub(raw, value, fr.ONE)
  if (fr.isZero(raw)) one = known
  fr.add(raw, value, fr.ONE)
  if (fr.isZero(raw)) minusOne = known
}

/** Witness values in Montgomery form from 32 bytes each. Returns the number of the first that is not below r, or −1. */
export function loadWitness(o: usize, bytes: usize, wires: u32): i32 {
  for (let k: u32 = 0; k < wires; k++) {
    const value = bytes + <usize>k * COEFFICIENT_BYTES
    if (!fr.isCanonical(value)) return k
    const at = o + <usize>k * ELEMENT
    fr.unpack(at, value)
    fr.mul(at, at, fr.SQUARE)
  }
  return -1
}

/** o[row] = Σ coefficient·witness[wire] over the rows of one matrix. */
export function evaluateRows(
  o: usize,
  rows: u32,
  rowStart: usize,
  rowTerms: usize,
  coefficients: usize,
  witness: usize,
): void {
  for (let row: usize = 0; row < rows; row++) {
    const sum = o + row * ELEMENT
    memory.fill(sum, 0, ELEMENT)
    const end = load<u32>(rowStart + (row << 2), 4)
    for (let k = load<u32>(rowStart + (row << 2)); k < end; k++) {
      const wire = witness + <usize>load<u32>(rowTerms + ((<usize>k) << 3)) * ELEMENT
      const number = load<u32>(rowTerms + ((<usize>k) << 3), 4)
      if (number == one) {
        fr.add(sum, sum, wire)
        fr.reduce(sum, sum)
      } else if (number == minusOne) {
        fr.sub(sum, sum, wire)
        fr.reduce(sum, sum)
      } else {
        fr.mulAdd(sum, coefficients + <usize>number * ELEMENT, wire, sum)
      }
    }
  }
}

/** o = a·b for every row. */
export function multiplyRows(o: usize, a: usize, b: usize, rows: u32): void {
  for (let at: usize = 0; at < <usize>rows * ELEMENT; at += ELEMENT) fr.mul(o + at, a + at, b + at)
}

/** o = a·b − c for every row, as scalars of 32 canonical bytes. */
export function joinRows(o: usize, a: usize, b: usize, c: usize, rows: u32): void {
  for (let row: usize = 0; row < rows; row++) {
    const at = row * ELEMENT
    fr.reduce(a + at, a + at)
    fr.reduce(c + at, c + at)
    fr.mulSub(value, a + at, b + at, c + at)
    fr.mul(value, value, fr.PLAIN_ONE)
    fr.canonical(value, value)
    fr.pack(o + row * COEFFICIENT_BYTES, value)
  }
}
