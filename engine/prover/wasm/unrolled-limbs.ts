// Lines of AssemblyScript for elements of nine limbs that need no modulus: loads, stores, carries, and the columns of a product.

export const LIMBS = 9
export const LIMB_BITS = 29n
export const MASK = (1n << LIMB_BITS) - 1n
export const COLUMNS = 2 * LIMBS - 1

/** Names of nine constants that hold the limbs of an element. */
export type Names = readonly string[]

/** Columns of a product, and the statements that the column expressions need. */
export interface Product {
  readonly code: string
  readonly columns: readonly string[]
}

/** Karatsuba over three blocks of three limbs. A block sum may pass 2^31 and a block product 2^63: only the columns must fit. */
export function product(prefix: string, a: Names, b: Names): Product {
  let code = ''
  const block = (name: string, left: Names, right: Names) => {
    for (let k = 0; k < 5; k++) {
      const terms = each(3, (i) => (k - i >= 0 && k - i < 3 ? [`${left[i]} * ${right[k - i]}`] : [])).flat()
      code += `  const ${prefix}${name}_${k} = ${terms.join(' + ')};\n`
    }
  }
  const part = (value: Names, k: number) => value.slice(3 * k, 3 * k + 3)
  const both = (value: Names, i: number, j: number) =>
    part(value, i).map((limb, k) => `(${limb} + ${part(value, j)[k]})`)
  for (let k = 0; k < 3; k++) block(`k${k}`, part(a, k), part(b, k))
  for (const [i, j] of PAIRS) {
    for (const [name, value] of [
      ['l', a],
      ['r', b],
    ] as const) {
      both(value, i, j).forEach((sum, k) => (code += `  const ${prefix}${name}${i}${j}${k} = ${sum};\n`))
    }
    const sum = (name: string) => each(3, (k) => `${prefix}${name}${i}${j}${k}`)
    block(`k${i}${j}`, sum('l'), sum('r'))
  }
  const columns = each(COLUMNS, (): string[] => [])
  for (const [at, ...blocks] of LAYOUT) {
    for (let k = 0; k < 5; k++) {
      for (const term of blocks) columns[at + k]!.push(`${term[0]} ${prefix}${term.slice(1)}_${k}`)
    }
  }
  return { code, columns: columns.map((terms) => `(${terms.join(' ').replace(/^\+ /, '')})`) }
}

const PAIRS = [
  [0, 1],
  [0, 2],
  [1, 2],
] as const

/** Which block products go where: first column, then the terms. */
const LAYOUT: readonly (readonly [number, ...string[]])[] = [
  [0, '+k0'],
  [3, '+k01', '-k0', '-k1'],
  [6, '+k02', '-k0', '-k2', '+k1'],
  [9, '+k12', '-k1', '-k2'],
  [12, '+k2'],
]

export function square(a: Names): Product {
  const code = each(LIMBS - 1, (k) => `  const dbl${k} = ${a[k]} << 1;\n`).join('')
  const columns = each(COLUMNS, (k) => {
    const mixed = each(LIMBS, (i) => (i < k - i && k - i < LIMBS ? [`dbl${i} * ${a[k - i]}`] : [])).flat()
    return [...mixed, ...(k % 2 === 0 ? [`${a[k / 2]} * ${a[k / 2]}`] : [])].join(' + ')
  })
  return { code, columns }
}

export function hoist(name: string, { code, columns }: Product): string {
  return code + columns.map((column, k) => `  const w${name}${k} = ${column};\n`).join('')
}

/** Stores nine limbs with carries; only the highest keeps its sign. */
export function carried(limb: (k: number) => string, out: string, prefix = `c${out}`): string {
  let code = `  let ${prefix}t: i64 = 0;\n`
  for (let k = 0; k < LIMBS; k++) {
    code += `  ${prefix}t = ${k === 0 ? '' : `(${prefix}t >> 29) + `}${limb(k)};\n`
    code += `  store<i32>(${out}, <i32>(${k < LIMBS - 1 ? `${prefix}t & ${MASK}` : `${prefix}t`}), ${4 * k});\n`
  }
  return code
}

export function unpack(): string {
  return each(LIMBS, (k) => {
    const bit = 29 * k
    const value =
      k === LIMBS - 1 ? `<i32>(load<u32>(a, 28) >> 8)` : `<i32>((load<u64>(a, ${bit >> 3}) >> ${bit & 7}) & ${MASK})`
    return `  const u${k} = ${value};\n`
  })
    .concat(each(LIMBS, (k) => `  store<i32>(o, u${k}, ${4 * k});\n`))
    .join('')
}

export function pack(a: Names): string {
  return each(4, (word) => {
    const terms = each(LIMBS, (k) => {
      const shift = 29 * k - 64 * word
      if (shift <= -29 || shift >= 64) return []
      return [shift >= 0 ? `(${a[k]} << ${shift})` : `(${a[k]} >> ${-shift})`]
    }).flat()
    return `  store<i64>(o, ${terms.join(' | ')}, ${8 * word});\n`
  }).join('')
}

export function load(pointer: string, prefix = pointer, offset = 0): string {
  return each(LIMBS, (k) => `  const ${prefix}${k} = i64.load32_s(${pointer}, ${offset + 4 * k});\n`).join('')
}

export function names(prefix: string): Names {
  return each(LIMBS, (k) => `${prefix}${k}`)
}

export function limbs(value: bigint): bigint[] {
  return each(LIMBS, (k) => (value >> (LIMB_BITS * BigInt(k))) & MASK)
}

export function each<T>(count: number, value: (k: number) => T): T[] {
  return Array.from({ length: count }, (_, k) => value(k))
}
