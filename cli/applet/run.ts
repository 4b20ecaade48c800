// `applet run`: an applet over the readings of a CSV, natively and without a proof.

import type { Command } from 'commander'
import type { NamedRecord, Layout, RawRecord } from '../../engine/core/layout.ts'
import { decodeRecord, encodeRecord } from '../../engine/core/layout.ts'
import { parseAppletAbi } from '../../engine/core/applet.ts'
import { AttestreamError, isAttestreamError } from '../../engine/index.ts'
import { readReadings } from '../datasets/readings.ts'
import { createProgress } from '../progress.ts'
import { grouped, paint, printFacts, printJson, tableLines } from '../table.ts'
import { examine, examineCommand, integer, readJson } from './command.ts'
import { loadApplet } from './source.ts'
import { runTrial, type TrialRow, type TrialTotals } from './trial.ts'

interface RunFlags {
  readonly csv: string
  readonly config?: readonly string[]
  readonly anchorTime?: number
  readonly state?: string
  readonly limit: number
  readonly json: boolean
}

const ROWS_SHOWN = 50
const LATEST_TIME_SEC = 2 ** 40

export function runCommand(): Command {
  return examineCommand(
    'run',
    'Run an applet over the readings of a CSV, without proving: units, rejections and why, State',
    'attestream applet run applets/energy-meter.ts --csv readings.csv --config maxWatts=11000 unitsPerKwh=1000',
  )
    .argument('<applet>', 'source x.ts or WASM x.wasm')
    .requiredOption('--csv <file>', "readings: the header holds Reading's field names, and device if there are several")
    .option('--config <items...>', 'name=value for each field of Config, or a JSON file')
    .option('--anchor-time <sec>', 'Unix time of the anchor; default: now', integer(0, LATEST_TIME_SEC))
    .option('--state <file>', 'State before, JSON by device: what --json gives as states')
    .option('--limit <n>', 'rows to show', integer(0, 1_000_000), ROWS_SHOWN)
    .option('--json', 'print JSON', false)
    .action(examine(run))
}

async function run(path: string, flags: RunFlags): Promise<boolean> {
  const progress = createProgress()
  const applet = await loadApplet(path, progress)
  const abi = parseAppletAbi(applet.wasm)
  const config = await readConfig(abi.config, flags.config ?? [])
  const states = flags.state === undefined ? new Map<string, RawRecord>() : await readStates(abi.state, flags.state)
  const anchorTimeSec = BigInt(flags.anchorTime ?? Math.floor(Date.now() / 1000))
  const shown: TrialRow[] = []
  progress.step(`Run the readings of ${flags.csv}`)
  let rows = 0
  const totals = await runTrial(
    applet,
    { config, anchorTimeSec, states },
    ({ reading }) => readReadings(flags.csv, reading),
    (row) => {
      if (shown.length < flags.limit) shown.push(row)
      if (++rows % 10_000 === 0) progress.update(`${grouped(rows)} readings`)
    },
  )
  progress.end()
  const statesAfter = Object.fromEntries(
    [...totals.states].map(([device, state]) => [device, decodeRecord(abi.state, state)]),
  )
  const { appletId } = applet
  if (flags.json) {
    const { readings, accepted, units, reasons } = totals
    const rejected = { rejected: readings - accepted, reasons: Object.fromEntries(reasons) }
    printJson({ appletId, anchorTimeSec, rows: shown, readings, accepted, ...rejected, units, states: statesAfter })
  } else {
    printRows(shown, abi.state)
    printTotals(totals, shown.length, { appletId, anchorTimeSec, maxUnitsPerFrame: abi.maxUnitsPerFrame })
  }
  return true
}

/** Config from name=value pairs and JSON files; throws INPUT_INVALID or RECORD_FIELD_*. */
async function readConfig(layout: Layout, items: readonly string[]): Promise<RawRecord> {
  const values: Record<string, bigint> = {}
  for (const item of items) {
    const [name, text] = item.split('=', 2) as [string, string?]
    if (text === undefined) Object.assign(values, namedRecord(await readJson(item, 'The config'), item))
    else values[name] = integerOf(text, `--config ${name}`)
  }
  return encode(layout, values, '--config')
}

