// Runs a built applet on named values, for tests that read like its documentation.

import { parseAppletAbi } from '../../engine/core/applet.ts'
import { decodeRecord, encodeRecord, type NamedRecord } from '../../engine/core/layout.ts'
import { compileApplet, runCompiledBatch } from '../../engine/runner/run.ts'
import { builtApplet } from './built.ts'

export const GENESIS = {}

export interface AppletRun {
  units: (number | 'rejected')[]
  state: Record<string, bigint>
}

/** Runs readings after `state` (all fields 0 when left out); units per reading, and State after the last. */
export type RunApplet = (
  readings: NamedRecord[],
  options?: { state?: NamedRecord; config?: NamedRecord; anchorTimeSec?: bigint },
) => AppletRun

export async function loadApplet(name: string, config: NamedRecord, anchorTimeSec: bigint): Promise<RunApplet> {
  const wasm = await builtApplet(name)
  const applet = compileApplet(wasm)
  const abi = parseAppletAbi(wasm)
  const zero = Object.fromEntries(abi.state.map((field) => [field.name, 0]))
  return (readings, options = {}) => {
    const slot = {
      state: encodeRecord(abi.state, { ...zero, ...options.state }),
      readings: readings.map((reading) => encodeRecord(abi.reading, reading)),
    }
    const batch = {
      config: encodeRecord(abi.config, { ...config, ...options.config }),
      anchorTimeSec: options.anchorTimeSec ?? anchorTimeSec,
      slots: [slot],
    }
    const result = runCompiledBatch(applet, batch).slots[0]!
    return {
      units: result.units.map((units, i) => (result.accepted[i] ? Number(units) : 'rejected')),
      state: decodeRecord(abi.state, result.nextState),
    }
  }
}
