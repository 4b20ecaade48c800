// Frames that come as messages of a stream, over a WebSocket or MQTT: a message is one frame in canonical bytes, or a sequence of frames as in
// `application/vnd.attestream.frames`; a frame begins with its version, 1, and a sequence with the highest byte of a length, 0.

import { setTimeout as delay } from 'node:timers/promises'
import { isAttestreamError, type Engine, type Failure, type IngestResult } from '../engine/index.ts'
import { publicError } from './errors.ts'
import { decodeFrameSequence } from './frame-sequence.ts'
import { toJson } from './json.ts'

/** What a message is answered with: a result for each of its frames, in order, or one error for all. */
export type MessageAnswer =
  { readonly results: readonly ({ acknowledgement: object } | { error: Failure })[] } | { readonly error: Failure }

export interface MessageSource {
  /** Such as an address. */
  readonly name: string
  /** Whether an answer can still be received. */
  readonly isOpen: () => boolean
  /** Told of failures that are the engine's own. */
  readonly onError: (error: unknown) => void
}

interface Message {
  readonly frames: readonly Uint8Array[]
  readonly resolve: (answer: MessageAnswer) => void
}

const BUSY_PAUSE_MS = 200
/** Of several messages, at most. */
const FRAMES_TOGETHER = 1024
const UNDECIDED = new Set<string>(['ENGINE_BUSY', 'ENGINE_CLOSED', 'INTERNAL'])

/** Ingests a message. While the engine is busy it waits, and with it the sender, whose stream is not read on. */
export async function ingestMessage(
  engine: Engine,
  message: Uint8Array,
  source: MessageSource,
): Promise<MessageAnswer> {
  return createMessageLine(engine, source)(message)
}

/**
 * Ingests the messages of one connection in their order. What comes while others are in work is ingested together after them: frames of a
 * device that overtook each other would be outdated, and lost.
 */
export function createMessageLine(
  engine: Engine,
  source: MessageSource,
): (message: Uint8Array) => Promise<MessageAnswer> {
  const waiting: Message[] = []
  let working = false
  const work = async (): Promise<void> => {
    working = true
    while (waiting.length > 0) {
      const together = takeSome(waiting)
      const all = together.flatMap(({ frames }) => frames)
      const answer = await ingestFrames(engine, all, source)
      let at = 0
      for (const { frames, resolve } of together) {
        resolve('error' in answer ? answer : { results: answer.results.slice(at, (at += frames.length)) })
      }
    }
    working = false
  }
  return async (message) => {
    let frames: readonly Uint8Array[]
    try {
      frames = message[0] === 0 ? decodeFrameSequence(message) : [message]
    } catch (error) {
      return refusal(error, source)
    }
    return new Promise((resolve) => {
      waiting.push({ frames, resolve })
      if (!working) void work()
    })
  }
}

/** The first message, and those behind it that fit. */
function takeSome(waiting: Message[]): Message[] {
  let [count, frames] = [1, waiting[0]!.frames.length]
  while (count < waiting.length && (frames += waiting[count]!.frames.length) <= FRAMES_TOGETHER) count++
  return waiting.splice(0, count)
}

async function ingestFrames(
  engine: Engine,
  frames: readonly Uint8Array[],
  source: MessageSource,
): Promise<MessageAnswer> {
  for (;;) {
    try {
      return { results: resultItems(await engine.ingest(frames, source.name)) }
    } catch (error) {
      const isBusy = isAttestreamError(error, 'ENGINE_BUSY')
      if (!isBusy || !source.isOpen()) return refusal(error, source)
      await delay(BUSY_PAUSE_MS)
    }
  }
}

function refusal(error: unknown, source: MessageSource): MessageAnswer {
  const { code, message } = publicError(error)
  if (code === 'INTERNAL') source.onError(error)
  return { error: { code, message } }
}

/** False if the engine could not look at the message: whoever has it must keep it and send it again. */
export function isDecided(answer: MessageAnswer): boolean {
  return !('error' in answer && UNDECIDED.has(answer.error.code))
}

/** Results in the form that HTTP, WebSocket and MQTT answer with. */
export function resultItems(results: readonly IngestResult[]) {
  return results.map((result) => ('failure' in result ? { error: result.failure } : toJson(result)))
}
