// Random sequences of everything that devices, projects and operators do, against a model of what the contracts should hold.
// INVARIANT_STEPS (default 100) and INVARIANT_SEED make a longer or another run.

import fc from 'fast-check'
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { claimTypedData } from './claim-order.ts'
import { isRefusal } from '../../engine/core/errors.ts'
import { integerToHex } from '../../engine/core/codec.ts'
import type { AnchorFields } from '../../engine/core/journal.ts'
import { poseidon } from '../../engine/core/poseidon.ts'
import { pageAfter, SettlementModel, SLOTS, type ModelAnchor } from './settlement-model.ts'
import { createStage, MAX_UNITS, REWARD_PER_UNIT_WEI, type Stage } from './stage.ts'

/** Of a run in which each kind of step is taken once at least. */
const DEFAULT_SEED = 27
const STEPS = Number(process.env.INVARIANT_STEPS ?? 100)
const SEED = Number(process.env.INVARIANT_SEED ?? DEFAULT_SEED)
const DAY_SEC = 86_400
/** Of a budget: longer than any run, so that no step falls into another window. */
const WINDOW_SEC = 4_000_000_000
const [SEQUENCER, OWNER, STRANGER] = [0, 1, 5]
/** Who may own devices. */
const PEOPLE = [3, 4]

function step<K extends string, T extends object>(kind: K, fields: { [P in keyof T]: fc.Arbitrary<T[P]> }) {
  return fc.record(fields).map((values) => ({ ...(values as T), kind }))
}
const pick = fc.nat(999)
const person = fc.constantFrom(...PEOPLE)
const units = fc.array(fc.oneof(fc.bigInt(0n, MAX_UNITS), fc.constant(MAX_UNITS)), {
  minLength: SLOTS,
  maxLength: SLOTS,
})
const STEP = fc.oneof(
  { weight: 1, arbitrary: step('register', { person }) },
  { weight: 1, arbitrary: step('transfer', { pick, person, to: person }) },
  { weight: 1, arbitrary: step('rotate', { pick, person }) },
  { weight: 1, arbitrary: step('revoke', { pick }) },
  { weight: 1, arbitrary: step('day', {}) },
  { weight: 4, arbitrary: step('anchor', { cohorts: fc.array(pick, { minLength: 1, maxLength: 3 }) }) },
  { weight: 4, arbitrary: step('settle', { pick, isNext: fc.boolean(), isTooMuch: fc.nat(5), units }) },
  {
    weight: 3,
    arbitrary: step('settleMany', { cohorts: fc.array(pick, { minLength: 1, maxLength: 3 }), pick, units }),
  },
  { weight: 2, arbitrary: step('void', { pick }) },
  { weight: 2, arbitrary: step('claim', { picks: fc.array(pick, { minLength: 1, maxLength: 3 }), person }) },
  { weight: 2, arbitrary: step('claimFor', { picks: fc.array(pick, { minLength: 1, maxLength: 1 }), person }) },
  { weight: 1, arbitrary: step('fund', { units: fc.bigInt(1n, 20n * MAX_UNITS) }) },
  { weight: 1, arbitrary: step('withdraw', { units: fc.bigInt(1n, 40n * MAX_UNITS) }) },
  { weight: 1, arbitrary: step('budget', { limit: fc.bigInt(-40n * MAX_UNITS, 60n * MAX_UNITS) }) },
  { weight: 1, arbitrary: step('publish', { resetsState: fc.boolean() }) },
  { weight: 1, arbitrary: step('upgrade', { pick }) },
  { weight: 1, arbitrary: step('stop', { isReal: fc.nat(2) }) },
)
type Step = typeof STEP extends fc.Arbitrary<infer T> ? T : never
type Attempts = { [K in Step['kind']]: (step: Extract<Step, { kind: K }>) => Attempt }
/** What the model says, and the call itself. */
type Attempt = [isTaken: boolean, send: () => Promise<unknown>]

