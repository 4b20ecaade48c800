/**
 * Random applets that validate and end: typed expressions and statements over locals, globals, memory, calls, loops
 * with small bounds, br_table, early returns and traps, and start functions. Deterministic for a seed.
 */
import type { Field } from '../../../engine/core/applet.ts'
import { I32, I64, i32Const, i64Const, localGet, localSet, memoryAccess, unsigned } from '../../wasm-builder.ts'
import { buildTestApplet, fields, randomSource } from './applet-module.ts'
import { EMPTY, SCRATCH, pathExpression, pathStatement } from './random-paths.ts'

const I32_BINARY = [...span(0x6a, 0x78)]
const I64_BINARY = [...span(0x7c, 0x8a)]
const I32_COMPARE = span(0x46, 0x4f)
const I64_COMPARE = span(0x51, 0x5a)

/** Types for blocks with parameters; they follow the types of the functions. */
const BLOCK_TYPES = [
  { parameters: [I32], results: [I32] },
  { parameters: [I64], results: [I64] },
  { parameters: [I32, I64], results: [I64, I32] },
]

function span(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, k) => first + k)
}

/** Constants of programs whose inputs have few bits. */
const SMALL_CONSTANTS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 31, -1, -2, -8]

/** A module that validates; a small one has at most 12 bits of inputs, so that all of them can be tried. */
export function randomApplet(seed: number, small = false): Uint8Array {
  return new Generator(seed, small).applet()
}

class Generator {
  readonly small: boolean
  readonly hasStart: boolean
  readonly random: (below: number) => number
  /** Types of the locals of the function being written, parameters first. */
  locals: number[] = []
  readonly globals = [I32, I64]
  /** Functions 1, 2, …; element k of the table is helper k. */
  helpers: { parameters: number[]; results: number[]; locals: number[]; code: number[] }[] = []
  isHelper = false
  budget = 0
  blockDepth = 0

  constructor(seed: number, small: boolean) {
    this.small = small
    this.hasStart = seed % 4 === 0
    this.random = randomSource(seed)
  }

  pick<T>(items: readonly T[]): T {
    return items[this.random(items.length)]!
  }

  applet(): Uint8Array {
    const { reading, state, config } = this.small ? this.smallRecords() : this.records()
    for (let k = this.random(3); k > 0; k--) this.helper()
    const pointers = [I32, I32, ...(config.length > 0 ? [I32] : [])]
    this.locals = [...pointers, I32, I64, I32, I64, I32, I32]
    this.isHelper = false
    this.budget = 40 + this.random(100)
    const code: number[] = []
    const [first, second] = [pointers.length, pointers.length + 1]
    for (const field of reading) code.push(...this.loadField(0, field.offset, this.random(2) === 0 ? first : second))
    for (const field of state) code.push(...this.loadField(1, field.offset, first + 2))
    for (const field of config) code.push(...this.loadField(2, field.offset, first + 3))
    for (let k = 2 + this.random(5); k > 0; k--) code.push(...this.statement(3))
    for (const field of state) {
      if (this.random(3) > 0)
        code.push(
          ...localGet(1),
          ...this.expression(I64, 2),
          ...memoryAccess(this.pick([0x37, 0x3e, 0x3d, 0x3c]), field.offset),
        )
    }
    code.push(...this.expression(I32, 3), ...this.checksum(), 0x6a)
    const locals = this.locals.slice(pointers.length)
    const start = this.hasStart ? [this.start()] : []
    return buildTestApplet({
      reading,
      state,
      config,
      locals,
      code,
      helpers: [...this.helpers, ...start],
      ...(start.length > 0 && { start: this.helpers.length + 1 }),
      table: this.helpers.map((_, k) => k + 1),
      types: BLOCK_TYPES,
      globals: [
        { type: I32, mutable: true, init: i32Const(this.random(100)) },
        { type: I64, mutable: true, init: i64Const(-5n) },
      ],
      data: [{ offset: SCRATCH, bytes: Array.from({ length: 64 }, () => this.random(256)) }],
    })
  }

