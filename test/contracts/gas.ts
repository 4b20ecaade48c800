// Gas of whole transactions in the states they usually meet, measured on a real EVM now. Nothing that would make two runs differ
// is left to chance: accounts, keys and block times are fixed, and seals and signatures are made until none has a zero byte,
// which in calldata would be cheaper than others: contracts' addresses are signed, and change with their code.

import { encodeAbiParameters, keccak256, padHex, toHex } from 'viem'
import { deviceRegistryAbi } from '../../contracts/abi.ts'
import { hexToBytes, integerToHex, type Hex } from '../../engine/core/codec.ts'
import type { SettledReceipt } from '../../engine/chain/writes.ts'
import { createStage, GENESIS_TIME_SEC, MAX_UNITS, type Stage } from './stage.ts'

export type GasFigures = Record<`gas.${string}`, number>

const GROUP = 16

/**
 * settle: all lanes credited, all written before; settleMany: each of 16 such, one of each of 16 cohorts. anchor, anchorMany: the
 * same for anchors, with no more of a cohort open at once than before; anchor.early: a cohort's second. register: a device of a
 * cohort of 16 for an owner's first token, no metadata; the cohort's second, its first (which writes the tree's root and inner
 * nodes), and the mean of all 16. claim: the second of its slots, by an owner who has not delegated votes, to himself. At D=16
 * unless named.
 */
export async function measureGas(): Promise<GasFigures> {
  const d4 = await onStage(4, async (stage) => {
    await register(stage, 1, stage.alice)
    await settleAlone(stage, 1)
    return settleAlone(stage, 2)
  })
  const d16 = await onStage(16, async (stage) => ({ ...(await ownerFigures(stage)), ...(await groupFigures(stage)) }))
  const d64 = await onStage(64, async (stage) => groupFigures(stage))
  return {
    'gas.settle.D4': d4.settle,
    'gas.settle.D16': d16.settle,
    'gas.settle.D64': d64.settle,
    'gas.settleMany16.D16': d16.settleMany,
    'gas.settleMany16.D64': d64.settleMany,
    'gas.anchor': d16.anchor,
    'gas.anchor.early': d16.anchorEarly,
    'gas.anchorMany16': d16.anchorMany,
    'gas.register': d16.register,
    'gas.register.first': d16.registerFirst,
    'gas.register.mean': d16.registerMean,
    'gas.claim.slots1': d16.claim1,
    'gas.claim.slots16': d16.claim16,
  }
}

export async function onStage<T>(cohortSize: number, measure: (stage: Stage) => Promise<T>): Promise<T> {
  const stage = await createStage({ cohortSize, fundUnits: 1000n * BigInt(cohortSize) * MAX_UNITS })
  try {
    return await measure(stage)
  } finally {
    await stage.close()
  }
}

/** Cohort 0: sixteen devices of alice's; cohort 1: sixteen of sixteen owners. Leaves two batches of cohort 0 settled. */
async function ownerFigures(stage: Stage) {
  for (let seed = 1; seed <= GROUP; seed++) await register(stage, seed, stage.alice)
  const costs: number[] = []
  for (let seed = GROUP + 1; seed <= 2 * GROUP; seed++) {
    costs.push(await register(stage, seed, padHex(toHex(seed + 0x1000), { size: 20, dir: 'right' })))
  }
  const all = Array.from({ length: GROUP }, (_, i) => BigInt(i + 1))
  const claim = async (ids: readonly bigint[]) =>
    Number((await stage.chain.claim(ids, stage.alice, stage.as(3))).gasUsed)
  await settleAlone(stage, 1)
  await claim(all)
  const early = await settleAlone(stage, 2)
  const claim1 = await claim([1n])
  await settleAlone(stage, 3)
  const claim16 = await claim(all)
  const registerMean = Math.ceil(costs.reduce((sum, cost) => sum + cost, 0) / costs.length)
  return { register: costs[1]!, registerFirst: costs[0]!, registerMean, claim1, claim16, anchorEarly: early.anchor }
}

/** One device in each of sixteen cohorts; one batch of each settled before. */
export async function groupFigures(stage: Stage) {
  const cohorts = Array.from({ length: GROUP }, (_, i) => i)
  const first = Number(await deviceCount(stage))
  for (const cohort of cohorts.slice(first / stage.cohortSize)) {
    await setDeviceCount(stage, BigInt(cohort * stage.cohortSize))
    await register(stage, 100 + cohort, stage.bob)
  }
  const written = await anchorAll(stage, cohorts, 50)
  await stage.chain.settleMany(await receipts(stage, written.anchored))
  const measured = await anchorAll(stage, cohorts, 51)
  const settled = await stage.chain.settleMany(await receipts(stage, measured.anchored))
  const { anchor, settle } = await settleAlone(stage, 52)
  return { anchor, settle, anchorMany: each(measured.gasUsed), settleMany: each(settled.gasUsed) }
}

