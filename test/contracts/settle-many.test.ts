import { bn254 } from '@noble/curves/bn254.js'
import { encodeAbiParameters, encodeFunctionData, encodePacked, keccak256, toHex } from 'viem'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { groth16VerifierAbi } from '../../contracts/abi.ts'
import { onChain } from '../../engine/chain/reverts.ts'
import type { SettledReceipt } from '../../engine/chain/writes.ts'
import { integerToHex, type Hex } from '../../engine/core/codec.ts'
import { FIELD_ORDER } from '../../engine/core/field.ts'
import { journalProver } from './journal-prover.ts'
import { createStage, MAX_UNITS, type Stage } from './stage.ts'

const Q = bn254.fields.Fp.ORDER
const G1 = bn254.G1.Point
type Point = InstanceType<typeof G1>

describe('settling many receipts at once', () => {
  let stage: Stage
  beforeAll(async () => (stage = await createStage({ devices: 5 })))
  afterAll(() => stage?.close())

  const units = (...values: number[]) => values.map(BigInt)
  const anchors = async (cohort: number, count: number) => {
    const all: Awaited<ReturnType<Stage['anchorNext']>>[] = []
    for (let i = 0; i < count; i++) all.push(await stage.anchorNext(BigInt(i + 1), cohort))
    return all
  }

  it('takes batches of one cohort in order and of several cohorts, and credits all', async () => {
    const { chain, projectId } = stage
    const [first, second] = await anchors(0, 2)
    const [other] = await anchors(1, 1)
    const receipts = [
      await stage.receipt(first!, units(1, 2, 3, 4), 70n),
      await stage.receipt(other!, units(9, 0, 0, 0), 80n),
      await stage.receipt(second!, units(10, 20, 30, 40), 71n, stage.stranger, 70n),
    ]
    await expect(chain.settleMany([receipts[2]!, receipts[0]!])).rejects.toThrow('BatchNumberUnexpected(1, 0)')
    const { settled } = await chain.settleMany(receipts, stage.as(5))
    expect(settled.map(({ cohort, number }) => [cohort, number])).toEqual([
      [0, 0n],
      [1, 0n],
      [0, 1n],
    ])
    const page = await chain.getCohort(projectId, 0)
    expect(page).toMatchObject({ ledger: 71n, nextToSettle: 2n, creditedUnits: units(11, 22, 33, 44) })
    expect((await chain.getCohort(projectId, 1)).creditedUnits).toEqual(units(9, 0, 0, 0))
    expect(await chain.getAccount(projectId)).toMatchObject({ reservedUnits: 0n, creditedUnits: 119n })
  })

  it('C-08 passes over what is settled already, so that nobody can spoil a group by settling one of it', async () => {
    const { chain, projectId } = stage
    const [first, second] = await anchors(0, 2)
    const { ledger } = await chain.getCohort(projectId, 0)
    const good = await stage.receipt(first!, units(1, 0, 0, 0), 90n)
    const next = await stage.receipt(second!, units(0, 1, 0, 0), 91n, stage.operator, 90n)
    await chain.settle(good, stage.as(5))
    const { settled } = await chain.settleMany([good, next, next, good])
    expect(settled).toHaveLength(1)
    expect((await chain.settleMany([good, next])).settled).toEqual([])
    expect((await chain.settleMany([])).settled).toEqual([])
    const page = await chain.getCohort(projectId, 0)
    expect(page.creditedUnits).toEqual(units(12, 23, 33, 44))
    expect([ledger, page.ledger]).toEqual([71n, 91n])
  })

  it('C-07 refuses the whole with the culprit named when one proof is bad, wherever it is', async () => {
    const { chain, projectId } = stage
    const all = await anchors(0, 3)
    const good: SettledReceipt[] = []
    for (const [i, anchored] of all.entries()) {
      good.push(
        await stage.receipt(
          anchored,
          units(1, 1, 1, 1),
          100n + BigInt(i),
          stage.operator,
          91n + (i ? 8n + BigInt(i) : 0n),
        ),
      )
    }
    const before = await chain.getAccount(projectId)
    for (const culprit of [0, 1, 2]) {
      const mixed = good.map((receipt, i) => (i === culprit ? { ...receipt, payee: stage.stranger } : receipt))
      await expect(chain.settleMany(mixed)).rejects.toThrow(`ReceiptRefused(${culprit}`)
    }
    const outside = { ...good[2]!, seal: withWord(good[2]!.seal, 3, Q) }
    await expect(chain.settleMany([good[0]!, good[1]!, outside])).rejects.toThrow('ReceiptRefused(2')
    expect(await chain.getAccount(projectId)).toEqual(before)
    await chain.settleMany(good)
    expect((await chain.getCohort(projectId, 0)).ledger).toBe(102n)
  })

  it('C-03 settles receipts of different applets in one transaction, each under its own key only', async () => {
    const { chain, terms, keys, operator, alice } = stage
    const other = await journalProver(4, 'another')
    const { projectId } = await chain.createProject(terms)
    const { version } = await chain.publishVersion(
      projectId,
      { ...stage.publication(), verifyingKey: other.verifyingKey },
      stage.as(1),
    )
    await chain.activateVersion(projectId, version, stage.as(1))
    await chain.fund(projectId, 8n * MAX_UNITS * terms.rewardPerUnitWei, stage.as(1))
    const admission = await stage.admission(alice, 40, { projectId })
    const { identityRoot } = await chain.registerDevice(admission, await chain.signAdmission(keys[2]!, admission))
    const batch = { projectId, cohort: 0, expectedNumber: 0n, batchRoot: 3n, identityRoot, version }
    const { anchor } = await chain.anchor({ ...batch, daPointer: integerToHex(5n, 32) })
    const [mine] = await anchors(0, 1)
    const ours = await stage.receipt(mine!, units(1, 0, 0, 0), 200n)
    const foreign = await stage.receiptOf(projectId, other, { number: 0n, anchor }, units(2, 0, 0, 0), 201n)
    const underOurKey = await stage.receiptOf(projectId, stage.prover, { number: 0n, anchor }, units(2, 0, 0, 0), 201n)
    await expect(chain.settleMany([ours, underOurKey])).rejects.toThrow('SealOfOtherKey')
    const disguised = { ...underOurKey, seal: `${foreign.seal.slice(0, 10)}${underOurKey.seal.slice(10)}` as Hex }
    await expect(chain.settleMany([ours, disguised])).rejects.toThrow('ReceiptRefused(1')
    const { settled } = await chain.settleMany([ours, foreign, ours], { privateKey: keys[0]! })
    expect(settled.map((one) => one.projectId)).toEqual([stage.projectId, projectId])
    expect(operator).toBe(ours.payee)
  })

  it('C-02 pays no form of a proof twice: negated, re-scaled, out of range', async () => {
    const { chain, projectId } = stage
    const [anchored] = await anchors(0, 1)
    const good = await stage.receipt(anchored!, units(0, 0, 0, 5), 300n)
    const words = proofWords(good.seal)
    const negated = {
      ...good,
      seal: seal(good.seal, [
        words[0]!,
        Q - words[1]!,
        words[2]!,
        words[3]!,
        Q - words[4]!,
        Q - words[5]!,
        ...words.slice(6),
      ]),
    }
    const shifted = { ...good, seal: withWord(good.seal, 1, words[1]! + Q) }
    const again = await stage.receipt(anchored!, units(0, 0, 0, 5), 300n)
    await expect(chain.settle(shifted)).rejects.toThrow('CoordinateOutOfField(1')
    await chain.settle(negated)
    for (const form of [good, negated, again]) await expect(chain.settle(form)).rejects.toThrow('AnchorNotOpen')
    expect((await chain.settleMany([good, negated, again])).settled).toEqual([])
    expect((await chain.getCohort(projectId, 0)).creditedUnits[3]).toBe(52n)
  })
})

