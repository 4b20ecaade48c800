import { readFileSync } from 'node:fs'
import { groth16 } from 'snarkjs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CircuitArtefacts } from '../../../circuits/build.ts'
import { readR1cs, type R1cs } from '../../../circuits/setup/r1cs.ts'
import { FIELD_ORDER } from '../../../engine/core/field.ts'
import { frameFormat, messageHash } from '../../../engine/core/frame.ts'
import { identityRoot } from '../../../engine/core/identity.ts'
import { packWords, type RawRecord } from '../../../engine/core/layout.ts'
import { poseidon, sponge } from '../../../engine/core/poseidon.ts'
import {
  NEUTRAL_POINT,
  SUBGROUP_ORDER,
  publicKey,
  sign,
  type PublicKey,
  type Signature,
} from '../../../engine/core/signature.ts'
import type { CircuitInput } from '../../../engine/core/witness.ts'
import {
  DOMAIN, METER_TOY_CONSTRAINTS, buildToy, createCalculator, deviceId, evenToy, leafOf, makeBatch, meterToy, secretKey, withInput,
  type Calculator, type TestBatch,
} from './toy.ts' // prettier-ignore
import { openWires } from './wires.ts'

const R = 4
const FORMAT = frameFormat(meterToy.abi.reading, R)
const U64 = 1n << 64n
const STEP = 1n << 32n

const honest: TestBatch = {
  frames: [
    { sequence: 5n, readings: [[100n, 7n], [101n, 9n]] },
    { sequence: 10n, readings: [[7n, 1000n]] },
    { sequence: 1n, readings: [[1n, 1n], [2n, 2n], [3n, 1001n], [4n, 4n]] },
    null,
  ],
  page: { sequences: [4n, 9n, 0n, 3n], states: [[1n, 2n], [3n, 4n], [0n, 0n], [5n, 6n]] },
  config: [1000n],
} // prettier-ignore

let artefacts: CircuitArtefacts
let calculator: Calculator
let r1cs: R1cs
let input: CircuitInput

beforeAll(async () => {
  artefacts = await buildToy(meterToy, R)
  calculator = await createCalculator(artefacts.paths.witnessWasm)
  r1cs = readR1cs(artefacts.paths.r1cs)
  input = makeBatch(meterToy, R, honest).input
})

/** The honest inputs with several values replaced. */
function altered(...changes: [path: (string | number)[], value: bigint][]): CircuitInput {
  return changes.reduce((current, [path, value]) => withInput(current, path, value), input)
}

/** The honest inputs with slot 0 signed again as given, and batchRoot, leaf and identityRoot made to fit. */
function resigned(change: {
  place?: bigint
  count?: bigint
  sequence?: bigint
  domain?: bigint
  layoutId?: bigint
  words?: bigint[]
  readings?: RawRecord[]
  key?: PublicKey
  signer?: number
  signature?: Signature
  device?: bigint
}): CircuitInput {
  const readings = change.readings ?? [[100n, 7n], [101n, 9n], [0n, 0n], [0n, 0n]] // prettier-ignore
  const words = change.words ?? readings.flatMap((reading) => packWords(meterToy.abi.reading, reading))
  const count = change.count ?? 2n
  const sequence = change.sequence ?? 5n
  const device = change.device ?? deviceId(0)
  const place = change.place ?? (sequence << 8n) + count
  const message = poseidon([
    change.domain ?? DOMAIN,
    device,
    change.layoutId ?? FORMAT.layoutId,
    place,
    sponge(1n, words),
  ])
  const signature = change.signature ?? sign(secretKey(change.signer ?? 0), message)
  const key = change.key ?? publicKey(secretKey(0))
  const leaves = [poseidon([key.x, key.y, device]), leafOf(1), leafOf(2), 0n]
  const hashes = [1, 2].map((slot) =>
    messageHash(FORMAT, DOMAIN, { deviceId: deviceId(slot), ...honest.frames[slot]! }),
  )
  return altered(
    [['keyX', 0], key.x], [['keyY', 0], key.y], [['deviceId', 0], device], [['leaf', 0], leaves[0]!],
    [['identityRoot'], identityRoot(leaves)], [['batchRoot'], sponge(2n, [message, ...hashes, 0n])],
    [['r8x', 0], signature.r8x], [['r8y', 0], signature.r8y], [['s', 0], signature.s],
    [['count', 0], count], [['sequence', 0], sequence],
    ...readings.flatMap((reading, i) => reading.map((value, f) => [['reading', 0, i, f], value] as [(string | number)[], bigint])),
  ) // prettier-ignore
}

