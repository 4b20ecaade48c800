// Recognises decompositions into digits among a circuit's linear combinations: circom's Num2Bits, whose bits weigh 1, 2, 4, …, and
// a quotient by a constant d with its remainder, whose bits weigh d, 2d, 4d, … and 1, 2, 4, …

import { FIELD_ORDER } from '../../engine/core/field.ts'
import { SUBGROUP_ORDER } from '../../engine/core/signature.ts'
import { invertField } from '../setup/field-batch.ts'

/** Unknown boolean wires of a combination, or 0 for the bit that circom has put the combination in the place of. */
export interface Weighted {
  readonly wire: number
  /** In [0, r). */
  readonly weight: bigint
}

export interface Digit {
  readonly wire: number
  /** Bit of the value, or of the remainder if there is a divisor. */
  readonly position: number
  readonly ofQuotient: boolean
  /** The wire is 1 minus the bit. */
  readonly complement: boolean
}

export interface Digits {
  /** The value is the combination's known part, times this. */
  readonly scale: bigint
  readonly digits: readonly Digit[]
  /** Bits of the value, or of the remainder. */
  readonly bits: number
  readonly quotientBits: number
  /** 0: there is none. */
  readonly divisor: bigint
  /** The value is the integer from here to r further that the field's element stands for. */
  readonly lowest: bigint
}

const MAX_BITS = 254
/**
 * 12·l − 2^254, l the order of BabyJubJub's prime subgroup: circuits/lib/signature.circom, the only one here to spell 254 bits, takes
 * its challenge from here on (ChallengeBits).
 */
const CHALLENGE_OFFSET = 12n * SUBGROUP_ORDER - (1n << 254n)
/** The only weight of a bit beyond half the field's order. */
const HIGHEST_WEIGHT = 1n << BigInt(MAX_BITS - 1)

/** How Σ weight·wire spells a number: each number of its range in one way. Undefined if it does not. */
export function recogniseDigits(terms: readonly Weighted[]): Digits | undefined {
  if (terms.length > 2 * MAX_BITS) return undefined
  const tried = new Set<bigint>()
  for (const { weight } of terms) {
    for (const unit of [weight, FIELD_ORDER - weight]) {
      if (tried.has(unit)) continue
      tried.add(unit)
      const found = spell(terms, inverse(unit))
      if (found) return found
    }
  }
  return undefined
}

function spell(terms: readonly Weighted[], scale: bigint): Digits | undefined {
  const scaled = terms.map(({ wire, weight }) => {
    const product = (weight * scale) % FIELD_ORDER
    const complement = product > FIELD_ORDER >> 1n && product !== HIGHEST_WEIGHT
    return { wire, complement, weight: complement ? FIELD_ORDER - product : product }
  })
  scaled.sort((a, b) => (a.weight < b.weight ? -1 : a.weight > b.weight ? 1 : 0))
  const digits: Digit[] = []
  let k = 0
  for (; k < scaled.length && scaled[k]!.weight === 1n << BigInt(k); k++) digits.push(digit(scaled[k]!, k, false))
  const bits = k
  const rest = scaled.slice(k)
  if (bits === 0 || bits > MAX_BITS) return undefined
  const divisor = rest[0]?.weight ?? 0n
  for (const [i, term] of rest.entries()) {
    if (term.weight !== divisor << BigInt(i)) return undefined
    digits.push(digit(term, i, true))
  }
  const fits = (divisor - 1n) >> BigInt(bits - 1) === 1n
  if (divisor > 0n && (!fits || scaled.some(({ complement, wire }) => complement && wire !== 0))) return undefined
  const lowest = bits === MAX_BITS ? CHALLENGE_OFFSET : 0n
  return { scale, digits, bits, quotientBits: rest.length, divisor, lowest }
}

function digit(
  { wire, complement }: { wire: number; complement: boolean },
  position: number,
  ofQuotient: boolean,
): Digit {
  return { wire, position, ofQuotient, complement }
}

const inverses = new Map<bigint, bigint>()

/** 1/value in the field, remembered: coefficients are few. */
export function inverse(value: bigint): bigint {
  let known = inverses.get(value)
  if (known === undefined) inverses.set(value, (known = invertField(value)))
  return known
}
