import type { LibraryCase, Random, Values } from '../harness.ts'

const letters = (count: number): string[] => Array.from({ length: count }, (_, k) => `v${k}`)
const fieldsOf = (count: number, type: string): Record<string, string> =>
  Object.fromEntries(letters(count).map((name) => [name, type]))
const listOf = (values: Values, count: number): bigint[] => letters(count).map((name) => values[name]!)
const named = (list: readonly bigint[]): Values => Object.fromEntries(list.map((value, k) => [`v${k}`, value]))
const sorted = (list: bigint[]): bigint[] => [...list].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
const ITEMS = "import * as items from './lib/items'"
const READING = "items.itemsAt(r, offsetof<Reading>('v0'))"
const STATE = "items.itemsAt(s, offsetof<State>('v0'))"

/** Few different values, so that equal ones meet. */
const repeated = (count: number) => (random: Random) => named(letters(count).map(() => BigInt(random(3))))

function median(count: number, type: string): LibraryCase {
  return {
    name: `median${count}(… ${count} × ${type})`,
    imports: `import { median${count} } from './lib/median'`,
    reading: fieldsOf(count, type),
    result: type,
    body: `median${count}<${type}>(${letters(count)
      .map((name) => `r.${name}`)
      .join(', ')})`,
    model: (values) => sorted(listOf(values, count))[count >> 1]!,
    inputs: repeated(count),
  }
}

export const WINDOW_CASES: LibraryCase[] = [
  median(3, 'u16'),
  median(5, 'u16'),
  median(7, 'u16'),
  median(9, 'u16'),
  median(9, 'i16'),
  median(9, 'u32'),
  {
    name: 'pick(… 9 × u16, index: u8)',
    imports: ITEMS,
    reading: { index: 'u8', ...fieldsOf(9, 'u16') },
    result: 'u16',
    body: `items.pick<u16>(${READING}, 9, r.index)`,
    model: (values) => listOf(values, 9)[Number(values['index'])] ?? null,
    inputs: (random) => ({ index: BigInt(random(11)) }),
  },
  {
    name: 'sumOf(… 9 × u16)',
    imports: ITEMS,
    reading: fieldsOf(9, 'u16'),
    result: 'u32',
    body: `<u32>items.sumOf<u16>(${READING}, 9)`,
    model: (values) => listOf(values, 9).reduce((a, b) => a + b),
  },
  {
    name: 'minOf(… 9 × u16)',
    imports: ITEMS,
    reading: fieldsOf(9, 'u16'),
    result: 'u16',
    body: `items.minOf<u16>(${READING}, 9)`,
    model: (values) => sorted(listOf(values, 9))[0]!,
  },
  {
    name: 'maxOf(… 9 × i16)',
    imports: ITEMS,
    reading: fieldsOf(9, 'i16'),
    result: 'i16',
    body: `items.maxOf<i16>(${READING}, 9)`,
    model: (values) => sorted(listOf(values, 9))[8]!,
  },
  {
    name: 'countAtLeast(… 9 × u16, 100)',
    imports: ITEMS,
    reading: fieldsOf(9, 'u16'),
    result: 'u32',
    body: `items.countAtLeast<u16>(${READING}, 9, 100)`,
    model: (values) => BigInt(listOf(values, 9).filter((value) => value >= 100n).length),
    inputs: (random) => named(letters(9).map(() => BigInt(98 + random(5)))),
  },
  {
    name: 'push(… 8 × u16, value)',
    imports: ITEMS,
    reading: { value: 'u16' },
    state: fieldsOf(8, 'u16'),
    result: 'bool',
    body: `items.push<u16>(${STATE}, 8, r.value); return true`,
    model: (values) => ({ ...named([values['value']!, ...listOf(values, 7)]), result: 1n }),
  },
  {
    name: 'fill(… 8 × u16, value)',
    imports: ITEMS,
    reading: { value: 'u16' },
    state: fieldsOf(8, 'u16'),
    result: 'bool',
    body: `items.fill<u16>(${STATE}, 8, r.value); return true`,
    model: (values) => ({ ...named(letters(8).map(() => values['value']!)), result: 1n }),
  },
]
