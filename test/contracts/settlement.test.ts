import { encodeFunctionData } from 'viem'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { settlementAbi } from '../../contracts/abi.ts'
import { onChain } from '../../engine/chain/reverts.ts'
import { integerToHex } from '../../engine/core/codec.ts'
import { FIELD_ORDER } from '../../engine/core/field.ts'
import { anchorHash } from '../../engine/core/journal.ts'
import type { SettledReceipt } from '../../engine/chain/writes.ts'
import { createStage, CONFIG_HASH, GENESIS, MAX_UNITS, REWARD_PER_UNIT_WEI, type Stage } from './stage.ts'

describe('a batch from anchor to claim', () => {
  let stage: Stage
  beforeAll(async () => (stage = await createStage({ devices: 3 })))
  afterAll(() => stage?.close())

  it("anchors with the chain's config and time, reserves the most it can pay, settles once and pays the owners", async () => {
    const { chain, projectId } = stage
    const anchored = await stage.anchorNext()
    expect(anchored.anchor.configHash).toBe(CONFIG_HASH)
    expect(anchored.anchor.anchorTime).toBe(anchored.blockTime)
    expect((await chain.getAccount(projectId)).reservedUnits).toBe(4n * MAX_UNITS)
    expect((await chain.getCohort(projectId, 0)).ledger).toBe(GENESIS.ledger)

    const receipt = await stage.receipt(anchored, [5n, 7n, 0n, 0n], 99n)
    const settled = await chain.settle(receipt)
    expect(settled).toMatchObject({ ledgerBefore: GENESIS.ledger, ledgerAfter: 99n, lanes: receipt.journal.lanes })
    const page = await chain.getCohort(projectId, 0)
    expect(page).toMatchObject({ ledger: 99n, nextToAnchor: 1n, nextToSettle: 1n, openAnchors: 0 })
    expect(page.creditedUnits).toEqual([5n, 7n, 0n, 0n])
    expect(await chain.getAccount(projectId)).toMatchObject({ reservedUnits: 0n, creditedUnits: 12n })

    await expect(chain.settle(receipt)).rejects.toThrow('AnchorNotOpen(0, 1, 1)')

    expect(await chain.getPending(1n)).toEqual({ units: 5n, amountWei: 5n * REWARD_PER_UNIT_WEI })
    const { claims } = await chain.claim([1n, 3n], stage.stranger, stage.as(3))
    expect(claims.map((claim) => claim.units)).toEqual([5n, 0n])
    const balance = await chain.getTokenBalance(stage.addresses.rewardToken, stage.stranger)
    expect(balance).toBe(5n * REWARD_PER_UNIT_WEI)
    await expect(chain.claim([1n], stage.alice, stage.as(3))).rejects.toThrow('NothingToClaim')
    await expect(chain.claim([2n], stage.alice, stage.as(3))).rejects.toThrow('NotDeviceOwner')
    expect((await chain.getCohort(projectId, 0)).claimedUnits).toEqual([5n, 0n, 0n, 0n])
  })

  it('adds to lanes and settles in order only', async () => {
    const { chain, projectId } = stage
    const first = await stage.anchorNext(1n)
    const second = await stage.anchorNext(2n)
    const receipt = await stage.receipt(first, [1n, 2n, 3n, 4n], 100n)
    await expect(chain.settle(await stage.receipt(second, [1n, 0n, 0n, 0n], 101n))).rejects.toThrow(
      `BatchNumberUnexpected(${second.number}, ${first.number})`,
    )
    await chain.settle(receipt, stage.as(5))
    await chain.settle(await stage.receipt(second, [0n, 0n, 0n, MAX_UNITS], 101n))
    const { creditedUnits, ledger } = await chain.getCohort(projectId, 0)
    expect(creditedUnits).toEqual([6n, 9n, 3n, 4n + MAX_UNITS])
    expect(ledger).toBe(101n)
  })

  it('pays devices of one project at a time', async () => {
    const { chain, keys } = stage
    const { projectId } = await chain.createProject(stage.terms)
    const admission = await stage.admission(stage.alice, 9, { projectId })
    const { deviceId } = await chain.registerDevice(admission, await chain.signAdmission(keys[2]!, admission))
    const mixed = chain.claim([3n, deviceId], stage.alice, stage.as(3))
    await expect(mixed).rejects.toThrow(`OtherProject(${deviceId}, ${projectId})`)
    await expect(chain.claim([], stage.alice, stage.as(3))).rejects.toThrow('NothingToClaim')
  })

  it('C-10 credits within the reservation even if a circuit were wrong', async () => {
    const anchored = await stage.anchorNext()
    const tooMuch = await stage.receipt(anchored, [0n, 0n, MAX_UNITS + 1n, 0n], 7n)
    await expect(stage.chain.settle(tooMuch)).rejects.toThrow('UnitsAboveMaximum(2, 1001, 1000)')
    await stage.chain.voidFrom(stage.projectId, 0, anchored.number)
  })
})