describe('C-08 the equation for many proofs', () => {
  let stage: Stage
  let key: Hex
  const signals = [1n, 2n].map((first) => Array.from({ length: 9 }, (_, i) => first * 100n + BigInt(i)))
  let proofs: bigint[][]
  beforeAll(async () => {
    stage = await createStage()
    key = (await stage.chain.getVersion(stage.projectId, 1)).keyAccount
    proofs = []
    for (const values of signals) proofs.push(proofWords(await stage.prover.proveSignals(values)))
  })
  afterAll(() => stage?.close())

  const verifyMany = (values: readonly (readonly bigint[])[], words: readonly (readonly bigint[])[]) =>
    onChain('verify', async () => {
      const args = [key, values.flat(), joined(words)] as const
      const data = encodeFunctionData({ abi: groth16VerifierAbi, functionName: 'verifyMany', args })
      await stage.publicClient.call({ to: stage.addresses.verifier, data })
    })

  it('holds for good proofs in any number, repeated ones and the extremes of signals included', async () => {
    await verifyMany(signals, proofs)
    await verifyMany([signals[0]!], [proofs[0]!])
    await verifyMany([signals[0]!, signals[0]!, signals[1]!], [proofs[0]!, proofs[0]!, proofs[1]!])
    const extremes = signals[0]!.map((_, i) => (i % 2 === 0 ? 0n : FIELD_ORDER - 1n))
    await verifyMany([extremes, signals[1]!], [proofWords(await stage.prover.proveSignals(extremes)), proofs[1]!])
  })

  it('refuses no proofs, and proofs and signals that do not pair up', async () => {
    await expect(verifyMany([], [])).rejects.toThrow('ProofLength(0, 256)')
    await expect(verifyMany(signals, proofs.slice(1))).rejects.toThrow('KeyMismatch')
    await expect(verifyMany([signals[0]!, signals[1]!.slice(1)], proofs)).rejects.toThrow('KeyMismatch')
    await expect(verifyMany([signals[1]!, signals[0]!], proofs)).rejects.toThrow('ProofOfManyInvalid(0)')
  })

  it('refuses two errors that cancel in a plain sum', async () => {
    const error = G1.BASE.multiply(77n)
    const pair = [changedC(proofs[0]!, error), changedC(proofs[1]!, error.negate())]
    await expect(verifyMany(signals, pair)).rejects.toThrow('ProofOfManyInvalid(0)')
    const swapped = proofs.map((words, i) => [...words.slice(0, 6), ...proofs[1 - i]!.slice(6)])
    await expect(verifyMany(signals, swapped)).rejects.toThrow('ProofOfManyInvalid(0)')
  })

  it('refuses errors made to cancel under the coefficients of what is sent but for one part of it', async () => {
    const { anvil, addresses, prover } = stage
    const error = G1.BASE.multiply(77n)
    const whole = { chainId: anvil.chainId, contract: addresses.verifier, vkHash: prover.vkHash, signals, proofs }
    // each: what the coefficients would be if the forger's change, the signals, the key, the chain or the contract did not count
    const known = [
      whole,
      { ...whole, proofs: [proofs[0]!, proofs[0]!] },
      { ...whole, signals: [] },
      { ...whole, vkHash: integerToHex(0n, 32) },
      { ...whole, chainId: 1 },
      { ...whole, contract: addresses.settlement },
    ]
    for (const assumed of known) {
      const [r0, r1] = coefficients(assumed)
      const pair = [changedC(proofs[0]!, error.multiply(r1)), changedC(proofs[1]!, error.multiply(r0).negate())]
      await expect(verifyMany(signals, pair)).rejects.toThrow('ProofOfManyInvalid(0)')
    }
  })

  it('has coefficients of 128 bits that are never zero, the same in every block', async () => {
    const whole = {
      chainId: stage.anvil.chainId,
      contract: stage.addresses.verifier,
      vkHash: stage.prover.vkHash,
      signals,
      proofs,
    }
    for (const r of coefficients(whole)) expect(r > 0n && r <= 2n ** 128n).toBe(true)
    for (let block = 0; block < 3; block++) {
      await stage.testClient.mine({ blocks: 1 })
      await verifyMany(signals, proofs)
    }
  })

  it('checks every point of every proof, those of infinity and off the curve or subgroup included', async () => {
    for (let word = 0; word < 8; word++) {
      const off = proofs[1]!.map((value, i) => (i === word ? (value + 1n) % Q : value))
      await expect(verifyMany(signals, [proofs[0]!, off])).rejects.toThrow('ProofOfManyInvalid(1)')
      const outside = proofs[1]!.map((value, i) => (i === word ? value + Q : value))
      await expect(verifyMany(signals, [proofs[0]!, outside])).rejects.toThrow(`CoordinateOutOfField(${8 + word}`)
    }
    const zeros = proofs[1]!.map(() => 0n)
    await expect(verifyMany(signals, [proofs[0]!, zeros])).rejects.toThrow('ProofOfManyInvalid(1)')
    const [x1, x0, y1, y0] = outsideSubgroup()
    const twisted = [...proofs[1]!.slice(0, 2), x1, x0, y1, y0, ...proofs[1]!.slice(6)]
    await expect(verifyMany(signals, [proofs[0]!, twisted])).rejects.toThrow('ProofOfManyInvalid(1)')
  })
})

