// Writes the AssemblyScript of one prime field of BN254, straight-line code that nobody would write by hand.
//
// An element is nine 32-bit limbs of 29 bits, least significant first, in Montgomery form with R = 2^261. Limbs are signed and
// the value is not canonical: a product lies in (−0.1p, 2.1p), a reduced element in (−0.01p, 1.01p). A difference needs no carry:
// products take one factor with |limb| < 2^29 and one with |limb| ≤ 2^30, so that a column of all products fits in 63 bits.
// Products are three-limb Karatsuba (54 multiplications); the reduction takes 82, for it works with the multiple k·p ≡ −1 mod 2^29,
// whose lowest column is a shift, and only in the last step with p. No code here is constant-time.

import {
  COLUMNS,
  LIMBS,
  LIMB_BITS,
  MASK,
  carried,
  each,
  hoist,
  limbs,
  load,
  names,
  pack,
  product,
  square,
  unpack,
  type Names,
  type Product,
} from './unrolled-limbs.ts'

/** The quotient by p is estimated from the bits above 2^232, as a fraction of 2^42. */
const ESTIMATE_BITS = 42n
const TOP_BITS = LIMB_BITS * BigInt(LIMBS - 1)

/** 2^261: what a Montgomery form is multiplied by. */
export const MONTGOMERY_FACTOR = 1n << (LIMB_BITS * BigInt(LIMBS))
/** Bytes of an element in the kernel's memory. */
export const ELEMENT_BYTES = 4 * LIMBS

/** The module of the field of `prime` elements. `extension` adds F_p² with i² = −1, `transform` the loops of an FFT. */
export function unrolledField(prime: bigint, options: { extension?: boolean; transform?: boolean } = {}): string {
  const field = new Field(prime)
  const parts = [field.constants(), field.base()]
  if (options.extension) parts.push(field.extension())
  if (options.transform) parts.push(field.transform())
  return parts.join('\n')
}

class Field {
  readonly prime: bigint
  readonly p: readonly bigint[]
  /** −1/p mod 2^29. */
  readonly factor: bigint
  /** (factor·p + 1)/2^29. */
  readonly n: readonly bigint[]

  constructor(prime: bigint) {
    this.prime = prime
    this.p = limbs(prime)
    this.factor = MASK + 1n - inverseOfOdd(prime)
    this.n = limbs((this.factor * prime + 1n) >> LIMB_BITS)
  }

  constants(): string {
    const data = (value: bigint) => `memory.data<i32>([${limbs(value).join(', ')}])`
    const exponent = (this.prime - 2n).toString(16).padStart(64, '0')
    const bytes = Buffer.from(this.prime.toString(16).padStart(64, '0'), 'hex').reverse()
    return [
      `export const ONE: usize = ${data(MONTGOMERY_FACTOR % this.prime)}`,
      `export const SQUARE: usize = ${data(MONTGOMERY_FACTOR ** 2n % this.prime)}`,
      `export const PLAIN_ONE: usize = ${data(1n)}`,
      `/** Takes x·2^256 to the Montgomery form of x by a product, and x·2^512 the other. */`,
      `export const FROM_FILE: usize = ${data(((MONTGOMERY_FACTOR ** 2n) >> 256n) % this.prime)}`,
      `export const FROM_FILE_TWICE: usize = ${data(((MONTGOMERY_FACTOR ** 2n) >> 512n) % this.prime)}`,
      `/** Takes the Montgomery form of x to x·2^256. */`,
      `export const TO_FILE: usize = ${data((1n << 256n) % this.prime)}`,
      `const INVERSE_EXPONENT: usize = memory.data<u8>([${[...exponent].map((digit) => parseInt(digit, 16)).join(', ')}])`,
      `export const PRIME_BYTES: usize = memory.data<u8>([${[...bytes].join(', ')}])`,
      'const table: usize = memory.data(16 * 36)',
      'const scratch: usize = memory.data(36)',
      '',
    ].join('\n')
  }

