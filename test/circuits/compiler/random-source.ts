/**
 * Random applets as AssemblyScript: typed expressions and statements over Reading, State and Config with branches,
 * loops of a constant bound with break and continue, switch, arrays behind checks of their bounds, helper functions and
 * casts between all integer types. Deterministic for a seed; every source compiles. Each array that is written is
 * cleared first, so that a call leaves nothing behind but State.
 */
import { randomSource } from './applet-module.ts'

const TYPES = ['u8', 'i8', 'u16', 'i16', 'u32', 'i32', 'u64', 'i64'] as const
type Type = (typeof TYPES)[number]

interface Variable {
  name: string
  type: Type
  mutable: boolean
}

interface Helper {
  name: string
  parameters: Type[]
  result: Type
}

const TABLE_SIZES = [4, 8, 13, 24]
const COMPARISONS = ['<', '<=', '>', '>=', '==', '!=']
const EDGES = [0, 1, 2, 3, 5, 7, 8, 9, 15, 16, 31, 32, 63, 64, 100, 127, 128, 200, 255, 256, 1000, 32767, 65535]

/** A small one has at most 12 bits of inputs. */
export function randomAppletSource(seed: number, small = false): string {
  return new SourceGenerator(seed, small).applet()
}

class SourceGenerator {
  readonly #random: (below: number) => number
  readonly #small: boolean
  #variables: Variable[] = []
  #helpers: Helper[] = []
  #tables: { name: string; type: Type; size: number }[] = []
  #names = 0
  #budget = 0
  #loops = 0
  #inVerify = false

  constructor(seed: number, small: boolean) {
    this.#random = randomSource(seed)
    this.#small = small
  }

  #pick<T>(items: readonly T[]): T {
    return items[this.#random(items.length)]!
  }

