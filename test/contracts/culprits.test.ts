// What settleMany answers when something is wrong that is no false proof, and what the verifier and the registry do for want of gas.

import { createPublicClient, encodeAbiParameters, encodeFunctionData, http, keccak256 } from 'viem'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { appletRegistryAbi } from '../../contracts/abi.ts'
import { onChain } from '../../engine/chain/reverts.ts'
import { integerToHex, type Hex } from '../../engine/core/codec.ts'
import { FIELD_ORDER } from '../../engine/core/field.ts'
import { settleManyCall } from './attack-calls.ts'
import { journalProver } from './journal-prover.ts'
import { createStage, MAX_UNITS, type Stage } from './stage.ts'

const OWNER = 1

describe('a group of receipts', () => {
  let stage: Stage
  beforeAll(async () => (stage = await createStage({ devices: 1 })))
  afterAll(() => stage?.close())

  const anchorUnder = async (version: number) => {
    const { chain, projectId } = stage
    const { identityRoot, nextToAnchor: expectedNumber } = await chain.getCohort(projectId, 0)
    const batch = { projectId, cohort: 0, expectedNumber, batchRoot: 3n, identityRoot, version }
    const { anchor } = await chain.anchor({ ...batch, daPointer: integerToHex(7n, 32) })
    return { number: expectedNumber, anchor }
  }
  const publish = async (change: object = {}) => {
    const { chain, projectId } = stage
    const { version } = await chain.publishVersion(projectId, { ...stage.publication(), ...change }, stage.as(OWNER))
    await chain.activateVersion(projectId, version, stage.as(OWNER), 86_400)
    return version
  }

  it('is verified together over versions of one key, and by key otherwise', async () => {
    const { chain } = stage
    const other = await journalProver(4, 'another')
    const sameKey = await publish()
    const otherKey = await publish({ verifyingKey: other.verifyingKey })
    const anchored = [await anchorUnder(1), await anchorUnder(sameKey), await anchorUnder(otherKey)]
    const provers = [stage.prover, stage.prover, other]
    const receipts = []
    for (const [i, one] of anchored.entries()) {
      const before = i === 0 ? undefined : 50n + BigInt(i)
      const units = [1n, 0n, 0n, 0n]
      receipts.push(
        await stage.receiptOf(stage.projectId, provers[i]!, one, units, 51n + BigInt(i), stage.operator, before),
      )
    }
    const { settled } = await chain.settleMany(receipts)
    expect(settled).toHaveLength(3)
    expect((await chain.getCohort(stage.projectId, 0)).creditedUnits).toEqual([3n, 0n, 0n, 0n])
  })

  it('names the receipt whose journal is out of the field, and settles one that credits nothing', async () => {
    const { chain } = stage
    const version = await publish()
    const [first, second] = [await anchorUnder(version), await anchorUnder(version)]
    const good = await stage.receipt(first, [0n, 0n, 0n, 0n], 60n)
    const next = await stage.receipt(second, [1n, 0n, 0n, 0n], 61n, stage.operator, 60n)
    const outside = { ...next, journal: { ...next.journal, ledgerAfter: FIELD_ORDER } }
    await expect(chain.settleMany([good, outside])).rejects.toThrow('ReceiptRefused(1')
    const { settled } = await chain.settleMany([good, next])
    expect(settled).toHaveLength(2)
    const { to, data } = settleManyCall(stage, [good, next])
    const again = await stage.publicClient.call({ to, data })
    expect(BigInt(again.data!)).toBe(0n)
  })

  it('C-10 credits no lane beyond the maximum, nor one that is full', async () => {
    const { chain, projectId } = stage
    const version = await publish()
    const anchored = await anchorUnder(version)
    const tooMany = async (units: bigint) => chain.settle(await stage.receipt(anchored, [units, 0n, 0n, 0n], 70n))
    await expect(tooMany(MAX_UNITS + 1n)).rejects.toThrow(`UnitsAboveMaximum(0, ${MAX_UNITS + 1n}, ${MAX_UNITS})`)
    await expect(tooMany(2n ** 63n + 1n)).rejects.toThrow(`UnitsAboveMaximum(0, ${2n ** 63n + 1n}`)
    const before = (await chain.getCohort(projectId, 0)).creditedUnits
    await setLanes(2n ** 63n)
    await expect(tooMany(1n)).rejects.toThrow('LaneFull(0)')
    await setLanes(before[0]!)
    await tooMany(1n)
  })

  it('is refused, not settled, when the gas ends in the verifier', async () => {
    const version = await publish()
    const receipt = await stage.receipt(await anchorUnder(version), [1n, 0n, 0n, 0n], 71n)
    const { to, data } = settleManyCall(stage, [receipt])
    const call = { account: stage.operator, to, data }
    expect(await isRefusedForWantOfGas(stage, call, 'ReceiptRefused(0, 0x)')).toBe(true)
    await stage.chain.settleMany([receipt])
  })

  /** Writes the first word of lanes of cohort 0 into the node's storage: to fill a lane honestly takes 2^25 batches. */
  async function setLanes(word: bigint): Promise<void> {
    const { testClient, publicClient, addresses, projectId } = stage
    const inside = (key: bigint, slot: bigint) =>
      BigInt(keccak256(encodeAbiParameters([{ type: 'uint256' }, { type: 'uint256' }], [key, slot])))
    const address = addresses.settlement
    const { creditedUnits } = await stage.chain.getCohort(projectId, 0)
    for (let slot = 0n; slot < 20n; slot++) {
      const lanes = inside(0n, inside(0n, inside(projectId, slot)) + 3n)
      const index = integerToHex(lanes, 32)
      const stored = await publicClient.getStorageAt({ address, slot: index })
      if (BigInt(stored!) !== creditedUnits[0]! || creditedUnits[0] === 0n) continue
      return testClient.setStorageAt({ address, index, value: integerToHex(word, 32) })
    }
    throw new Error('found no storage slot of the lanes')
  }
})

