/** br_table: one state for each distinct label that the index can select. */
import { UNSIGNED, bitLength } from './interval.ts'
import { learn } from './facts.ts'
import type { Lc } from './lc.ts'
import { ONE, ZERO, add, addConstant, subtract, sum } from './lc.ts'
import { Live } from './live.ts'
import { oneHot } from './numeric.ts'
import type { State } from './state.ts'
import { assume, cloneState, rangeOn } from './state.ts'
import type { Words } from './words.ts'

/** Labels (by depth) and the states that go there. `targets` ends with the default label. */
export function branchTable(words: Words, state: State, targets: readonly number[]): [number, State][] {
  const { circuit } = words
  const index = new Live(words, state).unsigned(state.stack.pop()!, 32)
  const range = rangeOn(circuit, state, index)
  const last = targets.length - 1
  const fallback = targets[last]!
  if (range.lo === range.hi) return [[targets[Math.min(last, Number(range.lo))]!, state]]
  const from = Number(range.lo < BigInt(last) ? range.lo : BigInt(last))
  const to = Number(range.hi < BigInt(last - 1) ? range.hi : BigInt(last - 1))
  const bits = new Map<number, Lc>()
  const cases = caseBits(words, index, from, to)
  cases.forEach((bit, k) => {
    const depth = targets[from + k]!
    if (depth !== fallback) bits.set(depth, add(bits.get(depth) ?? ZERO, bit))
  })
  const out: [number, State][] = []
  const rest = cloneState(state)
  for (const [depth, bit] of bits) {
    circuit.note(bit, UNSIGNED(1))
    const taken = assume(circuit, state, bit, true)
    if (taken === undefined) continue
    out.push([depth, taken])
    rest.predicate = subtract(rest.predicate, taken.predicate)
  }
  const known = learn(
    rest.known,
    [...bits.values()].flatMap((bit) => circuit.implied(bit, false)),
    (base) => circuit.range(base),
  )
  if (known !== undefined) out.push([fallback, { ...rest, known }])
  else circuit.claims?.path('path not taken', circuit.at, rest.predicate, ONE, UNSIGNED(0))
  return out
}

/** For each index in [from, to] the bit that is 1 at it. */
function caseBits(words: Words, index: Lc, from: number, to: number): Lc[] {
  const { circuit } = words
  const positions = Array.from({ length: Math.max(0, to - from + 1) }, (_, k) => from + k)
  if (positions.length === 0) return []
  const size = Math.max(1, bitLength(BigInt(to)))
  if (!words.hasBits(index) || size > 6 || positions.length < 3) {
    return positions.map((position) => circuit.isZero(addConstant(index, -BigInt(position))))
  }
  const { list, sign } = words.integerBits(index)
  const high = list.slice(size)
  const inside = high.length === 0 && sign === ZERO ? ONE : circuit.isZero(sum([...high, sign]))
  const selectors = oneHot(words, words.bits(index, size))
  return positions.map((position) => circuit.mul(inside, selectors[position]!))
}