  #chance(outOf: number): boolean {
    return this.#random(outOf) === 0
  }

  applet(): string {
    const records = this.#records()
    this.#tables = Array.from({ length: 1 + this.#random(2) }, (_, k) => ({
      name: `TABLE_${k}`,
      type: this.#pick(TYPES),
      size: this.#pick(TABLE_SIZES),
    }))
    const tables = this.#tables.map(({ name, type, size }) => {
      const values = Array.from({ length: size }, () => this.#literal(type))
      return `const ${name}: StaticArray<${type}> = [${values.join(', ')}]`
    })
    const scratch = `const SCRATCH = new StaticArray<u32>(8)`
    const helpers = Array.from({ length: this.#random(3) }, (_, k) => this.#helper(k))
    const parameters = records.map(({ name }) => `${name.toLowerCase()}: ${name}`)
    this.#variables = records.flatMap(({ name, fields }) =>
      fields.map((field) => ({
        name: `${name.toLowerCase()}.${field.name}`,
        type: field.type,
        mutable: name === 'State',
      })),
    )
    this.#budget = 30 + this.#random(60)
    this.#inVerify = true
    const body = ['for (let k = 0; k < 8; k++) SCRATCH[k] = 0', ...this.#statements(3 + this.#random(5), 3)]
    return [
      `import { bits, require } from './lib/record'`,
      ...records.map(({ name, fields }) => {
        const lines = fields.map(({ name: field, type, bits }) => `  @bits(${bits}) ${field}: ${type}`)
        return `@unmanaged class ${name} {\n${lines.join('\n')}\n}`
      }),
      'export const maxUnitsPerFrame: u64 = 1000',
      ...tables,
      scratch,
      ...helpers,
      `export function verify(${parameters.join(', ')}): u32 {`,
      ...body,
      'let sum: u32 = 0',
      'for (let k = 0; k < 8; k++) { sum = sum * 31 + SCRATCH[k]; SCRATCH[k] = 0 }',
      `return sum + <u32>(${this.#expression('u32', 3)})`,
      '}',
      '',
    ].join('\n')
  }

  #records(): { name: string; fields: { name: string; type: Type; bits: number }[] }[] {
    const names = ['Reading', ...(this.#chance(4) ? [] : ['State']), ...(this.#chance(2) ? ['Config'] : [])]
    return names.map((name) => {
      const count = this.#small ? 1 : 1 + this.#random(3)
      const fields = Array.from({ length: count }, (_, k) => {
        const type = this.#pick(TYPES)
        const width = Number(type.slice(1))
        const most = this.#small ? Math.min(name === 'Config' ? 2 : 5, width) : width
        const bits = this.#small || this.#chance(2) ? Math.max(2, 1 + this.#random(most)) : width
        return { name: `f${k}`, type, bits }
      })
      return { name, fields }
    })
  }

  #helper(index: number): string {
    const parameters = Array.from({ length: 1 + this.#random(4) }, () => this.#pick(TYPES))
    const result = this.#pick(TYPES)
    const name = `helper${index}`
    this.#variables = parameters.map((type, k) => ({ name: `p${k}`, type, mutable: true }))
    this.#budget = 12
    this.#inVerify = false
    const inline = this.#chance(3) ? '@inline\n' : ''
    const early =
      inline === '' && this.#chance(2) ? [`if (${this.#condition(1)}) return ${this.#expression(result, 1)}`] : []
    const lines = [...early, ...this.#statements(1 + this.#random(2), 2), `return ${this.#expression(result, 2)}`]
    const list = parameters.map((type, k) => `p${k}: ${type}`).join(', ')
    this.#helpers.push({ name, parameters, result })
    return `${inline}function ${name}(${list}): ${result} {\n${lines.join('\n')}\n}`
  }

  #literal(type: Type): string {
    const width = Number(type.slice(1))
    const isSigned = type.startsWith('i')
    const edge = this.#small && this.#random(4) > 0 ? this.#random(18) : this.#pick(EDGES)
    const top = 2 ** (isSigned ? width - 1 : width)
    if (this.#chance(6) && width <= 32) return isSigned ? `(-${top} as ${type})` : `${top - 1}`
    const value = edge % Math.min(top, 2 ** 31)
    return isSigned && this.#chance(3) ? `(-${value} as ${type})` : `${value}`
  }

  #variable(type: Type): string {
    const { name, type: actual } = this.#pick(this.#variables)
    return actual === type ? name : `<${type}>${name}`
  }

  #expression(type: Type, depth: number): string {
    if (depth <= 0 || this.#budget-- <= 0 || this.#variables.length === 0) {
      return this.#variables.length === 0 || this.#chance(3) ? `<${type}>${this.#literal(type)}` : this.#variable(type)
    }
    const sub = (t: Type = type): string => this.#expression(t, depth - 1)
    const kind = this.#random(16)
    if (kind <= 4) return `<${type}>(${sub()} ${this.#pick(['+', '-', '*', '&', '|', '^', '+', '-'])} ${sub()})`
    if (kind === 5) return `<${type}>(${sub()} ${this.#pick(['<<', '>>', '>>>'])} ${this.#amount(type, depth)})`
    if (kind === 6) return `<${type}>(${sub()} ${this.#pick(['/', '%'])} ${this.#divisor(type, depth)})`
    if (kind === 7) return `<${type}>(${this.#condition(depth - 1)} ? ${sub()} : ${sub()})`
    if (kind === 8) return `<${type}>${sub(this.#pick(TYPES))}`
    if (kind === 9) return `<${type}>(${this.#condition(depth - 1)})`
    if (kind === 10) return this.#call(type, depth)
    if (kind === 11 || kind === 12) return this.#element(type, depth)
    if (kind === 13) return `<${type}>(${this.#pick(['-', '~'])}${sub()})`
    if (kind === 14) return `${this.#pick(['min', 'max'])}<${type}>(${sub()}, ${sub()})`
    return this.#builtin(type, sub)
  }

  #builtin(type: Type, sub: () => string): string {
    const name = this.#pick(['clz', 'ctz', 'popcnt', 'rotl', 'rotr', 'select', 'abs'])
    if (name === 'select') return `select<${type}>(${sub()}, ${sub()}, ${this.#condition(1)})`
    if (name === 'rotl' || name === 'rotr') return `${name}<${type}>(${sub()}, ${sub()})`
    return `${name}<${type}>(${sub()})`
  }

  #amount(type: Type, depth: number): string {
    return this.#chance(2) ? `${this.#random(Number(type.slice(1)) + 1)}` : this.#expression(type, depth - 2)
  }

  /** Mostly something that is not 0, or that the program has compared. */
  #divisor(type: Type, depth: number): string {
    const kind = this.#random(4)
    if (kind === 0) return `<${type}>${this.#literal(type)}`
    if (kind === 1) return `<${type}>(${this.#expression(type, depth - 2)} | 1)`
    return this.#expression(type, depth - 1)
  }

  #condition(depth: number): string {
    const type = this.#pick(TYPES)
    const kind = depth <= 0 ? 0 : this.#random(7)
    if (kind === 5) return `(${this.#condition(depth - 1)} && ${this.#condition(depth - 1)})`
    if (kind === 6) return `(${this.#condition(depth - 1)} || !${this.#condition(depth - 1)})`
    const right = this.#chance(2) ? `<${type}>${this.#literal(type)}` : this.#expression(type, depth - 1)
    return `(${this.#variables.length > 0 && this.#chance(2) ? this.#variable(type) : this.#expression(type, depth)} ${this.#pick(COMPARISONS)} ${right})`
  }

  #call(type: Type, depth: number): string {
    if (this.#helpers.length === 0) return this.#expression(type, depth - 1)
    const { name, parameters, result } = this.#pick(this.#helpers)
    const values = parameters.map((parameter) => this.#expression(parameter, depth - 2))
    const call = `${name}(${values.join(', ')})`
    return result === type ? call : `<${type}>${call}`
  }

  /** An element behind a mask, behind a comparison, or behind the array's own check of its bounds. */
  #element(type: Type, depth: number): string {
    const { name, size } = this.#pick(this.#tables)
    const index = this.#expression('u32', depth - 2)
    const kind = this.#random(3)
    if (kind === 0) return `<${type}>${name}[(${index}) & ${this.#pick([1, 3])}]`
    if (kind === 1) return `<${type}>${name}[(${index}) % ${size}]`
    const narrow = this.#variables.find((variable) => variable.type === 'u8' || variable.type === 'u32')
    if (narrow === undefined) return `<${type}>${name}[${this.#random(size)}]`
    const checked = `(${narrow.name} < ${size} ? <${type}>${name}[${narrow.name}] : ${this.#expression(type, depth - 2)})`
    return this.#chance(2) ? checked : `<${type}>${name}[${narrow.name}]`
  }

  #statements(count: number, depth: number): string[] {
    return Array.from({ length: count }, () => this.#statement(depth))
  }

  #block(depth: number): string {
    const outer = this.#variables
    this.#variables = [...outer]
    const lines = this.#statements(1 + this.#random(2), depth - 1)
    this.#variables = outer
    return `{\n${lines.join('\n')}\n}`
  }

  #statement(depth: number): string {
    const kind = depth <= 0 || this.#budget-- <= 0 ? this.#random(4) : this.#random(13)
    if (kind <= 1) return this.#declaration(depth)
    if (kind <= 3) return this.#assignment(depth)
    if (kind <= 6)
      return `if ${this.#condition(2)} ${this.#block(depth)}${this.#chance(2) ? ` else ${this.#block(depth)}` : ''}`
    if (kind === 7) return this.#loop(depth)
    if (kind === 8) return this.#switch(depth)
    if (kind <= 10 && this.#inVerify) return this.#store(depth)
    if (kind === 11 && this.#inVerify && this.#chance(2)) return `require(${this.#condition(1)})`
    if (kind === 12 && this.#loops > 0) return `if ${this.#condition(1)} ${this.#pick(['break', 'continue'])}`
    return this.#assignment(depth)
  }

  #declaration(depth: number): string {
    const type = this.#pick(TYPES)
    const value = this.#expression(type, depth + 1)
    const name = `v${this.#names++}`
    this.#variables.push({ name, type, mutable: true })
    return `let ${name}: ${type} = ${value}`
  }

  #assignment(depth: number): string {
    const mutable = this.#variables.filter((variable) => variable.mutable)
    if (mutable.length === 0) return this.#declaration(depth)
    const { name, type } = this.#pick(mutable)
    const value = this.#expression(type, depth + 1)
    return `${name} ${this.#pick(['=', '=', '+=', '-=', '^=', '|='])} ${value}`
  }

  #loop(depth: number): string {
    if (this.#loops >= 2) return this.#block(depth)
    const name = `k${this.#names++}`
    const type = this.#pick(['u32', 'i32', 'u8'] as const)
    const outer = this.#variables
    this.#loops++
    this.#variables = [...outer, { name, type, mutable: false }]
    const body = this.#block(depth)
    this.#variables = outer
    this.#loops--
    const bound = this.#random(5) + 1
    return `for (let ${name}: ${type} = 0; ${name} < ${bound}; ${name}++) ${body}`
  }

  #switch(depth: number): string {
    const loops = this.#loops
    this.#loops = 0
    const cases = Array.from({ length: 2 + this.#random(4) }, (_, k) => {
      const value = this.#chance(4) ? 20 + 3 * k : k
      return `case ${value}: ${this.#block(depth)}${this.#chance(3) ? '' : '\nbreak'}`
    })
    const fallback = this.#chance(3) ? '' : `default: ${this.#block(depth)}`
    this.#loops = loops
    return `switch (<u32>(${this.#expression('u32', 1)})) {\n${cases.join('\n')}\n${fallback}\n}`
  }

  #store(depth: number): string {
    const value = this.#expression('u32', depth)
    return `SCRATCH[(${this.#expression('u32', 1)}) & ${this.#pick([1, 3, 7])}] = ${value}`
  }
}
