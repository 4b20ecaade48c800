// Memory of WebAssembly as 4.4.7 "Memory Instructions" of the specification executes it, bulk copy and fill included,
// written from there: no npm package of the official spec tests was found. 'trap' rejects the reading.
import { describe } from 'vitest'
import type { Bytes } from '../../wasm-builder.ts'
import { i32Const, i64Const, memoryAccess } from '../../wasm-builder.ts'
import { tryAll } from './spec-case.ts'

const EMPTY = 0x40
const c = i32Const
const add = 0x6a
const data = [{ offset: 8192, bytes: [0x80, 0xff, 0x7f, 0x01, 0xfe, 0x00, 0x10, 0x90] }]
const narrow = { data, bits: 3 }
const load =
  (opcode: number, wrap: readonly number[] = []) =>
  (x: Bytes) => [...x, ...memoryAccess(opcode, 8192), ...wrap]
const U = (value: number): number => value >>> 0

describe('WebAssembly specification, 4.4.7 Memory Instructions', () => {
  tryAll({
    'A-08 i32.load, unaligned': {
      ...narrow,
      code: load(0x28),
      gives: [
        [0, 0x017fff80],
        [1, U(0xfe017fff)],
        [3, 0x1000fe01],
      ],
    },
    'A-08 i32.load8_s': {
      ...narrow,
      code: load(0x2c),
      gives: [
        [0, U(-128)],
        [1, U(-1)],
        [2, 127],
        [5, 0],
      ],
    },
    'A-08 i32.load8_u': {
      ...narrow,
      code: load(0x2d),
      gives: [
        [0, 128],
        [1, 255],
        [2, 127],
        [5, 0],
      ],
    },
    'A-08 i32.load16_s': {
      ...narrow,
      code: load(0x2e),
      gives: [
        [0, U(-128)],
        [1, 0x7fff],
        [3, U(-511)],
        [6, U(-0x6ff0)],
      ],
    },
    'A-08 i32.load16_u': {
      ...narrow,
      code: load(0x2f),
      gives: [
        [0, 0xff80],
        [1, 0x7fff],
        [6, 0x9010],
      ],
    },
    'A-08 i64.load and its upper half': {
      ...narrow,
      code: load(0x29, [...i64Const(32n), 0x88, 0xa7]),
      gives: [
        [0, U(0x901000fe)],
        [1, 0x00901000],
      ],
    },
    'A-08 i64.load8_s': {
      ...narrow,
      code: load(0x30, [...i64Const(32n), 0x88, 0xa7]),
      gives: [
        [0, U(-1)],
        [2, 0],
      ],
    },
    'A-08 i64.load8_u': {
      ...narrow,
      code: load(0x31, [0xa7]),
      gives: [
        [0, 128],
        [4, 254],
      ],
    },
    'A-08 i64.load16_s': {
      ...narrow,
      code: load(0x32, [...i64Const(32n), 0x88, 0xa7]),
      gives: [
        [0, U(-1)],
        [1, 0],
      ],
    },
    'A-08 i64.load16_u': {
      ...narrow,
      code: load(0x33, [0xa7]),
      gives: [
        [0, 0xff80],
        [3, 0xfe01],
      ],
    },
    'A-08 i64.load32_s': {
      ...narrow,
      code: load(0x34, [...i64Const(32n), 0x88, 0xa7]),
      gives: [
        [0, 0],
        [1, U(-1)],
      ],
    },
    'A-08 i64.load32_u': {
      ...narrow,
      code: load(0x35, [...i64Const(32n), 0x88, 0xa7]),
      gives: [
        [0, 0],
        [1, 0],
      ],
    },
    'A-08 A-09 stores of 8, 16 and 32 bits keep the bytes around them': {
      ...narrow,
      code: (x) => [
        ...[...x, ...c(0x1234), ...memoryAccess(0x3a, 8192), ...c(8194), ...i64Const(-2n), ...memoryAccess(0x3d, 0)],
        ...[...c(8192), ...memoryAccess(0x28, 0), ...x, ...memoryAccess(0x28, 8193), 0x73],
      ],
      gives: [
        [0, U(0xfffeff34 ^ 0xfefffeff)],
        [1, U(0xfffe3480 ^ 0x00fefffe)],
        [2, U(0xfffeff80 ^ 0x1000feff)],
      ],
    },
    'A-08 A-09 a load that overlaps two stores': {
      ...narrow,
      code: (x) => [
        ...c(8300),
        ...i64Const(0x1122334455667788n),
        ...memoryAccess(0x37, 0),
        ...x,
        ...c(0xabcd),
        ...memoryAccess(0x3b, 8300),
        ...c(8302),
        ...memoryAccess(0x28, 0),
      ],
      gives: [
        [0, 0x33445566],
        [1, 0x334455ab],
        [2, 0x3344abcd],
        [5, U(0xcd445566)],
        [6, 0x33445566],
      ],
    },
    'A-09 memory that nothing wrote is 0': {
      ...narrow,
      code: (x) => [...x, ...memoryAccess(0x28, 20_000)],
      gives: [
        [0, 0],
        [7, 0],
      ],
    },
    'A-08 A-12 the last access in bounds, and the first partly out of them': {
      bits: 3,
      code: (x) => [...x, ...memoryAccess(0x28, 65_530)],
      gives: [
        [0, 0],
        [2, 0],
        [3, 'trap'],
        [6, 'trap'],
        [7, 'trap'],
      ],
    },
    'A-08 A-12 address plus offset do not wrap at 2^32': {
      code: (x) => [...x, ...c(3), 0x71, ...c(-4), 0x72, ...memoryAccess(0x2d, 8)],
      gives: [
        [0, 'trap'],
        [3, 'trap'],
      ],
    },
    'A-12 an offset of 2^32 − 1 traps for every address': {
      bits: 2,
      code: (x) => [...x, ...memoryAccess(0x2d, 0xffffffff)],
      gives: [
        [0, 'trap'],
        [1, 'trap'],
      ],
    },
    'A-12 a store that traps writes nothing before it': {
      bits: 3,
      code: (x) => [...x, ...c(-1), ...memoryAccess(0x36, 65_531), ...c(65_531), ...memoryAccess(0x2d, 0)],
      gives: [
        [0, 255],
        [1, 0],
        [2, 'trap'],
      ],
    },
    'A-09 memory.copy forwards and backwards over itself': {
      ...narrow,
      code: (x) => [
        ...c(8194),
        ...c(8192),
        ...c(5),
        0xfc,
        10,
        0,
        0,
        ...c(8192),
        ...c(8193),
        ...c(4),
        0xfc,
        10,
        0,
        0,
        ...x,
        ...memoryAccess(0x2d, 8192),
      ],
      gives: [
        [0, 255],
        [1, 128],
        [2, 255],
        [3, 127],
        [4, 127],
        [5, 1],
        [6, 254],
        [7, 144],
      ],
    },
    'A-09 memory.fill takes the low byte; a size of 0 at the end of memory is allowed': {
      ...narrow,
      code: (x) => [
        ...c(8193),
        ...x,
        ...c(0x1f0),
        add,
        ...c(3),
        0xfc,
        11,
        0,
        ...c(65_536),
        ...x,
        ...c(0),
        0xfc,
        11,
        0,
        ...c(8192),
        ...memoryAccess(0x28, 0),
      ],
      gives: [
        [0, U(0xf0f0f080)],
        [7, U(0xf7f7f780)],
      ],
    },
    'A-09 A-12 memory.copy and memory.fill out of bounds trap': {
      bits: 2,
      code: (x) => [
        ...x,
        ...c(1),
        0x46,
        0x04,
        EMPTY,
        ...c(65_530),
        ...c(0),
        ...c(7),
        0xfc,
        10,
        0,
        0,
        0x0b,
        ...x,
        ...c(2),
        0x46,
        0x04,
        EMPTY,
        ...c(65_536),
        ...c(0),
        ...c(1),
        0xfc,
        11,
        0,
        0x0b,
        ...x,
      ],
      gives: [
        [0, 0],
        [1, 'trap'],
        [2, 'trap'],
        [3, 3],
      ],
    },
    'memory.size in pages': {
      code: (x) => [...x, 0x3f, 0, add],
      gives: [
        [0, 1],
        [5, 6],
      ],
    },
    'A-09 a later data segment overwrites an earlier one': {
      bits: 2,
      data: [...data, { offset: 8193, bytes: [1, 2] }],
      code: load(0x2d),
      gives: [
        [0, 128],
        [1, 1],
        [2, 2],
        [3, 1],
      ],
    },
  })
})