  base(): string {
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(names) as [Names, Names, Names, Names]
    const ab = product('', a, b)
    return [
      method('mul', 'o a b', load('a') + load('b') + this.reduction('', ab, 'o')),
      method('sqr', 'o a', load('a') + this.reduction('', square(a), 'o')),
      doc('o = a·b + c, reduced'),
      method(
        'mulAdd',
        'o a b c',
        load('a') + load('b') + load('c') + this.reduction('', ab, 'o', { plus: [c], reduce: true }),
      ),
      doc('o = a·b − c, reduced'),
      method(
        'mulSub',
        'o a b c',
        load('a') + load('b') + load('c') + this.reduction('', ab, 'o', { minus: [c], reduce: true }),
      ),
      doc('o = a² − c − d, reduced'),
      method(
        'sqrSub',
        'o a c d',
        load('a') + load('c') + load('d') + this.reduction('', square(a), 'o', { minus: [c, d], reduce: true }),
      ),
      doc('o = a + b'),
      method('add', 'o a b', load('a') + load('b') + carried((k) => `${a[k]} + ${b[k]}`, 'o')),
      doc('o = a − b'),
      method('sub', 'o a b', load('a') + load('b') + carried((k) => `${a[k]} - ${b[k]}`, 'o')),
      doc('o = a − b without carries: |limb| < 2^29 and of either sign'),
      method(
        'difference',
        'o a b',
        this.each((k) => `<i32>load<i32>(a, ${4 * k}) - load<i32>(b, ${4 * k})`),
      ),
      method('neg', 'o a', load('a') + carried((k) => `${this.p[k]} - ${a[k]}`, 'o')),
      method('copy', 'o a', copyBytes()),
      doc('o = a, reduced; |a| < 600p'),
      method('reduce', 'o a', load('a') + this.reduced(a, 'o')),
      doc('o = a as 29-bit limbs of a value below 2^256, from 32 bytes'),
      method('unpack', 'o a', unpack()),
      doc('32 bytes at o from canonical limbs'),
      method('pack', 'o a', load('a') + pack(a)),
      this.tests(),
    ].join('\n')
  }

  /** Functions that need no unrolling, or are rarely called. */
  private tests(): string {
    const minusPrime = each(LIMBS, (k) => `${k === 0 ? '' : '(t >> 29) + '}i64.load32_s(o, ${4 * k}) - ${this.p[k]}`)
    return `
/** o = a in [0, p) with 29-bit limbs; |a| < 600p */
export function canonical(o: usize, a: usize): void {
  reduce(o, a)
  if (load<i32>(o, 32) < 0) {
    addPrime(o)
    return
  }
  let t: i64
${minusPrime.map((value, k) => `  t = ${value};\n  const r${k} = ${k < LIMBS - 1 ? `<i32>(t & ${MASK})` : '<i32>t'};\n`).join('')}
  if (r8 < 0) return
${each(LIMBS, (k) => `  store<i32>(o, r${k}, ${4 * k});\n`).join('')}}

function addPrime(o: usize): void {
  let t: i64 = 0
${each(LIMBS, (k) => `  t = (t >> 29) + i64.load32_s(o, ${4 * k}) + ${this.p[k]};\n  store<i32>(o, <i32>(${k < LIMBS - 1 ? `t & ${MASK}` : 't'}), ${4 * k});\n`).join('')}}

/** Almost free: false for nearly every element that is not zero. |a| < 16p, limbs as a difference has them. */
export function maybeZero(a: usize): bool {
  const k = (i64.load32_s(a) * ${inverseOfOdd(this.prime)} + 16) & ${MASK}
  return k <= 32
}

export function isZero(a: usize): bool {
  canonical(scratch, a)
  let bits = 0
  for (let k: usize = 0; k < 36; k += 4) bits |= load<i32>(scratch + k)
  return bits == 0
}

/** Whether 32 bytes are a number below p. */
export function isCanonical(bytes: usize): bool {
  for (let k = 24; k >= 0; k -= 8) {
    const limb = load<u64>(bytes + k)
    const bound = load<u64>(PRIME_BYTES + k)
    if (limb != bound) return limb < bound
  }
  return false
}

/** o = 1/a; zero for zero. o and a may be the same. */
export function inverse(o: usize, a: usize): void {
  copy(table, ONE)
  for (let k = 1; k < 16; k++) mul(table + k * 36, table + (k - 1) * 36, a)
  copy(o, ONE)
  for (let k = 0; k < 64; k++) {
    sqr(o, o)
    sqr(o, o)
    sqr(o, o)
    sqr(o, o)
    const digit = <usize>load<u8>(INVERSE_EXPONENT + k)
    if (digit) mul(o, o, table + digit * 36)
  }
}
`
  }

