import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isAttestreamError } from '../../engine/core/errors.ts'
import { createStage, MAX_UNITS, REWARD_PER_UNIT_WEI, type Stage } from './stage.ts'

type Anchored = Awaited<ReturnType<Stage['anchorNext']>>

const STEP = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('anchor' as const), cohort: fc.nat(1) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('settle' as const),
      pick: fc.nat(20),
      units: fc.array(fc.bigInt(0n, MAX_UNITS + 60n), { minLength: 4, maxLength: 4 }),
      together: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('void' as const), pick: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('claim' as const), device: fc.bigInt(1n, 5n) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('withdraw' as const), wei: fc.bigInt(1n, 10n ** 16n) }) },
)
type Step = typeof STEP extends fc.Arbitrary<infer T> ? T : never

describe('whatever happens in whatever order', () => {
  let stage: Stage
  beforeAll(async () => (stage = await createStage({ devices: 5, fundUnits: 30n * MAX_UNITS })))
  afterAll(() => stage?.close())

  const anchored: Anchored[] = []
  const settledOnce = new Set<string>()
  /** Settled or void, by cohort and number. */
  const closed = new Set<string>()
  let claimedUnits = 0n
  let lanes: bigint[] = Array<bigint>(8).fill(0n)
  let ledger = 1000n

  const attempts: { [K in Step['kind']]: (step: Extract<Step, { kind: K }>) => Promise<unknown> } = {
    anchor: async ({ cohort }) => anchored.push(await stage.anchorNext(1n, cohort)),
    settle: async ({ pick, units, together }) => {
      const next = anchored.find(({ cohort, number }) => !closed.has(`${cohort}/${number}`))
      const chosen = pick % 4 === 0 || !next ? anchored[pick % anchored.length]! : next
      const receipt = await stage.receipt(chosen, units, ++ledger)
      if (together && (await stage.chain.settleMany([receipt, receipt])).settled.length === 0) return
      if (!together) await stage.chain.settle(receipt)
      const place = `${chosen.cohort}/${chosen.number}`
      expect(settledOnce.has(place)).toBe(false)
      settledOnce.add(place)
      closed.add(place)
    },
    void: async ({ pick }) => {
      const { cohort, number } = anchored[pick % anchored.length]!
      const { untilNumber } = await stage.chain.voidFrom(stage.projectId, cohort, number)
      for (let at = number; at < untilNumber; at++) closed.add(`${cohort}/${at}`)
    },
    claim: async ({ device }) => {
      const sender = stage.as(device % 2n === 1n ? 3 : 4)
      claimedUnits += (await stage.chain.claim([device], stage.stranger, sender)).claims[0]!.units
    },
    withdraw: ({ wei }) => stage.chain.withdraw(stage.projectId, wei, stage.owner, stage.as(1)),
  }

  it('C-10 credited and reserved never pass the escrow, lanes never fall, no batch settles twice, no claim passes its credit', async () => {
    const refusals = new Set<unknown>()
    const steps = fc.sample(fc.noBias(STEP), { seed: 4, numRuns: 90 })
    for (const step of [{ kind: 'anchor' as const, cohort: 0 }, ...steps]) {
      try {
        await (attempts[step.kind] as (step: Step) => Promise<unknown>)(step)
      } catch (error) {
        if (!isAttestreamError(error, 'CHAIN_REVERTED')) throw error
        refusals.add(error.details.error)
      }
      await check()
    }
    expect(settledOnce.size).toBeGreaterThan(3)
    expect(claimedUnits).toBeGreaterThan(0n)
    expect([...refusals]).toEqual(expect.arrayContaining(['UnitsAboveMaximum', 'AnchorNotOpen', 'EscrowTooLow']))
  })

  async function check(): Promise<void> {
    const { chain, projectId, addresses } = stage
    const [account, first, second, balance] = await Promise.all([
      chain.getAccount(projectId),
      chain.getCohort(projectId, 0),
      chain.getCohort(projectId, 1),
      chain.getTokenBalance(addresses.rewardToken, addresses.settlement),
    ])
    const credited = [...first.creditedUnits, ...second.creditedUnits]
    const claimed = [...first.claimedUnits, ...second.claimedUnits]
    credited.forEach((units, slot) => {
      expect(units).toBeGreaterThanOrEqual(lanes[slot]!)
      expect(units).toBeGreaterThanOrEqual(claimed[slot]!)
    })
    lanes = credited
    const total = (values: readonly bigint[]) => values.reduce((sum, value) => sum + value, 0n)
    expect(account.creditedUnits).toBe(total(credited))
    expect(total(claimed)).toBe(claimedUnits)
    expect(account.reservedUnits).toBe(BigInt(first.openAnchors + second.openAnchors) * 4n * MAX_UNITS)
    expect((account.creditedUnits + account.reservedUnits) * REWARD_PER_UNIT_WEI).toBeLessThanOrEqual(account.escrowWei)
    expect(balance).toBe(account.escrowWei - claimedUnits * REWARD_PER_UNIT_WEI)
  }
})
