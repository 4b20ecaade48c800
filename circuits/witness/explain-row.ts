// Where a constraint of a circuit comes from: the slot, the reading and the instruction of the applet's WASM, or the signal of the
// library's template. Read from circom's names of the row's wires and from the comments in the compiled applet.

import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { readR1cs } from '../setup/r1cs.ts'
import { readSymbols } from './symbols.ts'

export interface RowOrigin {
  /** Without the numbers that circom gives to anonymous components. */
  readonly signal: string
  /** Of a constraint of the applet. */
  readonly applet?: {
    readonly slot: number
    /** From 0 within the frame. */
    readonly reading: number
    /** As the compiler says it: function and instruction, or the field of a record, or `the applet outputs`. */
    readonly place: string
    /** Absolute offset of the instruction in the WASM: what a source map turns into a line. */
    readonly wasmOffset?: number
  }
}

/** In a batch circuit (circuits/batch-circuit.ts): the signals of one reading. */
const APPLET_SIGNAL = /^main\.Fold(?:_\d+)*\[(\d+)\]\.applet\[(\d+)\]\.(.+)$/
const SIGNAL_LINE = /^ {4}signal (.+?) ?(?:<==|;)/
const COMMENT_LINE = /^ {4}\/\/ (.+)$/

/** The origin of a row; undefined without the .sym file. The compiled applet is looked for beside the constraints. */
export function rowOrigin(r1csPath: string, row: number): RowOrigin | undefined {
  const symbols = r1csPath.replace(/\.r1cs$/, '.sym')
  if (!existsSync(symbols)) return undefined
  const { names } = readSymbols(symbols)
  const signals = rowWires(r1csPath, row).flatMap((wire) => names[wire] ?? [])
  const applet = appletOrigin(signals, join(dirname(r1csPath), 'applet.circom'))
  return applet ?? (signals.length > 0 ? { signal: readable(deepest(signals)) } : undefined)
}

/** One clause for a message; `sourceLine` turns an offset in the WASM into the place in the applet's source. */
export function describeRow(
  r1csPath: string,
  row: number,
  sourceLine: (wasmOffset: number) => string | undefined = () => undefined,
): string {
  const constraint = `constraint ${row} of the circuit`
  const origin = rowOrigin(r1csPath, row)
  if (!origin) return constraint
  if (!origin.applet) return `${constraint}, at ${origin.signal}`
  const { slot, reading, place, wasmOffset } = origin.applet
  const line = wasmOffset === undefined ? undefined : sourceLine(wasmOffset)
  return `${constraint}, of the applet for slot ${slot}, reading ${reading}: ${line === undefined ? '' : `${line}, `}${place}`
}

function rowWires(path: string, row: number): number[] {
  const { a, b, c } = readR1cs(path)
  const wires = [a, b, c].flatMap(({ rowStart, wire }) => [...wire.subarray(rowStart[row], rowStart[row + 1])])
  return [...new Set(wires)].filter((wire) => wire !== 0)
}

/** A row reads what was computed before it: it belongs to the last of its signals. */
function appletOrigin(signals: readonly string[], appletPath: string): RowOrigin | undefined {
  const own = signals.flatMap((signal) => {
    const match = APPLET_SIGNAL.exec(signal)
    if (!match) return []
    const [, slot, reading, local] = match
    return [{ signal, slot: Number(slot), reading: Number(reading), local: local!, base: baseOf(local!) }]
  })
  if (own.length === 0 || !existsSync(appletPath)) return undefined
  const places = appletPlaces(readFileSync(appletPath, 'utf8'))
  const latest = (one: (typeof own)[number]) => one.reading * 1e9 + (places.get(one.base)?.line ?? 0)
  const last = own.reduce((best, one) => (latest(one) > latest(best) ? one : best))
  const place = places.get(last.base)?.place ?? readable(last.local)
  const offset = / 0x([0-9a-f]+) /.exec(place)?.[1]
  const wasmOffset = offset === undefined ? {} : { wasmOffset: parseInt(offset, 16) }
  return {
    signal: readable(last.signal),
    applet: { slot: last.slot, reading: last.reading, place, ...wasmOffset },
  }
}

/** `b3[5]` → `b3` */
function baseOf(signal: string): string {
  return signal.replace(/[.[].*$/, '')
}

/** The comment above each signal of the compiled applet. */
function appletPlaces(circom: string): Map<string, { place: string; line: number }> {
  const places = new Map<string, { place: string; line: number }>()
  let place = 'the applet outputs'
  for (const [line, text] of circom.split('\n').entries()) {
    const comment = COMMENT_LINE.exec(text)
    if (comment) place = comment[1]!
    const signals =
      SIGNAL_LINE.exec(text)?.[1]
        ?.replace(/^(in|out)put /, '')
        .split(', ') ?? []
    for (const signal of signals) places.set(baseOf(signal), { place, line })
  }
  return places
}

function deepest(signals: readonly string[]): string {
  const depth = (signal: string) => signal.split('.').length
  return signals.reduce((best, signal) => (depth(signal) > depth(best) ? signal : best))
}

function readable(signal: string): string {
  return signal.replace(/^main\./, '').replace(/_\d+_\d+/g, '')
}
