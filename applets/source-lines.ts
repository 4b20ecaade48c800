/**
 * Which line of an applet's source a byte of its WASM came from, by the source map that build.ts hands out. Inlined functions
 * keep their own lines. An instruction that the map leaves out takes the place of the nearest one before it in its function; a loop
 * takes the first place in its body.
 */
import { readFileSync } from 'node:fs'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { decodedMappings, TraceMap } from '@jridgewell/trace-mapping'
import { decodeWasm, type Instruction, type WasmFunction } from '../engine/core/wasm.ts'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
/** Where asc's own runtime and standard library lie, and this project's. */
const ASC_LIBRARY = '~lib/'
const LIBRARIES = [ASC_LIBRARY, 'applets/lib/']

const LOOP = 0x03
/** `block`, `loop`, `if`. */
const BLOCKS = [0x02, LOOP, 0x04]
const END = 0x0b

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
  /** In a file of the applet's author, not of a library: the same, or the nearest place before it in its function, or after it. */
  locateUser(wasmOffset: number): SourceLocation | undefined
}

/** Reads a source map; with the WASM it belongs to, no offset takes a line of another function. */
export function parseSourceLines(sourceMapJson: string, wasm?: Uint8Array): SourceLines {
  const map = new TraceMap(sourceMapJson)
  const places = (decodedMappings(map)[0] ?? []).filter((segment) => segment.length > 1) as Place[]
  const functions = wasm === undefined ? [] : decodeWasm(wasm).functions
  const texts = map.sources.map((source, k) => (map.sourcesContent?.[k] ?? sourceText(source ?? '')).split(/\r?\n/))
  const fileOf = ([, source]: Place): string => map.sources[source] ?? ''
  const inFunction = (wasmOffset: number): Place[] => {
    const fn = functions.find(({ bodyOffset, end }) => bodyOffset <= wasmOffset && wasmOffset < end)
    return fn === undefined ? places : places.filter(([offset]) => offset >= fn.bodyOffset && offset < fn.end)
  }
  const ends = loopEnds(functions)
  const nearest = (list: readonly Place[], wasmOffset: number): Place | undefined => {
    const end = ends.get(wasmOffset) ?? wasmOffset
    return (
      list.find(([offset]) => wasmOffset <= offset && offset < end) ?? list.findLast(([offset]) => offset <= wasmOffset)
    )
  }
  const location = (place: Place): SourceLocation => ({
    file: shownFile(fileOf(place)),
    line: place[2] + 1,
    column: place[3] + 1,
    text: texts[place[1]]?.[place[2]] ?? '',
  })
  return {
    locate(wasmOffset) {
      const place = nearest(inFunction(wasmOffset), wasmOffset)
      return place && location(place)
    },
    locateUser(wasmOffset) {
      const own = inFunction(wasmOffset).filter((place) => !LIBRARIES.some((path) => fileOf(place).startsWith(path)))
      const place = nearest(own, wasmOffset) ?? own[0]
      return place && location(place)
    },
  }
}

/** Offset in the WASM; source, line and column from 0. */
type Place = [offset: number, source: number, line: number, column: number]

/** Offset of the end of each loop, by the offset of the loop. */
function loopEnds(functions: readonly WasmFunction[]): Map<number, number> {
  const ends = new Map<number, number>()
  for (const { instructions } of functions) {
    const open: Instruction[] = []
    for (const instruction of instructions) {
      if (BLOCKS.includes(instruction.opcode)) open.push(instruction)
      if (instruction.opcode !== END) continue
      const block = open.pop()
      if (block?.opcode === LOOP) ends.set(block.offset, instruction.offset)
    }
  }
  return ends
}

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