  records(): { reading: Field[]; state: Field[]; config: Field[] } {
    const types = ['u32', 'i32', 'u8', 'i16', 'u64', 'i64', 'u16:9', 'i32:20', 'u64:40', 'bool', 'u8:3', 'i64:33']
    const some = (): Field[] => fields(...Array.from({ length: 1 + this.random(3) }, () => this.pick(types)))
    return { reading: some(), state: some(), config: this.random(2) === 0 ? fields(this.pick(types)) : [] }
  }

  smallRecords(): { reading: Field[]; state: Field[]; config: Field[] } {
    const types = ['u8:3', 'u32:4', 'i8:3', 'i32:4', 'u64:4', 'i64:3', 'i16:4', 'bool', 'u16:5']
    const config = this.random(3) === 0 ? fields(this.pick(['bool', 'u8:2'])) : []
    return { reading: fields(this.pick(types)), state: fields(this.pick(types)), config }
  }

  /** Makes every scratch byte and global count in the result. */
  checksum(): number[] {
    const out = [0x23, 1, 0x23, 0, 0xad, ...i64Const(0x9e37n), 0x7e, 0x7c]
    for (let at = 0; at < 64; at += 8) {
      out.push(...i32Const(SCRATCH + at), ...memoryAccess(0x29, 0), ...i64Const(BigInt(0x10001 + 2 * at)), 0x7e, 0x7c)
    }
    return [...out, ...i64Const(17n), 0x88, 0xa7]
  }

  /** The index of the first of BLOCK_TYPES: a type for each function precedes them. */
  blockTypes(): number {
    return 1 + this.helpers.length + (this.hasStart ? 1 : 0)
  }

  /** Computes starting values of globals and memory out of constants. */
  start(): { parameters: number[]; results: number[]; locals: number[]; code: number[] } {
    this.locals = [I32, I64]
    this.isHelper = true
    this.budget = 20
    const divided = (type: number): number[] => {
      const divisor = this.pick([3, 7, 10, -5])
      const divide = this.pick(type === I32 ? span(0x6d, 0x70) : span(0x7f, 0x82))
      return [...this.expression(type, 1), ...(type === I32 ? i32Const(divisor) : i64Const(BigInt(divisor))), divide]
    }
    const stores = [I32, I64].flatMap((type) => {
      const address = i32Const(SCRATCH + this.random(48))
      return [...address, ...divided(type), ...memoryAccess(type === I32 ? 0x36 : 0x37, 0)]
    })
    const code = [...divided(I32), 0x24, 0, ...divided(I64), 0x24, 1, ...stores]
    return { parameters: [], results: [], locals: this.locals, code }
  }

  helper(): void {
    const parameters = Array.from({ length: this.random(5) }, () => this.pick([I32, I64]))
    const results = [this.pick([I32, I64])]
    this.locals = [...parameters, I32, I64]
    this.isHelper = true
    this.budget = 15
    const code = [...this.statement(2), ...this.expression(results[0]!, 2)]
    this.helpers.push({ parameters, results, locals: this.locals.slice(parameters.length), code })
  }

  loadField(pointer: number, offset: number, local: number): number[] {
    const wide = this.locals[local] === I64
    return [...localGet(pointer), ...memoryAccess(wide ? 0x29 : 0x28, offset), ...localSet(local)]
  }

  localOf(type: number): number | undefined {
    const first = this.isHelper ? 0 : this.locals.length - 6
    const fitting = this.locals.map((t, k) => (t === type && k >= first ? k : -1)).filter((k) => k >= 0)
    return fitting.length === 0 ? undefined : this.pick(fitting)
  }

