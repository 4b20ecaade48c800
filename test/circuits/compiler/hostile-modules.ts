/**
 * Modules that want the compiler's time or memory: endless and nested loops, floods of locals, blocks, calls, segments and
 * branch targets, sizes that lie, and expressions that double. All but the malformed ones validate.
 */
import type { Bytes, FunctionSpec } from '../../wasm-builder.ts'
import { I32, I64, i32Const, i64Const, localGet, localSet, memoryAccess, unsigned } from '../../wasm-builder.ts'
import type { AppletSpec } from './applet-module.ts'
import { buildTestApplet, fields } from './applet-module.ts'

const EMPTY = 0x40
const x = [...localGet(0), ...memoryAccess(0x28, 0)]
const wide = [...localGet(0), ...memoryAccess(0x29, 8)]
const END = i32Const(0)

type Hostile = Readonly<Record<string, () => Uint8Array>>

function applet(spec: Partial<AppletSpec> & { code: Bytes }): Uint8Array {
  return buildTestApplet({ reading: fields('u32', 'u64'), ...spec })
}

function repeated(times: number, code: Bytes): number[] {
  return Array.from({ length: times }, () => code).flat()
}

/** Counts the local from 0 up to the bound. */
function loop(local: number, bound: number, body: Bytes): number[] {
  const next = [...localGet(local), ...i32Const(1), 0x6a, 0x22, ...unsigned(local), ...i32Const(bound), 0x49, 0x0d, 0]
  return [...i32Const(0), ...localSet(local), 0x03, EMPTY, ...body, ...next, 0x0b]
}

function nested(levels: number, bound: number, body: Bytes): number[] {
  return levels === 0 ? [...body] : loop(levels, bound, nested(levels - 1, bound, body))
}

const locals = (count: number, type = I32): number[] => Array.from({ length: count }, () => type)
const helper = (code: Bytes, results: Bytes = [I32]): FunctionSpec => ({ parameters: [I32], results, code })
const twice = (callee: number): number[] => repeated(2, [...localGet(0), 0x10, ...unsigned(callee)]).concat(0x6a)

