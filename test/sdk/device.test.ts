import { describe, expect, it } from 'vitest'
import { deviceSdkBundle, deviceSdkBytes } from '../../bench/device-sdk-size.ts'
import { decodeFrame, frameFormat, messageHash } from '../../engine/core/frame.ts'
import { decodeRecord, type Layout } from '../../engine/core/layout.ts'
import { createVerifier } from '../../engine/core/signature.ts'
import { createDevice, createSecretKey, isAttestreamError, publicKey } from '../../sdk/index.ts'

const READING: Layout = [
  { name: 'timeSec', type: 'u32', bits: 32, offset: 0 },
  { name: 'celsius', type: 'i16', bits: 12, offset: 4 },
]
const OPTIONS = {
  deviceId: 9n,
  deviceDomain: 1234567n,
  reading: READING,
  frameSize: 3,
  secretKey: new Uint8Array(32).fill(5),
}
const FORMAT = frameFormat(READING, 3)

function code(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    if (isAttestreamError(error)) return error.code
    throw error
  }
  return 'none'
}

describe('a device', () => {
  it('builds frames that decode to its readings and carry its signature', () => {
    const device = createDevice(OPTIONS)
    const frame = decodeFrame(FORMAT, device.buildFrame([{ timeSec: 60, celsius: -21 }, { timeSec: 120n, celsius: 7 }])) // prettier-ignore
    expect(frame.deviceId).toBe(9n)
    expect(frame.readings.map((reading) => decodeRecord(READING, reading))).toEqual([
      { timeSec: 60n, celsius: -21n },
      { timeSec: 120n, celsius: 7n },
    ])
    const hash = messageHash(FORMAT, OPTIONS.deviceDomain, frame)
    expect(createVerifier(device.key).verify(hash, frame.signature)).toBe(true)
    expect(createVerifier(publicKey(new Uint8Array(32).fill(6))).verify(hash, frame.signature)).toBe(false)
  })

  it('hands out each sequence once and goes on where it was restored', () => {
    const device = createDevice(OPTIONS)
    const sequences = [1, 2, 3].map(() => decodeFrame(FORMAT, device.buildFrame([{ timeSec: 1, celsius: 1 }])).sequence)
    expect(sequences).toEqual([1n, 2n, 3n])
    const restored = createDevice({ ...OPTIONS, sequence: device.sequence })
    expect(decodeFrame(FORMAT, restored.buildFrame([{ timeSec: 1, celsius: 1 }])).sequence).toBe(4n)
  })

  it('uses no sequence for readings that it refuses', () => {
    const device = createDevice(OPTIONS)
    const good = { timeSec: 1, celsius: 1 }
    expect(code(() => device.buildFrame([{ timeSec: 1, celsius: 2048 }]))).toBe('RECORD_FIELD_OUT_OF_RANGE')
    expect(code(() => device.buildFrame([{ timeSec: 1.5, celsius: 1 }]))).toBe('RECORD_FIELD_OUT_OF_RANGE')
    expect(code(() => device.buildFrame([{ timeSec: 1 }]))).toBe('RECORD_FIELD_MISSING')
    expect(code(() => device.buildFrame([{ ...good, volts: 1 }]))).toBe('RECORD_FIELD_UNKNOWN')
    expect(code(() => device.buildFrame([]))).toBe('FRAME_COUNT_INVALID')
    expect(code(() => device.buildFrame([good, good, good, good]))).toBe('FRAME_COUNT_INVALID')
    expect(device.sequence).toBe(0n)
  })

  it('stops at the last sequence instead of starting again', () => {
    const device = createDevice({ ...OPTIONS, sequence: 2n ** 64n - 2n })
    device.buildFrame([{ timeSec: 1, celsius: 1 }])
    expect(device.sequence).toBe(2n ** 64n - 1n)
    expect(code(() => device.buildFrame([{ timeSec: 1, celsius: 1 }]))).toBe('SEQUENCE_EXHAUSTED')
  })

  it('keeps its own copy of the secret key', () => {
    const secretKey = new Uint8Array(32).fill(5)
    const device = createDevice({ ...OPTIONS, secretKey })
    secretKey.fill(0)
    expect(device.buildFrame([{ timeSec: 1, celsius: 1 }])).toEqual(
      createDevice(OPTIONS).buildFrame([{ timeSec: 1, celsius: 1 }]),
    )
  })

  it.each([0, 256, 1.5, Number.NaN])('refuses a frame size of %s', (frameSize) => {
    expect(code(() => createDevice({ ...OPTIONS, frameSize }))).toBe('NUMBER_OUT_OF_RANGE')
  })
})

describe('a secret key', () => {
  it('is random and 32 bytes long', () => {
    expect(createSecretKey()).toHaveLength(32)
    expect(createSecretKey()).not.toEqual(createSecretKey())
  })

  it('is refused when the source of randomness is broken', () => {
    expect(() => createSecretKey((length) => new Uint8Array(length))).toThrow('randomness')
    expect(() => createSecretKey(() => Uint8Array.of(1, 2))).toThrow('randomness')
  })
})

describe('the bundle of the SDK', () => {
  it('carries nothing of node, fastify, snarkjs or viem', () => {
    const text = new TextDecoder().decode(deviceSdkBundle())
    expect(text).not.toMatch(/node:|fastify|snarkjs|viem|require\(/)
  })

  it('stays within its budget', () => {
    expect(deviceSdkBytes()).toBeLessThan(50_000)
  })
})
