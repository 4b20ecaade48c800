/**
 * The audit of what the compiler believes. While it executes an applet it relies on intervals: proven ones (`Circuit.note`),
 * ones that a bit implies, and ones that hold on a path only. A false belief makes a circuit unsound, which equal outputs
 * show only by luck. When asked to, the compiler writes each belief down as a claim, and `checkClaims` tries it on the
 * values of an input. Signals are numbered as before pruning, so claims go with the circuit that `lowerWithClaims` returns.
 */
import { valueOf } from './interpret.ts'
import type { Location } from './ir.ts'
import type { Lc } from './lc.ts'
import { ONE, ZERO, add, addScaled, fromBits, signalLc, sum } from './lc.ts'

/** predicate = 1 ⇒ lo ≤ lc ≤ hi; an empty interval claims that the predicate is never 1. */
export interface Claim {
  what: string
  predicate: Lc
  lc: Lc
  lo: bigint
  hi: bigint
  at: Location
  /** Nothing is claimed where this is not 0. */
  unless: Lc
}

interface Bounds {
  readonly lo: bigint
  readonly hi: bigint
}

const BOOLEAN: Bounds = { lo: 0n, hi: 1n }
const NOTHING: Bounds = { lo: 0n, hi: 0n }

/** Collects claims, each once. */
export class ClaimLog {
  readonly claims: Claim[] = []
  /** How many traps were met so far. */
  #traps = ZERO
  readonly #seen = new Set<string>()

  add(what: string, at: Location, predicate: Lc, lc: Lc, { lo, hi }: Bounds, unless = ZERO): void {
    const key = `${predicate.key} ${lc.key} ${lo} ${hi}`
    if (this.#seen.has(key)) return
    this.#seen.add(key)
    this.claims.push({ what, predicate, lc, lo, hi, at, unless })
  }

  /** A claim about a path: after a trap it means nothing. */
  path(what: string, at: Location, predicate: Lc, lc: Lc, bounds: Bounds): void {
    this.add(what, at, predicate, lc, bounds, this.#traps)
  }

  trap(predicate: Lc): void {
    this.#traps = add(this.#traps, predicate)
  }

  interval(at: Location, lc: Lc, bounds: Bounds): void {
    this.add('interval', at, ONE, lc, bounds)
  }

  signal(at: Location, signal: number, bounds: Bounds): void {
    this.add('signal', at, ONE, signalLc(signal), bounds)
  }

  /** At most one of the bits is 1. */
  exclusive(at: Location, bits: readonly Lc[]): void {
    for (const bit of bits) this.add('predicate', at, ONE, bit, BOOLEAN)
    this.add('exclusive predicates', at, ONE, sum(bits), BOOLEAN)
  }

  /** The bits, and then the sign for ever, are the two's complement of the combination. */
  spelled(at: Location, lc: Lc, list: readonly Lc[], sign: Lc): void {
    for (const bit of [...list, sign]) this.add('bit', at, ONE, bit, BOOLEAN)
    const rest = addScaled(addScaled(lc, fromBits(list), -1n), sign, 1n << BigInt(list.length))
    this.add('bits', at, ONE, rest, NOTHING)
  }

  /** `result` is `factor` where the bit is 1, else 0. */
  masked(at: Location, bit: Lc, factor: Lc, result: Lc): void {
    this.add('product', at, bit, addScaled(result, factor, -1n), NOTHING)
    this.add('product', at, addScaled(ONE, bit, -1n), result, NOTHING)
  }
}

/** Tries every claim on one input's signal values (`evaluate` of the unpruned circuit). Throws a RangeError at the first false one. */
export function checkClaims(claims: readonly Claim[], values: readonly bigint[]): void {
  for (const { what, predicate, lc, lo, hi, at, unless } of claims) {
    if (valueOf(predicate, values) !== 1n || valueOf(unless, values) !== 0n) continue
    const value = valueOf(lc, values)
    if (value >= lo && value <= hi) continue
    throw new RangeError(
      `false claim (${what}) of ${at.functionName} 0x${at.offset.toString(16)} ${at.instruction}: ` +
        `${value} is not in [${lo}, ${hi}]; ${lc.key} where ${predicate.key}`,
    )
  }
}
