// The native prover's process as its host sees it: started when it is needed, and again after it died. One job at a time. It ends by
// itself, in the middle of a proof too, when its host's thread has ended.

import { spawn } from 'node:child_process'
import type { Duplex } from 'node:stream'
import type { OnPhase } from '../progress.ts'
import { formatProof, proofRandomness, type Proven } from '../proof-parts.ts'
import type { ProofPhase } from '../prover.ts'
import { publicSignals, readScalar, readWitnessValues, scalarBytes } from '../witness-file.ts'

const KIND = { forget: 0, prove: 1 } as const
const REQUEST_HEAD_BYTES = 16
const ANSWER_HEAD_BYTES = 8
const PROOF_AT = 4
const COORDINATES = 8

const STATUS = { proven: 0, failed: 1, phase: 2 } as const

interface Job {
  readonly onPhase: OnPhase
  readonly proven: (body: Buffer) => void
  readonly failed: (error: Error) => void
}

interface Running {
  readonly channel: Duplex
  /** What came and is no whole answer yet. */
  received: Buffer
  job: Job | undefined
}

export class NativeProcess {
  private readonly binary: string
  private readonly ceilingBytes: number
  private running: Running | undefined

  constructor(binary: string, ceilingBytes: number) {
    this.binary = binary
    this.ceilingBytes = ceilingBytes
  }

  /** Proves the bytes of a .wtns file under the key at `zkey`. Throws an Error that says what is wrong with one of them. */
  async prove(zkey: string, wtns: Uint8Array, onPhase: OnPhase = () => {}): Promise<Proven> {
    const values = readWitnessValues(wtns)
    const { inverseOfT, t, u } = proofRandomness()
    const head = requestHead(KIND.prove, zkey, values.length)
    const body = await this.ask([...head, ...[inverseOfT, t, u].map(scalarBytes), values], onPhase)
    const coordinates = Array.from({ length: COORDINATES }, (_, k) => readScalar(body.subarray(PROOF_AT), k))
    const [a, b, c] = [coordinates.slice(0, 2), coordinates.slice(2, 6), coordinates.slice(6)]
    return { proof: formatProof({ a, b, c }), publicSignals: publicSignals(values, body.readUInt32LE(0)) }
  }

  /** Lets the process read the key at `zkey` again next time. */
  forget(zkey: string): void {
    for (const bytes of requestHead(KIND.forget, zkey, 0)) this.running?.channel.write(bytes)
  }

  private ask(request: readonly Uint8Array[], onPhase: OnPhase): Promise<Buffer> {
    const running = (this.running ??= this.start())
    return new Promise((proven, failed) => {
      running.job = { onPhase, proven, failed }
      for (const bytes of request) running.channel.write(bytes)
    })
  }

  private start(): Running {
    // On standard input the channel would be closed as soon as the process that was started leaves the work to its child.
    const child = spawn(this.binary, [String(this.ceilingBytes)], { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] })
    const channel = child.stdio[3] as Duplex
    const running: Running = { channel, received: Buffer.alloc(0), job: undefined }
    const ended = (why: string) => {
      if (this.running === running) this.running = undefined
      running.job?.failed(new Error(why))
    }
    child.on('error', (error) => ended(`its process cannot be started: ${error.message}`))
    channel.on('error', () => {}) // 'close' tells it
    channel.on('close', () => ended('its process ended without an answer: it crashed, or was killed'))
    channel.on('data', (bytes: Buffer) => {
      running.received = takeAnswers(Buffer.concat([running.received, bytes]), running.job)
    })
    return running
  }
}

/** Hands whole answers to the job; returns what is left. */
function takeAnswers(received: Buffer, job: Job | undefined): Buffer {
  while (received.length >= ANSWER_HEAD_BYTES) {
    const end = ANSWER_HEAD_BYTES + received.readUInt32LE(4)
    if (received.length < end) break
    const [status, body] = [received.readUInt32LE(0), received.subarray(ANSWER_HEAD_BYTES, end)]
    if (status === STATUS.phase) job?.onPhase(body.toString() as ProofPhase)
    else if (status === STATUS.proven) job?.proven(body)
    else job?.failed(new Error(body.toString()))
    received = received.subarray(end)
  }
  return received
}

function requestHead(kind: number, path: string, valueBytes: number): Uint8Array[] {
  const name = Buffer.from(path)
  const head = Buffer.alloc(REQUEST_HEAD_BYTES)
  head.writeUInt32LE(kind, 0)
  head.writeUInt32LE(name.length, 4)
  head.writeBigUInt64LE(BigInt(valueBytes), 8)
  return [head, name]
}
