/**
 * Linear combinations over the circuit's signals with integer coefficients: `constant + Σ coefficient·signal`.
 * Immutable, terms sorted by signal, no zero coefficients, so that equal combinations have equal keys.
 * Coefficients are integers, not field elements: what a combination means modulo 2^w is decided by its users.
 */
export class Lc {
  readonly constant: bigint
  readonly signals: readonly number[]
  readonly coefficients: readonly bigint[]
  #key: string | undefined
  #split: Split | undefined

  constructor(constant: bigint, signals: readonly number[], coefficients: readonly bigint[]) {
    this.constant = constant
    this.signals = signals
    this.coefficients = coefficients
  }

  get key(): string {
    this.#key ??= this.signals.map((s, k) => `${this.coefficients[k]}*${s}`).join('+') + `|${this.constant}`
    return this.#key
  }

  get isConstant(): boolean {
    return this.signals.length === 0
  }

  /** `scale·base + constant` with a primitive base whose first coefficient is positive. */
  get split(): Split {
    this.#split ??= computeSplit(this)
    return this.#split
  }
}

export interface Split {
  scale: bigint
  base: Lc
  constant: bigint
}

export const ZERO = constantLc(0n)
export const ONE = constantLc(1n)

export function constantLc(value: bigint): Lc {
  return new Lc(value, [], [])
}

export function signalLc(signal: number): Lc {
  return new Lc(0n, [signal], [1n])
}

/** `a + factor·b`. */
export function addScaled(a: Lc, b: Lc, factor: bigint): Lc {
  if (factor === 0n) return a
  if (b.isConstant) return b.constant === 0n ? a : new Lc(a.constant + factor * b.constant, a.signals, a.coefficients)
  const signals: number[] = []
  const coefficients: bigint[] = []
  let i = 0
  let j = 0
  while (i < a.signals.length || j < b.signals.length) {
    const left = a.signals[i] ?? Infinity
    const right = b.signals[j] ?? Infinity
    const coefficient =
      (left <= right ? a.coefficients[i++]! : 0n) + (right <= left ? factor * b.coefficients[j++]! : 0n)
    if (coefficient === 0n) continue
    signals.push(Math.min(left, right))
    coefficients.push(coefficient)
  }
  return new Lc(a.constant + factor * b.constant, signals, coefficients)
}

export const add = (a: Lc, b: Lc): Lc => addScaled(a, b, 1n)
export const subtract = (a: Lc, b: Lc): Lc => addScaled(a, b, -1n)
export const complement = (bit: Lc): Lc => addScaled(ONE, bit, -1n)

export function addConstant(a: Lc, value: bigint): Lc {
  return value === 0n ? a : new Lc(a.constant + value, a.signals, a.coefficients)
}

export function scale(a: Lc, factor: bigint): Lc {
  if (factor === 1n) return a
  if (factor === 0n) return ZERO
  return new Lc(
    a.constant * factor,
    a.signals,
    a.coefficients.map((c) => c * factor),
  )
}

/** `Σ factors[k]·terms[k]`; one pass, for long sums. */
export function sum(terms: readonly Lc[], factors?: readonly bigint[]): Lc {
  const collected = new Map<number, bigint>()
  let constant = 0n
  terms.forEach((term, t) => {
    const factor = factors?.[t] ?? 1n
    constant += factor * term.constant
    term.signals.forEach((s, k) => collected.set(s, (collected.get(s) ?? 0n) + factor * term.coefficients[k]!))
  })
  const entries = [...collected].filter(([, c]) => c !== 0n).sort(([s], [t]) => s - t)
  return new Lc(
    constant,
    entries.map(([s]) => s),
    entries.map(([, c]) => c),
  )
}

/** `Σ bits[k]·2^k`. */
export function fromBits(bits: readonly Lc[]): Lc {
  return sum(
    bits,
    bits.map((_, k) => 1n << BigInt(k)),
  )
}

/** `a / divisor` when every coefficient and the constant are divisible; else undefined. */
export function exactQuotient(a: Lc, divisor: bigint): Lc | undefined {
  if (a.constant % divisor !== 0n || a.coefficients.some((c) => c % divisor !== 0n)) return undefined
  return new Lc(
    a.constant / divisor,
    a.signals,
    a.coefficients.map((c) => c / divisor),
  )
}

function computeSplit(lc: Lc): Split {
  if (lc.isConstant) return { scale: 0n, base: ZERO, constant: lc.constant }
  const first = lc.coefficients[0]!
  let divisor = first < 0n ? -first : first
  for (const c of lc.coefficients) {
    if (divisor === 1n) break
    divisor = gcd(divisor, c < 0n ? -c : c)
  }
  const factor = first < 0n ? -divisor : divisor
  if (factor === 1n && lc.constant === 0n) return { scale: 1n, base: lc, constant: 0n }
  const coefficients = factor === 1n ? lc.coefficients : lc.coefficients.map((c) => c / factor)
  return { scale: factor, base: new Lc(0n, lc.signals, coefficients), constant: lc.constant }
}

function gcd(a: bigint, b: bigint): bigint {
  while (b !== 0n) [a, b] = [b, a % b]
  return a
}