interface Whole {
  readonly chainId: number
  readonly contract: Hex
  readonly vkHash: Hex
  readonly signals: readonly (readonly bigint[])[]
  readonly proofs: readonly (readonly bigint[])[]
}

/** The verifier's coefficients, written down a second time. */
function coefficients({ chainId, contract, vkHash, signals, proofs }: Whole): [bigint, bigint] {
  const types = ['bytes32', 'uint256', 'address', 'bytes32', 'bytes32', 'bytes32'].map((type) => ({ type }))
  const values = keccak256(encodePacked(['uint256[]'], [signals.flat()]))
  const tag = keccak256(toHex('attestream.groth16.many.v1'))
  const seed = keccak256(
    encodeAbiParameters(types, [tag, BigInt(chainId), contract, vkHash, values, keccak256(joined(proofs))]),
  )
  const coefficient = (i: number) =>
    (BigInt(keccak256(encodePacked(['bytes32', 'uint256'], [seed, BigInt(i)]))) >> 128n) + 1n
  return [coefficient(0), coefficient(1)]
}

function changedC(words: readonly bigint[], error: Point): bigint[] {
  const c = G1.fromAffine({ x: words[6]!, y: words[7]! }).add(error).toAffine()
  return [...words.slice(0, 6), c.x, c.y]
}

