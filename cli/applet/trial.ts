// A trial of an applet: the readings of a CSV through the product's runner, State kept per device, nothing proven.

import { withSourceLines } from '../../applets/explain-refusal.ts'
import type { RawRecord } from '../../engine/core/layout.ts'
import { decodeRecord } from '../../engine/core/layout.ts'
import { compileApplet, startApplet } from '../../engine/runner/run.ts'
import { createTrapLocator } from '../../engine/runner/trap.ts'
import type { ReadingRow } from '../datasets/readings.ts'
import { appletLine, type LoadedApplet, type SourceLine } from './source.ts'

export interface TrialInput {
  readonly config: RawRecord
  readonly anchorTimeSec: bigint
  /** State of devices before their first reading; of others all fields are 0. */
  readonly states: ReadonlyMap<string, RawRecord>
}

export interface TrialRow {
  /** Line of the CSV. */
  readonly line: number
  readonly device: string
  readonly accepted: boolean
  readonly units: bigint
  readonly reason: string | null
  /** Where it trapped, if the source map tells. */
  readonly at: SourceLine | null
  /** After the reading, signed where the field is. */
  readonly state: Readonly<Record<string, bigint>>
}

export interface TrialTotals {
  readings: number
  accepted: number
  units: bigint
  /** Rejected readings by reason and place. */
  readonly reasons: Map<string, number>
  /** State of each device after its last reading, in raw form. */
  readonly states: Map<string, RawRecord>
}

/** Runs the rows as they come; `onRow` sees each. Throws what the runner throws for an applet it refuses. */
export async function runTrial(
  applet: LoadedApplet,
  { config, anchorTimeSec, states }: TrialInput,
  rows: (layout: ReturnType<typeof compileApplet>['abi']) => AsyncIterable<ReadingRow>,
  onRow: (row: TrialRow) => void,
): Promise<TrialTotals> {
  const compiled = withSourceLines(applet.lines, () => compileApplet(applet.wasm))
  const { abi } = compiled
  const call = startApplet(compiled, { config, anchorTimeSec })
  const locate = createTrapLocator(applet.wasm, abi)
  const genesis: RawRecord = abi.state.map(() => 0n)
  const totals: TrialTotals = { readings: 0, accepted: 0, units: 0n, reasons: new Map(), states: new Map(states) }
  for await (const { line, device, reading } of rows(abi)) {
    const before = totals.states.get(device) ?? genesis
    const outcome = call(reading, before)
    const rejected = 'reason' in outcome
    const offsets = rejected ? locate({ reading, state: before, config, anchorTimeSec }) : []
    const at = placeOf(applet, offsets)
    const after = rejected ? before : outcome.state
    totals.states.set(device, after)
    totals.readings++
    if (rejected) count(totals.reasons, describe(outcome.reason, at, offsets))
    else {
      totals.accepted++
      totals.units += outcome.units
    }
    const units = rejected ? 0n : outcome.units
    const reason = rejected ? describe(outcome.reason, at, offsets) : null
    onRow({ line, device, accepted: !rejected, units, reason, at: at ?? null, state: decodeRecord(abi.state, after) })
  }
  return totals
}

/** The innermost call that a line of the applet's own source made. */
function placeOf({ lines }: LoadedApplet, offsets: readonly number[]): SourceLine | undefined {
  if (!lines) return undefined
  const own = offsets.find((offset) => lines.locateUser(offset) !== undefined) ?? offsets[0]
  return own === undefined ? undefined : appletLine(lines, own)
}

function describe(reason: string, at: SourceLine | undefined, offsets: readonly number[]): string {
  if (at) return `${reason} at ${at.file}:${at.line}: ${at.text}`
  return offsets.length === 0 ? reason : `${reason} at byte 0x${offsets[0]!.toString(16)} of the WASM`
}

function count(reasons: Map<string, number>, reason: string): void {
  reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
}
