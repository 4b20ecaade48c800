/** memory.copy and memory.fill of a size, source and destination that are constants. */
import { TERM_WORK, type Circuit } from './circuit.ts'
import type { Lc } from './lc.ts'
import { ONE } from './lc.ts'
import { noteRead } from './access.ts'
import { Live } from './live.ts'
import { refuse } from './refusal.ts'
import type { State } from './state.ts'
import { rangeOn } from './state.ts'
import type { Words } from './words.ts'

/** Work of a byte that is copied or filled: its place in memory is entered anew. */
const BYTE_WORK = 4

/** What these instructions need of the executor. */
interface Execution {
  readonly words: Words
  readonly circuit: Circuit
  trapIf(state: State, bit: Lc): State | undefined
}

export function copyMemory(executor: Execution, state: State): State | undefined {
  const size = constantOperand(executor, state, 'size')
  const source = constantOperand(executor, state, 'source')
  const destination = constantOperand(executor, state, 'destination')
  const { length } = state.memory.image
  if (source + size > length || destination + size > length) return executor.trapIf(state, ONE)
  executor.circuit.charge(BYTE_WORK * size)
  const { words } = executor
  noteRead(words, state, source, size)
  const chunks: [number, number, Lc][] = []
  for (let at = 0; at < size; at += 8) {
    const width = Math.min(8, size - at)
    const value = state.memory.load(words, source + at, width)
    executor.circuit.charge(TERM_WORK * value.signals.length)
    chunks.push([at, width, value])
  }
  for (const [at, width, value] of chunks) {
    executor.circuit.effects?.wrote(destination + at, width, value, executor.circuit.at)
    state.memory.store(words, destination + at, width, value)
  }
  return state
}

export function fillMemory(executor: Execution, state: State): State | undefined {
  const size = constantOperand(executor, state, 'size')
  const value = state.stack.pop()!
  const destination = constantOperand(executor, state, 'destination')
  if (destination + size > state.memory.image.length) return executor.trapIf(state, ONE)
  executor.circuit.charge(BYTE_WORK * size)
  for (let at = 0; at < size; at++) {
    executor.circuit.effects?.wrote(destination + at, 1, value, executor.circuit.at)
    state.memory.store(executor.words, destination + at, 1, value)
  }
  return state
}

function constantOperand({ words, circuit }: Execution, state: State, what: string): number {
  const { lo, hi } = rangeOn(circuit, state, new Live(words, state).unsigned(state.stack.pop()!, 32))
  if (lo !== hi)
    throw refuse(
      circuit.at,
      `the ${what} of this copy depends on data`,
      'Copy and fill constant ranges, or loop over a constant number of elements.',
    )
  return Number(lo)
}
