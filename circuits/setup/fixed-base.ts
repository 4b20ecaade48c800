// Multiples of the generator of G1 or G2 of BN254 for many scalars at once.
//
// One table holds d·2^(c·j)·G for every window j of c bits and every digit d up to 2^(c−1); digits are signed. The scalars
// of a block walk through the windows together: each step is one affine addition per scalar, and all divisions of a step
// share one inversion, which makes an addition 6 field multiplications (a mixed Jacobian addition takes 11). The field
// code is ffjavascript's WebAssembly, called directly on its own memory; nothing is copied but the results.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { buildBn128 } from 'ffjavascript'

/** Scalars that walk together: their points, differences and inverses fit the second-level cache. */
const BLOCK_SIZE = 1024
const MAX_WINDOW_BITS = 15
/** Signed digits need one bit more than the 254 of a scalar. */
const DIGIT_BITS = 255
const PAGE_BYTES = 65536
/** Additions of one step: a block in the walk, half a window in the table. */
const MAX_ADDITIONS = Math.max(BLOCK_SIZE, 1 << (MAX_WINDOW_BITS - 2))

export type Group = 'g1' | 'g2'

/** Bytes of an affine point: little-endian Montgomery coordinates, as .zkey files hold them; all zero for infinity. */
export const POINT_BYTES = { g1: 64, g2: 128 } as const

type FieldCall = (...addresses: number[]) => number

interface Curve {
  readonly tm: {
    readonly memory: WebAssembly.Memory
    readonly instance: { readonly exports: Record<string, FieldCall> }
    readonly pG1gen: number
    readonly pG2gen: number
  }
}

/**
 * The affine points scalar·G for every scalar in [0, r), one after the other. `onProgress` gets fractions in (0, 1].
 * Runs on the calling thread and gives way to other work after each block.
 */
export type MultiplyGenerator = (
  group: Group,
  scalars: readonly bigint[],
  onProgress?: (fraction: number) => void,
) => Promise<Uint8Array>

/** Builds the curve's code once (a third of a second) for all multiplications; one at a time. */
export async function generatorMultiplier(): Promise<MultiplyGenerator> {
  const curve = (await buildBn128(true)) as Curve
  return async (group, scalars, onProgress = () => {}) => {
    const walker = new FixedBaseWalker(curve, group, windowBits(scalars))
    const out = new Uint8Array(scalars.length * POINT_BYTES[group])
    for (let at = 0; at < scalars.length; at += BLOCK_SIZE) {
      const block = scalars.slice(at, at + BLOCK_SIZE)
      out.set(walker.multiply(block), at * POINT_BYTES[group])
      onProgress((at + block.length) / scalars.length)
      await nextTurn()
    }
    walker.release()
    return out
  }
}

/** Balances the table (2^(c−1) additions per window) against the walk (one addition per window and scalar that is not zero). */
function windowBits(scalars: readonly bigint[]): number {
  const scalarCount = scalars.reduce((count, scalar) => (scalar === 0n ? count : count + 1), 0)
  return Math.max(2, Math.min(MAX_WINDOW_BITS, Math.floor(Math.log2(scalarCount + 1)) - 4))
}

class FixedBaseWalker {
  private readonly field: Record<
    'add' | 'sub' | 'neg' | 'mul' | 'square' | 'copy' | 'isZero' | 'batchInverse',
    FieldCall
  >
  private readonly memory: WebAssembly.Memory
  private readonly bits: number
  private readonly windows: number
  private readonly half: number
  private readonly coordinate: number
  private readonly point: number
  private readonly table: number
  private readonly sums: number
  private readonly differences: number
  private readonly inverses: number
  private readonly scratch: number
  // The additions of one step: sum += ±term.
  private readonly sumAt = new Uint32Array(MAX_ADDITIONS)
  private readonly termAt = new Uint32Array(MAX_ADDITIONS)
  private readonly negative = new Uint8Array(MAX_ADDITIONS)
  private pending = 0

  constructor(curve: Curve, group: Group, bits: number) {
    const { memory, instance, pG1gen, pG2gen } = curve.tm
    const prefix = group === 'g1' ? 'f1m' : 'f2m'
    const call = (name: string) => instance.exports[`${prefix}_${name}`]!
    this.field = {
      add: call('add'),
      sub: call('sub'),
      neg: call('neg'),
      mul: call('mul'),
      square: call('square'),
      copy: call('copy'),
      isZero: call('isZero'),
      batchInverse: call('batchInverse'),
    }
    this.memory = memory
    this.bits = bits
    this.windows = Math.ceil(DIGIT_BITS / bits)
    this.half = 1 << (bits - 1)
    this.point = POINT_BYTES[group]
    this.coordinate = this.point / 2
    const free = new Uint32Array(memory.buffer)[0]!
    this.table = free
    this.sums = this.table + this.windows * this.half * this.point
    this.differences = this.sums + BLOCK_SIZE * this.point
    this.inverses = this.differences + MAX_ADDITIONS * this.coordinate
    this.scratch = this.inverses + MAX_ADDITIONS * this.coordinate
    this.reserve(this.scratch + 4 * this.coordinate, MAX_ADDITIONS * this.coordinate)
    this.buildTable(group === 'g1' ? pG1gen : pG2gen)
  }

  /** Gives the memory back. */
  release(): void {
    new Uint32Array(this.memory.buffer)[0] = this.table
  }

