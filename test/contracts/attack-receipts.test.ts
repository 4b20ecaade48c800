// One good receipt under attack: every word of its calldata bent in every way, and its proof in all forms that still hold.

import { bn254 } from '@noble/curves/bn254.js'
import { decodeFunctionData, type Hex } from 'viem'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { settlementAbi } from '../../contracts/abi.ts'
import type { SettledReceipt } from '../../engine/chain/writes.ts'
import { FIELD_ORDER } from '../../engine/core/field.ts'
import {
  GROUP_ORDER, Q, WORD, pointWords, proofPoints, proofWords, mined, rewound, settleCall, settleManyCall, tried, triedTogether, withProof, withWords, wordsOf,
  type Call,
} from './attack-calls.ts' // prettier-ignore
import { createStage, type Stage } from './stage.ts'

const UNITS = [3n, 4n, 5n, 6n]
const { G2 } = bn254
const INFINITY = [0n, 0n] as const

let stage: Stage
let good: SettledReceipt
/** The batch after it. */
let next: SettledReceipt

beforeAll(async () => {
  stage = await createStage({ devices: 4 })
  const before = await stage.anchorNext(1n)
  await stage.chain.settle(await stage.receipt(before, [1n, 1n, 1n, 1n], 50n))
  const [anchored, after] = [await stage.anchorNext(2n), await stage.anchorNext(3n)]
  good = await stage.receipt(anchored, UNITS, 51n)
  next = await stage.receipt(after, [1n, 0n, 0n, 0n], 52n, stage.operator, 51n)
})
afterAll(() => stage?.close())

const asText = (value: unknown) =>
  JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? `${inner}` : inner))

/** The receipts that a call would settle: those whose batch is open, if its arguments can be read at all. */
function receiptsOf(data: Hex): string[] {
  try {
    const { args } = decodeFunctionData({ abi: settlementAbi, data })
    const receipts = (Array.isArray(args![0]) ? args![0] : [args![0]]) as { number: bigint }[]
    return receipts.filter(({ number }) => number >= good.batchNumber).map(asText)
  } catch {
    return ['what nobody can read']
  }
}

/** Whether what a call returned, if it was accepted, says that it settles something else than the receipts of `original`. */
function settlesOther(returned: Hex | undefined, data: Hex, original: Hex): boolean {
  const none = `0x${'0'.repeat(64)}`
  if (returned === undefined || returned === none) return false
  const known = receiptsOf(original)
  return receiptsOf(data).some((receipt) => !known.includes(receipt))
}

/** All one-word changes and all swaps of two words of a call. */
function* mangled(call: Call): Generator<[name: string, data: Hex]> {
  const words = wordsOf(call.data)
  const bends: [string, (word: bigint) => bigint][] = [
    ['+ 1', (word) => word + 1n],
    ['− 1', (word) => word - 1n],
    ['0', () => 0n],
    ['the largest word', () => WORD - 1n],
    ['+ r', (word) => word + FIELD_ORDER],
    ['+ 2r', (word) => word + 2n * FIELD_ORDER],
    ['+ 5r, the last alias in a word', (word) => word + 5n * FIELD_ORDER],
    ['+ 6r, beyond 2^256', (word) => word + 6n * FIELD_ORDER],
    ['its highest bit', (word) => word ^ (1n << 255n)],
    ['a bit beyond an address', (word) => word ^ (1n << 160n)],
  ]
  for (const [i, word] of words.entries()) {
    for (const [name, bend] of bends) {
      const bent = BigInt.asUintN(256, bend(word))
      if (bent !== word) yield [`word ${i}: ${name}`, withWords(call.data, words.with(i, bent))]
    }
    for (let j = 0; j < i; j++) {
      if (words[j] !== word)
        yield [`words ${j} and ${i} swapped`, withWords(call.data, words.with(i, words[j]!).with(j, word))]
    }
  }
}