describe('an honest batch', () => {
  it('is accepted, and its public signals are the journal in order', async () => {
    const { input, signals, unitsBySlot } = makeBatch(meterToy, R, honest)
    const witness = await calculator.witness(input)
    expect(witness.slice(1, 1 + signals.length)).toEqual(signals)
    expect(unitsBySlot).toEqual([16n, 1000n, 7n, 0n])
    expect(artefacts.manifest.publicSignals).toBe(signals.length)
  })

  it('is still accepted when signed again by the test helper (or the refusals below would prove nothing)', async () => {
    expect(await calculator.refusal(resigned({}))).toEqual([])
  })

  const even = { page: { sequences: [0n, 0n, 0n, 0n], states: [[], [], [], []] }, config: [] }
  it('is accepted for an applet without State and Config', async () => {
    const { paths } = await buildToy(evenToy, 1)
    const frames = [{ sequence: 1n, readings: [[2n]] }, { sequence: 1n, readings: [[3n]] }, null, null]
    const { input, signals, unitsBySlot } = makeBatch(evenToy, 1, { ...even, frames })
    const witness = await (await createCalculator(paths.witnessWasm)).witness(input)
    expect(witness.slice(1, 1 + signals.length)).toEqual(signals)
    expect(unitsBySlot).toEqual([1n, 0n, 0n, 0n])
  })
})

describe('the circuit agrees with core', () => {
  const page = honest.page
  const one = (sequence: bigint): TestBatch => ({
    ...honest,
    frames: [{ sequence, readings: [[9n, 9n]] }, null, null, null],
  })
  const cases: [name: string, batch: TestBatch, units: bigint[], sequence: bigint][] = [
    ['B-03 a repeated sequence counts nothing', one(4n), [0n, 0n, 0n, 0n], 4n],
    ['B-03 a sequence going back counts nothing', one(3n), [0n, 0n, 0n, 0n], 4n],
    ['a step of 2^32 counts', one(4n + STEP), [9n, 0n, 0n, 0n], 4n + STEP],
    ['B-03 a step of 2^32 + 1 counts nothing', one(5n + STEP), [0n, 0n, 0n, 0n], 4n],
    ['the largest sequence is too far', one(U64 - 1n), [0n, 0n, 0n, 0n], 4n],
    [
      'a last sequence at the end of its range refuses 0',
      { ...one(0n), page: { ...page, sequences: [U64 - 1n, 0n, 0n, 0n] } },
      [0n, 0n, 0n, 0n],
      U64 - 1n,
    ],
    ['no frame at all leaves the page', { ...honest, frames: [null, null, null, null] }, [0n, 0n, 0n, 0n], 4n],
    [
      'units saturate at maxUnitsPerFrame',
      {
        ...honest,
        config: [STEP - 1n],
        frames: [{ sequence: 5n, readings: [1n, 2n, 3n, 4n].map((t) => [t, STEP - 1n]) }, null, null, null],
      },
      [10_000_000_000n, 0n, 0n, 0n],
      5n,
    ],
    [
      'a trap in the middle rolls back State and the next reading goes on',
      { ...honest, frames: [{ sequence: 5n, readings: [[1n, 5n], [2n, 2000n], [3n, 6n]] }, null, null, null] },
      [11n, 0n, 0n, 0n],
      5n,
    ],
    [
      'State at the end of its range traps',
      {
        ...honest,
        page: { ...page, states: [[1n, U64 - 3n], ...page.states.slice(1)] },
        frames: [{ sequence: 5n, readings: [[1n, 2n], [2n, 1n]] }, null, null, null],
      },
      [2n, 0n, 0n, 0n],
      5n,
    ],
    ['full slots all count', { ...honest, frames: [...honest.frames.slice(0, 3), { sequence: 4n, readings: [[1n, 3n]] }] }, [16n, 1000n, 7n, 3n], 5n],
  ] // prettier-ignore

  it.each(cases)('%s', async (_, batch, units, sequence) => {
    const { input, signals, unitsBySlot, pageAfter } = makeBatch(meterToy, R, batch)
    expect(unitsBySlot).toEqual(units)
    expect(pageAfter.sequences[0]).toBe(sequence)
    expect((await calculator.witness(input)).slice(1, 1 + signals.length)).toEqual(signals)
  })
})

