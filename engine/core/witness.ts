// The inputs of the batch circuit (docs/architecture.md §4), built from the same values as the journal.

import type { Batch } from './batch.ts'
import type { Journal } from './journal.ts'
import type { Layout, RawRecord } from './layout.ts'
import type { LedgerPage } from './ledger.ts'
import { NEUTRAL_POINT, type PublicKey } from './signature.ts'

/** Signal values by name, nested like the circuit's arrays, as decimal strings. */
export interface CircuitInput {
  readonly [signal: string]: Nested
}

type Nested = string | readonly Nested[]

/** All that a batch's witness needs. `keys` has an entry for each slot with a frame. */
export interface WitnessSource {
  readonly reading: Layout
  readonly frameSize: number
  readonly batch: Batch
  readonly keys: readonly (PublicKey | null)[]
  readonly leaves: readonly bigint[]
  readonly pageBefore: LedgerPage
  readonly config: RawRecord
  readonly journal: Journal
}

/** Inputs of the batch circuit. Absent slots get the neutral point for key and R8, and zeros. */
export function circuitInput(source: WitnessSource): CircuitInput {
  const { batch, keys, leaves, pageBefore, journal, reading, frameSize, config } = source
  const { lanes, ...publics } = journal
  const frames = batch.frames
  const key = (slot: number): PublicKey => keys[slot] ?? NEUTRAL_POINT
  const empty = reading.map(() => 0n)
  return text({
    ...publics,
    lanes,
    present: frames.map((frame) => (frame ? 1n : 0n)),
    leaf: leaves,
    deviceId: frames.map((frame) => frame?.deviceId ?? 0n),
    keyX: frames.map((frame, slot) => (frame ? key(slot) : NEUTRAL_POINT).x),
    keyY: frames.map((frame, slot) => (frame ? key(slot) : NEUTRAL_POINT).y),
    r8x: frames.map((frame) => frame?.signature.r8x ?? NEUTRAL_POINT.x),
    r8y: frames.map((frame) => frame?.signature.r8y ?? NEUTRAL_POINT.y),
    s: frames.map((frame) => frame?.signature.s ?? 0n),
    sequence: frames.map((frame) => frame?.sequence ?? 0n),
    count: frames.map((frame) => BigInt(frame?.readings.length ?? 0)),
    reading: frames.map((frame) => Array.from({ length: frameSize }, (_, place) => frame?.readings[place] ?? empty)),
    lastSequence: pageBefore.sequences,
    ...(pageBefore.states[0]!.length > 0 ? { state: pageBefore.states } : {}),
    ...(config.length > 0 ? { config } : {}),
  })
}

type NestedInteger = bigint | readonly NestedInteger[]

function text(signals: Record<string, NestedInteger>): CircuitInput {
  const convert = (value: NestedInteger): Nested =>
    typeof value === 'bigint' ? value.toString() : value.map((entry) => convert(entry))
  return Object.fromEntries(Object.entries(signals).map(([name, value]) => [name, convert(value)]))
}
