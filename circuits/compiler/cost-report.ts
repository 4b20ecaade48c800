/**
 * Where an applet's constraints come from: by instruction of the WASM and, with a source map, by line of the source.
 * The sums are those of the compiler's prediction, which is exact.
 */
import type { Ir, Item, Location } from './ir.ts'
import { itemCost } from './ir.ts'
import type { Lc } from './lc.ts'

export interface OperationCost {
  /** As WebAssembly names it; `range of a field` of Reading, and `outputs` for units, State and rollback. */
  readonly instruction: string
  /** Gadgets that its uses took. */
  readonly count: number
  readonly constraints: number
}

/** A line of the source, or without a source map a function and byte of the WASM. */
export interface LineCost<Place> {
  readonly place: Place
  readonly constraints: number
}

/** Constraints by instruction, the dearest first. */
export function costByOperation(ir: Ir): OperationCost[] {
  const groups = groupItems(ir.items, ({ at }) => [operationOf(at), operationOf(at)])
  return groups.map(({ place, count, constraints }) => ({ instruction: place, count, constraints }))
}

/** The ranges of Reading's fields belong to no instruction. */
function operationOf({ functionName, offset, instruction }: Location): string {
  return offset === 0 && functionName === 'reading' ? 'range of a field' : instruction
}

/** Constraints by place, the dearest first. `placeOf` gives a place and the key under which equal places are one. */
export function costByPlace<Place>(ir: Ir, placeOf: (at: Location) => [key: string, Place]): LineCost<Place>[] {
  const groups = groupItems(ir.items, ({ at }) => placeOf(at))
  return groups.map(({ place, constraints }) => ({ place, constraints }))
}

/** An instruction of the WASM and what it took, all its turns together. */
export interface DearPlace {
  readonly function: string
  readonly offset: number
  readonly instruction: string
  readonly constraints: number
}

const DEAR_PLACES = 32

/** The instructions that took most, the dearest first; without what no instruction asked for, such as the ranges of fields. */
export function dearestPlaces(items: readonly Item[]): DearPlace[] {
  const groups = groupItems(items, ({ at }) => [`${at.offset}`, at])
  return groups
    .filter(({ place }) => place.offset > 0)
    .slice(0, DEAR_PLACES)
    .map(({ place: { functionName, offset, instruction }, constraints }) => {
      return { function: functionName, offset, instruction, constraints }
    })
}

/** Terms of the A and B sides of one reading's constraints, about: circom's elimination moves some. */
export function appletTerms(ir: Ir): number {
  return ir.items.reduce((terms, item) => terms + itemTerms(item), 0)
}

function itemTerms(item: Item): number {
  if (item.kind === 'mul') return terms(item.left) + terms(item.right)
  if (item.kind === 'isZero') return 2 * terms(item.of) + 2
  if (item.kind === 'bits') return bitTerms(item.count, terms(item.of))
  const { quotientBits, remainderBits, gapBits } = item
  return bitTerms(quotientBits + remainderBits, terms(item.dividend)) + bitTerms(gapBits, remainderBits)
}

/** A bit b has b·(b − 1) = 0; circom eliminates one, in whose place stand the sum and all the others, on both sides. */
function bitTerms(count: number, sum: number): number {
  return count === 0 ? 0 : 3 * (count - 1) + 2 * (count - 1 + sum) + 1
}

function terms({ signals, constant }: Lc): number {
  return signals.length + (constant === 0n ? 0 : 1)
}

function groupItems<Place>(items: readonly Item[], placeOf: (item: Item) => [string, Place]) {
  const groups = new Map<string, { place: Place; count: number; constraints: number }>()
  for (const item of items) {
    const [key, place] = placeOf(item)
    const group = groups.get(key) ?? { place, count: 0, constraints: 0 }
    groups.set(key, group)
    group.count++
    group.constraints += itemCost(item)
  }
  return [...groups.values()].filter(({ constraints }) => constraints > 0).sort((a, b) => b.constraints - a.constraints)
}
