/**
 * Which line of an applet's source a byte of its WASM came from, by the source map that build.ts hands out. Inlined functions
 * keep their own lines. An instruction that the map leaves out takes the place of the nearest one before it in its function.
 */
import { readFileSync } from 'node:fs'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { decodedMappings, TraceMap } from '@jridgewell/trace-mapping'
import { decodeWasm } from '../engine/core/wasm.ts'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
/** Where asc's own runtime and standard library lie. */
const ASC_LIBRARY = '~lib/'

export interface SourceLocation {
  /** As asc names it: relative to the project's root, absolute outside of it, or `~lib/…` for asc's own library. */
  readonly file: string
  /** Both from 1. */
  readonly line: number
  readonly column: number
  /** The whole line, without its end. */
  readonly text: string
}

export interface SourceLines {
  /** The place of an instruction, by its absolute offset in the file (Location.offset of the compiler). */
  locate(wasmOffset: number): SourceLocation | undefined
  /** The same, or the nearest place before it in the same function that is in a file of the user, not in asc's library. */
  locateUser(wasmOffset: number): SourceLocation | undefined
}

/** Reads a source map; with the WASM it belongs to, no offset takes a line of the function before its own. */
export function parseSourceLines(sourceMapJson: string, wasm?: Uint8Array): SourceLines {
  const map = new TraceMap(sourceMapJson)
  const places = (decodedMappings(map)[0] ?? []).filter((segment) => segment.length > 1) as Place[]
  const starts = wasm === undefined ? [] : decodeWasm(wasm).functions.map(({ bodyOffset }) => bodyOffset)
  const texts = map.sources.map((source, k) => (map.sourcesContent?.[k] ?? sourceText(source ?? '')).split(/\r?\n/))
  const find = (wasmOffset: number, accepts: (file: string) => boolean): SourceLocation | undefined => {
    const from = starts.findLast((start) => start <= wasmOffset) ?? 0
    const place = places.findLast(
      ([offset, source]) => offset <= wasmOffset && offset >= from && accepts(map.sources[source] ?? ''),
    )
    if (place === undefined) return undefined
    const [, source, line, column] = place
    return {
      file: shownFile(map.sources[source] ?? ''),
      line: line + 1,
      column: column + 1,
      text: texts[source]?.[line] ?? '',
    }
  }
  return {
    locate: (wasmOffset) => find(wasmOffset, () => true),
    locateUser: (wasmOffset) => find(wasmOffset, (file) => !file.startsWith(ASC_LIBRARY)),
  }
}

/** Offset in the WASM; source, line and column from 0. */
type Place = [offset: number, source: number, line: number, column: number]

function shownFile(source: string): string {
  return source.startsWith('..') ? resolve(ROOT, source) : source
}

function sourceText(source: string): string {
  if (source.startsWith(ASC_LIBRARY)) return ''
  try {
    return readFileSync(isAbsolute(source) ? source : join(ROOT, source), 'utf8')
  } catch {
    return ''
  }
}
