/**
 * A tiny assembler for tests: hand-written WebAssembly modules as bytes.
 * Instructions are flat arrays of bytes; the functions below spell the ones with LEB128 immediates.
 */
export type Bytes = readonly number[]
export const I32 = 0x7f
export const I64 = 0x7e

export function unsigned(value: number | bigint): number[] {
  let rest = BigInt(value)
  const out: number[] = []
  do {
    const low = Number(rest & 0x7fn)
    rest >>= 7n
    out.push(rest === 0n ? low : low | 0x80)
  } while (rest !== 0n)
  return out
}

export function signed(value: number | bigint): number[] {
  let rest = BigInt(value)
  const out: number[] = []
  for (;;) {
    const low = Number(rest & 0x7fn)
    rest >>= 7n
    const done = (rest === 0n && (low & 0x40) === 0) || (rest === -1n && (low & 0x40) !== 0)
    out.push(done ? low : low | 0x80)
    if (done) return out
  }
}

export const i32Const = (value: number): number[] => [0x41, ...signed(value | 0)]
export const i64Const = (value: bigint): number[] => [0x42, ...signed(BigInt.asIntN(64, value))]
export const localGet = (index: number): number[] => [0x20, ...unsigned(index)]
export const localSet = (index: number): number[] => [0x21, ...unsigned(index)]
export const memoryAccess = (opcode: number, offset: number): number[] => [opcode, 0, ...unsigned(offset)]

const vector = (items: readonly Bytes[]): number[] => [...unsigned(items.length), ...items.flat()]
const section = (id: number, payload: Bytes): number[] => [id, ...unsigned(payload.length), ...payload]
export const text = (value: string): number[] => {
  const bytes = new TextEncoder().encode(value)
  return [...unsigned(bytes.length), ...bytes]
}

export interface FunctionSpec {
  parameters: Bytes
  results: Bytes
  locals?: Bytes
  code: Bytes
  name?: string
}

export interface ModuleSpec {
  functions: readonly FunctionSpec[]
  /** Type entries after the functions' own types, e.g. for blocks with parameters. */
  types?: readonly { parameters: Bytes; results: Bytes }[]
  memoryPages?: number
  globals?: readonly { type: number; mutable: boolean; init: Bytes; name?: string }[]
  data?: readonly { offset: number; bytes: Bytes }[]
  table?: readonly number[]
  start?: number
  customs?: readonly { name: string; bytes: Bytes }[]
}

/** Type i of the module belongs to function i; `types` follow. */
export function buildModule(spec: ModuleSpec): Uint8Array {
  const types = [...spec.functions, ...(spec.types ?? [])]
  const exports: number[][] = []
  spec.functions.forEach(({ name }, index) => {
    if (name !== undefined) exports.push([...text(name), 0, ...unsigned(index)])
  })
  spec.globals?.forEach(({ name }, index) => {
    if (name !== undefined) exports.push([...text(name), 3, ...unsigned(index)])
  })
  if (spec.memoryPages !== undefined) exports.push([...text('memory'), 2, 0])
  const out = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]
  const append = (bytes: Bytes): void => bytes.forEach((byte) => out.push(byte))
  append(
    section(
      1,
      vector(types.map((t) => [0x60, ...vector(t.parameters.map((p) => [p])), ...vector(t.results.map((p) => [p]))])),
    ),
  )
  append(section(3, vector(spec.functions.map((_, index) => unsigned(index)))))
  if (spec.table) append(section(4, vector([[0x70, 0, ...unsigned(spec.table.length)]])))
  if (spec.memoryPages !== undefined) append(section(5, vector([[1, spec.memoryPages, spec.memoryPages]])))
  if (spec.globals) {
    append(section(6, vector(spec.globals.map((g) => [g.type, g.mutable ? 1 : 0, ...g.init, 0x0b]))))
  }
  append(section(7, vector(exports)))
  if (spec.start !== undefined) append(section(8, unsigned(spec.start)))
  if (spec.table) {
    append(section(9, vector([[0, ...i32Const(0), 0x0b, ...vector(spec.table.map((f) => unsigned(f)))]])))
  }
  append(section(10, vector(spec.functions.map(body))))
  if (spec.data) {
    const segments = spec.data.map((d) => [0, ...i32Const(d.offset), 0x0b, ...unsigned(d.bytes.length), ...d.bytes])
    append(section(11, vector(segments)))
  }
  for (const custom of spec.customs ?? []) append(section(0, [...text(custom.name), ...custom.bytes]))
  return Uint8Array.from(out)
}

function body({ locals = [], code }: FunctionSpec): number[] {
  const bytes = [...vector(locals.map((type) => [1, type])), ...code, 0x0b]
  return [...unsigned(bytes.length), ...bytes]
}
