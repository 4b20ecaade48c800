/**
 * Linear memory during symbolic execution: an immutable image of bytes, and over it cells of 1 to 8 bytes that hold
 * words (`lc mod 2^(8·size)`). Copies share their cells until one of them writes. Addresses are concrete here.
 */
import type { Circuit } from './circuit.ts'
import type { Lc } from './lc.ts'
import { addScaled, constantLc } from './lc.ts'
import type { Words } from './words.ts'

interface Cell {
  address: number
  size: number
  value: Lc
  /** On some path the bytes still hold what the image has. */
  stale?: boolean
}

export class Memory {
  readonly image: Uint8Array
  /** The cell that covers a byte; a cell is entered once for each of its bytes. */
  #cells: Map<number, Cell>
  #shared = false

  constructor(image: Uint8Array, cells: Map<number, Cell> = new Map()) {
    this.image = image
    this.#cells = cells
  }

  clone(): Memory {
    this.#shared = true
    const copy = new Memory(this.image, this.#cells)
    copy.#shared = true
    return copy
  }

  /** The word of `size` bytes, little-endian. */
  load(words: Words, address: number, size: number): Lc {
    const whole = this.#cells.get(address)
    if (whole !== undefined && whole.address === address && whole.size >= size) return whole.value
    let result = constantLc(0n)
    for (let at = address; at < address + size;) {
      const cell = this.#cells.get(at)
      const end = Math.min(address + size, cell === undefined ? at + 1 : cell.address + cell.size)
      const part = cell === undefined ? constantLc(BigInt(this.image[at]!)) : piece(words, cell, at, end - at)
      result = addScaled(result, part, 1n << BigInt(8 * (at - address)))
      words.circuit.charge(result.signals.length)
      at = end
    }
    return result
  }

  store(words: Words, address: number, size: number, value: Lc, stale = false): void {
    const kept: Cell[] = []
    const seen = new Set<Cell>()
    for (let at = address; at < address + size; at++) {
      const cell = this.#cells.get(at)
      if (cell === undefined || seen.has(cell)) continue
      seen.add(cell)
      const after = address + size
      if (cell.address < address) {
        kept.push({ ...cell, size: address - cell.address })
      }
      const end = cell.address + cell.size
      if (end > after)
        kept.push({ ...cell, address: after, size: end - after, value: piece(words, cell, after, end - after) })
    }
    this.#own(words.circuit)
    for (const cell of [...kept, { address, size, value, stale }]) this.#enter(cell)
  }

  /** Those bytes that hold, or on some path still hold, what the image has. */
  startingBytes(address: number, size: number): number[] {
    const bytes = Array.from({ length: size }, (_, k) => address + k)
    return bytes.filter((at) => this.#startsAt(at))
  }

  #startsAt(address: number): boolean {
    return this.#cells.get(address)?.stale ?? true
  }

  /** Replaces `image` by its bytes with all cells written into it; only for cells of constants. */
  flatten(): Memory {
    const image = this.image.slice()
    for (const [at, cell] of this.#cells) {
      if (!cell.value.isConstant) throw new RangeError(`byte ${at} is not a constant`)
      image[at] = Number(
        (BigInt.asUintN(8 * cell.size, cell.value.constant) >> BigInt(8 * (at - cell.address))) & 0xffn,
      )
    }
    return new Memory(image)
  }

  #enter(cell: Cell): void {
    for (let at = cell.address; at < cell.address + cell.size; at++) this.#cells.set(at, cell)
  }

  #own(circuit: Circuit): void {
    if (!this.#shared) return
    circuit.charge(this.#cells.size)
    this.#cells = new Map(this.#cells)
    this.#shared = false
  }

  /** One memory out of several with the same image: `mergeWords` gives the word of each region on which they differ. */
  static merge(words: Words, memories: readonly Memory[], mergeWords: (values: Lc[], width: number) => Lc): Memory {
    const first = memories[0]!
    const result = first.clone()
    if (memories.every((memory) => memory.#cells === first.#cells)) return result
    const watched = words.circuit.effects !== undefined
    for (const [from, to] of differingRegions(words.circuit, memories)) {
      const values = memories.map((memory) => memory.load(words, from, to - from))
      const stale = watched && memories.some((memory) => memory.#startsAt(from))
      result.store(words, from, to - from, mergeWords(values, 8 * (to - from)), stale)
    }
    return result
  }

  static cellsOf(memory: Memory): ReadonlyMap<number, Cell> {
    return memory.#cells
  }
}

/** The bytes `[at, at+length)` of a cell as an unsigned integer, or any representative when they are its lowest. */
function piece(words: Words, cell: Cell, at: number, length: number): Lc {
  const skip = at - cell.address
  if (skip === 0) return words.unsigned(cell.value, 8 * length)
  return words.define(words.bits(cell.value, 8 * cell.size).slice(8 * skip, 8 * (skip + length)))
}

/** Regions of at most 8 bytes, cut wherever some memory has an edge of a cell, on which not all hold the same cell. */
function differingRegions(circuit: Circuit, memories: readonly Memory[]): [number, number][] {
  const touched = new Set<number>()
  const edges = new Set<number>()
  for (const memory of memories) {
    const cells = Memory.cellsOf(memory)
    circuit.charge(cells.size)
    for (const [at, cell] of cells) {
      if (touched.has(at)) continue
      if (memories.every((other) => sameCell(Memory.cellsOf(other).get(at), cell))) continue
      touched.add(at)
    }
  }
  for (const memory of memories) {
    for (const at of touched) {
      const cell = Memory.cellsOf(memory).get(at)
      if (cell !== undefined) edges.add(cell.address).add(cell.address + cell.size)
    }
  }
  return regionsBetween(
    [...touched].sort((a, b) => a - b),
    edges,
  )
}

function sameCell(a: Cell | undefined, b: Cell): boolean {
  return a === b || (a !== undefined && a.address === b.address && a.size === b.size && a.value.key === b.value.key)
}

function regionsBetween(bytes: readonly number[], edges: ReadonlySet<number>): [number, number][] {
  const regions: [number, number][] = []
  for (const at of bytes) {
    const last = regions.at(-1)
    if (last !== undefined && last[1] === at && !edges.has(at) && at - last[0] < 8) last[1] = at + 1
    else regions.push([at, at + 1])
  }
  return regions
}