/** A point of the twist that is not of the group's order: the curve over F_q² has a large cofactor. */
function outsideSubgroup(): [bigint, bigint, bigint, bigint] {
  const { Fp2 } = bn254.fields
  const b = bn254.G2.Point.CURVE().b
  for (let c0 = 1n; ; c0++) {
    const x = Fp2.create({ c0, c1: 1n })
    const yy = Fp2.add(Fp2.mul(Fp2.sqr(x), x), b)
    try {
      const y = Fp2.sqrt(yy)
      return [x.c1, x.c0, y.c1, y.c0]
    } catch {
      continue
    }
  }
}

function proofWords(sealed: Hex): bigint[] {
  return Array.from({ length: 8 }, (_, i) => BigInt(`0x${sealed.slice(10 + 64 * i, 74 + 64 * i)}`))
}

function seal(of: Hex, words: readonly bigint[]): Hex {
  return `0x${of.slice(2, 10)}${joined([words]).slice(2)}`
}

function withWord(of: Hex, index: number, value: bigint): Hex {
  return seal(
    of,
    proofWords(of).map((word, i) => (i === index ? value : word)),
  )
}

function joined(words: readonly (readonly bigint[])[]): Hex {
  return `0x${words
    .flat()
    .map((word) => integerToHex(word, 32).slice(2))
    .join('')}`
}
