import type { LibraryCase, Random, Values } from '../harness.ts'

interface Format {
  name: 'Q16' | 'Q32'
  file: string
  type: 'i32' | 'i64'
  bits: bigint
  fraction: bigint
}

const FORMATS: Format[] = [
  { name: 'Q16', file: 'fixed16', type: 'i32', bits: 32n, fraction: 16n },
  { name: 'Q32', file: 'fixed32', type: 'i64', bits: 64n, fraction: 32n },
]

/** The bits of a numeric product or quotient decide whether it is in range, so both factors are drawn with all sizes. */
function operands({ bits }: Format) {
  return (random: Random): Values => {
    const one = () => {
      const wide = (BigInt(random(2 ** 32)) << 32n) | BigInt(random(2 ** 32))
      return BigInt.asIntN(1 + random(Number(bits)), wide)
    }
    return { a: one(), b: one() }
  }
}

function casesOf(format: Format): LibraryCase[] {
  const { name, file, type, bits, fraction } = format
  const limit = 1n << (bits - 1n)
  const fits = (value: bigint): bigint | null => (value >= -limit && value < limit ? value : null)
  const of = (
    signature: string,
    body: string,
    model: LibraryCase['model'],
    result: string = type,
    reading: Record<string, string> = { a: type, b: type },
  ): LibraryCase => ({
    name: `${name}.${signature}`,
    imports: `import * as ${name} from './lib/${file}'`,
    reading,
    result,
    body: `${name}.${body}`,
    model,
    ...('b' in reading ? { inputs: operands(format) } : {}),
  })
  const one = { a: type }
  return [
    of('fromInteger(value: i32)', 'fromInteger(r.a)', ({ a }) => fits(a! << fraction), type, { a: 'i32' }),
    of('floor(a)', 'floor(r.a)', ({ a }) => a! >> fraction, 'i32', one),
    of('round(a)', 'round(r.a)', ({ a }) => roundOf(a!, fraction, name), 'i32', one),
    of('trunc(a)', 'trunc(r.a)', ({ a }) => a! / (1n << fraction), 'i32', one),
    of('add(a, b)', 'add(r.a, r.b)', ({ a, b }) => fits(a! + b!)),
    of('sub(a, b)', 'sub(r.a, r.b)', ({ a, b }) => fits(a! - b!)),
    of('neg(a)', 'neg(r.a)', ({ a }) => fits(-a!), type, one),
    of('mul(a, b)', 'mul(r.a, r.b)', ({ a, b }) => fits((a! * b!) >> fraction)),
    of(
      `mul(a, ${name}.decimal(0.85))`,
      `mul(r.a, ${name}.decimal(0.85))`,
      ({ a }) => fits((a! * nearest(85n, 100n, fraction)) >> fraction),
      type,
      one,
    ),
    of('div(a, b)', 'div(r.a, r.b)', ({ a, b }) => (b === 0n ? null : fits((a! << fraction) / b!))),
  ]
}

function nearest(numerator: bigint, denominator: bigint, fraction: bigint): bigint {
  return ((numerator << (fraction + 1n)) / denominator + 1n) >> 1n
}

function roundOf(a: bigint, fraction: bigint, name: string): bigint | null {
  const rounded = (a + (1n << (fraction - 1n))) >> fraction
  return name === 'Q32' && rounded === 1n << 31n ? null : rounded
}

export const FIXED_CASES = FORMATS.flatMap(casesOf)
