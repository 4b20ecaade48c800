// Gas of whole transactions in the states they usually meet, measured on a real EVM now. Nothing that would make two runs differ
// is left to chance: accounts, keys, block times and signatures are fixed, and seals are proven until none has a zero byte, which
// in calldata would be cheaper than others.

import { hexToBytes } from '../../engine/core/codec.ts'
import type { SettledReceipt } from '../../engine/chain/writes.ts'
import { createStage, GENESIS_TIME_SEC, MAX_UNITS, type Stage } from './stage.ts'

export type GasFigures = Record<
  'gas.settle.D4' | 'gas.settle.D16' | 'gas.anchor' | 'gas.register' | 'gas.claim.slots1',
  number
>

/**
 * settle: all lanes credited, all written before. anchor: not the cohort's first. register: second device of a cohort of 16, for
 * an owner's first token, no metadata. claim: first of its lane word, to an account without tokens. At D=16 unless named.
 */
export async function measureGas(): Promise<GasFigures> {
  const d4 = await measureStage(4)
  const d16 = await measureStage(16)
  return {
    'gas.settle.D4': d4.settle,
    'gas.settle.D16': d16.settle,
    'gas.anchor': d16.anchor,
    'gas.register': d16.register,
    'gas.claim.slots1': d16.claim,
  }
}

async function measureStage(cohortSize: number) {
  const stage = await createStage({ cohortSize })
  const deadline = BigInt(GENESIS_TIME_SEC + 1_000_000)
  try {
    await stage.register(stage.alice, 1, { deadline })
    const register = await stage.register(stage.bob, 2, { deadline })
    await settleAt(stage, 1_000)
    const { anchor, settle } = await settleAt(stage, 2_000)
    const claim = await stage.chain.claim([1n], stage.stranger, stage.as(3))
    return { register: Number(register.gasUsed), claim: Number(claim.gasUsed), anchor, settle }
  } finally {
    await stage.close()
  }
}

async function settleAt(stage: Stage, afterSec: number): Promise<{ anchor: number; settle: number }> {
  await stage.testClient.setNextBlockTimestamp({ timestamp: BigInt(GENESIS_TIME_SEC + afterSec) })
  const anchored = await stage.anchorNext(fullWord(afterSec))
  const units = Array.from({ length: stage.cohortSize }, (_, slot) => MAX_UNITS - BigInt(slot))
  let receipt: SettledReceipt
  do receipt = await stage.receipt(anchored, units, fullWord(afterSec + 1))
  while (hexToBytes(receipt.seal).subarray(4).includes(0))
  const settled = await stage.chain.settle(receipt)
  return { anchor: Number(anchored.gasUsed), settle: Number(settled.gasUsed) }
}

/** A field element without a zero byte. */
function fullWord(salt: number): bigint {
  return BigInt(`0x0${'1'.repeat(59)}${(0x1111 + (salt % 16)).toString(16)}`)
}
