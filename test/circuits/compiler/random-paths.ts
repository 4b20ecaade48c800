/**
 * Pieces of random programs that lean on what a path's conditions teach: division by x − c behind x ≥ c, indexing behind
 * a check of bounds, values carried by br, br_if and br_table through several blocks, blocks with parameters, loops that
 * break. A compiler that learns too much, or forgets to unlearn at a merge, gives itself away here.
 */
import { I32, I64, i32Const, i64Const, localGet, localSet, memoryAccess, unsigned } from '../../wasm-builder.ts'

/** Where programs keep scratch bytes, initialised by a data segment. */
export const SCRATCH = 8192
export const EMPTY = 0x40

/** What these pieces need of the generator of the program that they become part of. */
interface Generator {
  readonly small: boolean
  readonly locals: readonly number[]
  blockTypes(): number
  readonly isHelper: boolean
  blockDepth: number
  random(below: number): number
  pick<T>(items: readonly T[]): T
  localOf(type: number): number | undefined
  constant(type: number): number[]
  expression(type: number, depth: number): number[]
  statement(depth: number): number[]
  body(depth: number): number[]
}

const LOADS = { [I32]: [0x28, 0x2c, 0x2d, 0x2e, 0x2f], [I64]: [0x29, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35] }
const STORES = { [I32]: [0x36, 0x3a, 0x3b], [I64]: [0x37, 0x3c, 0x3d, 0x3e] }
const GREATER_OR_EQUAL_UNSIGNED = { [I32]: 0x4f, [I64]: 0x5a }
const LESS = { [I32]: [0x48, 0x49, 0x4c, 0x4d], [I64]: [0x53, 0x54, 0x57, 0x58] }
const SUBTRACT = { [I32]: 0x6b, [I64]: 0x7d }
const ADD = { [I32]: 0x6a, [I64]: 0x7c }
const DIVISIONS = { [I32]: [0x6d, 0x6e, 0x6f, 0x70], [I64]: [0x7f, 0x80, 0x81, 0x82] }
const SHIFT_RIGHT = { [I32]: [0x75, 0x76], [I64]: [0x87, 0x88] }

type Type = typeof I32 | typeof I64

const constant = (type: number, value: number): number[] => (type === I32 ? i32Const(value) : i64Const(BigInt(value)))

export function pathExpression(g: Generator, type: number, depth: number): number[] {
  const pieces = [
    guardedDivision,
    guardedLoad,
    guardedLoad,
    branchWithValue,
    tableWithValue,
    blockWithParameters,
    narrowed,
  ]
  return g.pick(pieces)(g, type as Type, depth)
}

export function pathStatement(g: Generator, depth: number): number[] {
  const pieces = [guardedStore, guardedStore, clamp, breakingLoop, guardedTrap, multiValue]
  return g.pick(pieces)(g, depth)
}

/** x ≥ c ? y / (x − c) : other. */
function guardedDivision(g: Generator, type: Type, depth: number): number[] {
  const local = g.localOf(type)
  if (local === undefined) return g.constant(type)
  const c = g.small ? g.random(16) : g.pick([0, 1, 7, 100, 1000])
  const less = g.random(3) === 0 ? c - 1 : c
  const divide = [...g.expression(type, depth - 1), ...localGet(local), ...constant(type, less), SUBTRACT[type]]
  const condition = [...localGet(local), ...constant(type, c), GREATER_OR_EQUAL_UNSIGNED[type]]
  return [...condition, 0x04, type, ...divide, g.pick(DIVISIONS[type]), 0x05, ...g.expression(type, depth - 2), 0x0b]
}

