import type { LibraryCase, Random, Values } from '../harness.ts'

const TIME = "import * as time from './lib/time'"
const COUNTER = "import * as counter from './lib/counter'"
const SIGNAL = "import * as signal from './lib/signal'"
const AVERAGE = "import * as average from './lib/average'\nimport { itemsAt } from './lib/items'"
const ROOT = "import * as root from './lib/root'"

/** The local calendar of the runtime, for a zone given by its offset. */
const local = (timeSec: bigint, offsetSec: number): Date => new Date((Number(timeSec) + offsetSec) * 1000)
const midnight = (random: Random): Values => ({
  timeSec: BigInt(86_400 * random(40_000) + random(5) - 2 - 3600) & 0xffff_ffffn,
})
const between = (second: bigint, from: bigint, to: bigint): boolean => {
  for (let at = from; at !== to; at = (at + 1n) % 24n) if (at === second) return true
  return false
}

const TIME_CASES: LibraryCase[] = [
  {
    name: 'secondOfDay(timeSec: u32, 3600)',
    imports: TIME,
    reading: { timeSec: 'u32' },
    result: 'u32',
    body: 'time.secondOfDay(r.timeSec, 3600)',
    model: ({ timeSec }) => {
      const date = local(timeSec!, 3600)
      return BigInt(date.getUTCHours() * 3600 + date.getUTCMinutes() * 60 + date.getUTCSeconds())
    },
    inputs: midnight,
  },
  {
    name: 'weekday(timeSec: u32, -18000)',
    imports: TIME,
    reading: { timeSec: 'u32' },
    result: 'u32',
    body: 'time.weekday(r.timeSec, -18000)',
    model: ({ timeSec }) => BigInt((local(timeSec!, -18000).getUTCDay() + 6) % 7),
    inputs: midnight,
  },
  {
    name: 'isBetween(second: 17 bits, from, to)',
    imports: TIME,
    reading: { second: 'u32:17', from: 'u32:17', to: 'u32:17' },
    result: 'bool',
    body: 'time.isBetween(r.second, r.from, r.to)',
    model: ({ second, from, to }) =>
      from! < to! ? second! >= from! && second! < to! : from! > to! && (second! >= from! || second! < to!),
    inputs: (random) => ({ second: BigInt(random(4)), from: BigInt(random(4)), to: BigInt(random(4)) }),
  },
  {
    name: 'isBetween(secondOfDay(timeSec, 3600), 79200, 21600)',
    imports: TIME,
    reading: { timeSec: 'u32' },
    result: 'bool',
    body: 'time.isBetween(time.secondOfDay(r.timeSec, 3600), 79200, 21600)',
    model: ({ timeSec }) => between(BigInt(local(timeSec!, 3600).getUTCHours()), 22n, 6n),
  },
  {
    name: 'periodOf(timeSec: u32, 3600)',
    imports: TIME,
    reading: { timeSec: 'u32' },
    result: 'u32',
    body: 'time.periodOf(r.timeSec, 3600)',
    model: ({ timeSec }) => timeSec! / 3600n,
  },
]

const COUNTER_CASES: LibraryCase[] = [
  {
    name: 'wrapped16(from: u16, to: u16)',
    imports: COUNTER,
    reading: { from: 'u16', to: 'u16' },
    result: 'u32',
    body: 'counter.wrapped16(r.from, r.to)',
    model: ({ from, to }) => (to! < from! ? to! + 65536n : to!) - from!,
  },
  {
    name: 'wrapped32(from: u32, to: u32)',
    imports: COUNTER,
    reading: { from: 'u32', to: 'u32' },
    result: 'u32',
    body: 'counter.wrapped32(r.from, r.to)',
    model: ({ from, to }) => (to! < from! ? to! + (1n << 32n) : to!) - from!,
  },
  {
    name: 'sinceReset(from: u32, to: u32)',
    imports: COUNTER,
    reading: { from: 'u32', to: 'u32' },
    result: 'u32',
    body: 'counter.sinceReset(r.from, r.to)',
    model: ({ from, to }) => (to! < from! ? to! : to! - from!),
  },
]

/** Idle, charging, finished, and the events plug, charge, unplug, fail. */
const MACHINE = [1, 255, 255, 0, 255, 2, 0, 0, 255, 2, 0, 255]

