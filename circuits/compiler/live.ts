/**
 * Words as seen on a path: where the path's conditions already make a combination the canonical integer, it is used as
 * it is, for free. On other paths the result may then differ from the word, but there the path predicate masks it;
 * gadgets are sized from the combination's own proven interval all the same.
 */
import type { Proven } from './interval.ts'
import { SIGNED, UNSIGNED, bitLength, ceilDivide, floorDivide, contains, hull, proven } from './interval.ts'
import type { Lc } from './lc.ts'
import { ONE, ZERO, add, addConstant, complement, subtract, sum } from './lc.ts'
import type { State } from './state.ts'
import { rangeOn } from './state.ts'
import type { Words } from './words.ts'

export class Live {
  readonly words: Words
  readonly state: State

  constructor(words: Words, state: State) {
    this.words = words
    this.state = state
  }

  unsigned(lc: Lc, width: number): Lc {
    return this.#fits(lc, UNSIGNED(width)) ? lc : this.words.unsigned(lc, width)
  }

  signed(lc: Lc, width: number): Lc {
    return this.#fits(lc, SIGNED(width)) ? lc : this.words.signed(lc, width)
  }

  #fits(lc: Lc, target: Proven): boolean {
    return contains(target, rangeOn(this.words.circuit, this.state, lc))
  }

  /** The unsigned integer, proven for every witness: masked by the bits that prove it on this path when that is cheaper. */
  provenUnsigned(lc: Lc, width: number): Lc {
    return this.#guarded(lc, UNSIGNED(width)) ?? this.words.unsigned(lc, width)
  }

  /** The unsigned integer as an operand of a product: worth one constraint to be proven non-negative. */
  factor(lc: Lc, width: number): Lc {
    return this.#guarded(lc, UNSIGNED(width)) ?? lc
  }

  provenSigned(lc: Lc, width: number): Lc {
    return this.#guarded(lc, SIGNED(width)) ?? this.words.signed(lc, width)
  }

  #guarded(lc: Lc, target: Proven): Lc | undefined {
    if (contains(target, this.words.circuit.range(lc))) return lc
    return this.#masked(lc, target)
  }

  /** The same non-negative integer on this path, masked when the path knows it to be so narrow that two constraints pay. */
  narrowed(lc: Lc): Lc {
    const { hi } = this.words.circuit.range(lc)
    const width = bitLength(rangeOn(this.words.circuit, this.state, lc).hi)
    return bitLength(hi) - width > 2 ? (this.#masked(lc, UNSIGNED(width)) ?? lc) : lc
  }

  /** The combination times the bits that prove it to be in the interval on this path. */
  #masked(lc: Lc, target: Proven): Lc | undefined {
    const { circuit } = this.words
    const knowledge = this.state.known.get(lc.split.base.key)
    if (!knowledge?.loBit || !knowledge.hiBit) return undefined
    const guard = circuit.mul(knowledge.loBit, knowledge.hiBit)
    if (guard.isConstant) return undefined
    const given = circuit.rangeGiven(lc, guard, true)
    if (!contains(target, given)) return undefined
    const result = circuit.mul(guard, lc)
    circuit.note(result, hull(proven(0n, 0n), given))
    return result
  }

  /** 1 if the integer is at least 0. */
  isNonNegative(lc: Lc): Lc {
    const { lo, hi } = rangeOn(this.words.circuit, this.state, lc)
    if (lo >= 0n) return ONE
    if (hi < 0n) return ZERO
    return this.words.isNonNegative(lc)
  }

  /** 1 if the word is 0. */
  isZero(lc: Lc, width: number): Lc {
    const { lo, hi } = rangeOn(this.words.circuit, this.state, lc)
    const modulus = 1n << BigInt(width)
    const from = ceilDivide(lo, modulus)
    const to = floorDivide(hi, modulus)
    if (from > to) return ZERO
    if (lo === hi) return ONE
    if (from === to) return this.words.circuit.isZero(addConstant(lc, -from * modulus))
    return this.words.isZeroWord(lc, width)
  }

  /** The i32 condition as a bit. */
  truth(lc: Lc): Lc {
    const { lo, hi } = rangeOn(this.words.circuit, this.state, lc)
    if (lo === hi) return BigInt.asUintN(32, lo) === 0n ? ZERO : ONE
    return this.words.circuit.isBoolean(lc) ? lc : complement(this.isZero(lc, 32))
  }

  /** a < b for integers; when one is much narrower, the high bits of the other decide first if they are known. */
  #isLess(a: Lc, b: Lc): Lc {
    const { circuit } = this.words
    const x = circuit.range(a)
    const y = circuit.range(b)
    const refinedDifference = rangeOn(circuit, this.state, subtract(a, b))
    if (refinedDifference.hi < 0n || refinedDifference.lo >= 0n) return refinedDifference.hi < 0n ? ONE : ZERO
    if (x.lo >= 0n && y.lo >= 0n && !a.isConstant && !b.isConstant) {
      const narrow = Math.min(bitLength(x.hi), bitLength(y.hi))
      const [wide, wideIsLeft] = x.hi > y.hi ? [a, true] : [b, false]
      const width = bitLength(circuit.range(wide).hi)
      if (width - narrow > 4 && this.words.hasBits(wide)) {
        const bits = this.words.bits(wide, width)
        const high = sum(bits.slice(narrow))
        const low = this.words.unsigned(wide, narrow)
        const fitsNarrow = circuit.isZero(high)
        const less = complement(this.words.isNonNegative(wideIsLeft ? subtract(low, b) : subtract(a, low)))
        const both = circuit.mul(fitsNarrow, less)
        const result = wideIsLeft ? both : add(complement(fitsNarrow), both)
        circuit.note(result, UNSIGNED(1))
        this.#stateLess(result, a, b)
        return result
      }
    }
    return complement(this.isNonNegative(subtract(a, b)))
  }

  #stateLess(bit: Lc, a: Lc, b: Lc): void {
    const { scale, base, constant } = subtract(a, b).split
    if (bit.isConstant || (scale !== 1n && scale !== -1n)) return
    const below = { base, kind: 'atMost' as const, bound: -constant - 1n }
    const notBelow = { base, kind: 'atLeast' as const, bound: -constant }
    if (scale === 1n) this.words.circuit.facts.state(bit, [below], [notBelow])
    else {
      this.words.circuit.facts.state(
        bit,
        [{ base, kind: 'atLeast', bound: constant + 1n }],
        [{ base, kind: 'atMost', bound: constant }],
      )
    }
  }

  lessThan(a: Lc, b: Lc, width: number, isSigned: boolean): Lc {
    const left = isSigned ? this.signed(a, width) : this.unsigned(a, width)
    const right = isSigned ? this.signed(b, width) : this.unsigned(b, width)
    return this.#isLess(left, right)
  }
}