describe('the circuit refuses', () => {
  it.each(['identityRoot', 'ledgerBefore', 'ledgerAfter', 'batchRoot', 'configHash', 'lanes/0'])(
    'another value of the public signal %s',
    async (name) => {
      const path = name.split('/').map((step, i) => (i === 0 ? step : Number(step)))
      expect(await calculator.refusal(altered([path, 1n]))).toEqual(['Batch'])
    },
  )

  it('B-02 another deviceDomain: the signatures are for this project', async () => {
    expect(await calculator.refusal(altered([['deviceDomain'], DOMAIN + 1n]))).toContain('FrameSignature')
  })

  it('an anchorTime beyond 40 bits', async () => {
    expect(await calculator.refusal(altered([['anchorTime'], 1n << 40n]))).toContain('AnchoredValues')
  })

  const signatureRefused = ['FrameSignature', 'Frame', 'Batch']
  const scalarRefused = ['SubgroupScalarBits', ...signatureRefused]
  const keyRefused = ['Edwards2Montgomery', 'ChallengeMultiple', ...signatureRefused]
  const order = SUBGROUP_ORDER
  // S = 1 and R8 = B8 satisfy the equation for a key of low order and any message.
  const trivial = {
    r8x: 5299619240641551281634865583518297030282874472190772894086521144482721001553n,
    r8y: 16950150798460657717958625567821834550301663161624707787222815936182638968203n,
    s: 1n,
  }
  const forged: [name: string, make: () => CircuitInput, templates: string[]][] = [
    ['a wrong S', () => altered([['s', 0], 1n]), signatureRefused],
    ['B-01 S plus the subgroup order', () => altered([['s', 0], BigInt(input['s']![0] as string) + order]), scalarRefused],
    ['the signature of another slot', () => altered(...['r8x', 'r8y', 's'].map((n) => [[n, 0], BigInt(input[n]![1] as string)] as [(string | number)[], bigint])), signatureRefused],
    ['B-01 a signature by another key', () => resigned({ signer: 1 }), signatureRefused],
    ['B-01 R8 off the curve', () => altered([['r8x', 0], 1n]), ['BabyCheck', ...signatureRefused]],
    ['B-01 a key off the curve, registered as such', () => resigned({ key: { x: 1n, y: 2n } }), ['BabyCheck', ...signatureRefused]],
    ['B-01 the neutral point as key, registered as such', () => resigned({ key: NEUTRAL_POINT, signature: trivial }), keyRefused],
    ['B-01 a key of order two, registered as such', () => resigned({ key: { x: 0n, y: FIELD_ORDER - 1n }, signature: trivial }), keyRefused],
    ['B-02 a frame signed for another project', () => resigned({ domain: DOMAIN + 1n }), signatureRefused],
    ['B-02 a frame signed under another layout', () => resigned({ layoutId: frameFormat(meterToy.abi.reading, R + 1).layoutId }), signatureRefused],
    ['a frame signed with another count', () => resigned({ place: (5n << 8n) + 3n }), signatureRefused],
    ['B-03 a frame signed with another sequence', () => resigned({ place: (6n << 8n) + 2n }), signatureRefused],
    ['B-07 hidden readings behind the count', () => resigned({ readings: [[100n, 7n], [101n, 9n], [0n, 1n], [0n, 0n]] }), ['ReadingsHash', 'Frame', 'Batch']],
    ['B-07 hidden words that the hash leaves out', () => altered([['reading', 0, 3, 1], 1n]), ['ReadingsHash', 'Frame', 'Batch']],
    ['a count of 0', () => resigned({ count: 0n, readings: [[0n, 0n], [0n, 0n], [0n, 0n], [0n, 0n]] }), ['ReadingCount', 'Frame', 'Batch']],
    ['a count above R', () => resigned({ count: 5n }), ['ReadingCount', 'Frame', 'Batch']],
    ['a reading beyond its width', () => resigned({ readings: [[100n, STEP], [101n, 9n], [0n, 0n], [0n, 0n]] }), ['Num2Bits', 'Applet', 'Fold', 'Batch']],
    ['A-15 a reading that packs to the same word', () => altered([['reading', 0, 0, 0], 99n], [['reading', 0, 0, 1], 7n + STEP]), ['Num2Bits', 'Applet', 'Fold', 'Batch']],
    ['a deviceId beyond 64 bits', () => resigned({ device: U64 }), ['Num2Bits', 'Frame', 'Batch']],
    ['a sequence beyond 64 bits', () => resigned({ sequence: U64 }), ['Num2Bits', 'Frame', 'Batch']],
    ['B-04 the device of another slot', () => altered(...['deviceId', 'keyX', 'keyY'].map((n) => [[n, 0], BigInt(input[n]![1] as string)] as [(string | number)[], bigint])), ['LeafBinding', 'Frame', 'Batch']],
    ['B-05 an empty slot that speaks', () => altered([['leaf', 0], 0n], [['identityRoot'], identityRoot([0n, leafOf(1), leafOf(2), 0n])]), ['LeafBinding', 'Frame', 'Batch']],
    ['B-05 a leaf that the root does not have, in a slot that is absent', () => altered([['leaf', 3], leafOf(1)]), ['Batch']],
    ['B-01 B-05 a present flag of 2', () => altered([['present', 0], 2n]), ['ReadingCount', 'Frame', 'Batch']],
    ['B-06 an anchored frame declared absent', () => altered([['present', 0], 0n], [['count', 0], 0n], ...[0, 1].flatMap((i) => [0, 1].map((f) => [['reading', 0, i, f], 0n] as [(string | number)[], bigint]))), ['Batch']],
    ['a last sequence that packs to the same word', () => altered([['lastSequence', 1], 8n], [['lastSequence', 2], U64]), ['Num2Bits', 'SequenceOrder', 'SlotRule', 'Batch']],
    ['A-15 a State that packs to the same word', () => altered([['state', 3, 0], 4n], [['state', 3, 1], 6n + U64]), ['Num2Bits', 'StateRanges', 'Batch']],
    ['a Config beyond its width, hashed as such', () => altered([['config', 0], STEP], [['configHash'], sponge(5n, [STEP])]), ['Num2Bits', 'ConfigRanges', 'Batch']],
  ] // prettier-ignore

  it.each(forged)('%s', async (_, make, templates) => {
    expect(await calculator.refusal(make())).toEqual(templates)
  })
})