/** Each word of one receipt in the place of the same word of the other, in a group of both. */
function* crossed(call: Call): Generator<[name: string, data: Hex]> {
  const words = wordsOf(call.data)
  const [first, second] = [words[2]!, words[3]!].map((offset) => 2 + Number(offset) / 32) as [number, number]
  for (let i = 0; second + i < words.length; i++) {
    const [mine, other] = [words[first + i]!, words[second + i]!]
    if (mine !== other) {
      yield [`word ${i} exchanged`, withWords(call.data, words.with(first + i, other).with(second + i, mine))]
    }
  }
}

async function survivors({ to, data: original }: Call, all: readonly [name: string, data: Hex][]): Promise<string[]> {
  const calls = all.map(([, data]) => ({ to, data }))
  const returned = await triedTogether(stage, calls)
  return all.filter(([, data], i) => settlesOther(returned[i], data, original)).map(([name]) => name)
}

describe('calldata of a good receipt settles nothing else', () => {
  const calls: [string, () => Call, (call: Call) => Iterable<[string, Hex]>, number][] = [
    ['settle with any word bent or two swapped', () => settleCall(stage, good), mangled, 400],
    ['settleMany with any word bent or two swapped', () => settleManyCall(stage, [good]), mangled, 500],
    ['settleMany with a word exchanged between two receipts', () => settleManyCall(stage, [good, next]), crossed, 12],
  ]
  it.each(calls)('C-01 C-08 %s', async (_, makeCall, change, least) => {
    const call = makeCall()
    expect(await tried(stage, call)).toHaveProperty('accepted')
    const all = [...change(call)]
    expect(await survivors(call, all)).toEqual([])
    expect(all.length).toBeGreaterThan(least)
  })

  it('C-01 cut short at any word or byte', async () => {
    for (const { to, data } of [settleCall(stage, good), settleManyCall(stage, [good])]) {
      for (let digits = 10; digits < data.length - 2 * 28; digits += 22) {
        const outcome = await tried(stage, { to, data: data.slice(0, digits + (digits % 2)) as Hex })
        expect(outcome, `${digits} digits`).toHaveProperty('refused')
      }
    }
  })

  it('C-01 with words behind its end, which nobody reads', async () => {
    const { to, data } = settleCall(stage, good)
    await rewound(stage, async () => {
      const hash = await stage.testClient.sendUnsignedTransaction({ from: stage.stranger, to, data: `${data}${'ff'.repeat(96)}` })
      await mined(stage, hash)
      expect((await stage.chain.getCohort(stage.projectId, 0)).creditedUnits).toEqual(UNITS.map((units) => units + 1n))
      expect(await tried(stage, { to, data })).toMatchObject({ refused: expect.stringContaining('AnchorNotOpen') })
    }) // prettier-ignore
  })
})

/** Forms of a proof: which of them hold, and which only look alike. */
function forms(words: readonly bigint[]): { holding: Record<string, bigint[]>; broken: Record<string, bigint[]> } {
  const { a, b, c } = proofPoints(words)
  const k = 0x1234567890abcdefn
  const inverse = bn254.fields.Fr.inv(k)
  const delta = deltaOf(stage.prover.verifyingKey)
  const negatedB = pointWords({ a, b: b.negate(), c })
  const pairs = [[0, 1], [2, 3], [4, 5], [6, 7]] as const // prettier-ignore
  const infinite = (at: number, length: number) => words.map((word, i) => (i >= at && i < at + length ? 0n : word))
  return {
    holding: {
      'as it is': [...words],
      '(−A, −B)': pointWords({ a: a.negate(), b: b.negate(), c }),
      '(kA, k⁻¹B)': pointWords({ a: a.multiply(k), b: b.multiply(inverse), c }),
      '(k⁻¹A, kB + k·δ, C + A), the full re-randomisation': pointWords({
        a: a.multiply(inverse),
        b: b.multiply(k).add(delta.multiply(k)),
        c: c.add(a),
      }),
    },
    broken: {
      '(−A, B)': pointWords({ a: a.negate(), b, c }),
      '(A, −B)': negatedB,
      '(A, B, −C)': pointWords({ a, b, c: c.negate() }),
      '(kA, kB)': pointWords({ a: a.multiply(k), b: b.multiply(k), c }),
      'A at infinity': infinite(0, 2),
      'B at infinity': infinite(2, 4),
      'C at infinity': infinite(6, 2),
      'all at infinity': words.map(() => 0n),
      'A and C swapped': [...words.slice(6), ...words.slice(2, 6), ...words.slice(0, 2)],
      'B conjugated': pointWords({ a, b: conjugate(b), c }),
      ...Object.fromEntries(
        pairs.map(([x, y]) => [`words ${x} and ${y} swapped`, words.with(x, words[y]!).with(y, words[x]!)]),
      ),
      ...Object.fromEntries(
        words.flatMap((word, i) =>
          [Q, -Q, 2n * Q, -2n * Q, 4n * Q].map((shift) => [
            `word ${i} by ${shift / Q}q`,
            words.with(i, BigInt.asUintN(256, word + shift)),
          ]),
        ),
      ),
    },
  }
}

