// Stands in front of a chain's node and passes everything on; of every call and transaction that goes through, it asks the node
// for the calls made within and keeps the numbers that instrumented contracts sent to the sentinel. Reverted ones count as well.

import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SENTINEL } from './instrument.ts'

export interface Recorder {
  readonly rpcUrl: string
  /** Ids of the points that were reached so far. */
  readonly reached: ReadonlySet<number>
  close(): Promise<void>
}

interface Request {
  readonly method: string
  readonly params?: readonly unknown[]
}

interface Reply {
  readonly result?: unknown
  readonly error?: unknown
}

interface CallFrame {
  readonly to?: string
  readonly input: string
  readonly calls?: readonly CallFrame[]
}

const TRACER = { tracer: 'callTracer' }

/** Listens on a free port of 127.0.0.1. */
export async function startRecorder(nodeUrl: string): Promise<Recorder> {
  const reached = new Set<number>()
  const traced = new Set<unknown>()

  async function ask(body: string): Promise<string> {
    const response = await fetch(nodeUrl, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    return response.text()
  }

  async function trace(method: string, params: readonly unknown[]): Promise<void> {
    const reply = JSON.parse(await ask(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }))) as Reply
    if (reply.error) throw new Error(`${method} failed: ${JSON.stringify(reply.error)}`)
    collect(reply.result as CallFrame, reached)
  }

  async function follow({ method, params = [] }: Request, reply: Reply): Promise<void> {
    if (method === 'eth_call' || (method === 'eth_estimateGas' && reply.error)) {
      const [call, block, stateOverrides] = params
      await trace('debug_traceCall', [
        call,
        block ?? 'latest',
        { ...TRACER, ...(stateOverrides ? { stateOverrides } : {}) },
      ])
    } else if (method === 'eth_getTransactionReceipt' && reply.result && !traced.has(params[0])) {
      traced.add(params[0])
      await trace('debug_traceTransaction', [params[0], TRACER])
    }
  }

  async function serve(body: string): Promise<string> {
    const answer = await ask(body)
    const [requests, replies] = [listOf<Request>(body), listOf<Reply>(answer)]
    for (const [i, request] of requests.entries()) await follow(request, replies[i] ?? {})
    return answer
  }

  const server = createServer((request, response) => {
    readBody(request)
      .then(serve)
      .then((answer) => response.setHeader('content-type', 'application/json').end(answer))
      .catch((error: unknown) => response.writeHead(502).end(String(error)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  async function close(): Promise<void> {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return { rpcUrl: `http://127.0.0.1:${port}`, reached, close }
}

function collect(frame: CallFrame, reached: Set<number>): void {
  if (frame.to === SENTINEL) reached.add(Number(frame.input))
  for (const call of frame.calls ?? []) collect(call, reached)
}

function listOf<T>(json: string): T[] {
  const value = JSON.parse(json) as T | T[]
  return Array.isArray(value) ? value : [value]
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}