  /** Points of at most BLOCK_SIZE scalars; a view that the next call overwrites. */
  multiply(scalars: readonly bigint[]): Uint8Array {
    new Uint8Array(this.memory.buffer, this.sums, scalars.length * this.point).fill(0)
    const digits = signedDigits(scalars, this.bits, this.windows)
    const started = new Uint8Array(scalars.length)
    for (let window = 0; window < this.windows; window++) {
      for (let i = 0; i < scalars.length; i++) {
        const digit = digits[i * this.windows + window]!
        if (digit === 0) continue
        const sum = this.sums + i * this.point
        const term = this.entry(window, Math.abs(digit))
        if (started[i]) this.queue(sum, term, digit < 0)
        else this.start(sum, term, digit < 0)
        started[i] = 1
      }
      this.flush()
    }
    return new Uint8Array(this.memory.buffer, this.sums, scalars.length * this.point)
  }

  /** Address of digit·2^(bits·window)·G. */
  private entry(window: number, digit: number): number {
    return this.table + (window * this.half + digit - 1) * this.point
  }

  private reserve(end: number, inversionSpace: number): void {
    const missing = end + inversionSpace + PAGE_BYTES - this.memory.buffer.byteLength
    if (missing > 0) this.memory.grow(Math.ceil(missing / PAGE_BYTES))
    new Uint32Array(this.memory.buffer)[0] = Math.ceil(end / 8) * 8
  }

  private buildTable(generator: number): void {
    this.copyPoint(this.entry(0, 1), generator)
    for (let window = 0; window < this.windows; window++) {
      for (let known = 1; known < this.half; known *= 2) {
        // 1..known are there: add `known` to each of them, to itself by doubling.
        const last = this.entry(window, known)
        for (let digit = 1; digit < known; digit++) {
          const sum = this.entry(window, known + digit)
          this.copyPoint(sum, this.entry(window, digit))
          this.queue(sum, last, false)
        }
        this.flush()
        this.double(this.entry(window, 2 * known), last)
      }
      if (window + 1 < this.windows) this.double(this.entry(window + 1, 1), this.entry(window, this.half))
    }
  }

  private copyPoint(to: number, from: number): void {
    this.field.copy(from, to)
    this.field.copy(from + this.coordinate, to + this.coordinate)
  }

  private start(sum: number, term: number, negative: boolean): void {
    this.copyPoint(sum, term)
    if (negative) this.field.neg(sum + this.coordinate, sum + this.coordinate)
  }

  /** to = 2·from: slope (3x²)/(2y), then as any addition of a point to itself. */
  private double(to: number, from: number): void {
    const { add, square, mul, batchInverse } = this.field
    const y = from + this.coordinate
    add(y, y, this.differences)
    batchInverse(this.differences, this.coordinate, 1, this.inverses, this.coordinate)
    const slope = this.scratch
    const x2 = this.scratch + this.coordinate
    square(from, x2)
    add(x2, x2, slope)
    add(slope, x2, slope)
    mul(slope, this.inverses, slope)
    this.copyPoint(to, from)
    this.finish(to, from, slope)
  }

  private queue(sum: number, term: number, negative: boolean): void {
    if (this.pending === MAX_ADDITIONS) this.flush()
    this.field.sub(term, sum, this.differences + this.pending * this.coordinate)
    this.sumAt[this.pending] = sum
    this.termAt[this.pending] = term
    this.negative[this.pending++] = negative ? 1 : 0
  }

  /** Carries out the queued additions. The windows of one scalar never meet in one point, so no difference is zero. */
  private flush(): void {
    const { add, sub, neg, mul, batchInverse } = this.field
    if (this.pending === 0) return
    batchInverse(this.differences, this.coordinate, this.pending, this.inverses, this.coordinate)
    const slope = this.scratch
    const words = new Uint32Array(this.memory.buffer)
    for (let i = 0; i < this.pending; i++) {
      const sum = this.sumAt[i]!
      const term = this.termAt[i]!
      const inverse = this.inverses + i * this.coordinate
      if (words[inverse >>> 2] === 0 && this.field.isZero(inverse))
        throw new Error('fixed-base walk met the same x twice')
      if (this.negative[i]) {
        add(term + this.coordinate, sum + this.coordinate, slope)
        neg(slope, slope)
      } else {
        sub(term + this.coordinate, sum + this.coordinate, slope)
      }
      mul(slope, inverse, slope)
      this.finish(sum, term, slope)
    }
    this.pending = 0
  }

  /** sum = sum + term, given the slope of the line through them. Only the x of term is read. */
  private finish(sum: number, term: number, slope: number): void {
    const { sub, mul, square, copy } = this.field
    const x = this.scratch + this.coordinate
    const step = x + this.coordinate
    square(slope, x)
    sub(x, sum, x)
    sub(x, term, x)
    sub(sum, x, step)
    mul(step, slope, step)
    sub(step, sum + this.coordinate, sum + this.coordinate)
    copy(x, sum)
  }
}

/** Digits in (−2^(bits−1), 2^(bits−1)], least significant window first, `windows` of them per scalar. */
function signedDigits(scalars: readonly bigint[], bits: number, windows: number): Int16Array {
  const digits = new Int16Array(scalars.length * windows)
  const limbs = new BigUint64Array(5)
  const words = new Uint32Array(limbs.buffer)
  const half = 1 << (bits - 1)
  scalars.forEach((scalar, i) => {
    for (let limb = 0; limb < 4; limb++) limbs[limb] = BigInt.asUintN(64, scalar >> BigInt(64 * limb))
    let carry = 0
    for (let window = 0; window < windows; window++) {
      const value = bitField(words, window * bits, bits) + carry
      carry = value > half ? 1 : 0
      digits[i * windows + window] = carry ? value - 2 * half : value
    }
  })
  return digits
}

function bitField(words: Uint32Array, at: number, bits: number): number {
  const index = at >>> 5
  const offset = at & 31
  const low = words[index]! >>> offset
  const high = offset === 0 ? 0 : words[index + 1]! << (32 - offset)
  return (low | high) & ((1 << bits) - 1)
}