export const TIME: Hostile = {
  'a loop of 10^9 iterations': () => applet({ locals: [I32], code: [...loop(1, 1e9, [0x01]), ...END] }),
  'seven nested loops of 250': () =>
    applet({ locals: locals(8), code: [...nested(7, 250, [...localGet(8), 0x1a]), ...END] }),
  'a loop without an end': () => applet({ code: [0x03, EMPTY, 0x0c, 0, 0x0b, 0x00] }),
  'a start function that never ends': () =>
    applet({ code: END, helpers: [{ parameters: [], results: [], code: [0x03, EMPTY, 0x0c, 0, 0x0b] }], start: 1 }),
  'calls that fan out to 2^30': () =>
    applet({
      code: [...x, 0x10, 1],
      helpers: Array.from({ length: 31 }, (_, k) => helper(k === 30 ? localGet(0) : twice(k + 2))),
    }),
  'calls 5,000 deep': () =>
    applet({
      code: [...x, 0x10, 1],
      helpers: Array.from({ length: 5000 }, (_, k) =>
        helper(k === 4999 ? localGet(0) : [...localGet(0), 0x10, ...unsigned(k + 2)]),
      ),
    }),
  'a number with a fraction behind 20,000 calls': () =>
    applet({
      code: [...x, 0x10, 1],
      helpers: Array.from({ length: 20_000 }, (_, k) =>
        helper(k === 19_999 ? [...localGet(0), 0xb2, 0xa8] : [...localGet(0), 0x10, ...unsigned(k + 2)]),
      ),
    }),
  'calls of a function with 9,000 locals': () =>
    applet({
      locals: [I32],
      code: [...loop(1, 290, repeated(600, [0x10, 1])), ...END],
      helpers: [{ parameters: [], results: [], locals: locals(9000), code: [] }],
    }),
  'calls of functions with 4,000 locals each': () =>
    applet({
      code: [...x, 0x10, 1],
      helpers: Array.from({ length: 4 }, (_, k) => ({
        ...helper(k === 3 ? localGet(0) : [...localGet(0), 0x10, ...unsigned(k + 2)]),
        locals: locals(4000),
      })),
    }),
  'functions that call themselves through a table': () =>
    applet({
      code: [...x, ...i32Const(0), 0x11, 1, 0],
      helpers: [helper([...localGet(0), ...i32Const(0), 0x11, 1, 0])],
      table: [1],
    }),
  'squares of squares of 64-bit words': () =>
    applet({
      locals: [I64],
      code: [
        ...wide,
        ...localSet(1),
        ...repeated(4000, [...localGet(1), ...localGet(1), 0x7e, ...i64Const(7n), 0x85, ...localSet(1)]),
        ...END,
      ],
    }),
  'products that double in length': () =>
    applet({
      locals: [I64],
      code: [
        ...wide,
        ...localSet(1),
        ...repeated(20_000, [...localGet(1), ...wide, 0x7e, ...localGet(1), 0x7c, ...localSet(1)]),
        ...localGet(1),
        0xa7,
      ],
    }),
  'xor of 64-bit words in loops': () =>
    applet({
      locals: [I32, I32, I64],
      code: [
        ...nested(2, 290, [...localGet(3), ...wide, 0x85, ...i64Const(13n), 0x89, ...wide, 0x7c, ...localSet(3)]),
        ...localGet(3),
        0xa7,
      ],
    }),
  'a chain of choices': () =>
    applet({
      locals: locals(40),
      code: [
        ...repeated(3000, [
          ...x,
          ...i32Const(77),
          0x46,
          0x04,
          EMPTY,
          ...localGet(3),
          ...x,
          0x6a,
          ...localSet(2),
          0x05,
          ...localGet(2),
          ...x,
          0x6c,
          ...localSet(3),
          0x0b,
          ...x,
          ...localGet(3),
          0x73,
          ...localSet(4),
        ]),
        ...localGet(4),
      ],
    }),
  'choices of 9,000 locals': () => {
    const clear = Array.from({ length: 9000 }, (_, k) => [...localGet(0), ...localSet(k + 1)]).flat()
    const fork = [...x, ...i32Const(3), 0x71, 0x04, EMPTY, ...x, ...localSet(9), 0x0b]
    return applet({ locals: locals(9001), code: [...clear, ...repeated(3000, fork), ...END] })
  },
  'divisions in loops': () =>
    applet({
      locals: [I32, I32, I64],
      code: [
        ...nested(2, 200, [...wide, ...localGet(3), ...i64Const(1n), 0x84, 0x80, ...wide, 0x7c, ...localSet(3)]),
        ...localGet(3),
        0xa7,
      ],
    }),
  'stores to 256 places in loops': () => {
    const place = [...x, ...localGet(2), 0x6a, ...i32Const(255), 0x71, ...i32Const(3), 0x74]
    return applet({
      locals: [I32, I32],
      code: [...nested(2, 250, [...place, ...x, ...localGet(1), 0x6a, ...memoryAccess(0x36, 8192)]), ...END],
    })
  },
  'unaligned stores that overlap 256 others, in loops': () => {
    const place = [...x, ...localGet(1), 0x6c, ...i32Const(255), 0x71]
    return applet({
      locals: [I32, I32],
      code: [...nested(1, 290, [...place, ...wide, ...memoryAccess(0x37, 8192)]), ...END],
    })
  },
  'fills of all memory on both arms of many branches': () => {
    const fill = [...i32Const(8192), ...x, ...i32Const(57_000), 0xfc, 11, 0]
    return applet({ code: [...repeated(200, [...x, 0x04, EMPTY, ...fill, 0x05, ...fill, 0x0b]), ...END] })
  },
  'copies of all memory': () =>
    applet({
      code: [...repeated(3000, [...i32Const(8193), ...i32Const(8192), ...i32Const(57_000), 0xfc, 10, 0, 0]), ...END],
    }),
  'copies of bytes that are long sums': () => {
    const bits = Array.from({ length: 8 }, (_, k) => [
      ...[...localGet(0), ...memoryAccess(0x29, 24 * k), 0x7b, ...localGet(0), ...memoryAccess(0x29, 24 * k + 8), 0x7b],
      ...[0x7c, ...localGet(0), ...memoryAccess(0x29, 24 * k + 16), 0x7b, 0x7c, 0xa7, ...localSet(2 + k)],
    ]).flat()
    const store = (k: number) => [...localGet(1), ...localGet(2 + (k % 8)), ...memoryAccess(0x3a, 8192 + k)]
    const stores = Array.from({ length: 128 }, (_, k) => store(k)).flat()
    const step = [...localGet(1), ...i32Const(128), 0x6a, 0x22, 1, ...i32Const(16_384), 0x49, 0x0d, 0]
    const copy = (k: number) => [...i32Const(8192 + 16_384 * k), ...i32Const(8192), ...i32Const(16_384), 0xfc, 10, 0, 0]
    return buildTestApplet({
      reading: fields(...locals(24).map(() => 'u64')),
      locals: locals(9),
      code: [...bits, 0x03, EMPTY, ...stores, ...step, 0x0b, ...copy(1), ...copy(2), ...repeated(6, copy(1)), ...END],
    })
  },
  'a branch table of 40,000 cases': () => {
    const targets = Array.from({ length: 40_000 }, (_, k) => k % 2)
    return applet({
      code: [
        0x02,
        EMPTY,
        0x02,
        EMPTY,
        ...x,
        0x0e,
        ...unsigned(targets.length),
        ...targets,
        0,
        0x0b,
        ...i32Const(1),
        0x0f,
        0x0b,
        ...END,
      ],
    })
  },
  'powers and rotations by data': () =>
    applet({
      locals: [I64],
      code: [
        ...wide,
        ...localSet(1),
        ...repeated(3000, [...localGet(1), ...wide, 0x89, ...wide, 0x86, ...localSet(1)]),
        ...localGet(1),
        0xa7,
      ],
    }),
  'sums of ever more terms': () => {
    const term = (k: number): number[] => [...localGet(1), ...x, ...i32Const(k), 0x73, ...x, 0x6c, 0x6a, ...localSet(1)]
    return applet({ locals: [I32], code: [...Array.from({ length: 8000 }, (_, k) => term(k)).flat(), ...localGet(1)] })
  },
  'comparisons of sums of ever more terms': () => {
    const term = (k: number): number[] => [
      ...localGet(1),
      ...x,
      ...i32Const(k),
      0x46,
      0x6a,
      ...localSet(1),
      ...localGet(1),
      ...i32Const(k),
      0x49,
      0x04,
      EMPTY,
      ...localGet(1),
      ...localSet(2),
      0x0b,
    ]
    return applet({
      locals: [I32, I32],
      code: [...Array.from({ length: 8000 }, (_, k) => term(k)).flat(), ...localGet(2)],
    })
  },
  'returns from 3,000 depths of ifs': () =>
    applet({
      locals: [I32],
      code: [
        ...Array.from({ length: 3000 }, (_, k) => [
          ...x,
          ...i32Const(k),
          0x46,
          0x04,
          EMPTY,
          ...x,
          ...i32Const(k),
          0x6c,
          0x0f,
          0x0b,
        ]).flat(),
        ...END,
      ],
    }),
}

