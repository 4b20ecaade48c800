// An applet as the commands take it: a source that is compiled now, or WASM with the source map beside it, if there is one.

import { existsSync } from 'node:fs'
import { buildAppletWithSource } from '../../applets/build.ts'
import { parseSourceLines, type SourceLines } from '../../applets/source-lines.ts'
import { appletId } from '../../engine/core/applet.ts'
import type { Hex } from '../../engine/core/codec.ts'
import { AttestreamError } from '../../engine/index.ts'
import type { Progress } from '../progress.ts'
import { readInput } from './command.ts'

export interface LoadedApplet {
  readonly appletId: Hex
  readonly wasm: Uint8Array
  readonly sourceMap: string | undefined
  /** undefined without a source map. */
  readonly lines: SourceLines | undefined
}

/** A line of source, for people and machines. */
export interface SourceLine {
  readonly file: string
  readonly line: number
  readonly text: string
}

/** Loads `x.ts` or `x.wasm` (and `x.wasm.map`). Throws INPUT_INVALID, and APPLET_SOURCE_INVALID with asc's message. */
export async function loadApplet(path: string, progress?: Progress): Promise<LoadedApplet> {
  if (!/\.(ts|wasm)$/.test(path)) {
    throw new AttestreamError('INPUT_INVALID', `The applet is '${path}'; expected a source x.ts or its WASM x.wasm.`)
  }
  if (path.endsWith('.wasm')) {
    const wasm = await readInput(path, 'The applet')
    const map = `${path}.map`
    const sourceMap = existsSync(map) ? new TextDecoder().decode(await readInput(map, 'The source map')) : undefined
    return loaded(wasm, sourceMap)
  }
  await readInput(path, 'The applet')
  progress?.step(`Compile ${path}`)
  const { wasm, sourceMap } = await buildAppletWithSource(path)
  return loaded(wasm, sourceMap)
}

function loaded(wasm: Uint8Array, sourceMap: string | undefined): LoadedApplet {
  const lines = sourceMap === undefined ? undefined : parseSourceLines(sourceMap, wasm)
  return { appletId: appletId(wasm), wasm, sourceMap, lines }
}

/** The applet's own line that led to an instruction: what libraries do in inlined functions is put down to the line that calls them. */
export function appletLine(lines: SourceLines, wasmOffset: number): SourceLine | undefined {
  const found = lines.locateUser(wasmOffset) ?? lines.locate(wasmOffset)
  return found && { file: found.file, line: found.line, text: found.text.trim() }
}
