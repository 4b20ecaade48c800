import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { readR1cs } from '../../../circuits/setup/r1cs.ts'
import { identityRoot } from '../../../engine/core/identity.ts'
import { packLanes } from '../../../engine/core/journal.ts'
import { isNextSequence, sequencesHash } from '../../../engine/core/ledger.ts'
import { sponge } from '../../../engine/core/poseidon.ts'
import { compiledMain } from './compiled.ts'
import { createCalculator, type Calculator } from './toy.ts'

const U64 = 1n << 64n
const U32 = 1n << 32n
const MAX = 5n * U32
const SPONGE_SIZES = [1, 3, 14, 15, 16, 30, 31]

/** Single templates of circuits/lib behind one main, so that their edges can be tried without signatures. */
const MAIN = `pragma circom 2.1.0;
include "batch.circom";
template Main() {
    signal input sequence;
    signal input last;
    signal input units[16];
    signal input free[3];
    signal input words[31];
    signal input sequences[8];
    signal input leaves[8];
    signal input count;
    signal output inOrder <== SequenceOrder()(sequence, last);
    signal output total <== SaturatedUnits(16, ${MAX})(units);
    signal output uncapped <== SaturatedUnits(3, ${3n * (U32 - 1n)})(free);
    signal output lane[2];
    signal laneUnits[8];
    for (var i = 0; i < 8; i++) { laneUnits[i] <== units[i]; }
    lane <== Lanes(8)(laneUnits);
    signal output sponges[${SPONGE_SIZES.length}];
    component sponge[${SPONGE_SIZES.length}];
    var SIZE[${SPONGE_SIZES.length}] = [${SPONGE_SIZES.join(', ')}];
    for (var i = 0; i < ${SPONGE_SIZES.length}; i++) {
        sponge[i] = Sponge(7, SIZE[i]);
        for (var w = 0; w < SIZE[i]; w++) { sponge[i].words[w] <== words[w]; }
        sponges[i] <== sponge[i].hash;
    }
    signal output empty <== EmptySponge(5)();
    signal output sequencesHash <== SequencesHash(8)(sequences);
    signal output root <== IdentityRoot(8)(leaves);
    signal output active[3] <== ReadingCount(3)(1, count);
}
component main = Main();
`

let calculator: Calculator
beforeAll(async () => {
  calculator = await createCalculator((await compiledMain(MAIN)).witnessWasm)
})

const zeros = (length: number) => Array.from({ length }, () => 0n)
const neutral = {
  sequence: 1n, last: 0n, units: zeros(16), free: zeros(3), words: zeros(31), sequences: zeros(8), leaves: zeros(8), count: 1n,
} // prettier-ignore

function inputs(change: Partial<typeof neutral>) {
  const entries = Object.entries({ ...neutral, ...change })
  return Object.fromEntries(entries.map(([name, v]) => [name, Array.isArray(v) ? v.map(String) : String(v)]))
}

/** The outputs in the order in which Main declares them. */
async function outputs(change: Partial<typeof neutral>) {
  const wires = (await calculator.witness(inputs(change))).slice(1)
  const take = (count: number) => wires.splice(0, count)
  const [inOrder, total, uncapped] = take(3)
  const lane = take(2)
  const sponges = take(SPONGE_SIZES.length)
  const [empty, sequencesHash, root] = take(3)
  return { inOrder, total, uncapped, lane, sponges, empty, sequencesHash, root, active: take(3) }
}

const u64 = fc.oneof(fc.bigInt(0n, U64 - 1n), fc.constantFrom(0n, 1n, U32 - 1n, U32, U32 + 1n, U64 - U32, U64 - 1n))
const runs = { numRuns: 40 }

