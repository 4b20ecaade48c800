/**
 * Integer division and remainder. The quotient gadget needs a positive divisor and a non-negative dividend for every
 * witness, also where the path is not taken: a divisor that could be 0 there is raised to 1.
 */
import { learnRange } from './facts.ts'
import { maximum, proven, refined } from './interval.ts'
import type { Lc } from './lc.ts'
import { ZERO, add, addConstant, addScaled, complement, constantLc, scale, subtract } from './lc.ts'
import type { Live } from './live.ts'
import { shiftRight } from './numeric.ts'
import { rangeOn } from './state.ts'

export type DivisionName = 'div_s' | 'div_u' | 'rem_s' | 'rem_u'

export function isDivision(name: string): name is DivisionName {
  return name === 'div_s' || name === 'div_u' || name === 'rem_s' || name === 'rem_u'
}

/** The bit that is 1 where the divisor is 0. */
export function dividesByZero(live: Live, divisor: Lc, width: number): Lc {
  return live.isZero(divisor, width)
}

/** The bit that is 1 where a signed quotient does not fit: the smallest integer by −1. */
export function quotientOverflows(live: Live, name: DivisionName, a: Lc, b: Lc, width: number): Lc {
  if (name !== 'div_s') return ZERO
  const smallest = live.isZero(addConstant(a, -(1n << BigInt(width - 1))), width)
  if (smallest === ZERO) return ZERO
  return live.words.circuit.mul(smallest, live.isZero(addConstant(b, 1n), width))
}

export function divide(live: Live, name: DivisionName, a: Lc, b: Lc, width: number): Lc {
  if (name.endsWith('_s')) return divideSigned(live, name, a, b, width)
  const dividend = live.narrowed(live.provenUnsigned(a, width))
  const divisor = b.isConstant ? constantLc(BigInt.asUintN(width, b.constant)) : live.provenUnsigned(b, width)
  return divideIntegers(live, name === 'div_u', dividend, divisor)
}

function divideIntegers(live: Live, wantsQuotient: boolean, dividend: Lc, mayBeZero: Lc): Lc {
  const { words } = live
  const { circuit } = words
  const divisor = raised(live, mayBeZero)
  const { lo, hi } = circuit.range(divisor)
  if (dividend.isConstant && divisor.isConstant) {
    const [a, b] = [dividend.constant, divisor.constant]
    return constantLc(wantsQuotient ? a / b : a % b)
  }
  if (circuit.range(dividend).hi < lo) return wantsQuotient ? ZERO : dividend
  if (lo === hi && (lo & (lo - 1n)) === 0n) return divideByPower(live, wantsQuotient, dividend, lo)
  const { quotient, remainder } = circuit.quotient(dividend, divisor)
  const q = words.define(quotient)
  const r = words.define(remainder)
  circuit.note(q, proven(circuit.range(dividend).lo / hi, circuit.range(dividend).hi / lo))
  circuit.note(r, proven(0n, hi - 1n))
  if (divisor.isConstant) words.alias(addScaled(dividend, q, -lo), r)
  learnQuotient(live, q, dividend, divisor)
  return wantsQuotient ? q : r
}

/** What the path knows of the operands bounds the quotient on it. */
function learnQuotient({ words: { circuit }, state }: Live, quotient: Lc, dividend: Lc, divisor: Lc): void {
  const above = rangeOn(circuit, state, dividend)
  const below = rangeOn(circuit, state, divisor)
  if (above.lo < 0n || below.lo < 1n) return
  const range = refined(above.lo / below.hi, above.hi / below.lo)
  state.known = learnRange(state.known, quotient, range, (base) => circuit.range(base))
}

/** The divisor, or 1 where it is 0. */
function raised({ words: { circuit } }: Live, divisor: Lc): Lc {
  const { lo, hi } = circuit.range(divisor)
  if (lo >= 1n) return divisor
  const result = add(divisor, circuit.isZero(divisor))
  circuit.note(result, proven(1n, hi < 1n ? 1n : hi))
  return result
}

function divideByPower(live: Live, wantsQuotient: boolean, dividend: Lc, power: bigint): Lc {
  const shift = power.toString(2).length - 1
  if (!wantsQuotient) return shift === 0 ? ZERO : live.words.unsigned(dividend, shift)
  return shiftRight(live, dividend, constantLc(BigInt(shift)), 64, false)
}

function divideSigned(live: Live, name: DivisionName, a: Lc, b: Lc, width: number): Lc {
  const { circuit } = live.words
  const dividend = live.provenSigned(a, width)
  const divisor = b.isConstant ? constantLc(BigInt.asIntN(width, b.constant)) : live.provenSigned(b, width)
  const dividendNegative = complement(live.words.isNonNegative(dividend))
  const divisorNegative = complement(live.words.isNonNegative(divisor))
  const sizeOfDividend = absolute(live, dividend, dividendNegative)
  const size = divideIntegers(live, name === 'div_s', sizeOfDividend, absolute(live, divisor, divisorNegative))
  const negative =
    name === 'rem_s'
      ? dividendNegative
      : addScaled(add(dividendNegative, divisorNegative), circuit.mul(dividendNegative, divisorNegative), -2n)
  circuit.note(negative, proven(0n, 1n))
  return circuit.select(negative, subtract(ZERO, size), size)
}

function absolute({ words: { circuit } }: Live, lc: Lc, negative: Lc): Lc {
  const { lo, hi } = circuit.range(lc)
  const result = circuit.select(negative, scale(lc, -1n), lc)
  const most = maximum(hi, -lo)
  circuit.note(result, proven(lo > 0n ? lo : 0n, most))
  return result
}
