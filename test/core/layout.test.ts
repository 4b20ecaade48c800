import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isAttestreamError } from '../../engine/core/errors.ts'
import { WORD_BITS, decodeRecord, encodeRecord, layoutId, packBits, packWords, recordBytes, unpackBits, wordFields, type Layout, type NamedRecord } from '../../engine/core/layout.ts' // prettier-ignore
import { layouts, rawRecord } from './arbitraries.ts'
import { ALL_TYPES } from './samples.ts'

const withRecord = layouts.chain((layout) => fc.record({ layout: fc.constant(layout), record: rawRecord(layout) }))

function codeOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    if (isAttestreamError(error)) return error.code
    throw error
  }
  return 'none'
}

describe('packing', () => {
  it('into bytes is undone by unpacking, and padding must be zero', () => {
    fc.assert(
      fc.property(withRecord, ({ layout, record }) => {
        const packed = packBits(layout, record)
        expect(packed >> BigInt(8 * recordBytes(layout))).toBe(0n)
        expect(unpackBits(layout, packed)).toEqual(record)
        const padding = 8 * recordBytes(layout) - layout.reduce((sum, field) => sum + field.bits, 0)
        if (padding > 0) expect(codeOf(() => unpackBits(layout, packed | 1n))).toBe('FRAME_NOT_CANONICAL')
      }),
    )
  })

  it('into words loses nothing and never splits a field', () => {
    fc.assert(
      fc.property(withRecord, ({ layout, record }) => {
        const words = packWords(layout, record)
        const groups = wordFields(layout)
        expect(groups.flat()).toEqual(layout)
        const fields = words.flatMap((word, i) => {
          const bits = groups[i]!.reduce((sum, field) => sum + field.bits, 0)
          expect(bits).toBeLessThanOrEqual(WORD_BITS)
          return unpackBits(groups[i]!, word << BigInt(8 * Math.ceil(bits / 8) - bits))
        })
        expect(fields).toEqual(record)
      }),
    )
  })

  it('of no fields is nothing', () => {
    expect(packWords([], [])).toEqual([])
    expect([recordBytes([]), packBits([], []), unpackBits([], 0n)]).toEqual([0, 0n, []])
  })
})

describe('named values', () => {
  it('become raw and come back, signed where the type is', () => {
    fc.assert(
      fc.property(withRecord, ({ layout, record }) => {
        const named = decodeRecord(layout, record)
        expect(encodeRecord(layout, named)).toEqual(record)
      }),
    )
  })

  it('are refused outside the declared width', () => {
    const layout: Layout = [
      { name: 'celsius', type: 'i16', bits: 12, offset: 0 },
      { name: 'open', type: 'bool', bits: 1, offset: 2 },
    ]
    const encode = (celsius: unknown, open: unknown = true) =>
      codeOf(() => encodeRecord(layout, { celsius, open } as NamedRecord))
    expect(encodeRecord(layout, { celsius: -2048, open: true })).toEqual([2048n, 1n])
    for (const bad of [
      2048,
      -2049,
      0.5,
      Number.NaN,
      Infinity,
      2 ** 60,
      'abc',
      '5',
      {},
      { toString: 1 },
      [],
      null,
      5n ** 30n,
    ]) {
      expect(encode(bad)).toBe('RECORD_FIELD_OUT_OF_RANGE')
    }
    expect(encode(1, 2)).toBe('RECORD_FIELD_OUT_OF_RANGE')
    expect(encode(undefined)).toBe('RECORD_FIELD_MISSING')
    expect(codeOf(() => encodeRecord(layout, { celsius: 1, open: 1, more: 1 }))).toBe('RECORD_FIELD_UNKNOWN')
  })

  it('are the object’s own, whatever its prototype has', () => {
    for (const name of ['constructor', 'toString', '__proto__', 'valueOf']) {
      const layout: Layout = [{ name, type: 'u8', bits: 8, offset: 0 }]
      expect(codeOf(() => encodeRecord(layout, {}))).toBe('RECORD_FIELD_MISSING')
      expect(encodeRecord(layout, JSON.parse(`{"${name}":7}`) as NamedRecord)).toEqual([7n])
      expect(Object.entries(decodeRecord(layout, [7n]))).toEqual([[name, 7n]])
    }
  })
})

describe('layoutId', () => {
  it('changes with each name, type, width, order and frame size, and fits 31 bytes', () => {
    const [first, second, ...rest] = ALL_TYPES
    const variants: [Layout, number][] = [
      [ALL_TYPES, 4],
      [ALL_TYPES, 5],
      [ALL_TYPES.slice(1), 4],
      [[second!, first!, ...rest], 4],
      [[{ ...first!, name: 'flat' }, second!, ...rest], 4],
      [[first!, { ...second!, type: 'u8' }, ...rest], 4],
      [[first!, { ...second!, bits: 6 }, ...rest], 4],
    ]
    const ids = variants.map(([layout, frameSize]) => layoutId(layout, frameSize))
    expect(new Set(ids).size).toBe(variants.length)
    expect(ids.every((id) => id >> 248n === 0n)).toBe(true)
  })
})
