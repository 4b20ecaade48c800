// SPDX-License-Identifier: MIT
// Sends frames over HTTP and retries safely: a frame sent twice is answered like the first time, so whatever got no
// answer is sent again, after a growing and random pause. Order is kept: when some frames cannot be delivered, later
// ones wait too, or the engine would take them for older than what it has.

import { isAttestreamError } from '../engine/core/errors.ts'
import { parseFailure, parseResults, type FrameOutcome } from './answer.ts'
import { FRAME_SEQUENCE, encodeFrameSequence } from './frame-sequence.ts'

export interface ClientOptions {
  /** The engine's address, such as https://engine.example. */
  readonly url: string
  /** Requests per group of frames before giving up. Default 6. */
  readonly attempts?: number
  /** How long one request may take. Default 15 s. */
  readonly timeoutMs?: number
  readonly fetch?: typeof globalThis.fetch
  /** Waits; tests pass one that does not. */
  readonly delay?: (ms: number) => Promise<void>
  /** In [0, 1); spreads the pauses of many devices. */
  readonly random?: () => number
  /** Unix milliseconds, for a Retry-After that names a date. */
  readonly now?: () => number
}

export interface Client {
  /**
   * Delivers frames in canonical bytes and gives one outcome for each, in order; never throws for what the network or the
   * engine does. Frames whose outcome has `error.again` are kept by the caller and sent again later, unchanged.
   */
  send(frames: readonly Uint8Array[]): Promise<FrameOutcome[]>
}

const DEFAULT_ATTEMPTS = 6
const DEFAULT_TIMEOUT_MS = 15_000
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 60_000
/** Frames of one request: below the engine's limits of 1024 frames and 1 MiB for any ordinary frame. */
const GROUP_FRAMES = 256
const GROUP_BYTES = 512 * 1024
const BUSY_STATUS: readonly number[] = [408, 429, 500, 502, 503, 504]

/** What one request came to: outcomes, or a reason to try again, perhaps not before some time. */
type Answer = { readonly outcomes: FrameOutcome[] } | { readonly reason: string; readonly waitMs: number }

export function createClient(options: ClientOptions): Client {
  const settings = withDefaults(options)
  return {
    async send(frames) {
      const outcomes: FrameOutcome[] = []
      for (const group of groups(frames)) {
        const stopped = outcomes.some(isUndelivered)
        outcomes.push(
          ...(stopped ? group.map(() => unreachable('earlier frames wait')) : await deliver(settings, group)),
        )
      }
      return outcomes
    },
  }
}

type Settings = Required<ClientOptions>

function withDefaults(options: ClientOptions): Settings {
  return {
    attempts: DEFAULT_ATTEMPTS,
    timeoutMs: DEFAULT_TIMEOUT_MS,
    fetch: (input, init) => globalThis.fetch(input, init),
    delay: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    random: Math.random,
    now: Date.now,
    ...options,
  }
}

/** Sends a group until each of its frames has a final outcome or the attempts are used up. */
async function deliver(settings: Settings, frames: readonly Uint8Array[]): Promise<FrameOutcome[]> {
  const outcomes: FrameOutcome[] = frames.map(() => unreachable('not sent'))
  for (let attempt = 0; attempt < settings.attempts; attempt++) {
    const open = frames.map((_, i) => i).filter((i) => isUndelivered(outcomes[i]!))
    const answer = await request(settings, open.map((i) => frames[i]!)) // prettier-ignore
    open.forEach((i, k) => {
      outcomes[i] = 'outcomes' in answer ? answer.outcomes[k]! : unreachable(answer.reason)
    })
    if (!outcomes.some(isUndelivered)) break
    if (attempt + 1 < settings.attempts) await settings.delay(pauseMs(settings, attempt, answer))
  }
  return outcomes
}

async function request(settings: Settings, frames: readonly Uint8Array[]): Promise<Answer> {
  try {
    const response = await settings.fetch(new URL('/v1/frames', settings.url), {
      method: 'POST',
      headers: { 'content-type': FRAME_SEQUENCE },
      body: encodeFrameSequence(frames) as Uint8Array<ArrayBuffer>,
      redirect: 'error',
      signal: AbortSignal.timeout(settings.timeoutMs),
    })
    if (BUSY_STATUS.includes(response.status)) {
      await response.body?.cancel()
      return { reason: `HTTP ${response.status}`, waitMs: retryAfterMs(response, settings.now()) }
    }
    const body: unknown = await response.json()
    if (response.ok) return { outcomes: parseResults(body, frames) }
    const failure = parseFailure(body)
    return { outcomes: frames.map(() => failure) }
  } catch (error) {
    return isAttestreamError(error)
      ? { outcomes: frames.map(() => ({ error: { code: error.code, message: error.message, again: true } })) }
      : { reason: error instanceof Error ? error.message : String(error), waitMs: 0 }
  }
}

/** Between nothing and a limit that doubles, so that devices cut off together do not come back together. */
function pauseMs(settings: Settings, attempt: number, answer: Answer): number {
  const limit = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt)
  const asked = 'waitMs' in answer ? Math.min(answer.waitMs, LONGEST_PAUSE_MS) : 0
  return asked + settings.random() * limit
}

/** Retry-After in seconds or as a date; 0 if absent or senseless. */
function retryAfterMs(response: Response, nowMs: number): number {
  const value = response.headers.get('retry-after')
  if (value === null) return 0
  const ms = /^[0-9]+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - nowMs
  return Number.isFinite(ms) ? Math.max(0, ms) : 0
}

function groups(frames: readonly Uint8Array[]): Uint8Array[][] {
  const all: Uint8Array[][] = []
  let bytes = 0
  for (const frame of frames) {
    const last = all.at(-1)
    if (!last || last.length === GROUP_FRAMES || bytes + frame.length > GROUP_BYTES) {
      all.push([frame])
      bytes = frame.length
    } else {
      last.push(frame)
      bytes += frame.length
    }
  }
  return all
}

function isUndelivered(outcome: FrameOutcome): boolean {
  return 'error' in outcome && outcome.error.again
}

function unreachable(why: string): FrameOutcome {
  const message = `The engine did not take the frame: ${why}. Keep it and send it again later.`
  return { error: { code: 'ENGINE_UNREACHABLE', message, again: true } }
}