/** Pushes a condition that bounds a local to few places, and the address that the local selects; undefined without a local. */
function boundedAddress(g: Generator): { condition: number[]; address: number[] } | undefined {
  const local = g.localOf(I32)
  if (local === undefined) return undefined
  const count = 1 + g.random(9)
  const stride = g.pick([1, 1, 2, 3, 4, 8])
  const at = SCRATCH + g.random(16)
  const select = [...localGet(local), ...i32Const(stride), 0x6c, ...i32Const(at), 0x6a]
  const kind = g.random(4)
  if (kind === 0) {
    const shift = 1 + g.random(3)
    const shifted = [...localGet(local), ...i32Const(shift), 0x76]
    return { condition: [...shifted, ...i32Const(2), 0x49], address: [...localGet(local), ...i32Const(at), 0x6a] }
  }
  if (kind === 1) {
    const least = g.random(4) - 2
    const both = [...localGet(local), ...i32Const(least), 0x4e, ...localGet(local), ...i32Const(count), 0x48, 0x71]
    return { condition: both, address: select }
  }
  if (kind === 2) {
    const distance = [...localGet(local), ...i32Const(g.random(8)), 0x6b]
    const address = [...distance, ...i32Const(stride), 0x6c, ...i32Const(at), 0x6a]
    return { condition: [...distance, ...i32Const(count), 0x49], address }
  }
  return { condition: [...localGet(local), ...i32Const(count), g.pick([0x49, 0x49, 0x4d])], address: select }
}

function guardedLoad(g: Generator, type: Type, depth: number): number[] {
  const bounded = boundedAddress(g)
  if (bounded === undefined) return g.constant(type)
  const load = [...bounded.address, ...memoryAccess(g.pick(LOADS[type]), g.random(3))]
  return [...bounded.condition, 0x04, type, ...load, 0x05, ...g.expression(type, depth - 1), 0x0b]
}

function guardedStore(g: Generator, depth: number): number[] {
  const bounded = boundedAddress(g)
  if (bounded === undefined) return [0x01]
  const type = g.pick([I32, I64] as const)
  const store = [...bounded.address, ...g.expression(type, depth), ...memoryAccess(g.pick(STORES[type]), g.random(3))]
  if (g.random(2) === 0) return [...bounded.condition, 0x04, EMPTY, ...store, 0x0b]
  return [0x02, EMPTY, ...bounded.condition, 0x45, 0x0d, 0, ...store, 0x0b]
}

/** A value carried out of two blocks. */
function branchWithValue(g: Generator, type: Type, depth: number): number[] {
  const sub = (): number[] => g.expression(type, depth - 1)
  const inner = [...sub(), ...g.expression(I32, depth - 2), 0x0d, g.random(2), ...sub(), ADD[type]]
  const jump = g.random(3) === 0 ? [0x0c, g.random(2)] : []
  return [0x02, type, 0x02, type, ...inner, ...jump, 0x0b, ...sub(), g.pick([ADD[type], SUBTRACT[type]]), 0x0b]
}

function tableWithValue(g: Generator, type: Type, depth: number): number[] {
  const targets = Array.from({ length: 1 + g.random(5) }, () => g.random(3))
  const dispatch = [...g.expression(I32, depth - 1), 0x0e, ...unsigned(targets.length), ...targets, g.random(3)]
  const add = (): number[] => [...g.expression(type, depth - 2), ADD[type], 0x0b]
  return [0x02, type, 0x02, type, 0x02, type, ...g.expression(type, depth - 1), ...dispatch, 0x0b, ...add(), ...add()]
}

function blockWithParameters(g: Generator, type: Type, depth: number): number[] {
  if (g.isHelper) return g.expression(type, depth - 1)
  const signature = unsigned(g.blockTypes() + (type === I32 ? 0 : 1))
  const rest = [...g.expression(type, depth - 1), g.pick([ADD[type], SUBTRACT[type]])]
  const early = [...g.expression(I32, depth - 2), 0x0d, 0]
  return [...g.expression(type, depth - 1), 0x02, ...signature, ...rest, ...early, ...rest, 0x0b]
}