describe('a forged witness', () => {
  it('A-13 breaks a constraint whichever single wire is changed, but for inverses and quotients of zero', async () => {
    const witness = await calculator.witness(input)
    const open = openWires(r1cs, witness, readFileSync(artefacts.paths.symbols, 'utf8'))
    expect(open.filter((name) => !/\.inv$|\.q\[\d+\]$/.test(name))).toEqual([])
  })
})

describe('a proof under the development key', () => {
  let proof: object
  let publicSignals: string[]
  let verifyingKey: object
  beforeAll(async () => {
    const witness = await calculator.witnessFile(input)
    ;({ proof, publicSignals } = await groth16.prove(artefacts.paths.zkey, witness))
    verifyingKey = JSON.parse(readFileSync(artefacts.paths.verifyingKey, 'utf8')) as object
  })
  afterAll(async () => {
    await (globalThis as { curve_bn128?: { terminate(): Promise<void> } }).curve_bn128?.terminate()
  })

  it('verifies', async () => {
    expect(await groth16.verify(verifyingKey, publicSignals, proof)).toBe(true)
  })

  it('does not verify with any public signal altered, binding and anchorTime included', async () => {
    for (const i of publicSignals.keys()) {
      const changed = publicSignals.with(i, ((BigInt(publicSignals[i]!) + 1n) % FIELD_ORDER).toString())
      expect(await groth16.verify(verifyingKey, changed, proof), `signal ${i}`).toBe(false)
    }
  })
})

describe('constraints', () => {
  it('are pinned for D = 4, R = 4: 5,215 per slot beside the applet, State of 96 and Config of 32 bits included', () => {
    expect(r1cs.constraintCount).toBe(23_516)
    const overhead = (r1cs.constraintCount - 4 * R * METER_TOY_CONSTRAINTS) / 4
    expect(overhead).toBe(5_215)
    expect(overhead).toBeLessThanOrEqual(6_500)
    expect(artefacts.manifest.constraints).toBe(r1cs.constraintCount)
  })
})
