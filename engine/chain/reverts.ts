// Turns what viem throws into coded errors: a contract's refusal gets the code of its custom error with its name and values; what
// the node itself refuses (funds, nonce, fee) a code of its own; no answer is CHAIN_UNREACHABLE; everything else is CHAIN_UNAVAILABLE
// with the node's words.

import {
  BaseError,
  decodeErrorResult,
  FeeCapTooLowError,
  HttpRequestError,
  InsufficientFundsError,
  isHex,
  LimitExceededRpcError,
  NonceTooHighError,
  NonceTooLowError,
  TimeoutError,
} from 'viem'
import type { Hex } from 'viem'
import { errorsAbi } from '../../contracts/abi.ts'
import { AttestreamError, isAttestreamError, type ErrorCode } from '../core/errors.ts'
import { REFUSALS } from './refusals.ts'

/** Runs a call of the chain; `action` names it in the error ("settle batch 3"). */
export async function onChain<T>(action: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw chainError(action, error)
  }
}

/** The coded form of an error of viem's; `from` is the account that sends. */
export function chainError(action: string, error: unknown, from?: Hex): AttestreamError {
  if (isAttestreamError(error)) return error
  const unreachable = within(error, (inner) => isAttestreamError(inner, 'CHAIN_UNREACHABLE'))
  if (unreachable) return unreachable as AttestreamError
  const data = revertData(error)
  if (data !== undefined) return revertedError(action, data, error)
  const reason = error instanceof BaseError ? error.shortMessage : String(error)
  const refused = nodeRefusal(error)
  if (refused) {
    const who = from === undefined ? '' : ` by ${from}`
    const message = `The node did not take the transaction${who} to ${action}: ${reason} ${refused.remedy}`
    const details = from === undefined ? { action } : { action, from }
    return new AttestreamError(refused.code, message, details, { cause: error })
  }
  if (isSilence(error)) {
    const message = `Could not ${action}: ${reason} Check that the node at the RPC URL runs.`
    return new AttestreamError('CHAIN_UNREACHABLE', message, { action }, { cause: error })
  }
  if (/revert/i.test(reason)) return revertedError(action, '0x', error)
  const message = `Could not ${action}: ${reason} The node at the RPC URL answers with an error of its own.`
  return new AttestreamError('CHAIN_UNAVAILABLE', message, { action }, { cause: error })
}

/** Whether nobody answered, or only to say that he does not now: the request may have arrived all the same. */
export function isSilence(error: unknown): boolean {
  const kinds = [HttpRequestError, TimeoutError, LimitExceededRpcError]
  return within(error, (inner) => kinds.some((kind) => inner instanceof kind)) !== undefined
}

function within(error: unknown, is: (inner: unknown) => boolean): unknown {
  if (error instanceof BaseError) return error.walk(is) ?? undefined
  return is(error) ? error : undefined
}

/** What nodes say when they take a transaction not, for want of something that the contracts have no part in. */
const NODE_REFUSALS: readonly {
  readonly code: ErrorCode
  readonly kinds: readonly (abstract new (...args: never[]) => Error)[]
  readonly words: RegExp
  readonly remedy: string
}[] = [
  {
    code: 'CHAIN_FUNDS_LOW',
    kinds: [InsufficientFundsError],
    words:
      /insufficient funds|exceeds (the )?balance|insufficient balance for transfer|gas required exceeds allowance/i,
    remedy: 'Send native coin to the account; the engine goes on by itself.',
  },
  {
    code: 'CHAIN_FEE_LOW',
    kinds: [FeeCapTooLowError],
    words:
      /underpriced|fee too low|(fee cap|max fee per gas|maxFeePerGas).*(less|lower|cannot be lower)|gas price too low/i,
    remedy: 'It is sent again with the price of that moment.',
  },
  {
    code: 'CHAIN_NONCE_CONFLICT',
    kinds: [NonceTooLowError, NonceTooHighError],
    words:
      /nonce (is )?too (low|high)|invalid nonce|nonce.*(gap|mismatch)|already known|already imported|known transaction/i,
    remedy: 'Something else sends with the same key; give each sender a key of its own.',
  },
]

function nodeRefusal(error: unknown): (typeof NODE_REFUSALS)[number] | undefined {
  const said = (inner: unknown): string =>
    inner instanceof BaseError
      ? `${inner.shortMessage} ${inner.details ?? ''}`
      : inner instanceof Error
        ? inner.message
        : ''
  return NODE_REFUSALS.find(({ kinds, words }) => {
    const matches = (inner: unknown): boolean => kinds.some((kind) => inner instanceof kind) || words.test(said(inner))
    return error instanceof BaseError ? error.walk(matches) !== null : matches(error)
  })
}

function revertedError(action: string, data: Hex, cause: unknown): AttestreamError {
  const { name, args } = decodeRevert(data)
  const told = name === 'ReceiptRefused' ? [args[0], innerError(args[1] as Hex)] : args
  const refusal = (REFUSALS as Readonly<Record<string, { code: ErrorCode; remedy: string }>>)[name]
  const remedy = refusal === undefined ? '' : ` ${refusal.remedy}`
  const message = `The contract refused to ${action}: ${name}(${told.map(String).join(', ')}).${remedy}`
  const details = { action, error: name, args }
  return new AttestreamError(refusal?.code ?? 'CHAIN_REVERTED', message, details, { cause })
}

/** Empty where the verifier ran out of gas. */
function innerError(data: Hex): string {
  if (data === '0x') return data
  const { name, args } = decodeRevert(data)
  return `${name}(${args.map(String).join(', ')})`
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
