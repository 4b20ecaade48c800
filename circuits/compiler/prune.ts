/** Removes gadgets whose outputs nothing reads, and numbers the remaining signals without gaps. */
import type { Ir, Item } from './ir.ts'
import { operands } from './ir.ts'
import { Lc } from './lc.ts'

/** The first `pinned` items stay whether used or not. The outputs of the circuit do not change. */
export function removeUnused(ir: Ir, pinned: number): Ir {
  const used = new Uint8Array(ir.signalCount)
  const use = (lc: Lc): void => lc.signals.forEach((signal) => (used[signal] = 1))
  for (const lc of [ir.accepted, ir.units, ...ir.nextState]) use(lc)
  const kept: Item[] = []
  for (let k = ir.items.length - 1; k >= 0; k--) {
    const item = ir.items[k]!
    if (k >= pinned && !used.subarray(item.first, item.first + item.count).some((flag) => flag === 1)) continue
    kept.push(item)
    operands(item).forEach(use)
  }
  return renumber({ ...ir, items: kept.reverse() })
}

function renumber(ir: Ir): Ir {
  const numbers = new Map<number, number>()
  for (let signal = 0; signal < ir.inputCount; signal++) numbers.set(signal, signal)
  const map = (lc: Lc): Lc =>
    new Lc(
      lc.constant,
      lc.signals.map((signal) => numbers.get(signal)!),
      lc.coefficients,
    )
  const items = ir.items.map((item): Item => {
    const first = numbers.size
    for (let k = 0; k < item.count; k++) numbers.set(item.first + k, first + k)
    if (item.kind === 'mul') return { ...item, first, left: map(item.left), right: map(item.right) }
    if (item.kind === 'quotient') return { ...item, first, dividend: map(item.dividend), divisor: map(item.divisor) }
    return { ...item, first, of: map(item.of) }
  })
  return {
    ...ir,
    items,
    signalCount: numbers.size,
    accepted: map(ir.accepted),
    units: map(ir.units),
    nextState: ir.nextState.map(map),
  }
}
