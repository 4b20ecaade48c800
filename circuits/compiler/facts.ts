/**
 * What a boolean combination says about others when it is known. Each fact is an implication that the constraints
 * themselves enforce ("if this bit is 1 then base ≥ bound"), so a bit's facts hold for every witness.
 */
import type { Lc } from './lc.ts'
import { ONE, complement, signalLc } from './lc.ts'
import type { Proven, Refined } from './interval.ts'
import { asRefined, ceilDivide, floorDivide, intersect, maximum, minimum, refined, scaleShift } from './interval.ts'

export interface Fact {
  /** Primitive combination without constant. */
  base: Lc
  kind: 'atLeast' | 'atMost' | 'not'
  bound: bigint
  /** The bit and its value from which the fact follows. */
  bit: Lc
}

/** A refined interval, and for each end the bit (known to be 1 on the path) that proves it. */
export interface Knowledge {
  base: Lc
  interval: Refined
  loBit: Lc | undefined
  hiBit: Lc | undefined
}

export type KnowledgeMap = ReadonlyMap<string, Knowledge>

/** How many bits of a conjunction are searched for facts. */
const MAX_IMPLIED_BITS = 64

/** Facts by bit; derived bits list the bits they imply. */
export class FactBook {
  readonly #links = new Map<string, { high: Lc; source: Lc; shift: number }>()
  readonly #direct = new Map<string, { whenTrue: Fact[]; whenFalse: Fact[] }>()
  readonly #implied = new Map<string, { whenTrue: [Lc, boolean][]; whenFalse: [Lc, boolean][] }>()

  state(bit: Lc, whenTrue: Omit<Fact, 'bit'>[], whenFalse: Omit<Fact, 'bit'>[]): void {
    const not = complement(bit)
    const old = this.#direct.get(bit.key)
    const facts = {
      whenTrue: [...(old?.whenTrue ?? []), ...whenTrue.map((fact) => ({ ...fact, bit }))],
      whenFalse: [...(old?.whenFalse ?? []), ...whenFalse.map((fact) => ({ ...fact, bit: not }))],
    }
    this.#direct.set(bit.key, facts)
    this.#direct.set(not.key, { whenTrue: facts.whenFalse, whenFalse: facts.whenTrue })
  }

  imply(bit: Lc, whenTrue: [Lc, boolean][], whenFalse: [Lc, boolean][]): void {
    if (this.#implied.has(bit.key)) return
    this.#implied.set(bit.key, { whenTrue, whenFalse })
    this.#implied.set(complement(bit).key, { whenTrue: whenFalse, whenFalse: whenTrue })
  }

  /** Declares `high = floor(source / 2^shift)`, so that bounds on `high` bound `source`. */
  linkShift(high: Lc, source: Lc, shift: number): void {
    if (high.split.scale === 1n && source.split.scale > 0n)
      this.#links.set(high.split.base.key, { high, source, shift })
  }

  #throughLink(fact: Fact): Fact[] {
    const link = this.#links.get(fact.base.key)
    if (link === undefined || fact.kind === 'not') return []
    const { scale, base, constant } = link.source.split
    const size = 1n << BigInt(link.shift)
    const bound = fact.bound + link.high.constant
    const ofSource = fact.kind === 'atLeast' ? bound * size : (bound + 1n) * size - 1n
    const shifted = ofSource - constant
    const ofBase = fact.kind === 'atLeast' ? ceilDivide(shifted, scale) : floorDivide(shifted, scale)
    return [{ ...fact, base, bound: ofBase }]
  }

