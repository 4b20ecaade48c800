import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isAttestreamError, type ErrorCode } from '../../engine/core/errors.ts'
import { FIELD_ORDER } from '../../engine/core/field.ts'
import { decodeFrame, decodeFrameHeader, encodeFrame, frameBytes, frameFormat, layoutTag, messageHash, signFrame, type Frame } from '../../engine/core/frame.ts' // prettier-ignore
import { SUBGROUP_ORDER, createVerifier, publicKey } from '../../engine/core/signature.ts'
import { layouts, rawRecord } from './arbitraries.ts'
import { ALL_TYPES } from './samples.ts'

const DOMAIN = 123456789n
const SECRET_KEY = new Uint8Array(32).fill(7)
const verifier = createVerifier(publicKey(SECRET_KEY))

const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const fieldElement = fc.bigInt({ min: 0n, max: FIELD_ORDER - 1n })
const anySignature = fc.record({
  r8x: fieldElement,
  r8y: fieldElement,
  s: fc.bigInt({ min: 0n, max: SUBGROUP_ORDER - 1n }),
})

const formatAndFrame = fc.tuple(layouts, fc.integer({ min: 1, max: 8 })).chain(([layout, frameSize]) =>
  fc.record({
    format: fc.constant(frameFormat(layout, frameSize)),
    frame: fc.record({
      deviceId: u64,
      sequence: u64,
      readings: fc.array(rawRecord(layout), { minLength: 1, maxLength: frameSize }),
      signature: anySignature,
    }),
  }),
)

function codeOf(action: () => unknown): ErrorCode | 'none' {
  try {
    action()
  } catch (error) {
    if (isAttestreamError(error)) return error.code
    throw error
  }
  return 'none'
}

describe('frame bytes', () => {
  it('decode to the frame that was encoded, for any layout', () => {
    fc.assert(
      fc.property(formatAndFrame, ({ format, frame }) => {
        const bytes = encodeFrame(format, frame)
        expect(bytes.length).toBe(frameBytes(format, frame.readings.length))
        expect(decodeFrame(format, bytes)).toEqual(frame)
      }),
    )
  })

  it('are canonical: whatever decodes encodes to the same bytes', () => {
    const mutated = formatAndFrame.chain(({ format, frame }) => {
      const bytes = encodeFrame(format, frame)
      return fc.record({
        format: fc.constant(format),
        bytes: fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 })).map(([at, flip]) => {
          const copy = bytes.slice()
          copy[at]! ^= flip
          return copy
        }),
      })
    })
    fc.assert(
      fc.property(mutated, ({ format, bytes }) => {
        const code = codeOf(() => {
          if (!Buffer.from(encodeFrame(format, decodeFrame(format, bytes))).equals(bytes))
            throw new Error('not canonical')
        })
        expect(code === 'none' || code.startsWith('FRAME_')).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  it('of any kind never make the decoder fail without a code', () => {
    const format = frameFormat(ALL_TYPES, 4)
    const header = fc
      .tuple(fc.constant(1), fc.nat(5))
      .map((start) => Uint8Array.of(...start, ...tagBytes(layoutTag(format.layoutId))))
    const plausible = fc.tuple(header, fc.uint8Array({ maxLength: 300 })).map(([start, rest]) => Uint8Array.of(...start, ...rest)) // prettier-ignore
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), plausible), (bytes) => {
        expect(codeOf(() => decodeFrame(format, bytes))).toMatch(/^(none|FRAME_[A-Z_]+)$/)
        expect(codeOf(() => decodeFrameHeader(bytes))).toMatch(/^(none|FRAME_[A-Z_]+)$/)
      }),
      { numRuns: 1000 },
    )
  })

  it('are refused with the code of what is wrong', () => {
    const format = frameFormat(ALL_TYPES, 2)
    const good = encodeFrame(format, sampleFrame())
    const changed = (at: number, value: number) => good.map((byte, i) => (i === at ? value : byte))
    const size = frameBytes(format, 1)
    expect(codeOf(() => decodeFrame(format, good))).toBe('none')
    expect(codeOf(() => decodeFrame(format, good.subarray(0, -1)))).toBe('FRAME_TRUNCATED')
    expect(codeOf(() => decodeFrame(format, new Uint8Array()))).toBe('FRAME_TRUNCATED')
    expect(codeOf(() => decodeFrame(format, Uint8Array.of(...good, 0)))).toBe('FRAME_TOO_LONG')
    expect(codeOf(() => decodeFrame(format, changed(0, 2)))).toBe('FRAME_VERSION_UNKNOWN')
    expect(codeOf(() => decodeFrame(format, changed(1, 0)))).toBe('FRAME_COUNT_INVALID')
    expect(codeOf(() => decodeFrame(format, changed(1, 3)))).toBe('FRAME_COUNT_INVALID')
    expect(codeOf(() => decodeFrame(format, changed(2, good[2]! ^ 1)))).toBe('FRAME_LAYOUT_UNKNOWN')
    expect(codeOf(() => decodeFrame(format, changed(size - 97, good[size - 97]! | 1)))).toBe('FRAME_NOT_CANONICAL')
    for (const at of [size - 96, size - 64, size - 32]) {
      expect(codeOf(() => decodeFrame(format, changed(at, 0xff)))).toBe('FRAME_NOT_CANONICAL')
    }
  })
})