describe('SequenceOrder', () => {
  it('agrees with the rule of core', async () => {
    const near = fc.tuple(u64, fc.constantFrom(-1n, 0n, 1n, U32 - 1n, U32, U32 + 1n, U32 * 2n))
    const pair = fc.oneof(fc.tuple(u64, u64), near.map(([last, step]) => [BigInt.asUintN(64, last + step), last] as const)) // prettier-ignore
    await fc.assert(
      fc.asyncProperty(pair, async ([sequence, last]) => {
        expect((await outputs({ sequence, last })).inOrder).toBe(isNextSequence(sequence, last) ? 1n : 0n)
      }),
      runs,
    )
  })

  it('refuses a last sequence beyond 64 bits', async () => {
    expect(await calculator.refusal(inputs({ last: U64, sequence: 1n }))).toContain('SequenceOrder')
  })
})

describe('SaturatedUnits', () => {
  it.each([
    ['below', MAX - 1n, MAX - 1n],
    ['at', MAX, MAX],
    ['above', MAX + 1n, MAX],
  ])('%s the maximum', async (_, sum, expected) => {
    const units = zeros(16)
    for (let i = 0; sum > 0n; i++) {
      units[i] = sum < U32 ? sum : U32 - 1n
      sum -= units[i]!
    }
    expect((await outputs({ units })).total).toBe(expected)
  })

  it('leaves a sum alone that cannot exceed the maximum', async () => {
    expect((await outputs({ free: [U32 - 1n, U32 - 1n, 5n] })).uncapped).toBe(2n * U32 + 3n)
  })

  it('A-05 refuses a sum beyond 38 bits, negative ones included', async () => {
    const refused = ['Num2Bits', 'SaturatedUnits', 'Main']
    expect(await calculator.refusal(inputs({ free: [1n << 38n, 0n, 0n] }))).toEqual(refused)
    expect(await calculator.refusal(inputs({ free: [-1n, 0n, 0n] }))).toEqual(refused)
  })
})

describe('hashes and packing', () => {
  it('agree with core for every length of a sponge around its chunks, and for the empty one', async () => {
    const words = Array.from({ length: 31 }, (_, i) => BigInt(i) ** 50n + 1n)
    const result = await outputs({ words })
    expect(result.sponges).toEqual(SPONGE_SIZES.map((size) => sponge(7n, words.slice(0, size))))
    expect(result.empty).toBe(sponge(5n, []))
  })

  it('agree with core for sequences whose last word is not full, roots and lanes', async () => {
    const list = [1n, U64 - 1n, 3n, 4n, 5n, 6n, 7n, U64 - 2n]
    const units = [...list.map((v) => v % U32), ...zeros(8)]
    const result = await outputs({ sequences: list, leaves: list, units })
    expect(result.sequencesHash).toBe(sequencesHash(list))
    expect(result.root).toBe(identityRoot(list))
    expect(result.lane).toEqual(packLanes(units.slice(0, 8)))
  })
})

describe('ReadingCount', () => {
  it('marks the places below the count', async () => {
    expect((await outputs({ count: 2n })).active).toEqual([1n, 1n, 0n])
    expect((await outputs({ count: 3n })).active).toEqual([1n, 1n, 1n])
  })

  it.each([0n, 4n, -1n])('refuses a count of %s', async (count) => {
    expect(await calculator.refusal(inputs({ count }))).toContain('ReadingCount')
  })
})

describe('constraints of the template headers', () => {
  it.each([
    ['SequenceOrder()', 131],
    ['LeafBinding()', 262],
    ['IdentityRoot(4)', 720],
    ['Ledger()', 240],
    ['SaturatedUnits(4, 1000)', 78],
    ['SaturatedUnits(1, 4294967295)', 38],
    ['ReadingCount(4)', 9],
    ['AnchoredValues()', 41],
    ['SubgroupScalarBits()', 314],
    ['ChallengeRange()', 134],
    ['ChallengeBits()', 388],
    ['LadderStep()', 6],
    ['ChallengeMultiple()', 1924],
    ['FrameSignature()', 3119],
  ])('%s: %i', async (template, constraints) => {
    const main = `pragma circom 2.1.0;\ninclude "batch.circom";\ncomponent main = ${template};\n`
    expect(readR1cs((await compiledMain(main)).r1cs).constraintCount).toBe(constraints)
  })
})
