// Several RPC endpoints of one chain behind one client. A request goes to the first endpoint that is in order; one that does not
// answer, serves another chain or lags behind the others is left out for a while. What an endpoint answers, a refusal too, is the
// answer: only silence goes on to the next.

import { createTransport, http } from 'viem'
import type { EIP1193RequestFn, Transport } from 'viem'
import { AttestreamError } from '../core/errors.ts'
import { isSilence } from './reverts.ts'

interface Endpoint {
  readonly request: EIP1193RequestFn
  /** Without path and query, which may hold a key. */
  readonly name: string
  failures: number
  /** Left out until then. */
  notBeforeMs: number
  checkedMs: number
  /** That it told last, and when. */
  block: bigint
  toldMs: number
  reason: string
}

const TIMEOUT_MS = 10_000
/** Chain and height of an endpoint hold for so long. */
const CHECK_MS = 15_000
const PAUSE_MS = 1000
const LONGEST_PAUSE_MS = 30_000
/** Blocks that an endpoint may be behind the best. */
const MAX_LAG_BLOCKS = 5n
/** For so long the height that an endpoint told keeps out those behind it: a wrong one must not do so for ever. */
const BELIEVED_MS = 120_000
const RETRY_DELAY_MS = 150

/** viem's transport over the endpoints, the most preferred first. Throws CHAIN_UNREACHABLE when none is left. */
export function createEndpoints(urls: readonly string[], chainId: number, timeoutMs = TIMEOUT_MS): Transport {
  return ({ chain }) => {
    const endpoints = urls.map((url): Endpoint => {
      const { request } = http(url, { timeout: timeoutMs, retryCount: 0 })({
        ...(chain ? { chain } : {}),
        retryCount: 0,
      })
      return {
        request,
        name: nameOf(url),
        failures: 0,
        notBeforeMs: 0,
        checkedMs: 0,
        block: 0n,
        toldMs: -Infinity,
        reason: '',
      }
    })

    /** Throws if the endpoint is not to be used now. */
    const check = async (endpoint: Endpoint): Promise<void> => {
      if (endpoints.length === 1 || Date.now() - endpoint.checkedMs < CHECK_MS) return
      const served = Number(await endpoint.request({ method: 'eth_chainId' }))
      if (served !== chainId) throw new Unfit(`it serves chain ${served}, not ${chainId}`)
      const block = blockOf(await endpoint.request({ method: 'eth_blockNumber' }))
      const best = bestOf(endpoints.filter((other) => other !== endpoint && Date.now() - other.toldMs < BELIEVED_MS))
      if (block + MAX_LAG_BLOCKS < best) throw new Unfit(`it is at block ${block}, another at ${best}`)
      endpoint.block = block
      endpoint.toldMs = Date.now()
      endpoint.checkedMs = Date.now()
    }

    const leaveOut = (endpoint: Endpoint, error: Error): void => {
      endpoint.failures++
      endpoint.checkedMs = 0
      endpoint.reason = error instanceof Unfit ? error.message : 'it does not answer'
      endpoint.notBeforeMs = Date.now() + Math.min(PAUSE_MS * 2 ** (endpoint.failures - 1), LONGEST_PAUSE_MS)
    }

    const ask = async (request: Parameters<EIP1193RequestFn>[0]): Promise<unknown> => {
      const now = Date.now()
      const fit = endpoints.filter(({ notBeforeMs }) => notBeforeMs <= now)
      const left = endpoints.filter(({ notBeforeMs }) => notBeforeMs > now)
      for (const endpoint of [...fit, ...left]) {
        try {
          await check(endpoint)
          const answer = await endpoint.request(request)
          endpoint.failures = 0
          endpoint.notBeforeMs = 0
          return answer
        } catch (error) {
          if (!(error instanceof Unfit) && !isSilence(error)) throw error
          leaveOut(endpoint, error as Error)
        }
      }
      const reasons = endpoints.map(({ name, reason }) => `${name}: ${reason}`).join('; ')
      const message = `No RPC endpoint of chain ${chainId} can be used (${reasons}). It goes on by itself when one returns.`
      throw new AttestreamError('CHAIN_UNREACHABLE', message, { chainId, endpoints: endpoints.map(({ name }) => name) })
    }

    const request = async (what: Parameters<EIP1193RequestFn>[0]): Promise<unknown> => {
      try {
        return await ask(what)
      } catch (error) {
        if (!(error instanceof AttestreamError)) throw error
        await new Promise((resolve) => setTimeout(resolve, RETRY_DELAY_MS))
        return ask(what) // a connection that broke says nothing of the endpoint
      }
    }
    const name = endpoints.map((endpoint) => endpoint.name).join(', ')
    return createTransport({
      key: 'endpoints',
      name,
      type: 'endpoints',
      retryCount: 0,
      request: request as EIP1193RequestFn,
    })
  }
}

class Unfit extends Error {}

function bestOf(endpoints: readonly Endpoint[]): bigint {
  return endpoints.reduce((best, { block }) => (block > best ? block : best), 0n)
}

function blockOf(answer: unknown): bigint {
  if (typeof answer === 'string' && /^0x[0-9a-f]{1,16}$/i.test(answer)) return BigInt(answer)
  throw new Unfit('it does not tell its block')
}

function nameOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'an endpoint'
}