  /** F_p² as pairs of elements. */
  extension(): string {
    const parts = ['a', 'b', 'c', 'd'].map((name) => [names(`${name}u`), names(`${name}v`)] as const)
    const [a, b, c, d] = parts as [Pair, Pair, Pair, Pair]
    const loads = (text: string) =>
      [...text].map((name) => load(name, `${name}u`) + load(name, `${name}v`, ELEMENT_BYTES)).join('')
    const low = product('x', a[0], b[0])
    const high = product('y', a[1], b[1])
    const [sumA, sumB] = [sums('sa', a), sums('sb', b)]
    const cross = product('z', sumA.names, sumB.names)
    const wide = [low, high, cross].map((part, k) => hoist('xyz'[k]!, part))
    const real = { code: '', columns: each(COLUMNS, (k) => `wx${k} - wy${k}`) }
    const imaginary = { code: '', columns: each(COLUMNS, (k) => `wz${k} - wx${k} - wy${k}`) }
    const products = sumA.code + sumB.code + wide.join('')
    const pair = (real_: Product, imaginary_: Product, extra: [Extra, Extra]) =>
      this.reduction('e', real_, 'o', extra[0]) + this.reduction('f', imaginary_, 'o', extra[1], ELEMENT_BYTES)
    const minus = (...values: Pair[]): [Extra, Extra] => [
      { minus: values.map((value) => value[0]), reduce: true },
      { minus: values.map((value) => value[1]), reduce: true },
    ]
    const diff = sums('df', a, '-')
    const twice = { code: each(LIMBS, (k) => `  const tw${k} = ${a[0][k]} << 1;\n`).join(''), names: names('tw') }
    const squareReal = product('x', sumA.names, diff.names)
    const squareImaginary = product('y', twice.names, a[1])
    const squares = sumA.code + diff.code + twice.code
    return [
      doc('F_p²: o = a·b'),
      method('mul2', 'o a b', loads('ab') + products + pair(real, imaginary, [{}, {}])),
      doc('F_p²: o = a·b − c, reduced'),
      method('mulSub2', 'o a b c', loads('abc') + products + pair(real, imaginary, minus(c))),
      doc('F_p²: o = a², |limb of a| < 2^28.5 in effect: a product or a reduced element'),
      method('sqr2', 'o a', loads('a') + squares + pair(squareReal, squareImaginary, [{}, {}])),
      doc('F_p²: o = a² − c − d, reduced'),
      method('sqrSub2', 'o a c d', loads('acd') + squares + pair(squareReal, squareImaginary, minus(c, d))),
    ].join('\n')
  }

  /** Butterflies over whole runs with one factor z. */
  transform(): string {
    const [a, b, z] = ['a', 'b', 'z'].map(names) as [Names, Names, Names]
    const d = names('d')
    const loop = (body: string) => `  for (; count > 0; count--) {\n${body}    a += 36;\n    b += 36;\n  }\n`
    const bz = product('', b, z)
    const dz = product('', d, z)
    const sum = (sign: string) => each(LIMBS, (k) => `(${a[k]} ${sign} ${b[k]})`)
    return [
      doc('(a, b) = (a + b·z, a − b·z) for `count` pairs'),
      method(
        'spread',
        'a b count z',
        load('z') +
          loop(
            load('a') +
              load('b') +
              this.reduction('', bz, '', {}, 0, 'w') +
              carried((k) => `${a[k]} + w${k}`, 'a') +
              carried((k) => `${a[k]} - w${k}`, 'b'),
          ),
      ),
      doc('(a, b) = (a + b, (a − b)·z) for `count` pairs'),
      method(
        'gather',
        'a b count z',
        load('z') +
          loop(
            load('a') +
              load('b') +
              carried((k) => `${a[k]} + ${b[k]}`, 'a') +
              each(LIMBS, (k) => `  const d${k} = ${a[k]} - ${b[k]};\n`).join('') +
              this.reduction('', dz, 'b'),
          ),
      ),
      doc('(a, b) = (a + b, a − b) for `count` pairs, reduced'),
      method(
        'combine',
        'a b count',
        loop(load('a') + load('b') + this.reduced(sum('+'), 'a', 's') + this.reduced(sum('-'), 'b', 't')),
      ),
    ].join('\n')
  }

  private each(value: (k: number) => string): string {
    return each(LIMBS, (k) => `  store<i32>(o, ${value(k)}, ${4 * k});\n`).join('')
  }

  /** Subtracts the estimated multiple of p from nine limbs and carries. */
  private reduced(a: Names, out: string, prefix = ''): string {
    const quotient = this.quotient(`${a[8]} + (${a[7]} >> 29)`)
    return (
      `  const ${prefix}q = ${quotient};\n` + carried((k) => `${a[k]} - ${prefix}q * ${this.p[k]}`, out, `${prefix}r`)
    )
  }

