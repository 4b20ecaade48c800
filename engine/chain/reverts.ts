// Turns what viem throws into coded errors: a contract's refusal becomes CHAIN_REVERTED with the name and the values of its
// custom error, everything else CHAIN_UNAVAILABLE with the node's words.

import { BaseError, decodeErrorResult, isHex } from 'viem'
import type { Hex } from 'viem'
import { errorsAbi } from '../../contracts/abi.ts'
import { AttestreamError, isAttestreamError } from '../core/errors.ts'

/** Runs a call of the chain; `action` names it in the error ("settle batch 3"). */
export async function onChain<T>(action: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw chainError(action, error)
  }
}

/** The coded form of an error of viem's. */
export function chainError(action: string, error: unknown): AttestreamError {
  if (isAttestreamError(error)) return error
  const data = revertData(error)
  if (data !== undefined) return revertedError(action, data, error)
  const reason = error instanceof BaseError ? error.shortMessage : String(error)
  if (/revert/i.test(reason)) return revertedError(action, '0x', error)
  const message = `Could not ${action}: ${reason} Check that the node at the RPC URL runs and the account has funds.`
  return new AttestreamError('CHAIN_UNAVAILABLE', message, { action }, { cause: error })
}

function revertedError(action: string, data: Hex, cause: unknown): AttestreamError {
  const { name, args } = decodeRevert(data)
  const values = args.map(String).join(', ')
  const message = `The contract refused to ${action}: ${name}(${values}).`
  return new AttestreamError('CHAIN_REVERTED', message, { action, error: name, args }, { cause })
}

function decodeRevert(data: Hex): { name: string; args: readonly unknown[] } {
  if (data === '0x') return { name: 'without a reason', args: [] }
  try {
    const decoded = decodeErrorResult({ abi: errorsAbi, data })
    return { name: decoded.errorName, args: decoded.args ?? [] }
  } catch {
    return { name: 'unknown error', args: [data] }
  }
}

/** viem keeps the returned bytes in `raw` of a contract error, or in `data` of an RPC error, sometimes one level deeper. */
function revertData(error: unknown): Hex | undefined {
  if (!(error instanceof BaseError)) return undefined
  let found: Hex | undefined
  error.walk((inner) => {
    const { raw, data } = inner as { raw?: unknown; data?: unknown }
    const nested = typeof data === 'object' && data !== null ? (data as { data?: unknown }).data : data
    for (const candidate of [raw, nested]) if (found === undefined && isHex(candidate)) found = candidate
    return found !== undefined
  })
  return found
}