  /** Everything known once `bit` has the value, the bits themselves included; for long conjunctions the nearest part. */
  facts(bit: Lc, value: boolean): Fact[] {
    const out: Fact[] = []
    const seen = new Set<string>()
    const queue: [Lc, boolean][] = [[bit, value]]
    for (let next = queue.shift(); next !== undefined && seen.size < MAX_IMPLIED_BITS; next = queue.shift()) {
      const [current, isSet] = next
      const key = `${isSet}:${current.key}`
      if (seen.has(key)) continue
      seen.add(key)
      const direct = this.#direct.get(current.key)
      const implied = this.#implied.get(current.key)
      const stated = (isSet ? direct?.whenTrue : direct?.whenFalse) ?? []
      out.push(...stated, ...stated.flatMap((fact) => this.#throughLink(fact)), ...ownFacts(current, isSet))
      queue.push(...((isSet ? implied?.whenTrue : implied?.whenFalse) ?? []))
    }
    return out
  }
}

function ownFacts(bit: Lc, value: boolean): Fact[] {
  const { scale, base, constant } = bit.split
  if (scale === 0n || ((value ? 1n : 0n) - constant) % scale !== 0n) return []
  const wanted = ((value ? 1n : 0n) - constant) / scale
  const because = value ? bit : complement(bit)
  return [
    { base, kind: 'atLeast', bound: wanted, bit: because },
    { base, kind: 'atMost', bound: wanted, bit: because },
  ]
}

/** Adds facts to a path's knowledge; undefined when they contradict it, that is, when the path cannot be taken. */
export function learn(
  known: KnowledgeMap,
  facts: readonly Fact[],
  provenRange: (base: Lc) => Proven,
): KnowledgeMap | undefined {
  const next = new Map(known)
  for (const fact of facts) {
    const { base } = fact
    const old = next.get(base.key) ?? initial(base, provenRange(base))
    const updated = apply(old, fact)
    if (updated.interval.lo > updated.interval.hi) return undefined
    next.set(base.key, updated)
  }
  return next
}

function initial(base: Lc, range: Proven): Knowledge {
  return { base, interval: asRefined(range), loBit: ONE, hiBit: ONE }
}

function apply(old: Knowledge, { base, kind, bound, bit }: Fact): Knowledge {
  const { lo, hi } = old.interval
  const raised = kind === 'atLeast' ? bound : kind === 'not' && bound === lo ? lo + 1n : lo
  const lowered = kind === 'atMost' ? bound : kind === 'not' && bound === hi ? hi - 1n : hi
  return {
    base,
    interval: refined(maximum(lo, raised), minimum(hi, lowered)),
    loBit: raised > lo ? (kind === 'not' && old.loBit !== ONE ? undefined : bit) : old.loBit,
    hiBit: lowered < hi ? (kind === 'not' && old.hiBit !== ONE ? undefined : bit) : old.hiBit,
  }
}

/** Adds an interval that a combination has on this path, found by other means than a bit's facts. */
export function learnRange(
  known: KnowledgeMap,
  lc: Lc,
  range: Refined,
  provenRange: (base: Lc) => Proven,
): KnowledgeMap {
  if (lc.isConstant) return known
  const { scale, base, constant } = lc.split
  const old = known.get(base.key) ?? initial(base, provenRange(base))
  const [a, b] = [range.lo - constant, range.hi - constant]
  const found =
    scale > 0n
      ? refined(ceilDivide(a, scale), floorDivide(b, scale))
      : refined(ceilDivide(-b, -scale), floorDivide(-a, -scale))
  if (found.lo <= old.interval.lo && found.hi >= old.interval.hi) return known
  const interval = intersect(old.interval, found)
  const loBit = interval.lo > old.interval.lo ? undefined : old.loBit
  const hiBit = interval.hi < old.interval.hi ? undefined : old.hiBit
  return new Map(known).set(base.key, { base, interval, loBit, hiBit })
}

/** The interval of `lc` on a path: from the knowledge of its base, or of its single signals. */
export function refinedRange(known: KnowledgeMap, lc: Lc, provenRange: (lc: Lc) => Proven): Refined {
  const whole = asRefined(provenRange(lc))
  if (lc.isConstant || known.size === 0) return whole
  const { scale, base, constant } = lc.split
  const entry = known.get(base.key)
  let best = entry ? intersect(whole, scaleShift(entry.interval, scale, constant)) : whole
  if (lc.signals.length > 1 && lc.signals.length <= 8) best = intersect(best, bySignals(known, lc, provenRange))
  return best
}

function bySignals(known: KnowledgeMap, lc: Lc, provenRange: (lc: Lc) => Proven): Refined {
  let total = refined(lc.constant, lc.constant)
  lc.signals.forEach((signal, k) => {
    const single = known.get(`1*${signal}|0`)
    const coefficient = lc.coefficients[k]!
    const range = single?.interval ?? asRefined(provenRange(signalLc(signal)))
    const scaled = scaleShift(range, coefficient, 0n)
    total = refined(total.lo + scaled.lo, total.hi + scaled.hi)
  })
  return total
}

/** What holds on both of two merged paths; the proofs of the ends are kept only where they agree. */
export function commonKnowledge(a: KnowledgeMap, b: KnowledgeMap): KnowledgeMap {
  if (a === b) return a
  const out = new Map<string, Knowledge>()
  for (const [key, left] of a) {
    const right = b.get(key)
    if (right === undefined) continue
    out.set(key, {
      base: left.base,
      interval: refined(minimum(left.interval.lo, right.interval.lo), maximum(left.interval.hi, right.interval.hi)),
      loBit: agreed(left.loBit, right.loBit),
      hiBit: agreed(left.hiBit, right.hiBit),
    })
  }
  return out
}

function agreed(a: Lc | undefined, b: Lc | undefined): Lc | undefined {
  if (a === ONE || b === ONE) return ONE
  return a !== undefined && b !== undefined && a.key === b.key ? a : undefined
}
