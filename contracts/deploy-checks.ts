// What a chain must be able to do before anything is sent to it, and the factory through which everything is created.

import { BaseError, concatHex, HttpRequestError, keccak256 } from 'viem'
import type { Hex, PublicClient } from 'viem'
import { AttestreamError } from '../engine/core/errors.ts'
import { chainError, onChain } from '../engine/chain/reverts.ts'

/** The deterministic deployment proxy (https://github.com/Arachnid/deterministic-deployment-proxy): 32 bytes of salt, then init code. */
export const CANONICAL_FACTORY: Hex = '0x4e59b44847b379578588920cA78FbF26c0B4956C'
const FACTORY_CODE: Hex = '0x7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3' // prettier-ignore
/** Returns FACTORY_CODE. */
export const FACTORY_INIT_CODE: Hex = concatHex(['0x604580600e600039806000f350fe', FACTORY_CODE])

const ZEROS_64: Hex = `0x${'00'.repeat(64)}`
const ONE: Hex = `0x${'00'.repeat(31)}01`
/**
 * As init code: stores 1 transiently (PUSH0, TSTORE), copies memory (MCOPY), loads what was stored (TLOAD) and returns it. The
 * contracts use no other instruction of Cancun.
 */
const CANCUN_PROBE: Hex = '0x60015f5d60205f60205e5f5c5f5260205ff3'

const NEEDS = [
  { need: 'the Cancun instructions TSTORE, TLOAD and MCOPY', call: { data: CANCUN_PROBE }, answer: ONE },
  { need: 'precompiled contract 6 (BN254 addition)', call: precompile(6, 128), answer: ZEROS_64 },
  { need: 'precompiled contract 7 (BN254 multiplication)', call: precompile(7, 96), answer: ZEROS_64 },
  { need: 'precompiled contract 8 (BN254 pairing)', call: precompile(8, 192), answer: ONE },
]

/** Asks the node to run what the contracts need; throws CHAIN_UNSUPPORTED. */
export async function checkChainAbilities(client: PublicClient): Promise<void> {
  const answers = await Promise.all(NEEDS.map(({ call }) => answerTo(client, call)))
  const missing = NEEDS.filter(({ answer }, i) => answers[i] !== answer).map(({ need }) => need)
  if (missing.length === 0) return
  const message = `The chain lacks ${missing.join(', ')}; the contracts cannot run there.`
  throw new AttestreamError('CHAIN_UNSUPPORTED', message, { missing })
}

/** Whether `address` holds the factory; throws CODE_MISMATCH if it holds something else. */
export async function isFactory(client: PublicClient, address: Hex): Promise<boolean> {
  const code = await onChain('look for the factory', () => client.getCode({ address }))
  if (code === undefined || code === '0x') return false
  if (keccak256(code) === keccak256(FACTORY_CODE)) return true
  throw new AttestreamError('CODE_MISMATCH', `${address} holds other code than the CREATE2 factory.`, { address })
}

/** The node's answer, or undefined if it refused to run the call; a node that does not answer at all throws. */
async function answerTo(client: PublicClient, call: { to?: Hex; data: Hex }): Promise<Hex | undefined> {
  try {
    return (await client.call(call)).data
  } catch (error) {
    if (isSilent(error)) throw chainError('try what the contracts need', error)
    return undefined
  }
}

/** Whether the node did not answer, in contrast to one that refused. */
export function isSilent(error: unknown): boolean {
  return error instanceof BaseError && error.walk((cause) => cause instanceof HttpRequestError) !== null
}

function precompile(number: number, inputBytes: number): { to: Hex; data: Hex } {
  return { to: `0x${number.toString(16).padStart(40, '0')}`, data: `0x${'00'.repeat(inputBytes)}` }
}