  constant(type: number): number[] {
    if (this.small) {
      const value = this.pick(SMALL_CONSTANTS)
      return type === I32 ? i32Const(value) : i64Const(BigInt(value))
    }
    const value = this.pick([
      0,
      1,
      -1,
      2,
      3,
      7,
      8,
      31,
      32,
      63,
      100,
      255,
      1000,
      -2,
      -128,
      65535,
      2 ** 31 - 1,
      -(2 ** 31),
    ])
    if (type === I32) return i32Const(value)
    return i64Const(this.random(8) === 0 ? this.pick([2n ** 63n - 1n, -(2n ** 63n), 2n ** 40n]) : BigInt(value))
  }

  /** An address in the scratch area as i32: constant, or masked data in steps. */
  address(): number[] {
    if (this.random(3) > 0) return i32Const(SCRATCH + this.random(48))
    const mask = this.pick([1, 3, 7])
    return [
      ...this.expression(I32, 1),
      ...i32Const(mask),
      0x71,
      ...i32Const(this.pick([1, 4, 8])),
      0x6c,
      ...i32Const(SCRATCH),
      0x6a,
    ]
  }

  expression(type: number, depth: number): number[] {
    if (depth <= 0 || this.budget-- <= 0) {
      const local = this.localOf(type)
      return local === undefined || this.random(3) === 0 ? this.constant(type) : localGet(local)
    }
    const sub = (t: number = type): number[] => this.expression(t, depth - 1)
    switch (this.random(20)) {
      case 0:
        return this.constant(type)
      case 1:
        return [...sub(), this.pick(type === I32 ? span(0x67, 0x69) : span(0x79, 0x7b))]
      case 2:
        return type === I32 ? [...sub(I64), 0xa7] : [...sub(I32), this.pick([0xac, 0xad])]
      case 3:
        return [...sub(), this.pick(type === I32 ? [0xc0, 0xc1] : [0xc2, 0xc3, 0xc4])]
      case 4:
        return [...sub(), ...sub(), ...sub(I32), 0x1b]
      case 5:
        return [...sub(I32), 0x04, type, ...sub(), 0x05, ...sub(), 0x0b]
      case 6:
        return [
          ...this.address(),
          ...memoryAccess(
            this.pick(type === I32 ? [0x28, ...span(0x2c, 0x2f)] : [0x29, ...span(0x30, 0x35)]),
            this.random(4),
          ),
        ]
      case 7:
        return [0x02, type, ...sub(), ...sub(I32), 0x0d, 0, 0x1a, ...sub(), 0x0b]
      case 8:
        return [0x23, type === I32 ? 0 : 1]
      case 9:
        return this.call(type, depth)
      case 10:
        if (type === I32) return this.random(2) === 0 ? [...sub(), 0x45] : [...sub(I64), 0x50]
        return [...sub(), ...sub(), 0x7c]
      case 16:
      case 17:
      case 18:
        return pathExpression(this, type, depth)
      case 11:
        if (type === I32)
          return this.random(2) === 0
            ? [...sub(), ...sub(), this.pick(I32_COMPARE)]
            : [...sub(I64), ...sub(I64), this.pick(I64_COMPARE)]
        return [...sub(), ...sub(), 0x7d]
      default:
        return [...sub(), ...sub(), this.pick(type === I32 ? I32_BINARY : I64_BINARY)]
    }
  }

  /** Helpers are functions 1, 2, …; a helper calls only earlier ones. */
  call(type: number, depth: number): number[] {
    const fitting = this.helpers.map((h, k) => (h.results[0] === type ? k : -1)).filter((k) => k >= 0)
    if (fitting.length === 0) return this.expression(type, depth - 1)
    const callee = this.pick(fitting)
    const values = this.helpers[callee]!.parameters.flatMap((t) => this.expression(t, depth - 2))
    if (this.random(3) > 0) return [...values, 0x10, ...unsigned(callee + 1)]
    // Now and then an element that does not exist, or one that may have another type: these trap.
    const element = this.random(16) === 0 ? this.random(this.helpers.length + 2) : callee
    return [...values, ...i32Const(element), 0x11, ...unsigned(callee + 1), 0]
  }

