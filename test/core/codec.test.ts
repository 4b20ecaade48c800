import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bytesToHex, bytesToInteger, concatBytes, hexToBytes, integerToBytes, integerToHex } from '../../engine/core/codec.ts' // prettier-ignore
import { FIELD_ORDER, checkField, checkUint, mod, toField } from '../../engine/core/field.ts'

const coded = (code: string) => expect.objectContaining({ code })

describe('bytes', () => {
  it('survive hexadecimal and integers', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(hexToBytes(bytesToHex(bytes))).toEqual(bytes)
        expect(hexToBytes(bytesToHex(bytes).toUpperCase().replace('0X', '0x'), bytes.length)).toEqual(bytes)
        expect(integerToBytes(bytesToInteger(bytes), bytes.length)).toEqual(bytes)
      }),
    )
  })

  it('of an integer that does not fit are refused', () => {
    expect(() => integerToBytes(256n, 1)).toThrow(coded('NUMBER_OUT_OF_RANGE'))
    expect(() => integerToBytes(-1n, 8)).toThrow(coded('NUMBER_OUT_OF_RANGE'))
    expect(() => integerToBytes(1n, 0)).toThrow(coded('NUMBER_OUT_OF_RANGE'))
    expect(integerToHex(258n, 3)).toBe('0x000102')
  })

  it.each(['', '12', '0x1', '0xzz', '0x 1', '0X12', '0x12\n', `0x${'g'.repeat(100)}`])('are not %j', (text) => {
    expect(() => hexToBytes(text)).toThrow(coded('HEX_INVALID'))
  })

  it('of another length than asked for are refused', () => {
    expect(() => hexToBytes('0x1234', 3)).toThrow(coded('HEX_INVALID'))
    expect(() => hexToBytes('0x1234', 1)).toThrow(coded('HEX_INVALID'))
  })

  it('are joined and compared', () => {
    expect(concatBytes(Uint8Array.of(1), new Uint8Array(), Uint8Array.of(2, 3))).toEqual(Uint8Array.of(1, 2, 3))
  })
})

describe('field elements', () => {
  it('are reduced into [0, r)', () => {
    expect([toField(-1n), toField(FIELD_ORDER), toField(FIELD_ORDER + 5n)]).toEqual([FIELD_ORDER - 1n, 0n, 5n])
    expect([mod(-7n, 5n), mod(7n, 5n)]).toEqual([3n, 2n])
  })

  it('and unsigned integers are checked at both ends', () => {
    expect(checkField(FIELD_ORDER - 1n, 'x')).toBe(FIELD_ORDER - 1n)
    for (const bad of [-1n, FIELD_ORDER]) expect(() => checkField(bad, 'x')).toThrow(coded('NUMBER_OUT_OF_RANGE'))
    expect(checkUint(255n, 8, 'x')).toBe(255n)
    for (const bad of [-1n, 256n]) expect(() => checkUint(bad, 8, 'x')).toThrow(coded('NUMBER_OUT_OF_RANGE'))
  })
})