const SIGNAL_CASES: LibraryCase[] = [
  {
    name: 'hysteresis(isOn, value: u16, onAt, offBelow)',
    imports: SIGNAL,
    reading: { isOn: 'bool', value: 'u16', onAt: 'u16', offBelow: 'u16' },
    result: 'bool',
    body: 'signal.hysteresis<u16>(r.isOn, r.value, r.onAt, r.offBelow)',
    model: ({ isOn, value, onAt, offBelow }) => (value! >= onAt! ? true : value! < offBelow! ? false : isOn === 1n),
  },
  {
    name: 'hysteresis(isOn, value: u16, 500, 400)',
    imports: SIGNAL,
    reading: { isOn: 'bool', value: 'u16' },
    result: 'bool',
    body: 'signal.hysteresis<u16>(r.isOn, r.value, 500, 400)',
    model: ({ isOn, value }) => (value! >= 500n ? true : value! < 400n ? false : isOn === 1n),
    inputs: (random) => ({ value: BigInt(390 + random(120)) }),
  },
  {
    name: 'debounce(count: u8, raw, 5)',
    imports: SIGNAL,
    reading: { count: 'u8', raw: 'bool' },
    result: 'u32',
    body: 'signal.debounce(r.count, r.raw, 5)',
    model: ({ count, raw }) => (raw === 0n ? 0n : count! >= 5n ? 5n : count! + 1n),
    inputs: (random) => ({ count: BigInt(random(7)) }),
  },
  {
    name: 'transition(table, 4, state: u8, event: u8), 3 states',
    imports: `${SIGNAL}\nconst MACHINE: StaticArray<u8> = [${MACHINE.join()}]`,
    reading: { state: 'u8', event: 'u8' },
    result: 'u8',
    body: 'signal.transition(MACHINE, 4, r.state, r.event)',
    model: ({ state, event }) => {
      const next = event! < 4n ? MACHINE[Number(state! * 4n + event!)] : undefined
      return next === undefined || next === 255 ? null : BigInt(next)
    },
    inputs: (random) => ({ state: BigInt(random(4)), event: BigInt(random(5)) }),
  },
]

const items = Array.from({ length: 8 }, (_, k) => `v${k}`)

const AVERAGE_CASES: LibraryCase[] = [
  {
    name: 'rollingAverage(… 8 × u16, value)',
    imports: AVERAGE,
    reading: { value: 'u16' },
    state: Object.fromEntries(items.map((name) => [name, 'u16'])),
    result: 'u16',
    body: "average.rollingAverage<u16>(itemsAt(s, offsetof<State>('v0')), 8, r.value)",
    model: (values) => {
      const next = [values['value']!, ...items.slice(0, 7).map((name) => values[name]!)]
      return {
        ...Object.fromEntries(items.map((name, k) => [name, next[k]!])),
        result: next.reduce((a, b) => a + b) / 8n,
      }
    },
  },
  {
    name: 'smooth(scaled: u32, sample: u16, 4)',
    imports: AVERAGE,
    reading: { scaled: 'u32', sample: 'u16' },
    result: 'u32',
    body: 'average.smooth(r.scaled, r.sample, 4)',
    model: ({ scaled, sample }) => scaled! - scaled! / 16n + sample!,
  },
  {
    name: 'smooth(scaled: u32, sample: u32, 12)',
    imports: AVERAGE,
    reading: { scaled: 'u32', sample: 'u32' },
    result: 'u32',
    body: 'average.smooth(r.scaled, r.sample, 12)',
    model: ({ scaled, sample }) => (sample! < 1n << 20n ? scaled! - scaled! / 4096n + sample! : null),
    inputs: (random) => ({ sample: BigInt((1 << 20) + random(5) - 3) }),
  },
]

/** By bisection. */
function rootOf(n: bigint): bigint {
  let [low, high] = [0n, 1n << 33n]
  while (high - low > 1n) {
    const middle = (low + high) >> 1n
    if (middle * middle <= n) low = middle
    else high = middle
  }
  return low
}

function rootCase(name: string, call: string, type: string, bits: number): LibraryCase {
  return {
    name,
    imports: ROOT,
    reading: { n: type },
    result: 'u32',
    body: `root.${call}`,
    model: ({ n }) => (n! >> BigInt(bits) === 0n ? rootOf(n!) : null),
    inputs: (random) => {
      const size = BigInt(random(2 ** 32)) >> BigInt(32 - bits / 2 + random(bits / 2 + 1))
      return { n: BigInt.asUintN(bits, size * size + BigInt(random(3)) - 1n) }
    },
  }
}

export const TIME_AND_SIGNAL_CASES: LibraryCase[] = [
  ...AVERAGE_CASES,
  ...TIME_CASES,
  ...COUNTER_CASES,
  ...SIGNAL_CASES,
  rootCase('isqrt32(n: u16)', 'isqrt32(r.n)', 'u16', 16),
  rootCase('isqrt32(n: u32)', 'isqrt32(r.n)', 'u32', 32),
  rootCase('isqrt(n: u64, 22)', 'isqrt(r.n, 22)', 'u64', 44),
  rootCase('isqrt64(n: u64)', 'isqrt64(r.n)', 'u64', 64),
]
