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

const BUSY_PAUSE_MS = 200
const UNDECIDED = new Set<string>(['ENGINE_BUSY', 'ENGINE_CLOSED', 'INTERNAL'])

/** Ingests a message. While the engine is busy it waits, and with it the sender, whose stream is not read on. */
export async function ingestMessage(
  engine: Engine,
  message: Uint8Array,
  source: MessageSource,
): Promise<MessageAnswer> {
  try {
    const frames = message[0] === 0 ? decodeFrameSequence(message) : [message]
    for (;;) {
      try {
        return { results: resultItems(await engine.ingest(frames, source.name)) }
      } catch (error) {
        if (!isAttestreamError(error) || error.code !== 'ENGINE_BUSY' || !source.isOpen()) throw error
        await delay(BUSY_PAUSE_MS)
      }
    }
  } catch (error) {
    const { code, message: text } = publicError(error)
    if (code === 'INTERNAL') source.onError(error)
    return { error: { code, message: text } }
  }
}

/** False if the engine could not look at the message: whoever has it must keep it and send it again. */
export function isDecided(answer: MessageAnswer): boolean {
  return !('error' in answer && UNDECIDED.has(answer.error.code))
}

/** Results in the form that HTTP, WebSocket and MQTT answer with. */
export function resultItems(results: readonly IngestResult[]) {
  return results.map((result) => ('failure' in result ? { error: result.failure } : toJson(result)))
}
