/**
 * Loads and stores. A constant address costs nothing; a symbolic one is enumerated from what the path knows about it,
 * and each candidate gets a selector bit.
 */
import type { Proven, Refined } from './interval.ts'
import { bitLength, maximum, minimum, proven } from './interval.ts'
import type { Lc } from './lc.ts'
import { ZERO, addConstant, scale, sum } from './lc.ts'
import { Live } from './live.ts'
import { oneHot } from './numeric.ts'
import { refuse } from './refusal.ts'
import type { State } from './state.ts'
import { choose, rangeOn } from './state.ts'
import type { Words } from './words.ts'

/** From this many constants on, a table is looked up by rows and columns. */
const TABLE_SIZE = 21

/** The effective address: an integer of 33 bits. */
export function effectiveAddress(words: Words, state: State, address: Lc, offset: number): Lc {
  return addConstant(new Live(words, state).unsigned(address, 32), BigInt(offset))
}

/** 1 where an access of `size` bytes leaves the memory. */
export function outOfBounds(words: Words, state: State, address: Lc, size: number): Lc {
  const last = BigInt(state.memory.image.length - size)
  return new Live(words, state).isNonNegative(addConstant(address, -last - 1n))
}

/** False where what the path knows about the address contradicts itself, so that the path is never taken. */
export function isReachable({ circuit }: Words, state: State, address: Lc): boolean {
  return [address, address.split.base].every((lc) => {
    const { lo, hi } = rangeOn(circuit, state, lc)
    return lo <= hi
  })
}

/** The word at an address that is in bounds on this path. */
export function loadWord(words: Words, state: State, address: Lc, size: number): Lc {
  const { addresses, index, lowest } = candidates(words, state, address)
  for (const at of addresses) noteRead(words, state, at, size)
  if (addresses.length === 1) return state.memory.load(words, addresses[0]!, size)
  const values = addresses.map((at) => state.memory.load(words, at, size))
  if (values.length >= TABLE_SIZE && values.every((value) => value.isConstant)) {
    return lookUp(words, index, lowest, values)
  }
  return choose(words.circuit, selectors(words, index, lowest, addresses.length), values)
}

export function storeWord(words: Words, state: State, address: Lc, size: number, value: Lc): void {
  const { addresses, index, lowest } = candidates(words, state, address)
  const { circuit } = words
  for (const at of addresses) circuit.effects?.wrote(at, size, value, circuit.at)
  if (addresses.length === 1) {
    state.memory.store(words, addresses[0]!, size, value)
    return
  }
  const olds = addresses.map((at) => state.memory.load(words, at, size))
  selectors(words, index, lowest, addresses.length).forEach((selector, k) => {
    const stale = circuit.effects !== undefined && state.memory.startingBytes(addresses[k]!, size).length > 0
    if (overlapping(addresses, size)) olds[k] = state.memory.load(words, addresses[k]!, size)
    state.memory.store(words, addresses[k]!, size, circuit.select(selector, value, olds[k]!), stale)
  })
}

/** Tells the effects which starting bytes a load may see. */
export function noteRead({ circuit }: Words, { memory }: State, address: number, size: number): void {
  if (circuit.effects === undefined) return
  for (const at of memory.startingBytes(address, size)) circuit.effects.readStart(at)
}

function overlapping(addresses: readonly number[], size: number): boolean {
  return Math.abs(addresses[1]! - addresses[0]!) < size
}

interface Candidates {
  /** Address k belongs to index value lowest + k. */
  addresses: number[]
  index: Lc
  lowest: bigint
}

function candidates(words: Words, state: State, address: Lc): Candidates {
  const { circuit } = words
  const { scale: stride, base, constant } = address.split
  const whole = rangeOn(circuit, state, address)
  if (whole.lo === whole.hi) return { addresses: [Number(whole.lo)], index: ZERO, lowest: 0n }
  const range: Refined = rangeOn(circuit, state, base)
  const count = range.hi - range.lo + 1n
  if (count > BigInt(circuit.limits.candidates)) {
    throw refuse(
      circuit.at,
      `this index may be any of ${count} places, and at most ${circuit.limits.candidates} can be proven`,
      'A circuit looks at every place that an index may mean. Bound it first: `if (i >= 16) unreachable()` or `table[i & 15]`.',
    )
  }
  const addresses = Array.from({ length: Number(count) }, (_, k) => Number((range.lo + BigInt(k)) * stride + constant))
  return { addresses, index: base, lowest: range.lo }
}

/** Bit k is 1 where index = lowest + k; at most one is set. */
function selectors(words: Words, index: Lc, lowest: bigint, count: number): Lc[] {
  const { circuit } = words
  const range = circuit.range(index)
  const decompositionBits = words.hasBits(index) ? 0 : bitLength(range.hi - range.lo)
  if (2 * count < decompositionBits) {
    return Array.from({ length: count }, (_, k) => circuit.isZero(addConstant(index, -lowest - BigInt(k))))
  }
  const size = bitLength(BigInt(count - 1))
  const spelled = oneHot(words, words.bits(index, size))
  return Array.from({ length: count }, (_, k) => spelled[Number(BigInt.asUintN(size, lowest + BigInt(k)))]!)
}

/** A table of constants by a square of selectors; entries that no candidate reaches repeat another one. */
function lookUp(words: Words, index: Lc, lowest: bigint, values: readonly Lc[]): Lc {
  const { circuit } = words
  const size = bitLength(BigInt(values.length - 1))
  const spread: Lc[] = Array.from({ length: 1 << size }, () => values[0]!)
  values.forEach((value, k) => (spread[Number(BigInt.asUintN(size, lowest + BigInt(k)))] = value))
  const bits = words.bits(index, size)
  const half = size >> 1
  const columns = oneHot(words, bits.slice(0, half))
  const rows = oneHot(words, bits.slice(half))
  const ofRows = rows.map((_, row) =>
    sum(columns.map((column, k) => scale(column, spread[(row << half) + k]!.constant))),
  )
  const width = columns.length
  ofRows.forEach((value, row) => {
    const entries = spread.slice(row * width, (row + 1) * width).map(({ constant }) => constant)
    circuit.note(value, hullOf(entries))
  })
  return choose(circuit, rows, ofRows)
}

function hullOf(values: readonly bigint[]): Proven {
  return proven(values.reduce(minimum), values.reduce(maximum))
}
