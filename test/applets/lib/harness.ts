/**
 * One tiny applet around each function of applets/lib: what it must compute (a model that shares no code with it), and what it costs.
 *
 * The function's result goes into State, so it is proven as the integer that its type says. The cost is the applet's constraints less
 * those of the same records with an applet that copies a field. All applets of a run are compiled by one process.
 */
import { execFileSync } from 'node:child_process'
import { compileApplet, type AppletOutputs, type CompiledApplet } from '../../../circuits/compiler/index.ts'
import { encodeRecord } from '../../../engine/core/layout.ts'
import { randomValue } from '../../circuits/compiler/applet-module.ts'
import { nativeApplet, type NativeRun } from '../../circuits/compiler/native.ts'

export type Values = Record<string, bigint>
export type Random = (below: number) => number

export interface LibraryCase {
  /** First column of its row in docs/applet-library.md. */
  name: string
  imports: string
  /** Reading: name → type, with `:n` for n declared bits. The first field is never wider than the result if that is signed. */
  reading: Record<string, string>
  /** State beside the result. */
  state?: Record<string, string>
  config?: Record<string, string>
  /** Type of the result. */
  result: string
  /** An expression, or statements with a return; `r`, `s` and `c` are the records. */
  body: string
  /**
   * The result, alone, as its least and largest value, or with State fields that change; null where the function rejects,
   * undefined where it may do as it likes.
   */
  model: (values: Values) => bigint | boolean | [bigint, bigint] | Values | null | undefined
  /** Values worth trying for some of the fields; the others are random or edges. */
  inputs?: (random: Random) => Values
}

export interface BuiltCase {
  test: LibraryCase
  applet: CompiledApplet
  native: NativeRun
  cost: number
}

const ROOT = new URL('../../../', import.meta.url).pathname

export function buildCases(cases: readonly LibraryCase[]): BuiltCase[] {
  const distinct = new Set(cases.flatMap((test) => [sourceOf(test), baselineOf(test)]))
  const list = [...distinct].map((source, k) => ({ name: `library-${k}`, source }))
  const nameOf = new Map(list.map(({ name, source }) => [source, name]))
  const output = execFileSync(process.execPath, ['test/applets/lib/asc-batch.mjs'], {
    cwd: ROOT,
    input: JSON.stringify(list),
    maxBuffer: 1 << 28,
  })
  const built = JSON.parse(output.toString()) as Record<string, string>
  const wasmOf = (source: string): Uint8Array => new Uint8Array(Buffer.from(built[nameOf.get(source)!]!, 'base64'))
  return cases.map((test) => {
    const wasm = wasmOf(sourceOf(test))
    const applet = compileApplet(wasm)
    const baseline = compileApplet(wasmOf(baselineOf(test)))
    const cost = applet.stats.constraints - baseline.stats.constraints
    return { test, applet, native: nativeApplet(wasm, applet.abi), cost }
  })
}

function fieldsOf(fields: Record<string, string>): string {
  return Object.entries(fields)
    .map(([name, spec]) => {
      const [type, bits] = spec.split(':')
      return `  ${bits === undefined ? '' : `@bits(${bits}) `}${name}: ${type}\n`
    })
    .join('')
}

function headOf({ reading, state = {}, config, result }: LibraryCase): string {
  const configClass = config === undefined ? '' : `@unmanaged class Config {\n${fieldsOf(config)}}\n`
  return `import { bits, reject, require } from './lib/record'
export const maxUnitsPerFrame: u64 = 1
@unmanaged class Reading {\n${fieldsOf(reading)}}
@unmanaged class State {\n${fieldsOf({ ...state, result })}}
${configClass}`
}

function verifyOf(test: LibraryCase, body: string): string {
  const parameters = `r: Reading, s: State${test.config === undefined ? '' : ', c: Config'}`
  const names = test.config === undefined ? 'r, s' : 'r, s, c'
  const statements = /\breturn\b/.test(body) ? body : `return ${body}`
  return `@inline function run(${parameters}): ${typeOf(test.result)} { ${statements} }
export function verify(${parameters}): u32 { s.result = run(${names}); return 0 }
`
}

const typeOf = (spec: string): string => spec.split(':')[0]!

function sourceOf(test: LibraryCase): string {
  return `${test.imports}\n${headOf(test)}${verifyOf(test, test.body)}`
}

function baselineOf(test: LibraryCase): string {
  const [name] = Object.entries(test.reading)[0]!
  const copy = typeOf(test.result) === 'bool' ? `bool(r.${name} & 1)` : `<${typeOf(test.result)}>r.${name}`
  return `${headOf(test)}${verifyOf(test, copy)}`
}

/** Inputs in raw form beside the named values they stand for. */
export function inputsFor({ test, applet }: BuiltCase, random: Random) {
  const chosen = test.inputs && random(3) > 0 ? test.inputs(random) : {}
  const values: Values = {}
  const record = (layout: CompiledApplet['abi']['reading']): bigint[] => {
    const named: Values = {}
    for (const { name, type, bits } of layout) {
      const raw = randomValue(random, bits)
      const value = chosen[name] ?? (type.startsWith('i') ? BigInt.asIntN(bits, raw) : raw)
      values[name] = value
      named[name] = value
    }
    return encodeRecord(layout, named)
  }
  const { abi } = applet
  return {
    values,
    inputs: {
      enabled: true,
      reading: record(abi.reading),
      state: record(abi.state),
      config: record(abi.config),
      anchorTime: 0n,
    },
  }
}

/** What the applet must answer; of a range, `given` if it lies in it. */
export function expectedOf(
  { test, applet }: BuiltCase,
  values: Values,
  state: readonly bigint[],
  given: AppletOutputs,
) {
  const model = test.model(values)
  if (model === undefined) return given
  const place = applet.abi.state.findIndex(({ name }) => name === 'result')
  const answer = Array.isArray(model) ? inRange(model, given.nextState[place]!) : model
  if (answer === null) return { accepted: false, units: 0n, nextState: [...state] }
  const changed = typeof answer === 'object' ? answer : { result: BigInt(answer) }
  const next = Object.fromEntries(applet.abi.state.map(({ name }) => [name, changed[name] ?? values[name]!]))
  return { accepted: true, units: 0n, nextState: encodeRecord(applet.abi.state, next) }
}

function inRange([least, most]: [bigint, bigint], value: bigint): bigint {
  return value < least ? least : value > most ? most : value
}
