import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { batchRoot, decodeBatchData, encodeBatchData, messageHashes, type AppletLayouts, type BatchData } from '../../engine/core/batch.ts' // prettier-ignore
import { isAttestreamError } from '../../engine/core/errors.ts'
import { FIELD_ORDER } from '../../engine/core/field.ts'
import { frameFormat, messageHash } from '../../engine/core/frame.ts'
import { packLanes, unpackLanes } from '../../engine/core/journal.ts'
import { genesisPage, isNextSequence, ledgerHash, MAX_SEQUENCE_STEP } from '../../engine/core/ledger.ts'
import { SUBGROUP_ORDER } from '../../engine/core/signature.ts'
import { layouts, rawRecord } from './arbitraries.ts'

const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const u256 = fc.bigInt({ min: 0n, max: 2n ** 256n - 1n })
const optional = fc.oneof(fc.constant([]), layouts)
const signature = fc.record({
  r8x: fc.bigInt({ min: 0n, max: FIELD_ORDER - 1n }),
  r8y: fc.bigInt({ min: 0n, max: FIELD_ORDER - 1n }),
  s: fc.bigInt({ min: 0n, max: SUBGROUP_ORDER - 1n }),
})

const batches = fc
  .record({
    reading: layouts,
    state: optional,
    config: optional,
    size: fc.constantFrom(4, 8),
    frameSize: fc.integer({ min: 1, max: 4 }),
  }) // prettier-ignore
  .chain(({ reading, state, config, size, frameSize }) => {
    const frame = fc.record({
      deviceId: u64,
      sequence: u64,
      readings: fc.array(rawRecord(reading), { minLength: 1, maxLength: frameSize }),
      signature,
    })
    const data: fc.Arbitrary<BatchData> = fc.record({
      appletId: u256,
      deviceDomain: fc.bigInt({ min: 0n, max: 2n ** 248n - 1n }),
      frameSize: fc.constant(frameSize),
      config: rawRecord(config),
      pageBefore: fc.record({
        sequences: fc.array(u64, { minLength: size, maxLength: size }),
        states: fc.array(rawRecord(state), { minLength: size, maxLength: size }),
      }),
      batch: fc.record({
        cohort: fc.nat(2 ** 32 - 1),
        frames: fc.array(fc.option(frame), { minLength: size, maxLength: size }),
      }),
    })
    return fc.record({ layouts: fc.constant<AppletLayouts>({ reading, state, config }), data })
  })

function codeOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    if (isAttestreamError(error)) return error.code
    throw error
  }
  return 'none'
}

describe('a data-availability object', () => {
  it('decodes to the batch it was made of', () => {
    fc.assert(
      fc.property(batches, ({ layouts: known, data }) => {
        const bytes = encodeBatchData(known, data)
        expect(decodeBatchData(known, bytes)).toEqual(data)
      }),
    )
  })

  it('is canonical, and anything else is refused with a code', () => {
    const mutated = fc.tuple(batches, fc.nat(), fc.integer({ min: 1, max: 255 }), fc.nat(3))
    fc.assert(
      fc.property(mutated, ([{ layouts: known, data }, place, flip, cut]) => {
        const good = encodeBatchData(known, data)
        const bytes = good.slice(0, good.length - cut)
        bytes[place % bytes.length]! ^= flip
        const code = codeOf(() => {
          const again = encodeBatchData(known, decodeBatchData(known, bytes))
          if (!Buffer.from(again).equals(bytes)) throw new Error('two encodings of one batch')
        })
        expect(code).toMatch(/^(none|BATCH_INVALID|FRAME_[A-Z_]+)$/)
        expect(codeOf(() => decodeBatchData(known, Uint8Array.of(...good, flip)))).toBe('BATCH_INVALID')
        expect(codeOf(() => decodeBatchData(known, good.subarray(0, -1)))).not.toBe('none')
      }),
      { numRuns: 500 },
    )
  })

  it('of random bytes never makes the decoder fail without a code', () => {
    const start = fc.uint8Array({ minLength: 80, maxLength: 400 }).map((rest) => Uint8Array.of(0x41, 0x54, 0x42, 0x31, ...rest)) // prettier-ignore
    const known: AppletLayouts = { reading: [{ name: 'a', type: 'u8', bits: 3, offset: 0 }], state: [], config: [] }
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 90 }), start), (bytes) => {
        expect(codeOf(() => decodeBatchData(known, bytes))).toMatch(/^(none|BATCH_INVALID|FRAME_[A-Z_]+)$/)
      }),
    )
  })
})

describe('the batch root', () => {
  it('binds each frame to its slot: dropping, moving or swapping changes it', () => {
    const roots = [[1n, 2n, 0n, 0n], [1n, 0n, 2n, 0n], [2n, 1n, 0n, 0n], [1n, 0n, 0n, 0n], [1n, 2n, 0n, 0n, 0n]].map((hashes) => batchRoot(hashes)) // prettier-ignore
    expect(new Set(roots).size).toBe(roots.length)
  })

  it('takes the message hash of each frame and 0 where there is none', () => {
    const format = frameFormat([{ name: 'a', type: 'u8', bits: 8, offset: 0 }], 1)
    const frame = { deviceId: 1n, sequence: 2n, readings: [[3n]], signature: { r8x: 0n, r8y: 1n, s: 0n } }
    const hashes = messageHashes(format, 9n, { cohort: 0, frames: [null, frame, null, null] })
    expect(hashes).toEqual([0n, messageHash(format, 9n, frame), 0n, 0n])
  })
})

describe('the ledger page', () => {
  it('commits to every sequence and every state field', () => {
    const state = [{ name: 'a', type: 'u8', bits: 8, offset: 0 }] as const
    const genesis = genesisPage(state, 4)
    const changed = [0, 1, 2, 3].flatMap((slot) => [
      { ...genesis, sequences: genesis.sequences.with(slot, 1n) },
      { ...genesis, states: genesis.states.with(slot, [1n]) },
    ])
    const hashes = [genesis, ...changed].map((page) => ledgerHash(state, page))
    expect(new Set(hashes).size).toBe(9)
  })

  it('counts a sequence only if it grows by at most 2^32', () => {
    expect(
      [0n, 1n, 2n, MAX_SEQUENCE_STEP + 1n, MAX_SEQUENCE_STEP + 2n].map((next) => isNextSequence(next, 1n)),
    ).toEqual([false, false, true, true, false])
  })
})

describe('lanes', () => {
  it('unpack to the units that were packed', () => {
    const units = fc.array(fc.bigInt({ min: 0n, max: 2n ** 38n - 1n }), { minLength: 1, maxLength: 16 })
    fc.assert(
      fc.property(units, (list) => {
        const four = Array.from({ length: 4 * list.length }, (_, i) => list[i % list.length]!)
        const lanes = packLanes(four)
        expect(lanes).toHaveLength(list.length)
        expect(lanes.every((lane) => lane < FIELD_ORDER)).toBe(true)
        expect(unpackLanes(lanes)).toEqual(four)
      }),
    )
  })
})