export const SPACE: Hostile = {
  'a million locals of one function in a run': () => patchedLocals(1_000_000),
  '4 billion locals': () => patchedLocals(0xffffffff),
  '64k locals': () => patchedLocals(65_536),
  '30 functions of 9,000 locals each': () =>
    applet({
      code: END,
      helpers: Array.from({ length: 30 }, () => ({ ...helper(localGet(0)), locals: locals(9000) })),
    }),
  'blocks nested 100,000 deep': () =>
    applet({ code: [...repeated(100_000, [0x02, EMPTY]), ...repeated(100_000, [0x0b]), ...END] }),
  'blocks nested 900 deep': () => applet({ code: [...repeated(900, [0x02, EMPTY]), ...repeated(900, [0x0b]), ...END] }),
  'a data segment beyond the memory': () => applet({ code: END, data: [{ offset: 65_000, bytes: locals(2000) }] }),
  'a data segment larger than the memory': () => applet({ code: END, data: [{ offset: 0, bytes: locals(200_000) }] }),
  '40,000 data segments over the records': () =>
    applet({ code: END, data: Array.from({ length: 40_000 }, () => ({ offset: 1024, bytes: [1] })) }),
  'a memory of 4 GiB': () =>
    patched(applet({ code: END }), [5, 4, 1, 1, 1, 1], [5, 8, 1, 1, 0x80, 0x80, 4, 0x80, 0x80, 4]),
  'a table of 4 billion elements': () =>
    patched(
      applet({ code: END, helpers: [helper(localGet(0))], table: [1] }),
      [4, 4, 1, 0x70, 0, 1],
      [4, 8, 1, 0x70, 0, 0xff, 0xff, 0xff, 0xff, 0x0f],
    ),
}