/** State by device; throws INPUT_INVALID or RECORD_FIELD_*. */
async function readStates(layout: Layout, file: string): Promise<Map<string, RawRecord>> {
  const json = await readJson(file, 'The state')
  const byDevice = isObject(json) && isObject(json['states']) ? json['states'] : json
  if (!isObject(byDevice))
    throw new AttestreamError('INPUT_INVALID', `${file} holds no object; expected State by device.`)
  return new Map(
    Object.entries(byDevice).map(([device, record]) => [
      device,
      encode(layout, namedRecord(record, `${file}, device ${device}`), `${file}, device ${device}`),
    ]),
  )
}

function encode(layout: Layout, values: NamedRecord, where: string): RawRecord {
  try {
    return encodeRecord(layout, values)
  } catch (error) {
    if (!isAttestreamError(error)) throw error
    const fields = layout.map(({ name, type, bits }) => `${name} (${type}, ${bits} bits)`).join(', ') || 'none'
    throw new AttestreamError(error.code, `${where}: ${error.message} Expected: ${fields}.`, error.details)
  }
}

function namedRecord(json: unknown, where: string): Record<string, bigint> {
  if (!isObject(json)) throw new AttestreamError('INPUT_INVALID', `${where} holds no object; expected fields by name.`)
  return Object.fromEntries(
    Object.entries(json).map(([name, value]) => [name, integerOf(String(value), `${where}, ${name}`)]),
  )
}

function integerOf(text: string, where: string): bigint {
  if (/^(true|false)$/.test(text)) return text === 'true' ? 1n : 0n
  if (/^[+-]?\d{1,40}$/.test(text)) return BigInt(text.replace(/^\+/, ''))
  throw new AttestreamError('INPUT_INVALID', `${where} is '${text.slice(0, 64)}'; expected a whole number.`)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function printRows(rows: readonly TrialRow[], state: Layout): void {
  if (rows.length === 0) return
  const names = state.map(({ name }) => name)
  const header = ['line', 'device', 'accepted', 'units', ...names, 'reason']
  const cells = rows.map((row) => [
    `${row.line}`,
    row.device,
    row.accepted ? 'yes' : 'no',
    `${row.units}`,
    ...names.map((name) => `${row.state[name]}`),
    row.reason ?? '',
  ])
  const alignments = ['right', 'left', 'left', 'right', ...names.map(() => 'right' as const), 'left'] as const
  const [title, ...lines] = tableLines([header, ...cells], alignments)
  console.log(title)
  lines.forEach((line, i) => console.log(rows[i]!.accepted ? line : paint('red', line)))
}

interface RunFacts {
  readonly appletId: string
  readonly anchorTimeSec: bigint
  readonly maxUnitsPerFrame: bigint
}

function printTotals(totals: TrialTotals, shown: number, facts: RunFacts): void {
  const { readings, accepted, units, reasons, states } = totals
  if (readings > shown) console.log(`  … ${grouped(readings - shown)} more rows (--limit)`)
  console.log()
  printFacts([
    ['applet', facts.appletId],
    ['anchor time', `${facts.anchorTimeSec} (${new Date(Number(facts.anchorTimeSec) * 1000).toISOString()})`],
    ['readings', `${grouped(readings)} of ${grouped(states.size)} devices`],
    ['accepted', grouped(accepted)],
    ['rejected', grouped(readings - accepted)],
    ['units', `${grouped(units)} (the sum of a frame is paid up to ${grouped(facts.maxUnitsPerFrame)})`],
  ])
  const byCount = [...reasons].sort(([, a], [, b]) => b - a)
  for (const [reason, times] of byCount) console.log(`    ${grouped(times)} × ${reason}`)
}