function each(gasUsed: bigint): number {
  return Math.ceil(Number(gasUsed) / GROUP)
}

async function anchorAll(stage: Stage, cohorts: readonly number[], salt: number) {
  await at(stage, salt)
  const pages = await Promise.all(cohorts.map((cohort) => stage.chain.getCohort(stage.projectId, cohort)))
  const requests = cohorts.map((cohort, i) => ({
    projectId: stage.projectId,
    cohort,
    expectedNumber: pages[i]!.nextToAnchor,
    batchRoot: fullWord(salt),
    identityRoot: pages[i]!.identityRoot,
    daPointer: integerToHex(fullWord(salt) << 4n, 32),
    version: stage.version,
  }))
  const { anchors, gasUsed } = await stage.chain.anchorMany(requests)
  const anchored = requests.map(({ cohort, expectedNumber: number }, i) => ({ cohort, number, anchor: anchors[i]! }))
  return { anchored, gasUsed }
}

async function receipts(stage: Stage, anchored: readonly Parameters<Stage['receipt']>[0][]): Promise<SettledReceipt[]> {
  const proven: SettledReceipt[] = []
  for (const one of anchored) proven.push(await fullReceipt(stage, one, 7))
  return proven
}

async function settleAlone(stage: Stage, salt: number): Promise<{ anchor: number; settle: number }> {
  await at(stage, salt)
  const anchored = await stage.anchorNext(fullWord(salt))
  const settled = await stage.chain.settle(await fullReceipt(stage, anchored, salt))
  return { anchor: Number(anchored.gasUsed), settle: Number(settled.gasUsed) }
}

async function fullReceipt(stage: Stage, anchored: Parameters<Stage['receipt']>[0], salt: number) {
  const units = Array.from({ length: stage.cohortSize }, (_, slot) => MAX_UNITS - BigInt(slot))
  let receipt: SettledReceipt
  do receipt = await stage.receipt(anchored, units, fullWord(salt + 1))
  while (hasZeroByte(receipt.seal, 4))
  return receipt
}

function hasZeroByte(bytes: Hex, from = 0): boolean {
  return hexToBytes(bytes).subarray(from).includes(0)
}

async function register(stage: Stage, seed: number, owner: Hex): Promise<number> {
  for (let deadline = BigInt(GENESIS_TIME_SEC + 0x111111); ; deadline++) {
    const admission = await stage.admission(owner, seed, { deadline })
    const signature = await stage.chain.signAdmission(stage.keys[2]!, admission)
    if (hasZeroByte(signature) || hasZeroByte(integerToHex(deadline, 4))) continue
    return Number((await stage.chain.registerDevice(admission, signature)).gasUsed)
  }
}

async function at(stage: Stage, salt: number): Promise<void> {
  await stage.testClient.setNextBlockTimestamp({ timestamp: BigInt(GENESIS_TIME_SEC + 1_000 * salt) })
}

async function deviceCount({ publicClient, addresses, projectId }: Stage): Promise<bigint> {
  const functionName = 'projectDeviceCount'
  return publicClient.readContract({
    address: addresses.devices,
    abi: deviceRegistryAbi,
    functionName,
    args: [projectId],
  })
}

/** Skips the slots up to a device's number in the node's storage: to fill sixteen cohorts would take a thousand registrations. */
export async function setDeviceCount(stage: Stage, count: bigint): Promise<void> {
  const { testClient, addresses, projectId } = stage
  for (let slot = 0n; slot < 30n; slot++) {
    const index = keccak256(encodeAbiParameters([{ type: 'uint256' }, { type: 'uint256' }], [projectId, slot]))
    const before = (await stage.publicClient.getStorageAt({ address: addresses.devices, slot: index }))!
    await testClient.setStorageAt({ address: addresses.devices, index, value: integerToHex(count, 32) })
    if ((await deviceCount(stage)) === count && (count !== 0n || BigInt(before) !== 0n)) return
    await testClient.setStorageAt({ address: addresses.devices, index, value: before })
  }
  if ((await deviceCount(stage)) !== count) throw new Error('found no storage slot of projectDeviceCount')
}

/** A field element without a zero byte. */
function fullWord(salt: number): bigint {
  return BigInt(`0x0${'1'.repeat(59)}${(0x1111 + (salt % 16)).toString(16)}`)
}