describe('a good receipt with one field altered', () => {
  let stage: Stage
  let good: SettledReceipt
  beforeAll(async () => {
    stage = await createStage({ devices: 2 })
    const anchored = await stage.anchorNext()
    good = await stage.receipt(anchored, [3n, 4n, 0n, 0n], 55n)
  })
  afterAll(() => stage?.close())

  const journal = (change: Partial<SettledReceipt['journal']>) => (receipt: SettledReceipt) => ({
    ...receipt,
    journal: { ...receipt.journal, ...change },
  })
  const flipped = (at: number) => (receipt: SettledReceipt) => {
    const digit = receipt.seal[at] === '0' ? '1' : '0'
    return { ...receipt, seal: `${receipt.seal.slice(0, at)}${digit}${receipt.seal.slice(at + 1)}` as const }
  }
  const cases: [string, (receipt: SettledReceipt) => object, RegExp][] = [
    ['projectId', (r) => ({ ...r, projectId: r.projectId + 1n }), /VersionUnknown/],
    ['cohort', (r) => ({ ...r, cohort: 1 }), /AnchorNotOpen/],
    ['number', (r) => ({ ...r, batchNumber: 1n }), /AnchorNotOpen\(1, 0, 1\)/],
    ['version', (r) => ({ ...r, version: 2 }), /VersionUnknown/],
    ['daPointer', (r) => ({ ...r, daPointer: integerToHex(9n, 32) }), /AnchorMismatch/],
    ['batchRoot', journal({ batchRoot: 1n }), /AnchorMismatch/],
    ['identityRoot', journal({ identityRoot: 1n }), /AnchorMismatch/],
    ['configHash', journal({ configHash: 1n }), /AnchorMismatch/],
    ['anchorTime', journal({ anchorTime: 1n }), /AnchorMismatch/],
    ['ledgerAfter', journal({ ledgerAfter: 56n }), /ProofInvalid/],
    ['ledgerAfter by the field order', journal({ ledgerAfter: 55n + FIELD_ORDER }), /SignalOutOfField\(2/],
    ['lanes', journal({ lanes: [4n + (4n << 64n)] }), /ProofInvalid/],
    ['lanes swapped between slots', journal({ lanes: [4n + (3n << 64n)] }), /ProofInvalid/],
    ['number of lanes', journal({ lanes: [3n, 0n] }), /LanesLength\(2, 1\)/],
    ['payee', (r) => ({ ...r, payee: stage.stranger }), /ProofInvalid/],
    ['selector of the seal', flipped(5), /SealOfOtherKey/],
    ['A of the seal', flipped(12), /ProofInvalid|CoordinateOutOfField/],
    ['B of the seal', flipped(10 + 128 + 60), /ProofInvalid/],
    ['C of the seal', flipped(10 + 384 + 127), /ProofInvalid/],
    ['length of the seal', (r) => ({ ...r, seal: `${r.seal}00` }), /SealLength\(261, 260\)/],
  ]
  it.each(cases)('is refused: %s', async (_, alter, refusal) => {
    await expect(stage.chain.settle(alter(good) as SettledReceipt)).rejects.toThrow(refusal)
  })

  it('and settles unaltered afterwards, by a stranger', async () => {
    await stage.chain.settle(good, stage.as(5))
    expect((await stage.chain.getCohort(stage.projectId, 0)).ledger).toBe(55n)
  })
})

describe('refusals of anchor, void, fund and withdraw', () => {
  let stage: Stage
  beforeAll(async () => (stage = await createStage({ devices: 1, fundUnits: 9n * MAX_UNITS })))
  afterAll(() => stage?.close())

  it('anchors only by the sequencer, under the active version, with a recent root and the expected number', async () => {
    const { chain, projectId, version } = stage
    const { identityRoot } = await chain.getCohort(projectId, 0)
    const good = { projectId, cohort: 0, expectedNumber: 0n, batchRoot: 1n, identityRoot, version }
    const request = { ...good, daPointer: integerToHex(1n, 32) }
    await expect(chain.anchor(request, stage.as(1))).rejects.toThrow('NotSequencer')
    await expect(chain.anchor({ ...request, projectId: 77n })).rejects.toThrow('NotSequencer')
    await expect(chain.anchor({ ...request, version: 0 })).rejects.toThrow('VersionNotActive')
    await expect(chain.anchor({ ...request, version: 2 })).rejects.toThrow('VersionNotActive')
    await expect(chain.anchor({ ...request, expectedNumber: 1n })).rejects.toThrow('BatchNumberUnexpected(1, 0)')
    await expect(chain.anchor({ ...request, identityRoot: identityRoot + 1n })).rejects.toThrow('IdentityRootNotRecent')
    await expect(chain.anchor({ ...request, identityRoot: 0n })).rejects.toThrow('IdentityRootNotRecent')
    await expect(chain.anchor({ ...request, cohort: 1 })).rejects.toThrow('IdentityRootNotRecent')
    await expect(chain.anchor({ ...request, batchRoot: 2n ** 255n })).rejects.toThrow('BatchRootOutOfField')
  })

  it('C-10 reserves for each anchor, refuses what the escrow does not cover, and lets only the rest be withdrawn', async () => {
    const { chain, projectId, owner } = stage
    await stage.anchorNext()
    await stage.anchorNext()
    await expect(stage.anchorNext()).rejects.toThrow('EscrowTooLow')
    const unit = MAX_UNITS * REWARD_PER_UNIT_WEI
    await expect(chain.withdraw(projectId, unit + 1n, owner, stage.as(1))).rejects.toThrow('EscrowTooLow')
    await expect(chain.withdraw(projectId, unit, owner)).rejects.toThrow('NotProjectOwner')
    await chain.withdraw(projectId, unit, owner, stage.as(1))
    expect(await chain.getAccount(projectId)).toMatchObject({ escrowWei: 8n * unit, reservedUnits: 8n * MAX_UNITS })
  })

  it('voids the tail, never reuses its numbers, releases its reservation and leaves the ledger', async () => {
    const { chain, projectId } = stage
    await expect(chain.voidFrom(projectId, 0, 0n, stage.as(5))).rejects.toThrow('AnchorNotStale')
    await expect(chain.voidFrom(projectId, 0, 1n, stage.as(5))).rejects.toThrow('NotSequencer')
    await expect(chain.voidFrom(projectId, 0, 2n)).rejects.toThrow('AnchorNotOpen')
    const before = await chain.findAnchor(projectId, 0, 1n)
    await chain.voidFrom(projectId, 0, 1n)
    expect(await chain.getAnchorHash(projectId, 0, 1n)).toBeUndefined()
    expect((await chain.getAccount(projectId)).reservedUnits).toBe(4n * MAX_UNITS)
    const next = await stage.anchorNext()
    expect(next.number).toBe(2n)

    const voided = await stage.receipt({ number: 1n, anchor: before!.anchor }, [1n, 0n, 0n, 0n], 5n)
    await expect(chain.settle(voided)).rejects.toThrow('AnchorMismatch')
    const first = (await chain.findAnchor(projectId, 0, 0n))!
    await chain.settle(await stage.receipt(first, [1n, 0n, 0n, 0n], 5n))
    expect((await chain.getCohort(projectId, 0)).nextToSettle).toBe(2n)
    await chain.settle(await stage.receipt(next, [1n, 0n, 0n, 0n], 6n))
    expect(await chain.getCohort(projectId, 0)).toMatchObject({ ledger: 6n, nextToSettle: 3n, openAnchors: 0 })
  })

  it('lets anybody void everything once the oldest anchor is stale', async () => {
    const { chain, projectId } = stage
    const anchored = await stage.anchorNext()
    await stage.advance(7 * 86_400 - 60)
    await expect(chain.voidFrom(projectId, 0, anchored.number, stage.as(5))).rejects.toThrow('AnchorNotStale')
    await stage.advance(120)
    await chain.voidFrom(projectId, 0, anchored.number, stage.as(5))
    const { nextToSettle, nextToAnchor } = await chain.getCohort(projectId, 0)
    expect([nextToSettle, nextToAnchor]).toEqual([4n, 4n])
    expect((await chain.getAccount(projectId)).reservedUnits).toBe(0n)
  })
})

describe('many anchors of one cohort', () => {
  let stage: Stage
  beforeAll(async () => (stage = await createStage({ devices: 1, fundUnits: 300n * MAX_UNITS })))
  afterAll(() => stage?.close())

  it('settles across several holes', async () => {
    const { chain, projectId } = stage
    const kept: Awaited<ReturnType<Stage['anchorNext']>>[] = []
    for (let round = 0; round < 3; round++) {
      kept.push(await stage.anchorNext(BigInt(round)))
      for (let i = 0; i < 2; i++) await stage.anchorNext()
      await chain.voidFrom(projectId, 0, kept[round]!.number + 2n)
      await chain.voidFrom(projectId, 0, kept[round]!.number + 1n)
    }
    expect(kept.map(({ number }) => number)).toEqual([0n, 3n, 6n])
    expect((await chain.getAccount(projectId)).reservedUnits).toBe(3n * 4n * MAX_UNITS)
    for (const anchored of kept) await chain.settle(await stage.receipt(anchored, [1n, 0n, 0n, 0n], 1n))
    const page = await chain.getCohort(projectId, 0)
    expect(page).toMatchObject({ nextToSettle: 9n, nextToAnchor: 9n, openAnchors: 0 })
    expect(page.creditedUnits[0]).toBe(3n)
    expect((await chain.getAccount(projectId)).reservedUnits).toBe(0n)
    await stage.anchorNext()
  })

  it('voids only with the true snapshots of all of them', async () => {
    const { projectId, chain } = stage
    await stage.anchorNext(0x5678n)
    const found = await chain.findAnchors(projectId, 0, [9n, 10n])
    const snapshots = found.map(({ anchor }) => ({ ...anchor, version: BigInt(anchor.version) }))
    const [first, second] = snapshots as [(typeof snapshots)[0], (typeof snapshots)[0]]
    const voidWith = (given: readonly (typeof first)[]) => {
      const args = [projectId, 0n, 9n, given] as const
      const data = encodeFunctionData({ abi: settlementAbi, functionName: 'voidFrom', args })
      const call = { account: stage.operator, to: stage.addresses.settlement, data }
      return onChain('void', () => stage.publicClient.call(call))
    }
    await expect(voidWith([first])).rejects.toThrow('SnapshotsMissing(1, 2)')
    await expect(voidWith([first, second, second])).rejects.toThrow('SnapshotsMissing(3, 2)')
    await expect(voidWith([second, first])).rejects.toThrow('AnchorMismatch(9')
    await expect(voidWith([{ ...first, version: 2n }, second])).rejects.toThrow('AnchorMismatch(9')
    await voidWith([first, second])
  })

  it('C-06 has no more than 32 unsettled numbers, holes included, and can always be voided', async () => {
    const { chain, projectId } = stage
    const page = await chain.getCohort(projectId, 0)
    const from = page.nextToSettle
    const batch = (expectedNumber: bigint) => ({
      projectId,
      cohort: 0,
      expectedNumber,
      batchRoot: expectedNumber,
      identityRoot: page.identityRoot,
      daPointer: integerToHex(expectedNumber, 32),
      version: stage.version,
    })
    const upTo = (end: bigint, start: bigint) =>
      Array.from({ length: Number(end - start) }, (_, i) => batch(start + BigInt(i)))
    await chain.anchorMany(upTo(from + 20n, page.nextToAnchor))
    await chain.voidFrom(projectId, 0, from + 1n)
    await chain.anchorMany(upTo(from + 32n, from + 20n))
    await expect(stage.anchorNext()).rejects.toThrow('TooManyUnsettledNumbers(32)')
    await expect(chain.anchorMany(upTo(from + 34n, from + 32n))).rejects.toThrow('TooManyUnsettledNumbers(32)')
    await stage.advance(7 * 86_400)
    const { gasUsed } = await chain.voidFrom(projectId, 0, from, stage.as(5))
    expect(gasUsed).toBeLessThan(1_000_000n)
    expect((await chain.getAccount(projectId)).reservedUnits).toBe(0n)
    expect((await stage.anchorNext()).number).toBe(from + 32n)
  })

  it('C-06 takes no receipt for a number whose place another anchor held before', async () => {
    const { chain, projectId } = stage
    const open = (await chain.findAnchor(projectId, 0, (await chain.getCohort(projectId, 0)).nextToSettle))!
    const receipt = await stage.receipt(open, [1n, 0n, 0n, 0n], 9n)
    await chain.settle(receipt)
    const later = await stage.receipt({ ...open, number: open.number + 32n }, [1n, 0n, 0n, 0n], 10n)
    await expect(chain.settle(later)).rejects.toThrow('AnchorNotOpen')
    await chain.voidFrom(projectId, 0, (await stage.anchorNext()).number)
    await expect(chain.settle(later)).rejects.toThrow('AnchorNotOpen')
  })

  it('tells of settled batches what was anchored, from the events', async () => {
    const { chain, projectId } = stage
    const first = (await chain.findAnchor(projectId, 0, 0n))!
    expect(await chain.getAnchorHash(projectId, 0, 0n)).toBe(anchorHash(first.anchor))
    expect(await chain.getAnchorHash(projectId, 0, 1n)).toBeUndefined()
  })
})

describe("the ring of a cohort's anchors", () => {
  let stage: Stage
  beforeAll(async () => (stage = await createStage({ devices: 1, fundUnits: 300n * MAX_UNITS })))
  afterAll(() => stage?.close())

  it('C-06 grows with what is open at once, and no number that is settled or void settles through a place used again', async () => {
    const { chain, projectId } = stage
    type Anchored = Awaited<ReturnType<Stage['anchorNext']>>
    const closed: { anchored: Anchored; receipt: SettledReceipt }[] = []
    const open: Anchored[] = []
    const gasByDepth = new Map<number, number[]>()
    let [salt, ledger] = [1n, 500n]
    const anchor = async () => {
      open.push(await stage.anchorNext(salt++))
      const costs = gasByDepth.get(open.length) ?? []
      gasByDepth.set(open.length, [...costs, Number(open.at(-1)!.gasUsed)])
    }
    const settle = async () => {
      const anchored = open.shift()!
      const receipt = await stage.receipt(anchored, [1n, 0n, 0n, 0n], ++ledger)
      await chain.settle(receipt)
      closed.push({ anchored, receipt })
    }
    const voidFrom = async (index: number) => {
      const voided = open.splice(index)
      for (const anchored of voided) {
        closed.push({ anchored, receipt: await stage.receipt(anchored, [1n, 0n, 0n, 0n], 7n) })
      }
      await chain.voidFrom(projectId, 0, voided[0]!.number)
    }
    const checkClosed = async () => {
      for (const { anchored, receipt } of closed) {
        await expect(chain.settle(receipt)).rejects.toThrow(/AnchorNotOpen|AnchorMismatch/)
        await expect(chain.getAnchorHash(projectId, 0, anchored.number)).resolves.toBe(
          await settledHash(stage, anchored),
        )
      }
      for (const { number, anchor: fields } of open) {
        expect(await chain.getAnchorHash(projectId, 0, number)).toBe(anchorHash(fields))
      }
    }
    // one at a time; three at a time, odd numbers first; a tail and a middle voided while the ring grows to eight
    for (let i = 0; i < 3; i++) await anchor().then(settle)
    for (let i = 0; i < 3; i++) await anchor()
    for (let i = 0; i < 4; i++) await settle().then(anchor)
    await voidFrom(1)
    for (let i = 0; i < 4; i++) await anchor()
    await checkClosed()
    await voidFrom(3)
    while (open.length > 0) await settle()
    await anchor().then(settle)
    await checkClosed()
    expect((await chain.getAccount(projectId)).reservedUnits).toBe(0n)
    // a place costs its storage once: the ring's first, and those of a ring of four, which three at a time use up to the second
    const [alone, three] = [gasByDepth.get(1)!.slice(1, 4), gasByDepth.get(3)!.slice(2, 5)]
    expect(Math.max(...alone, ...three)).toBeLessThanOrEqual(75_000)
  })
})

/** What the chain tells of a closed anchor: its hash if it settled, nothing if it is void. */
async function settledHash(stage: Stage, { number, anchor }: Awaited<ReturnType<Stage['anchorNext']>>) {
  const settled = await stage.chain.findSettlement(stage.projectId, 0, number)
  return settled && anchorHash(anchor)
}
