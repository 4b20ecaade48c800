/**
 * What symbolic execution carries along a path: the predicate ("this path is taken"), the operand stack, locals,
 * globals, memory, and what the path's conditions teach. Predicates of states that meet are mutually exclusive.
 */
import type { Circuit } from './circuit.ts'
import type { KnowledgeMap } from './facts.ts'
import { commonKnowledge, learn, learnRange, refinedRange } from './facts.ts'
import type { Refined } from './interval.ts'
import { UNSIGNED, contains, hull } from './interval.ts'
import type { Lc } from './lc.ts'
import { add, addScaled, complement, subtract, sum } from './lc.ts'
import { Memory } from './memory.ts'
import type { Words } from './words.ts'

export interface State {
  predicate: Lc
  /** Words; their width (32 or 64) is known from the validated code. */
  stack: Lc[]
  locals: Lc[]
  globals: Lc[]
  memory: Memory
  known: KnowledgeMap
}

/** Work of a piece of knowledge that a path takes along, which costs memory too, and of a word that two paths merge. */
const KNOWLEDGE_WORK = 2
const MERGE_WORK = 2

export function cloneState(state: State): State {
  return {
    ...state,
    stack: [...state.stack],
    locals: [...state.locals],
    globals: [...state.globals],
    memory: state.memory.clone(),
  }
}

/** The state of the path on which `bit` has the value too; undefined when that path cannot be taken. */
export function assume(circuit: Circuit, state: State, bit: Lc, value: boolean): State | undefined {
  const known = learn(state.known, circuit.implied(bit, value), (base) => circuit.range(base))
  if (known === undefined) {
    circuit.claims?.path('path not taken', circuit.at, state.predicate, value ? bit : complement(bit), UNSIGNED(0))
    return undefined
  }
  const both = circuit.mul(state.predicate, bit)
  circuit.note(both, UNSIGNED(1))
  const next = cloneState(state)
  next.predicate = value ? both : subtract(state.predicate, both)
  if (next.predicate.isConstant && next.predicate.constant === 0n) return undefined
  next.known = known
  circuit.note(next.predicate, UNSIGNED(1))
  circuit.charge(state.locals.length + state.stack.length + KNOWLEDGE_WORK * known.size)
  return next
}

export function rangeOn(circuit: Circuit, state: State, lc: Lc): Refined {
  const range = refinedRange(state.known, lc, (other) => circuit.range(other))
  if (circuit.claims && !contains(range, circuit.range(lc)))
    circuit.claims.path('path knowledge', circuit.at, state.predicate, lc, range)
  return range
}

/** One state out of exclusive ones; undefined for none. */
export function mergeStates(words: Words, states: readonly State[]): State | undefined {
  const { circuit } = words
  const first = states[0]
  if (first === undefined || states.length === 1) return first
  const predicates = states.map((state) => state.predicate)
  circuit.claims?.exclusive(circuit.at, predicates)
  const learned: { lc: Lc; range: Refined }[] = []
  const mergeWord = (values: Lc[]): Lc => {
    const lc = choose(circuit, predicates, values)
    const range = values.map((value, k) => rangeOn(circuit, states[k]!, value)).reduce(hull)
    if (!contains(range, circuit.range(lc))) learned.push({ lc, range })
    return lc
  }
  const mergeAll = (pick: (state: State) => Lc[]): Lc[] =>
    pick(first).map((_, k) => mergeWord(states.map((state) => pick(state)[k]!)))
  const merged: State = {
    predicate: sum(predicates),
    stack: mergeAll((state) => state.stack),
    locals: mergeAll((state) => state.locals),
    globals: mergeAll((state) => state.globals),
    memory: Memory.merge(
      words,
      states.map((state) => state.memory),
      mergeWord,
    ),
    known: states.map((state) => state.known).reduce(commonKnowledge),
  }
  circuit.effects?.mergedGlobals(
    states.map(({ globals }) => globals),
    merged.globals,
  )
  for (const { lc, range } of learned) merged.known = learnRange(merged.known, lc, range, (base) => circuit.range(base))
  circuit.note(merged.predicate, UNSIGNED(1))
  circuit.charge(MERGE_WORK * states.length * (merged.stack.length + merged.locals.length + merged.known.size + 4))
  return merged
}

/**
 * The value whose exclusive predicate is 1. One value becomes the default (it also stands when no predicate is 1), and
 * each other distinct value costs a product, or nothing when it differs from the default by a constant. A constant is
 * preferred: a product with the predicate is free where the predicate is met again.
 */
export function choose(circuit: Circuit, predicates: readonly Lc[], values: readonly Lc[]): Lc {
  circuit.claims?.exclusive(circuit.at, predicates)
  const groups = new Map<string, { value: Lc; predicate: Lc }>()
  values.forEach((value, k) => {
    const group = groups.get(value.key)
    if (group) group.predicate = add(group.predicate, predicates[k]!)
    else groups.set(value.key, { value, predicate: predicates[k]! })
  })
  const list = [...groups.values()]
  const standard = cheapestDefault(list.map(({ value }) => value))
  let result = standard
  for (const { value, predicate } of list) {
    if (value === standard) continue
    circuit.note(predicate, UNSIGNED(1))
    result = addScaled(result, circuit.mul(predicate, circuit.difference(value, standard)), 1n)
  }
  circuit.note(result, list.map(({ value }) => circuit.range(value)).reduce(hull))
  circuit.charge(values.length + result.signals.length)
  return circuit.check(result)
}

function cheapestDefault(values: readonly Lc[]): Lc {
  const byTerms = new Map<string, number>()
  for (const { split } of values) {
    const key = `${split.scale}*${split.base.key}`
    byTerms.set(key, (byTerms.get(key) ?? 0) + 1)
  }
  const similar = ({ split }: Lc): number => byTerms.get(`${split.scale}*${split.base.key}`)!
  const rank = (value: Lc): number => 2 * similar(value) + (value.isConstant ? 1 : 0)
  return values.reduce((best, value) => (rank(value) > rank(best) ? value : best))
}