describe('whatever happens in whatever order', () => {
  let stage: Stage
  let model: SettlementModel
  const fields = new Map<ModelAnchor, AnchorFields>()
  const nonces = PEOPLE.map(() => 0n)
  const balances = new Map<number, bigint>()
  let keySeed = 0
  let lastLanes: readonly bigint[] = []
  beforeAll(async () => {
    stage = await createStage({ fundUnits: 60n * MAX_UNITS })
    model = new SettlementModel(60n * MAX_UNITS)
  })
  afterAll(() => stage?.close())

  const chosen = <T>(from: readonly T[], at: number): T => from[at % from.length]!
  const receiptOf = (anchor: ModelAnchor, credited: readonly bigint[], ledgerBefore = model.ledger(anchor.cohort)) => {
    const { sequencesHash, statesHash } = pageAfter(anchor)
    const anchored = { number: anchor.number, cohort: anchor.cohort, anchor: fields.get(anchor)! }
    return stage.receipt(anchored, credited, poseidon([sequencesHash, statesHash]), stage.operator, ledgerBefore)
  }

  const attempts: Attempts = {
    register: ({ person }) => {
      model.register(person)
      return [true, () => stage.register(stage.people[person]!, ++keySeed)]
    },
    transfer: ({ pick, person, to }) => {
      const device = chosen(model.devices, pick)
      const [from, target] = [stage.people[person]!, stage.people[to]!]
      const isTaken = model.transfer(device, person, to)
      return [isTaken, () => stage.chain.transferDevice(idOf(device), from, target, stage.as(person))]
    },
    rotate: ({ pick, person }) => {
      const device = chosen(model.devices, pick)
      return [model.rotate(device, person), () => stage.rotate(idOf(device), ++keySeed, person)]
    },
    revoke: ({ pick }) => {
      const device = chosen(model.devices, pick)
      return [model.revoke(device), () => stage.chain.revokeDevice(idOf(device), stage.as(OWNER))]
    },
    day: () => {
      model.day++
      return [true, () => stage.advance(DAY_SEC)]
    },
    anchor: ({ cohorts: picks }) => {
      const cohorts = picks.map((at) => at % model.cohorts.length)
      const requests = cohorts.map((cohort, i) => {
        const before = cohorts.slice(0, i).filter((other) => other === cohort).length
        return { cohort, number: model.cohorts[cohort]!.nextToAnchor + BigInt(before) }
      })
      const version = model.versions.length
      return [model.anchor(cohorts), () => sendAnchors(requests, version)]
    },
    settle: ({ pick, isNext, isTooMuch, units: credited }) => {
      const next = model.cohorts.flatMap((_, cohort) => model.open(cohort).slice(0, 1))
      const anchor = chosen(isNext && next.length > 0 ? next : model.anchors, pick)
      const claimed = isTooMuch === 0 ? [MAX_UNITS + 1n, ...credited.slice(1)] : credited
      const receipt = receiptOf(anchor, claimed)
      const isTaken = model.settle([{ anchor, units: claimed }], false)
      return [isTaken, async () => stage.chain.settle(await receipt, stage.as(STRANGER))]
    },
    settleMany: ({ cohorts: picks, pick, units: credited }) => {
      const cohorts = [...new Set(picks.map((at) => at % model.cohorts.length))]
      const queued = cohorts.flatMap((cohort) => model.open(cohort).slice(0, 2))
      const settled = model.anchors.filter(({ state }) => state === 'settled')
      const group = pick % 3 === 0 && settled.length > 0 ? [chosen(settled, pick), ...queued] : queued
      const ledgers = new Map<number, bigint>()
      const receipts = group.map((anchor) => {
        const proven = receiptOf(anchor, credited, ledgers.get(anchor.cohort))
        const { sequencesHash, statesHash } = pageAfter(anchor)
        if (anchor.state === 'open') ledgers.set(anchor.cohort, poseidon([sequencesHash, statesHash]))
        return proven
      })
      const isTaken = model.settle(
        group.map((anchor) => ({ anchor, units: credited })),
        true,
      )
      return [isTaken, async () => stage.chain.settleMany(await Promise.all(receipts))]
    },
    void: ({ pick }) => {
      const { cohort, number } = chosen(model.anchors, pick)
      return [model.void(cohort, number), () => stage.chain.voidFrom(stage.projectId, cohort, number)]
    },
    claim: ({ picks, person }) => {
      const devices = picks.map((at) => chosen(model.devices, at))
      const paid = pay(person, model.claim(devices, person))
      return [paid, () => stage.chain.claim(devices.map(idOf), stage.people[person]!, stage.as(person))]
    },
    claimFor: ({ picks, person }) => {
      const devices = picks.map((at) => chosen(model.devices, at))
      const nonce = nonces[PEOPLE.indexOf(person)]!
      const paid = pay(person, model.claim(devices, person))
      if (paid) nonces[PEOPLE.indexOf(person)]!++
      return [paid, () => sendOrder(devices.map(idOf), person, nonce)]
    },
    fund: ({ units: amount }) => {
      model.escrow += amount
      return [true, () => stage.chain.fund(stage.projectId, amount * REWARD_PER_UNIT_WEI, stage.as(OWNER))]
    },
    withdraw: ({ units: amount }) => {
      const wei = amount * REWARD_PER_UNIT_WEI
      return [
        model.withdraw(amount),
        () => stage.chain.withdraw(stage.projectId, wei, stage.people[6]!, stage.as(OWNER)),
      ]
    },
    budget: ({ limit }) => {
      const isLimited = limit >= 0n
      model.limitUnits = isLimited ? limit : undefined
      const args = [stage.projectId, isLimited ? limit : 0n, isLimited ? WINDOW_SEC : 0]
      return [true, () => stage.transact('settlement', 'setBudget', args, OWNER)]
    },
    publish: ({ resetsState }) => {
      model.publish(resetsState)
      return [true, () => publish(resetsState)]
    },
    upgrade: ({ pick }) => {
      const cohort = pick % model.cohorts.length
      const { sequencesHash, statesHash } = model.cohorts[cohort]!.page ?? { sequencesHash: 0n, statesHash: 0n }
      const args = [stage.projectId, BigInt(cohort), BigInt(model.versions.length), sequencesHash, statesHash]
      return [model.upgrade(cohort), () => stage.transact('settlement', 'upgradeCohort', args, SEQUENCER)]
    },
    stop: ({ isReal }) => {
      const version = model.versions.length
      if (isReal === 0) model.versions[version - 1]!.stopped = true
      const args = [stage.projectId, BigInt(version)]
      return [isReal === 0, () => stage.transact('applets', 'stopVersion', args, isReal === 0 ? OWNER : STRANGER)]
    },
  }

  it('C-06 C-10 credits what is reserved, once, and pays what is credited, once; no lane falls, no number comes again', async () => {
    const counts = new Map<string, { taken: number; refused: number }>()
    const steps = fc.sample(fc.noBias(STEP), { seed: SEED, numRuns: STEPS })
    const first = PEOPLE.concat(PEOPLE, PEOPLE).map((person) => ({ kind: 'register' as const, person }))
    for (const [i, step] of [...first, { kind: 'anchor' as const, cohorts: [0, 1] }, ...steps].entries()) {
      const [isTaken, send] = (attempts[step.kind] as (step: Step) => Attempt)(step)
      expect(await outcome(send), `step ${i}: ${JSON.stringify(step, bigintText)}`).toBe(isTaken)
      const count = counts.get(step.kind) ?? { taken: 0, refused: 0 }
      counts.set(step.kind, { ...count, [isTaken ? 'taken' : 'refused']: count[isTaken ? 'taken' : 'refused'] + 1 })
      await check(`after step ${i}, ${step.kind}`)
    }
    if (SEED !== DEFAULT_SEED) return
    expect([...counts].filter(([, { taken }]) => taken === 0)).toEqual([])
    expect(model.paid).toBeGreaterThan(0n)
  })

  async function check(when: string): Promise<void> {
    const { chain, projectId, addresses } = stage
    const [account, pages, balance, ...paid] = await Promise.all([
      chain.getAccount(projectId),
      Promise.all(model.cohorts.map((_, cohort) => chain.getCohort(projectId, cohort))),
      chain.getTokenBalance(addresses.rewardToken, addresses.settlement),
      ...PEOPLE.map((person) => chain.getTokenBalance(addresses.rewardToken, stage.people[person]!)),
    ])
    const lanes = pages.flatMap(({ creditedUnits }) => [...creditedUnits])
    lanes.forEach((value, slot) => expect(value, when).toBeGreaterThanOrEqual(lastLanes[slot] ?? 0n))
    lastLanes = lanes
    for (const [cohort, page] of pages.entries()) {
      const { credited, claimed, nextToAnchor } = model.cohorts[cohort]!
      const rest = { openAnchors: model.open(cohort).length, nextToAnchor, ledger: model.ledger(cohort) }
      expect(page, when).toMatchObject({ creditedUnits: credited, claimedUnits: claimed, ...rest })
    }
    const { escrow, reserved, credited } = model
    const escrowWei = escrow * REWARD_PER_UNIT_WEI
    expect(account, when).toEqual({ escrowWei, reservedUnits: reserved, creditedUnits: credited })
    expect(account.creditedUnits + account.reservedUnits, when).toBeLessThanOrEqual(escrow)
    expect(balance, when).toBe((escrow - model.paid) * REWARD_PER_UNIT_WEI)
    expect(paid, when).toEqual(PEOPLE.map((person) => (balances.get(person) ?? 0n) * REWARD_PER_UNIT_WEI))
    expect(model.paid, when).toBeLessThanOrEqual(lanes.reduce((sum, value) => sum + value, 0n))
  }

  function pay(person: number, paid: bigint | undefined): boolean {
    balances.set(person, (balances.get(person) ?? 0n) + (paid ?? 0n))
    return paid !== undefined
  }

  function idOf(device: SettlementModel['devices'][number]): bigint {
    return BigInt(model.devices.indexOf(device) + 1)
  }

  async function sendAnchors(places: readonly { cohort: number; number: bigint }[], version: number): Promise<void> {
    const { chain, projectId } = stage
    const requests = []
    for (const { cohort, number: expectedNumber } of places) {
      const { identityRoot } = await chain.getCohort(projectId, cohort)
      const batch = { projectId, cohort, expectedNumber, batchRoot: expectedNumber, identityRoot, version }
      requests.push({ ...batch, daPointer: integerToHex(expectedNumber, 32) })
    }
    const { anchors } =
      requests.length > 1 ? await chain.anchorMany(requests) : { anchors: [(await chain.anchor(requests[0]!)).anchor] }
    model.anchors.slice(-anchors.length).forEach((anchor, i) => fields.set(anchor, anchors[i]!))
  }

  async function sendOrder(deviceIds: bigint[], person: number, nonce: bigint): Promise<bigint> {
    const [owner, { timestamp }] = [stage.people[person]!, await stage.publicClient.getBlock()]
    const order = { owner, to: owner, deviceIds, nonce, deadline: timestamp + 3600n }
    const signature = await privateKeyToAccount(stage.keys[person]!).signTypedData(claimTypedData(stage, order))
    return stage.transact('settlement', 'claimFor', [order, signature], STRANGER)
  }

  async function publish(resetsState: boolean): Promise<void> {
    const { chain, projectId } = stage
    const { version } = await chain.publishVersion(projectId, { ...stage.publication(), resetsState }, stage.as(OWNER))
    await chain.activateVersion(projectId, version, stage.as(OWNER))
  }
})

/** Whether a call is taken; any failure but a refusal by a contract is thrown on. */
async function outcome(send: () => Promise<unknown>): Promise<boolean> {
  try {
    await send()
    return true
  } catch (error) {
    if (!isRefusal(error)) throw error
    return false
  }
}

function bigintText(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}