  private quotient(top: string): string {
    return `((${top}) * ${(1n << (ESTIMATE_BITS + TOP_BITS)) / this.prime}) >> ${ESTIMATE_BITS}`
  }

  /**
   * Montgomery reduction of a product's columns, plus and minus elements, to limbs at `out` (or to constants named by `result`).
   */
  private reduction(prefix: string, product: Product, out: string, extra: Extra = {}, offset = 0, result = ''): string {
    const { columns } = product
    const m = (k: number) => `${prefix}m${k}`
    const t = `${prefix}t`
    const addends = (k: number) =>
      (extra.plus ?? []).map((value) => ` + ${value[k]}`).join('') +
      (extra.minus ?? []).map((value) => ` - ${value[k]}`).join('')
    let code = `${product.code}  let ${t}: i64 = 0;\n`
    for (let k = 0; k < LIMBS; k++) {
      const earlier = each(k, (i) => ` + ${m(i)} * ${this.n[k - 1 - i]}`).join('')
      code += `  ${t} = (${t} >> 29) + ${columns[k]}${earlier};\n`
      if (k < LIMBS - 1) code += `  const ${m(k)} = ${t} & ${MASK};\n`
    }
    const last = LIMBS - 1
    code += `  const ${m(last)} = (${t} * ${this.factor}) & ${MASK};\n  ${t} += ${m(last)} * ${this.p[0]};\n`
    const upper = (k: number) => {
      const earlier = each(last, (i) => (k - 1 - i < LIMBS ? ` + ${m(i)} * ${this.n[k - 1 - i]}` : '')).join('')
      return `${columns[k]}${earlier} + ${m(last)} * ${this.p[k - last]}${addends(k - LIMBS)}`
    }
    const hoisted = extra.reduce ? [COLUMNS - 2, COLUMNS - 1] : []
    for (const k of hoisted) code += `  const ${prefix}h${k} = ${upper(k)};\n`
    if (extra.reduce) {
      const top = `((${prefix}h${COLUMNS - 1} + (${prefix}h${COLUMNS - 2} >> 29)) >> 29)${addends(last)}`
      code += `  const ${prefix}q = ${this.quotient(top)};\n`
    }
    const quotient = (k: number) => (extra.reduce ? ` - ${prefix}q * ${this.p[k]}` : '')
    const put = (k: number, value: string) =>
      result ? `  const ${result}${k} = ${value};\n` : `  store<i32>(${out}, <i32>(${value}), ${offset + 4 * k});\n`
    for (let k = 0; k < last; k++) {
      const column = k + LIMBS
      const value = hoisted.includes(column) ? `${prefix}h${column}` : upper(column)
      code += `  ${t} = (${t} >> 29) + ${value}${quotient(k)};\n${put(k, `${t} & ${MASK}`)}`
    }
    return code + put(last, `(${t} >> 29)${addends(last)}${quotient(last)}`)
  }
}

/** 36 bytes in place of a call of memory.copy, which leaves WebAssembly. */
function copyBytes(): string {
  return (
    each(4, (k) => `  store<i64>(o, load<i64>(a, ${8 * k}), ${8 * k});\n`).join('') +
    '  store<i32>(o, load<i32>(a, 32), 32);\n'
  )
}

type Pair = readonly [Names, Names]

interface Extra {
  readonly plus?: readonly Names[]
  readonly minus?: readonly Names[]
  /** Subtract the estimated multiple of p. */
  readonly reduce?: boolean
}

function sums(name: string, [u, v]: Pair, sign = '+') {
  return { code: each(LIMBS, (k) => `  const ${name}${k} = ${u[k]} ${sign} ${v[k]};\n`).join(''), names: names(name) }
}

function method(name: string, parameters: string, body: string): string {
  const list = parameters.split(' ').map((parameter) => `${parameter}: ${parameter === 'count' ? 'i32' : 'usize'}`)
  return `export function ${name}(${list.join(', ')}): void {\n${body}}\n`
}

function doc(text: string): string {
  return `/** ${text} */`
}

/** 1/odd mod 2^29 by Newton's iteration. */
function inverseOfOdd(odd: bigint): bigint {
  let inverse = 1n
  for (let bits = 1; bits < 32; bits *= 2) inverse = (inverse * (2n - odd * inverse)) & MASK
  return inverse
}
