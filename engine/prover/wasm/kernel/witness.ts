// Computes a witness by a plan (circuits/witness/plan.ts): a list of steps over the rows of a constraint system. Every row is
// terms of wire and coefficient number; coefficients 0 and 1 are 1 and −1. A wire that is a bit, or not known yet, costs no
// multiplication: `kinds` says so, one byte a wire.

import * as fr from './fr'
import { bitOf, divide, liftFrom, quotient, value as plainValue } from './plain'

const ELEMENT: usize = 36
const SCALAR_BYTES: usize = 32

/** Also of a wire that is not known: it is left out of sums. */
const ZERO: u8 = 0
const ONE: u8 = 1
const ANY: u8 = 2

const SOLVE: u32 = 1
const DIVIDE: u32 = 2
const IS_ZERO: u32 = 3
const DIGITS: u32 = 4
const QUOTIENT: u32 = 5

const SIDE_A: u32 = 0
const SIDE_B: u32 = 1
const PRODUCT: u32 = 2
const SIDE_C: u32 = 2

/** In a digit's position. */
const OF_QUOTIENT: u32 = 0x100
const COMPLEMENT: u32 = 0x200
const WHOLE: u32 = 0x400
const POSITION: u32 = 0xff

/** Sums grow by this many terms before they are reduced. */
const LAZY_TERMS: u32 = 32

let wires: usize = 0
let kinds: usize = 0
let rowStart: usize = 0
let rowCount: usize = 0
let terms: usize = 0
let coefficients: usize = 0
let scratch: usize = 0

const a: usize = memory.data(36)
const b: usize = memory.data(36)
const c: usize = memory.data(36)
const x: usize = memory.data(36)
const product: usize = memory.data(36)
const dividend: usize = memory.data(32)
const divisor: usize = memory.data(32)

/** Where everything is. rowStart: all rows of A, then of B, then of C, then the end. scratch: two elements for each division of a step. */
export function placeWitness(
  wireAt: usize,
  kindAt: usize,
  startAt: usize,
  rows: u32,
  termAt: usize,
  coefficientAt: usize,
  scratchAt: usize,
): void {
  wires = wireAt
  kinds = kindAt
  rowStart = startAt
  rowCount = rows
  terms = termAt
  coefficients = coefficientAt
  scratch = scratchAt
}

/** Forgets all wires but the constant 1, then sets `count` wires to 32 bytes each. Returns the number of the first that is not below r, or −1. */
export function setInputs(wireCount: u32, numbers: usize, bytes: usize, count: u32): i32 {
  memory.fill(kinds, ZERO, wireCount)
  setBit(0, true)
  for (let k: u32 = 0; k < count; k++) {
    const at = bytes + <usize>k * SCALAR_BYTES
    if (!fr.isCanonical(at)) return k
    fr.unpack(x, at)
    fr.mul(x, x, fr.SQUARE)
    set(load<u32>(numbers + ((<usize>k) << 2)), x)
  }
  return -1
}

/** Carries out the steps from `at` to `end`. */
export function runPlan(at: usize, end: usize): void {
  while (at < end) {
    const kind = load<u32>(at)
    if (kind == SOLVE) at = solve(at)
    else if (kind == DIVIDE) at = divideAll(at)
    else if (kind == IS_ZERO) at = testForZero(at)
    else if (kind == DIGITS) at = spell(at)
    else at = divideWhole(at)
  }
}

/** The first row of [from, to) that does not hold, or −1. */
export function brokenRow(from: u32, to: u32): i32 {
  for (let row = from; row < to; row++) {
    rowValue(row)
    if (!fr.isZero(x)) return row
  }
  return -1
}

/** 32 bytes of each wire. */
export function storeWitness(o: usize, count: u32): void {
  for (let wire: u32 = 0; wire < count; wire++, o += SCALAR_BYTES) {
    const kind = load<u8>(kinds + wire)
    if (kind == ANY) {
      fr.mul(x, wires + <usize>wire * ELEMENT, fr.PLAIN_ONE)
      fr.canonical(x, x)
      fr.pack(o, x)
    } else {
      memory.fill(o, 0, SCALAR_BYTES)
      store<u8>(o, kind)
    }
  }
}

// row wire factor
function solve(at: usize): usize {
  rowValue(load<u32>(at, 4))
  scaleBy(load<u32>(at, 12))
  set(load<u32>(at, 8), x)
  return at + 16
}

// count (row wire side factor)…
function divideAll(at: usize): usize {
  const count = <usize>load<u32>(at, 4)
  const first = at + 8
  fr.copy(product, fr.ONE)
  for (let k: usize = 0; k < count; k++) {
    const entry = first + k * 16
    const below = scratch + k * 2 * ELEMENT
    sum(below, load<u32>(entry), load<u32>(entry, 8) == SIDE_A ? SIDE_B : SIDE_A)
    fr.copy(below + ELEMENT, product)
    if (!fr.isZero(below)) fr.mul(product, product, below)
    else memory.fill(below, 0, ELEMENT)
  }
  fr.inverse(product, product)
  for (let k = count; k-- > 0;) {
    const entry = first + k * 16
    const below = scratch + k * 2 * ELEMENT
    const row = load<u32>(entry)
    if (fr.isZero(below)) {
      memory.fill(c, 0, ELEMENT)
    } else {
      fr.mul(b, product, below + ELEMENT)
      fr.mul(product, product, below)
      sum(c, row, SIDE_C)
      fr.mul(c, c, b)
    }
    sum(a, row, load<u32>(entry, 8))
    fr.sub(x, c, a)
    fr.reduce(x, x)
    scaleBy(load<u32>(entry, 12))
    set(load<u32>(entry, 4), x)
  }
  return first + count * 16
}