describe('a signed frame', () => {
  it('does not survive any change of a byte: it is refused, or its signature no longer holds', () => {
    const format = frameFormat(ALL_TYPES, 2)
    const good = encodeFrame(format, sampleFrame())
    const hash = messageHash(format, DOMAIN, sampleFrame())
    expect(verifier.verify(hash, sampleFrame().signature)).toBe(true)
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const bytes = good.slice()
        bytes[at]! ^= flip
        const code = codeOf(() => {
          const frame = decodeFrame(format, bytes)
          if (verifier.verify(messageHash(format, DOMAIN, frame), frame.signature)) throw new Error('a forgery passed')
        })
        expect(code === 'none' || code.startsWith('FRAME_')).toBe(true)
      }),
      { numRuns: 150 },
    )
  }, 60_000)

  it('belongs to one project, one layout, one frame size, one device and one sequence', () => {
    const frame = sampleFrame()
    const format = frameFormat(ALL_TYPES, 2)
    const renamed = frameFormat([{ ...ALL_TYPES[0]!, name: 'other' }, ...ALL_TYPES.slice(1)], 2)
    const hashes = [
      messageHash(format, DOMAIN, frame),
      messageHash(format, DOMAIN + 1n, frame),
      messageHash(renamed, DOMAIN, frame),
      messageHash(frameFormat(ALL_TYPES, 3), DOMAIN, frame),
      messageHash(format, DOMAIN, { ...frame, deviceId: frame.deviceId + 1n }),
      messageHash(format, DOMAIN, { ...frame, sequence: frame.sequence + 1n }),
      messageHash(format, DOMAIN, { ...frame, readings: [...frame.readings, ALL_TYPES.map(() => 0n)] }),
    ]
    expect(new Set(hashes).size).toBe(hashes.length)
  })

  it('is not built from what does not fit', () => {
    const format = frameFormat(ALL_TYPES, 2)
    const frame = sampleFrame()
    const build = (change: Partial<Frame>) =>
      codeOf(() => signFrame(format, DOMAIN, { ...frame, ...change }, SECRET_KEY))
    expect(build({ readings: [] })).toBe('FRAME_COUNT_INVALID')
    expect(build({ sequence: 2n ** 64n })).toBe('NUMBER_OUT_OF_RANGE')
    expect(build({ deviceId: -1n })).toBe('NUMBER_OUT_OF_RANGE')
    expect(build({ readings: [ALL_TYPES.map((field) => 1n << BigInt(field.bits))] })).toBe('RECORD_FIELD_OUT_OF_RANGE')
    expect(build({ readings: [[]] })).toBe('RECORD_FIELD_MISSING')
    expect(build({ readings: [[...frame.readings[0]!, 0n]] })).not.toBe('none')
    expect(codeOf(() => signFrame(format, DOMAIN, frame, new Uint8Array(31)))).toBe('HEX_INVALID')
  })
})

function sampleFrame(): Frame {
  const format = frameFormat(ALL_TYPES, 2)
  const readings = [ALL_TYPES.map((field, i) => BigInt(i + 3) % (1n << BigInt(field.bits)))]
  return signFrame(format, DOMAIN, { deviceId: 5n, sequence: 6n, readings }, SECRET_KEY)
}

function tagBytes(tag: number): number[] {
  return [tag >>> 24, (tag >>> 16) & 255, (tag >>> 8) & 255, tag & 255]
}