/** Computes with two locals of different widths whose high bits a condition rules out. */
function narrowed(g: Generator, type: Type, depth: number): number[] {
  const local = g.localOf(type)
  if (local === undefined) return g.constant(type)
  const shift = g.small ? 1 + g.random(4) : g.pick([3, 8, 16, 20])
  const high = [...localGet(local), ...constant(type, shift), g.pick(SHIFT_RIGHT[type])]
  const isZero = type === I32 ? 0x45 : 0x50
  const use = [...localGet(local), ...g.expression(type, depth - 1), g.pick([...DIVISIONS[type], ...LESS_VALUES[type]])]
  return [...high, isZero, 0x04, type, ...use, 0x05, ...localGet(local), 0x0b]
}

/** Operations that give a word of the same type. */
const LESS_VALUES = { [I32]: [0x48, 0x49, 0x6c, 0x74], [I64]: [0x7e, 0x86, 0x84] }

/** x = x < c ? x : c, and the other way round. */
function clamp(g: Generator): number[] {
  const type = g.pick([I32, I64] as const)
  const local = g.localOf(type)
  if (local === undefined) return [0x01]
  const c = constant(type, g.small ? g.random(12) : g.pick([5, 16, 255, 10_000]))
  const condition = [...localGet(local), ...c, g.pick(LESS[type])]
  if (g.random(2) === 0) return [...localGet(local), ...c, ...condition, 0x1b, ...localSet(local)]
  return [...condition, 0x04, EMPTY, 0x05, ...c, ...localSet(local), 0x0b]
}

/** Up to six iterations that end when data says so; counted in the last local. */
function breakingLoop(g: Generator, depth: number): number[] {
  if (g.isHelper || g.blockDepth > 0) return g.body(depth)
  g.blockDepth++
  const counter = g.locals.length - 1
  const local = g.localOf(I32)!
  const target = local === counter ? counter - 1 : local
  const step = [...localGet(target), ...i32Const(1 + g.random(3)), g.pick([0x6a, 0x6b, 0x76]), ...localSet(target)]
  const leave = [...localGet(target), ...i32Const(g.random(20)), g.pick([0x46, 0x49, 0x4b, 0x48]), 0x0d, 1]
  const body = [...leave, ...g.body(depth - 1), ...step]
  g.blockDepth--
  const next = [...localGet(counter), ...i32Const(1), 0x6a, 0x22, ...unsigned(counter)]
  const more = [...next, ...i32Const(2 + g.random(5)), 0x48, 0x0d, 0]
  return [...i32Const(0), ...localSet(counter), 0x02, EMPTY, 0x03, EMPTY, ...body, ...more, 0x0b, 0x0b]
}

/** What follows knows that the condition is false. */
function guardedTrap(g: Generator): number[] {
  const local = g.localOf(I32)
  if (local === undefined) return [0x01]
  const bound = g.small ? 1 + g.random(15) : g.pick([3, 9, 200, 70_000])
  const condition = [...localGet(local), ...i32Const(bound), g.pick([0x4a, 0x4b, 0x46, 0x4e, 0x4f])]
  if (g.random(4) > 0) return [...condition, 0x04, EMPTY, ...g.statement(1), 0x0b]
  return [...condition, 0x04, EMPTY, 0x00, 0x0b]
}

/** A block that takes and gives two values. */
function multiValue(g: Generator, depth: number): number[] {
  if (g.isHelper) return g.body(depth)
  const [narrow, wide] = [g.localOf(I32)!, g.localOf(I64)!]
  const signature = unsigned(g.blockTypes() + 2)
  const swap = [...localSet(wide), ...localSet(narrow), ...localGet(wide), ...localGet(narrow)]
  const early = [...g.expression(I32, 1), 0x0d, 0]
  const inside = [...swap, ...early, 0x1a, 0x1a, ...g.expression(I64, 2), ...g.expression(I32, 2)]
  const values = [...g.expression(I32, depth), ...g.expression(I64, depth)]
  return [...values, 0x02, ...signature, ...inside, 0x0b, ...localSet(narrow), ...localSet(wide)]
}