  body(depth: number): number[] {
    const out: number[] = []
    for (let k = 1 + this.random(2); k > 0; k--) out.push(...this.statement(depth - 1))
    return out
  }

  statement(depth: number): number[] {
    const kind = depth <= 0 || this.budget-- <= 0 ? this.random(3) : this.random(16)
    const type = this.pick([I32, I64])
    if (kind <= 1) {
      const local = this.localOf(type)
      if (local !== undefined) return [...this.expression(type, depth + 1), ...localSet(local)]
    }
    if (kind === 2) return [...this.expression(type, depth), 0x24, type === I32 ? 0 : 1]
    if (kind <= 4) return this.store(depth)
    if (kind <= 6)
      return [...this.expression(I32, 2), 0x04, EMPTY, ...this.body(depth), 0x05, ...this.body(depth), 0x0b]
    if (kind === 7)
      return [0x02, EMPTY, ...this.body(depth), ...this.expression(I32, 2), 0x0d, 0, ...this.body(depth), 0x0b]
    if (kind === 8) return this.loop(depth)
    if (kind === 9) return this.table(depth)
    if (kind === 10) return this.leave()
    if (kind === 11) return this.bulk()
    if (kind >= 13) return pathStatement(this, depth)
    return [...this.expression(I32, 2), 0x04, EMPTY, ...this.body(depth), 0x0b]
  }

  store(depth: number): number[] {
    const type = this.pick([I32, I64])
    const opcode = this.pick(type === I32 ? [0x36, 0x3a, 0x3b] : [0x37, 0x3c, 0x3d, 0x3e])
    return [...this.address(), ...this.expression(type, depth), ...memoryAccess(opcode, this.random(4))]
  }

  /** Up to four iterations counted in the last but one local, which nothing else in verify reads as such. */
  loop(depth: number): number[] {
    if (this.isHelper || this.blockDepth > 0) return this.body(depth)
    this.blockDepth++
    const counter = this.locals.length - 1
    const inner = [...this.expression(I32, 2), 0x0d, 1, ...this.body(depth)]
    this.blockDepth--
    const step = [...localGet(counter), ...i32Const(1), 0x6a, ...localSet(counter)]
    const more = [...localGet(counter), ...i32Const(2 + this.random(3)), 0x48, 0x0d, 0]
    return [...i32Const(0), ...localSet(counter), 0x02, EMPTY, 0x03, EMPTY, ...inner, ...step, ...more, 0x0b, 0x0b]
  }

  table(depth: number): number[] {
    const index = this.random(2) === 0 ? [...this.expression(I32, 1), ...i32Const(3), 0x71] : this.expression(I32, 2)
    const targets = Array.from({ length: 2 + this.random(3) }, () => this.random(3))
    const dispatch = [...index, 0x0e, ...unsigned(targets.length), ...targets, this.random(3)]
    return [
      0x02,
      EMPTY,
      0x02,
      EMPTY,
      0x02,
      EMPTY,
      ...dispatch,
      0x0b,
      ...this.body(depth),
      0x0b,
      ...this.body(depth),
      0x0b,
    ]
  }

  leave(): number[] {
    const condition = [...this.expression(I32, 1), ...i32Const(15), 0x71, ...i32Const(this.random(16)), 0x46]
    if (this.random(2) === 0 || this.isHelper) return [...condition, 0x04, EMPTY, 0x00, 0x0b]
    return [...condition, 0x04, EMPTY, ...this.expression(I32, 1), 0x0f, 0x0b]
  }

  bulk(): number[] {
    const at = (): number[] => i32Const(SCRATCH + this.random(40))
    if (this.random(2) === 0) return [...at(), ...at(), ...i32Const(this.random(20)), 0xfc, 10, 0, 0]
    return [...at(), ...this.expression(I32, 1), ...i32Const(this.random(12)), 0xfc, 11, 0]
  }
}
