// All applets of asconfig.json: each has example readings, on which and near which the circuit computes what the bytes compute, and
// docs/applets.md tells of it what is so.

import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { readReadings, type ReadingRow } from '../../cli/datasets/readings.ts'
import type { AppletInputs, CompiledApplet } from '../../circuits/compiler/index.ts'
import { compileApplet, interpret } from '../../circuits/compiler/index.ts'
import type { Layout } from '../../engine/core/layout.ts'
import { encodeRecord, type NamedRecord } from '../../engine/core/layout.ts'
import { randomSource } from '../circuits/compiler/applet-module.ts'
import { nativeApplet, type NativeRun } from '../circuits/compiler/native.ts'
import { APPLET_NAMES, builtApplet } from './built.ts'

const ROOT = new URL('../../', import.meta.url).pathname
const ANCHOR_SEC = 1_790_000_000n
const NEAR_EACH_ROW = 8

interface Example extends CompiledApplet {
  native: NativeRun
  config: bigint[]
  rows: ReadingRow[]
}

const docs = readFileSync(`${ROOT}docs/applets.md`, 'utf8')

async function loadExample(name: string): Promise<Example> {
  const wasm = await builtApplet(name)
  const compiled = compileApplet(wasm)
  const { abi } = compiled
  const values = JSON.parse(readFileSync(`${ROOT}applets/data/${name}.config.json`, 'utf8')) as NamedRecord
  const rows: ReadingRow[] = []
  for await (const row of readReadings(`${ROOT}applets/data/${name}.csv`, abi.reading)) rows.push(row)
  return { ...compiled, native: nativeApplet(wasm, abi), config: encodeRecord(abi.config, values), rows }
}

/** The rows in order, each with the State that its device has then. */
function* replay({ abi, native, config, rows }: Example) {
  const states = new Map<string, bigint[]>()
  for (const { device, reading } of rows) {
    const state = states.get(device) ?? abi.state.map(() => 0n)
    const inputs: AppletInputs = { enabled: true, reading: [...reading], state, config, anchorTime: ANCHOR_SEC }
    const outputs = native(inputs)
    states.set(device, outputs.nextState)
    yield { inputs, outputs }
  }
}

/** The same call with one or two fields a little off: by one, by a bit, or at an end of their range. */
function nearby(random: (below: number) => number, { abi }: Example, inputs: AppletInputs): AppletInputs {
  const near = { ...inputs, reading: [...inputs.reading], state: [...inputs.state], config: [...inputs.config] }
  for (let k = 0; k <= random(2); k++) {
    const record = (['reading', 'reading', 'state', 'state', 'config'] as const)[random(5)]!
    if (abi[record].length > 0) nudge(random, near[record], abi[record])
  }
  if (random(8) === 0) near.anchorTime = near.reading[0]! + BigInt(random(3) - 301)
  if (near.anchorTime < 0n) near.anchorTime = 0n
  return near
}

function nudge(random: (below: number) => number, values: bigint[], layout: Layout): void {
  const k = random(layout.length)
  const { bits } = layout[k]!
  const value = values[k]!
  const choices = [value + 1n, value - 1n, value ^ (1n << BigInt(random(bits))), 0n, -1n, value + BigInt(random(1000))]
  values[k] = BigInt.asUintN(bits, choices[random(choices.length)]!)
}

describe.each(APPLET_NAMES)('%s', (name) => {
  let example: Example
  beforeAll(async () => {
    example = await loadExample(name)
  })

  it('computes in the circuit what its bytes compute, on its example readings and near them', () => {
    const random = randomSource(name.length + 5)
    const seen = { accepted: 0, rejected: 0 }
    for (const { inputs, outputs } of replay(example)) {
      expect({ inputs, ...interpret(example.ir, inputs) }).toEqual({ inputs, ...outputs })
      for (let k = 0; k < NEAR_EACH_ROW; k++) {
        const near = nearby(random, example, inputs)
        const expected = example.native(near)
        expect({ inputs: near, ...interpret(example.ir, near) }).toEqual({ inputs: near, ...expected })
        seen[expected.accepted ? 'accepted' : 'rejected']++
      }
    }
    expect(seen.accepted).toBeGreaterThan(20)
    expect(seen.rejected).toBeGreaterThan(5)
  })

  it('has example readings that show payment and refusal, as docs/applets.md counts them', () => {
    const outcomes = [...replay(example)].map(({ outputs }) => outputs)
    const accepted = outcomes.filter((outcome) => outcome.accepted).length
    const units = outcomes.reduce((sum, outcome) => sum + outcome.units, 0n)
    expect(outcomes.length).toBeGreaterThanOrEqual(20)
    expect(outcomes.length).toBeLessThanOrEqual(60)
    expect(units).toBeGreaterThan(0n)
    const count = `${outcomes.length} readings, ${accepted} accepted, ${units.toLocaleString('en')} units`
    expect(section(name)).toContain(count)
  })

  it('costs what docs/applets.md says, and at most 900 constraints', () => {
    expect(example.stats.constraints).toBeLessThanOrEqual(900)
    expect(section(name)).toContain(`**${example.stats.constraints} constraints**`)
  })

  it('has each field of Config in its table of docs/applets.md', () => {
    for (const field of example.abi.config) expect(section(name)).toContain(`| \`${field.name}\` |`)
  })
})

/** Text of docs/applets.md from the applet's heading to the next. */
function section(name: string): string {
  const start = docs.indexOf(`\n## ${name}\n`)
  expect(start).toBeGreaterThanOrEqual(0)
  const end = docs.indexOf('\n## ', start + 1)
  return docs.slice(start, end === -1 ? undefined : end)
}