function conjugate(point: InstanceType<typeof G2.Point>) {
  const { x, y } = point.toAffine()
  const { Fp2 } = bn254.fields
  const flip = ({ c0, c1 }: { c0: bigint; c1: bigint }) => Fp2.create({ c0, c1: Q - c1 })
  return G2.Point.fromAffine({ x: flip(x), y: flip(y) })
}

/** Words 10 to 13 of an encoded key. */
function deltaOf(verifyingKey: Hex) {
  const words = wordsOf(`0x${'0'.repeat(8)}${verifyingKey.slice(2)}`).slice(10, 14)
  return proofPoints([...INFINITY, ...words, ...INFINITY]).b
}

describe('no form of a proof pays twice', () => {
  const formOf = (words: readonly bigint[]): SettledReceipt => ({ ...good, seal: withProof(good.seal, words) })

  it('C-02 in any form that holds a receipt settles once, alone and in a group, and no other form of it after that', async () => {
    const holding = Object.entries(forms(proofWords(good.seal)).holding)
    expect(new Set(holding.map(([, words]) => words.join())).size).toBe(4)
    const all = holding.map(([, words]) => formOf(words))
    for (const [name, words] of holding) {
      for (const call of [settleCall(stage, formOf(words)), settleManyCall(stage, [formOf(words), ...all, next])]) {
        await rewound(stage, async () => {
          const hash = await stage.testClient.sendUnsignedTransaction({ from: stage.stranger, to: call.to, data: call.data })
          expect((await mined(stage, hash)).status, name).toBe('success')
          const { creditedUnits, nextToSettle } = await stage.chain.getCohort(stage.projectId, 0)
          const more = nextToSettle === 3n ? 1n : 0n
          expect(creditedUnits).toEqual(UNITS.map((units, slot) => 1n + units + (slot === 0 ? more : 0n)))
          for (const form of all) {
            expect(await tried(stage, settleCall(stage, form)), name).toMatchObject({ refused: expect.stringContaining('AnchorNotOpen') })
          }
          const again = await tried(stage, settleManyCall(stage, all))
          expect(again).toEqual({ accepted: `0x${'0'.repeat(64)}` })
        })
      }
    }
  }) // prettier-ignore

  it('C-02 forms that only look like a proof are refused, alone, in a group, and after a legal settlement', async () => {
    const broken = Object.entries(forms(proofWords(good.seal)).broken)
    expect(broken.length).toBe(54)
    for (const [name, words] of broken) {
      const form = formOf(words)
      const refusal = { refused: expect.stringMatching(/^(ProofInvalid|CoordinateOutOfField)\(/) as string }
      expect(await tried(stage, settleCall(stage, form)), name).toMatchObject(refusal)
      const inGroup = { refused: expect.stringMatching(/^ReceiptRefused\(0, /) as string }
      expect(await tried(stage, settleManyCall(stage, [form, next])), name).toMatchObject(inGroup)
    }
    await rewound(stage, async () => {
      await stage.chain.settle(good)
      for (const [, words] of broken) {
        expect(await tried(stage, settleCall(stage, formOf(words)))).toHaveProperty('refused')
      }
    })
    expect(GROUP_ORDER).toBe(FIELD_ORDER)
  })
})
