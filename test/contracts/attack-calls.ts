// How an attacker speaks to the contracts: receipts and proofs as bare words, any calldata from any account, sent or only tried,
// and the chain set back afterwards.

import { setTimeout } from 'node:timers/promises'
import { bn254 } from '@noble/curves/bn254.js'
import { decodeFunctionData, encodeFunctionData } from 'viem'
import { settlementAbi } from '../../contracts/abi.ts'
import { onChain } from '../../engine/chain/reverts.ts'
import { settleCalldata, type SettledReceipt } from '../../engine/chain/writes.ts'
import { integerToHex, type Hex } from '../../engine/core/codec.ts'
import { isRefusal } from '../../engine/core/errors.ts'
import type { Stage } from './stage.ts'

/** Order of the field that the coordinates of a proof are in. */
export const Q = bn254.fields.Fp.ORDER
/** Order of the groups. */
export const GROUP_ORDER = bn254.fields.Fr.ORDER
export const WORD = 1n << 256n

const SELECTOR_DIGITS = 10
const WORD_DIGITS = 64

export interface Call {
  readonly to: Hex
  readonly data: Hex
  readonly from?: Hex
  readonly gas?: bigint
}

/** What became of a call: the returned bytes, or the name of the contract's error with its values. */
export type Outcome = { readonly accepted: Hex } | { readonly refused: string }

/** Tries a call on the chain as it is, without sending it. */
export async function tried(stage: Stage, { to, data, from, gas }: Call): Promise<Outcome> {
  try {
    const account = from ?? stage.stranger
    const call = { account, to, data, ...(gas === undefined ? {} : { gas }) }
    const result = await onChain('try it', () => stage.publicClient.call(call))
    return { accepted: result.data ?? '0x' }
  } catch (error) {
    if (!isRefusal(error)) throw error
    return { refused: `${String(error.details.error)}(${(error.details.args as unknown[]).map(String).join(', ')})` }
  }
}

/** Tries many calls in one request: what each returned, undefined if it was refused. */
export async function triedTogether(stage: Stage, calls: readonly Call[]): Promise<(Hex | undefined)[]> {
  const requests = calls.map(({ gas, ...call }, id) => {
    const params = [{ from: stage.stranger, ...call, ...(gas === undefined ? {} : { gas: integerHex(gas) }) }, 'latest']
    return { jsonrpc: '2.0', id, method: 'eth_call', params }
  })
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(stage.anvil.rpcUrl, { method: 'POST', headers, body: JSON.stringify(requests) })
  const answers = (await response.json()) as { id: number; result?: Hex; error?: { message: string } }[]
  const results = calls.map((): Hex | undefined => undefined)
  for (const { id, result, error } of answers) {
    if (error && !/revert|out of gas|OutOfGas/i.test(error.message)) throw new Error(error.message)
    results[id] = result
  }
  if (answers.length !== calls.length) throw new Error(`${answers.length} answers to ${calls.length} calls`)
  return results
}

/** Sends a call with gas enough, so that it is mined even if it reverts; returns the hash at once. */
export async function sendRaw(stage: Stage, { to, data, from, gas }: Call): Promise<Hex> {
  const params = [{ from: from ?? stage.stranger, to, data, gas: integerHex(gas ?? 5_000_000n) }]
  return (await stage.testClient.request({ method: 'eth_sendTransaction', params } as never)) as Hex
}

/** The receipt of a transaction, asked for until it is there: a block may be announced before its receipts. */
export async function mined({ publicClient }: Stage, hash: Hex) {
  for (let tries = 0; tries < 3000; tries++) {
    const receipt = await publicClient.getTransactionReceipt({ hash }).catch(() => undefined)
    if (receipt) return receipt
    await setTimeout(10)
  }
  throw new Error(`transaction ${hash} was not mined`)
}

/** Runs something and sets the chain back to where it was before. */
export async function rewound<T>({ testClient }: Stage, run: () => Promise<T>): Promise<T> {
  const id = await testClient.snapshot()
  try {
    return await run()
  } finally {
    await testClient.revert({ id })
  }
}

