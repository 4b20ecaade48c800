/**
 * Which bits a combination is a multiple of: `b·x = x` where x already has the bit b as a factor, `b·x = 0` where it has
 * 1 − b. And which comparisons may stand for one another in a product: `[d ≥ 1]·d = [d ≥ 0]·d`.
 */
import type { Lc } from './lc.ts'
import { complement, signalLc } from './lc.ts'

/** Factors remembered for one combination, and terms of a sum that are looked up one by one. */
const MAX_FACTORS = 24
const MAX_TERMS = 8

export class Factors {
  /** Keys of bits, by the key of the combination without scale. */
  readonly #of = new Map<string, ReadonlySet<string>>()
  readonly #twins = new Map<string, { base: string; bit: Lc }>()

  /** Declares `result = a·b`; `bits` are those of the two that are bits. */
  product(result: Lc, a: Lc, b: Lc, bits: readonly Lc[]): void {
    const { base, constant } = result.split
    if (result.isConstant || constant !== 0n || this.#of.has(base.key)) return
    const all = [...bits.map(({ key }) => key), ...this.#factors(a), ...this.#factors(b)]
    this.#of.set(base.key, new Set(all.slice(0, MAX_FACTORS)))
  }

  /** The product of a bit and `lc` when it takes no constraint; else undefined. */
  absorb(bit: Lc, lc: Lc): 'same' | 'zero' | undefined {
    if (lc.constant !== 0n) return undefined
    const { key } = bit
    const other = complement(bit).key
    const whole = this.#factors(lc)
    if (whole.has(key)) return 'same'
    if (whole.has(other)) return 'zero'
    if (lc.signals.length > MAX_TERMS) return undefined
    const terms = lc.signals.map((signal) => this.#factors(signalLc(signal)))
    if (terms.every((term) => term.has(key))) return 'same'
    return terms.every((term) => term.has(other)) ? 'zero' : undefined
  }

  #factors(lc: Lc): ReadonlySet<string> {
    return (lc.constant === 0n && this.#of.get(lc.split.base.key)) || NONE
  }

  /** Declares that `bit` and `twin` differ at most where `base` is 0. */
  twins(base: Lc, bit: Lc, twin: Lc): void {
    this.#twins.set(bit.key, { base: base.key, bit: twin })
    this.#twins.set(complement(bit).key, { base: base.key, bit: complement(twin) })
  }

  /** The bit to take in place of `bit` in a product with `lc`. */
  substitute(bit: Lc, lc: Lc): Lc {
    const twin = this.#twins.get(bit.key)
    return twin !== undefined && lc.constant === 0n && lc.split.base.key === twin.base ? twin.bit : bit
  }
}

const NONE: ReadonlySet<string> = new Set()