describe('a registry of versions', () => {
  let stage: Stage
  beforeAll(async () => (stage = await createStage()))
  afterAll(() => stage?.close())

  it('refuses frames and genesis that no circuit has, and a sunset beyond a year', async () => {
    const { chain, projectId } = stage
    const publish = (change: object) =>
      chain.publishVersion(projectId, { ...stage.publication(), ...change }, stage.as(OWNER))
    await expect(publish({ frameSize: 65 })).rejects.toThrow('FrameSizeInvalid(65)')
    await expect(publish({ genesisSequencesHash: FIELD_ORDER })).rejects.toThrow('GenesisOutOfField')
    const yearSec = 365 * 86_400
    const activate = (sunsetSec: number) => chain.activateVersion(projectId, 1, stage.as(OWNER), sunsetSec)
    await expect(activate(yearSec + 1)).rejects.toThrow(`SunsetTooLong(${yearSec + 1}, ${yearSec})`)
    await activate(yearSec)
    expect((await chain.getProject(projectId)).activeVersion).toBe(1)
  })

  it('publishes no version whose key could not be stored for want of gas', async () => {
    const fresh = await journalProver(4, 'another')
    const publication = { ...stage.publication(), feeUnits: 0, resetsState: false, verifyingKey: fresh.verifyingKey }
    const args = [stage.projectId, { ...publication, maxUnitsPerFrame: Number(MAX_UNITS) }] as const
    const data = encodeFunctionData({ abi: appletRegistryAbi, functionName: 'publish', args })
    const call = { account: stage.owner, to: stage.addresses.applets, data }
    expect(await isRefusedForWantOfGas(stage, call, 'KeyNotStored')).toBe(true)
  })

  it('lets owner and guardian, nobody else, take back an activation', async () => {
    const { chain, terms, transact } = stage
    const { projectId } = await chain.createProject({ ...terms, delaySec: 100 })
    const { version } = await chain.publishVersion(projectId, stage.publication(), stage.as(OWNER))
    await chain.activateVersion(projectId, version, stage.as(OWNER))
    const changeId = keccak256(
      encodeAbiParameters(
        [{ type: 'string' }, { type: 'uint256' }, { type: 'uint256' }],
        ['activate', BigInt(version), 0n],
      ),
    )
    const cancel = (sender: number) => transact('applets', 'cancelChange', [projectId, changeId], sender)
    await expect(cancel(5)).rejects.toThrow('NotProjectGuardian')
    await cancel(OWNER)
    await expect(cancel(OWNER)).rejects.toThrow('ChangeNotScheduled')
    await stage.advance(100)
    const apply = transact('applets', 'applyActivation', [projectId, BigInt(version), 0n], 5)
    await expect(apply).rejects.toThrow('ChangeNotScheduled')
  })
})

/** Whether a call, with less and less gas, is refused with this error somewhere. */
async function isRefusedForWantOfGas(stage: Stage, call: { account: Hex; to: Hex; data: Hex }, error: string) {
  const client = createPublicClient({ transport: http(stage.anvil.rpcUrl, { retryCount: 0 }) })
  for (let gas = 1_200_000n; gas > 100_000n; gas -= gas / 32n) {
    const answer = onChain('call', () => client.call({ ...call, gas })).then(String, String)
    if ((await answer).includes(error)) return true
  }
  return false
}
