import type { LibraryCase, Random, Values } from '../harness.ts'

const SLOTS = "import * as slots from './lib/slots'"
const RATE = "import * as rate from './lib/rate'"
const steps = (random: Random): Values => ({ slot: BigInt(random(70)) })
const bit = (slot: bigint): bigint => 1n << slot

function window(width: 32 | 64): LibraryCase[] {
  const type = `u${width}`
  const size = BigInt(width)
  const suffix = width === 64 ? '64' : ''
  const of = (name: string, call: string, result: string, model: LibraryCase['model']): LibraryCase => ({
    name,
    imports: SLOTS,
    reading: { bitmap: type, slot: 'u32' },
    result,
    body: `slots.${call}`,
    model,
    inputs: steps,
  })
  const mark = ({ bitmap, slot }: Values): bigint | null =>
    slot! >= size || bitmap! & bit(slot!) ? null : bitmap! | bit(slot!)
  return [
    of(`advance${suffix}(window, steps)`, `advance${suffix}(r.bitmap, r.slot)`, type, ({ bitmap, slot }) =>
      slot! >= size ? 1n : BigInt.asUintN(width, bitmap! << slot!) | 1n,
    ),
    of(`markLate${suffix}(window, age)`, `markLate${suffix}(r.bitmap, r.slot)`, type, mark),
    of(`setOnce(card: ${type}, slot)`, `setOnce<${type}>(r.bitmap, r.slot)`, type, mark),
    of(
      `isSet(card: ${type}, slot)`,
      `isSet<${type}>(r.bitmap, r.slot)`,
      'bool',
      ({ bitmap, slot }) => slot! < size && (bitmap! & bit(slot!)) !== 0n,
    ),
    of(`countSlots(card: ${type})`, `countSlots<${type}>(r.bitmap)`, 'u32', ({ bitmap }) =>
      BigInt(bitmap!.toString(2).replaceAll('0', '').length),
    ),
  ]
}

function bucket(bits: number): LibraryCase {
  return {
    name: `takeTokens(… 5 × u${bits})`,
    imports: RATE,
    reading: Object.fromEntries(['tokens', 'elapsed', 'perStep', 'capacity', 'cost'].map((name) => [name, `u${bits}`])),
    result: 'u32',
    body: 'rate.takeTokens(r.tokens, r.elapsed, r.perStep, r.capacity, r.cost)',
    model: ({ tokens, elapsed, perStep, capacity, cost }) => {
      const full = tokens! + elapsed! * perStep!
      const available = full < capacity! ? full : capacity!
      return available < cost! ? null : available - cost!
    },
    inputs: (random) => ({
      elapsed: BigInt(random(100)),
      perStep: BigInt(random(9)),
      cost: BigInt(random(99)),
      capacity: BigInt(random(200)),
    }),
  }
}

const XS = [-50, 0, 7, 100, 1000, 1001, 20_000, 30_000]
const YS = [0, 10, 500, 501, -90, 7, 7, 100_000]

function interpolated(x: bigint, count: number): bigint {
  const xs = XS.slice(0, count).map(BigInt)
  const ys = YS.slice(0, count).map(BigInt)
  const at = x < xs[0]! ? xs[0]! : x > xs.at(-1)! ? xs.at(-1)! : x
  const right = xs.findIndex((edge, k) => k > 0 && at <= edge)
  const [x0, x1, y0, y1] = [xs[right - 1]!, xs[right]!, ys[right - 1]!, ys[right]!]
  return y0 + ((at - x0) * (y1 - y0)) / (x1 - x0)
}

function interpolation(count: number, type: string): LibraryCase {
  return {
    name: `interpolate(xs, ys, x: ${type}), ${count} points`,
    imports: `import { interpolate } from './lib/table'
const XS: StaticArray<i32> = [${XS.slice(0, count).join()}]
const YS: StaticArray<i32> = [${YS.slice(0, count).join()}]`,
    reading: { x: type },
    result: 'i32',
    body: 'interpolate(XS, YS, r.x)',
    model: ({ x }) => interpolated(x!, count),
    inputs: (random) => ({ x: BigInt(XS[random(count)]! + random(5) - 2) }),
  }
}

function counting(bits: 16 | 32): LibraryCase {
  const type = `u${bits}`
  const top = (1n << BigInt(bits)) - 1n
  return {
    name: `countInPeriod(count: ${type}, isSamePeriod, most: ${type})`,
    imports: RATE,
    reading: { count: type, same: 'bool', most: type },
    result: 'u32',
    body: 'rate.countInPeriod(r.count, r.same, r.most)',
    model: ({ count, same, most }) => {
      const next = same ? count! + 1n : 1n
      return next <= most! ? next : null
    },
    inputs: (random) => {
      const most = [0n, 1n, 9n, top][random(4)]!
      return { most, count: BigInt.asUintN(bits, most + BigInt(random(3) - 1)) }
    },
  }
}

export const LIMIT_CASES: LibraryCase[] = [
  ...window(32),
  ...window(64),
  bucket(32),
  bucket(16),
  counting(32),
  counting(16),
  interpolation(4, 'i16'),
  interpolation(8, 'i16'),
  interpolation(8, 'i32'),
  {
    name: 'TABLE[index: u8], 100 entries',
    imports: `const TABLE: StaticArray<u16> = [${Array.from({ length: 100 }, (_, k) => (k * k * 37) % 65536).join()}]`,
    reading: { index: 'u8' },
    result: 'u16',
    body: 'TABLE[r.index]',
    model: ({ index }) => (index! < 100n ? (index! * index! * 37n) % 65536n : null),
  },
]
