import type { LibraryCase, Random, Values } from '../harness.ts'

const INTEGER = "import * as integer from './lib/integer'"
const U32 = 1n << 32n
const U64 = 1n << 64n
const fits = (value: bigint, below: bigint): bigint | null => (value < below ? value : null)
const small = (random: Random): Values => ({ a: BigInt(random(5000)), b: BigInt(random(50)), c: BigInt(random(2000)) })

/** A divisor whose high half is least and low half most makes the estimate of a digit too large by 2. */
function wide(random: Random): Values {
  const worst = (1n << 63n) + U32 - 1n
  const below = (top: bigint): bigint => top - 1n - BigInt(random(1000))
  const choices = [
    { c: below(U64) },
    { c: (1n + BigInt(random(9))) << BigInt(random(60)) },
    { a: below(worst), b: below(U64), c: worst },
  ]
  return choices[random(3)]!
}

export const INTEGER_CASES: LibraryCase[] = [
  {
    name: 'distance(a: i32, b: i32)',
    imports: INTEGER,
    reading: { a: 'i32:31', b: 'i32:31' },
    result: 'u32',
    body: 'integer.distance(r.a, r.b)',
    model: ({ a, b }) => (a! < b! ? b! - a! : a! - b!),
  },
  {
    name: 'clamp(value: u16, low, high)',
    imports: INTEGER,
    reading: { a: 'u16', low: 'u16', high: 'u16' },
    result: 'u16',
    body: 'integer.clamp<u16>(r.a, r.low, r.high)',
    model: ({ a, low, high }) => (a! < low! ? low! : a! > high! ? high! : a!),
  },
  {
    name: 'clamp(value: i32, low, high)',
    imports: INTEGER,
    reading: { a: 'i32', low: 'i32', high: 'i32' },
    result: 'i32',
    body: 'integer.clamp<i32>(r.a, r.low, r.high)',
    model: ({ a, low, high }) => (a! < low! ? low! : a! > high! ? high! : a!),
  },
  {
    name: 'min(a: u16, b: u16)',
    imports: '',
    reading: { a: 'u16', b: 'u16' },
    result: 'u16',
    body: 'min(r.a, r.b)',
    model: ({ a, b }) => (a! < b! ? a! : b!),
  },
  {
    name: 'abs(a: i32)',
    imports: '',
    reading: { a: 'i32:31' },
    result: 'i32',
    body: 'abs(r.a)',
    model: ({ a }) => (a! < 0n ? -a! : a!),
  },
  {
    name: 'addU64(a: u64, b: u64)',
    imports: INTEGER,
    reading: { a: 'u64', b: 'u64' },
    result: 'u64',
    body: 'integer.addU64(r.a, r.b)',
    model: ({ a, b }) => fits(a! + b!, U64),
  },
  {
    name: 'subtractToZero(a: u32, b: u32)',
    imports: INTEGER,
    reading: { a: 'u32', b: 'u32' },
    result: 'u32',
    body: 'integer.subtractToZero<u32>(r.a, r.b)',
    model: ({ a, b }) => (a! > b! ? a! - b! : 0n),
  },
  {
    name: 'ceilDiv(a: u32, 1000)',
    imports: INTEGER,
    reading: { a: 'u32' },
    result: 'u32',
    body: 'integer.ceilDiv<u32>(r.a, 1000)',
    model: ({ a }) => (a! + 999n) / 1000n,
  },
  {
    name: 'ceilDiv(a: u32, b: u32)',
    imports: INTEGER,
    reading: { a: 'u32', b: 'u32' },
    result: 'u32',
    body: 'integer.ceilDiv<u32>(r.a, r.b)',
    model: ({ a, b }) => (b === 0n ? null : (a! + b! - 1n) / b!),
    inputs: small,
  },
  {
    name: 'roundDiv(a: u32, 1000)',
    imports: INTEGER,
    reading: { a: 'u32' },
    result: 'u32',
    body: 'integer.roundDiv(r.a, 1000)',
    model: ({ a }) => (a! + 500n) / 1000n,
  },
  {
    name: 'roundDiv(a: u32, b: u32)',
    imports: INTEGER,
    reading: { a: 'u32', b: 'u32' },
    result: 'u32',
    body: 'integer.roundDiv(r.a, r.b)',
    model: ({ a, b }) => (b === 0n ? null : (a! + b! / 2n) / b!),
    inputs: small,
  },
  {
    name: 'mulDiv(a: u32, b: u32, 1000)',
    imports: INTEGER,
    reading: { a: 'u32', b: 'u32' },
    result: 'u32',
    body: 'integer.mulDiv(r.a, r.b, 1000)',
    model: ({ a, b }) => fits((a! * b!) / 1000n, U32),
  },
  {
    name: 'mulDiv(a: u32, b: u32, c: u32)',
    imports: INTEGER,
    reading: { a: 'u32', b: 'u32', c: 'u32' },
    result: 'u32',
    body: 'integer.mulDiv(r.a, r.b, r.c)',
    model: ({ a, b, c }) => (c === 0n ? null : fits((a! * b!) / c!, U32)),
    inputs: small,
  },
  {
    name: 'mulDivWide(a: u64, b: u32, c: u32)',
    imports: INTEGER,
    reading: { a: 'u64', b: 'u32', c: 'u32' },
    result: 'u64',
    body: 'integer.mulDivWide(r.a, r.b, r.c)',
    model: ({ a, b, c }) => (c === 0n ? null : fits((a! * b!) / c!, U64)),
    inputs: (random) => ({ c: U32 - 1n - BigInt(random(1000)) }),
  },
  {
    name: 'mulDiv64(a: u64, b: u64, c: u64)',
    imports: "import { mulDiv64 } from './lib/wide'",
    reading: { a: 'u64', b: 'u64', c: 'u64' },
    result: 'u64',
    body: 'mulDiv64(r.a, r.b, r.c)',
    model: ({ a, b, c }) => (c === 0n ? null : fits((a! * b!) / c!, U64)),
    inputs: wide,
  },
  {
    name: 'powerOfTen(exponent: u8)',
    imports: INTEGER,
    reading: { exponent: 'u8' },
    result: 'u64',
    body: 'integer.powerOfTen(r.exponent)',
    model: ({ exponent }) => (exponent! < 20n ? 10n ** exponent! : null),
    inputs: (random) => ({ exponent: BigInt(random(22)) }),
  },
]