/** Mines what `send` hands over in one block, in the order given, and returns the statuses. */
export async function inOneBlock(stage: Stage, send: () => Promise<readonly Hex[]>): Promise<string[]> {
  const { testClient } = stage
  await testClient.setAutomine(false)
  const hashes = await send()
  await testClient.mine({ blocks: 1 })
  await testClient.setAutomine(true)
  const receipts = await Promise.all(hashes.map((hash) => mined(stage, hash)))
  if (new Set(receipts.map(({ blockNumber }) => blockNumber)).size !== 1) throw new Error('mined in several blocks')
  return receipts.map(({ status }) => status)
}

export function settleCall(stage: Stage, receipt: SettledReceipt): Call {
  return { to: stage.addresses.settlement, data: settleCalldata(receipt) }
}

export function settleManyCall(stage: Stage, receipts: readonly SettledReceipt[]): Call {
  const tuples = receipts.map((receipt) => receiptOf(settleCalldata(receipt)))
  const data = encodeFunctionData({ abi: settlementAbi, functionName: 'settleMany', args: [tuples] })
  return { to: stage.addresses.settlement, data }
}

function receiptOf(calldata: Hex) {
  const decoded = decodeFunctionData({ abi: settlementAbi, data: calldata })
  if (decoded.functionName !== 'settle') throw new Error(`not calldata of settle but of ${decoded.functionName}`)
  return decoded.args[0]
}

/** The 32-byte words of calldata after its selector; the last is padded. */
export function wordsOf(calldata: Hex): bigint[] {
  const digits = calldata.slice(SELECTOR_DIGITS)
  const count = Math.ceil(digits.length / WORD_DIGITS)
  return Array.from({ length: count }, (_, i) =>
    BigInt(`0x${digits.slice(WORD_DIGITS * i, WORD_DIGITS * (i + 1)).padEnd(WORD_DIGITS, '0')}`),
  )
}

export function withWords(calldata: Hex, words: readonly bigint[]): Hex {
  return `${calldata.slice(0, SELECTOR_DIGITS)}${joined(words).slice(2)}` as Hex
}

/** A.x A.y B.x1 B.x0 B.y1 B.y0 C.x C.y of a seal. */
export function proofWords(seal: Hex): bigint[] {
  return wordsOf(seal).slice(0, 8)
}

/** A seal with its selector kept and another proof. */
export function withProof(seal: Hex, words: readonly bigint[]): Hex {
  return withWords(seal, words)
}

export function joined(words: readonly bigint[]): Hex {
  return `0x${words.map((word) => integerToHex(word, 32).slice(2)).join('')}`
}

function integerHex(value: bigint): Hex {
  return `0x${value.toString(16)}`
}

type G1Point = InstanceType<typeof bn254.G1.Point>
type G2Point = InstanceType<typeof bn254.G2.Point>

export interface ProofPoints {
  readonly a: G1Point
  readonly b: G2Point
  readonly c: G1Point
}

export function proofPoints(words: readonly bigint[]): ProofPoints {
  const [ax, ay, bx1, bx0, by1, by0, cx, cy] = words as [bigint, ...bigint[]] & Record<number, bigint>
  const { Fp2 } = bn254.fields
  return {
    a: bn254.G1.Point.fromAffine({ x: ax, y: ay! }),
    b: bn254.G2.Point.fromAffine({ x: Fp2.create({ c0: bx0!, c1: bx1! }), y: Fp2.create({ c0: by0!, c1: by1! }) }),
    c: bn254.G1.Point.fromAffine({ x: cx!, y: cy! }),
  }
}

export function pointWords({ a, b, c }: ProofPoints): bigint[] {
  const [p, q, s] = [a.toAffine(), b.toAffine(), c.toAffine()]
  return [p.x, p.y, q.x.c1, q.x.c0, q.y.c1, q.y.c0, s.x, s.y]
}