// row factor zero zeroSide zeroFactor wire
function testForZero(at: usize): usize {
  const zero = load<u32>(at, 12)
  const side = load<u32>(at, 16)
  sum(a, zero, side == SIDE_A ? SIDE_B : SIDE_A)
  if (fr.isZero(a)) {
    sum(x, load<u32>(at, 4), SIDE_C)
    scaleBy(load<u32>(at, 8))
  } else {
    sum(x, zero, side)
    scaleBy(load<u32>(at, 20))
  }
  fr.reduce(x, x)
  set(load<u32>(at, 24), x)
  return at + 28
}

// row side factor constant lowest divisor count (wire position)…
function spell(at: usize): usize {
  const row = load<u32>(at, 4)
  if (load<u32>(at, 8) == PRODUCT) rowValue(row)
  else sum(x, row, SIDE_A)
  scaleBy(load<u32>(at, 12))
  fr.add(x, x, coefficientAt(load<u32>(at, 16)))
  plain(dividend, x)
  plain(divisor, coefficientAt(load<u32>(at, 20)))
  liftFrom(dividend, divisor)
  plain(divisor, coefficientAt(load<u32>(at, 24)))
  divide(dividend, divisor)
  const count = <usize>load<u32>(at, 28)
  setParts(at + 32, count)
  return at + 32 + count * 8
}

// row divisorSide divisorFactor dividendFactor count (wire position)…
function divideWhole(at: usize): usize {
  const row = load<u32>(at, 4)
  sum(x, row, load<u32>(at, 8))
  scaleBy(load<u32>(at, 12))
  plain(divisor, x)
  sum(x, row, SIDE_C)
  scaleBy(load<u32>(at, 16))
  plain(dividend, x)
  divide(dividend, divisor)
  const count = <usize>load<u32>(at, 20)
  setParts(at + 24, count)
  return at + 24 + count * 8
}

function setParts(at: usize, count: usize): void {
  for (const end = at + count * 8; at < end; at += 8) {
    const position = load<u32>(at, 4)
    const from = position & OF_QUOTIENT ? quotient : plainValue
    if (position & WHOLE) {
      fr.unpack(x, from)
      fr.mul(x, x, fr.SQUARE)
      set(load<u32>(at), x)
    } else {
      setBit(load<u32>(at), bitOf(from, position & POSITION) != !!(position & COMPLEMENT))
    }
  }
}

function plain(o: usize, element: usize): void {
  fr.mul(b, element, fr.PLAIN_ONE)
  fr.canonical(b, b)
  fr.pack(o, b)
}

/** x = A·B − C */
function rowValue(row: u32): void {
  sum(c, row, SIDE_C)
  const empty = load<u32>(rowStart + ((<usize>row) << 2)) == load<u32>(rowStart + ((<usize>row) << 2), 4)
  if (empty) {
    fr.neg(x, c)
    return
  }
  sum(a, row, SIDE_A)
  sum(b, row, SIDE_B)
  fr.mulSub(x, a, b, c)
}

/** x = x · coefficient */
function scaleBy(number: u32): void {
  if (number == 0) return
  if (number == 1) fr.neg(x, x)
  else fr.mul(x, x, coefficientAt(number))
}

/** o = Σ coefficient·wire over the terms of one side of a row, reduced */
function sum(o: usize, row: u32, side: u32): void {
  memory.fill(o, 0, ELEMENT)
  const start = rowStart + ((<usize>side * rowCount + row) << 2)
  const end = terms + ((<usize>load<u32>(start, 4)) << 3)
  let lazy: u32 = 0
  for (let at = terms + ((<usize>load<u32>(start)) << 3); at < end; at += 8) {
    const wire = <usize>load<u32>(at)
    const kind = load<u8>(kinds + wire)
    if (kind == ZERO) continue
    const number = load<u32>(at, 4)
    if (kind == ONE) fr.add(o, o, coefficientAt(number))
    else if (number == 0) fr.add(o, o, wires + wire * ELEMENT)
    else if (number == 1) fr.sub(o, o, wires + wire * ELEMENT)
    else {
      fr.mulAdd(o, coefficientAt(number), wires + wire * ELEMENT, o)
      lazy = 0
      continue
    }
    if (++lazy == LAZY_TERMS) {
      fr.reduce(o, o)
      lazy = 0
    }
  }
  if (lazy) fr.reduce(o, o)
}

function coefficientAt(number: u32): usize {
  return coefficients + <usize>number * ELEMENT
}

function set(wire: u32, element: usize): void {
  fr.copy(wires + <usize>wire * ELEMENT, element)
  store<u8>(kinds + wire, ANY)
}

function setBit(wire: u32, bit: bool): void {
  store<u8>(kinds + wire, bit ? ONE : ZERO)
}