export const MALFORMED: Hostile = {
  'a section longer than the file': () => applet({ code: END }).map((byte, at) => (at === 9 ? 0x7f : byte)),
  'a size that is cut off': () => applet({ code: END }).slice(0, 9),
  'a size of six bytes': () => Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 0x80, 0x80, 0x80, 0x80, 0x80, 0]),
  '4 billion functions': () => flood(3),
  '4 billion types': () => flood(1),
  '4 billion globals': () => flood(6),
  '4 billion exports': () => flood(7),
  '4 billion imports': () => flood(2),
  '4 billion elements': () => flood(9),
  '4 billion data segments': () => flood(11),
  'a name of 4 GiB': () => Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 0, 6, 0xff, 0xff, 0xff, 0xff, 0x0f, 65]),
  '80,000 empty sections': () => Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...repeated(80_000, [0, 1, 0])]),
  zeros: () => new Uint8Array(250_000),
  text: () => new Uint8Array(250_000).fill(0x41),
}

/** What looks bad but ends: names that lie cost only the names, and these circuits stay within the limits. */
export const HARMLESS: Hostile = {
  'blocks over 60,000 operands': () =>
    applet({ code: [...repeated(60_000, END), ...repeated(45_000, [0x02, EMPTY, 0x0b]), 0x0f] }),
  'ifs nested 390 deep': () =>
    applet({
      code: [
        ...Array.from({ length: 390 }, (_, k) => [...x, ...i32Const(k), 0x47, 0x04, EMPTY]).flat(),
        ...repeated(300, [...wide, ...wide, 0x7e, 0x1a]),
        ...repeated(390, [0x0b]),
        0x00,
      ],
    }),
  'loads of what 256 places hold, in loops': () => {
    const place = [...localGet(2), ...x, 0x6a, ...i32Const(255), 0x71, ...i32Const(2), 0x74]
    const body = [
      ...place,
      ...memoryAccess(0x28, 8192),
      ...localSet(2),
      ...place,
      ...localGet(2),
      ...memoryAccess(0x36, 8192),
    ]
    return applet({ locals: [I32, I32], code: [...nested(1, 290, body), ...localGet(2)] })
  },
  'many branch tables of 200 cases': () => {
    const table = [
      0x02,
      EMPTY,
      0x02,
      EMPTY,
      ...x,
      ...localGet(1),
      0x6a,
      0x0e,
      ...unsigned(200),
      ...Array.from({ length: 200 }, (_, k) => k % 2),
      0,
      0x0b,
      ...localGet(1),
      ...x,
      0x6c,
      ...localSet(1),
      0x0b,
    ]
    return applet({ locals: [I32], code: [...repeated(300, table), ...localGet(1)] })
  },
  'a name section of 200 kB': () => applet({ code: END, ...named(locals(200_000)) }),
  'a name section that lies about its size': () => applet({ code: END, ...named([1, 0xff, 0xff, 0xff, 0xff, 0x0f]) }),
  'a name section with 4 billion names': () => applet({ code: END, ...named([1, 5, 0xff, 0xff, 0xff, 0xff, 0x0f]) }),
}

function named(bytes: Bytes): Pick<AppletSpec, 'extraCustoms'> {
  return { extraCustoms: [{ name: 'name', bytes }] }
}

/** A module whose section claims 2^32 − 1 entries. */
function flood(section: number): Uint8Array {
  return Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, section, 5, 0xff, 0xff, 0xff, 0xff, 0x0f])
}

/** verify declares this many locals in one run of five bytes. */
function patchedLocals(count: number): Uint8Array {
  const size = [0, 1, 2, 3, 4].map((k) => (Math.floor(count / 128 ** k) % 128) | (k < 4 ? 0x80 : 0))
  const marked = applet({ locals: [I32], code: [...END, ...repeated(3, [0x01])] })
  const body = [9, 1, 1, I32, ...END, 1, 1, 1, 0x0b]
  return patched(marked, [10, 11, 1, ...body], [10, 15, 1, 13, 1, ...size, ...body.slice(3)])
}

function patched(bytes: Uint8Array, before: Bytes, after: Bytes): Uint8Array {
  const list = [...bytes]
  const at = list.findIndex((_, k) => before.every((byte, j) => list[k + j] === byte))
  if (at < 0) throw new Error('the bytes to patch are not there')
  return Uint8Array.from([...list.slice(0, at), ...after, ...list.slice(at + before.length)])
}
