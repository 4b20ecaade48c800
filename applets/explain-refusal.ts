/**
 * Turns a refusal of the sandbox or of the circuit compiler, which know bytes of the WASM, into one that shows the author's line:
 *
 *   applets/mine.ts:14:3: this loop may run without end: …
 *      14 |   while (x > 1) {
 *         |   ^
 *   A circuit has a fixed size and contains every turn. …
 */
import { AttestreamError, isAttestreamError } from '../engine/core/errors.ts'
import type { TrailStep } from '../engine/core/call-trail.ts'
import type { Unprovable } from '../engine/core/unprovable.ts'
import { FLOATS, MEMORY_GROWTH } from '../engine/core/unprovable.ts'
import type { SourceLines, SourceLocation } from './source-lines.ts'

/** What `run` gives; an AttestreamError that it throws is explained first. */
export function withSourceLines<T>(lines: SourceLines | undefined, run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw lines !== undefined && isAttestreamError(error) ? explainRefusal(error, lines) : error
  }
}

/**
 * The same code with a message that shows the source line, and `details` with `{ file, line, column }` beside the WASM's. An
 * error that names no place in the WASM, or one that the source map does not know, comes back as it is.
 */
export function explainRefusal(error: AttestreamError, lines: SourceLines): AttestreamError {
  const { offset, problem, advice, trail, instruction, dearest } = error.details as Partial<RefusalDetails>
  if (offset === undefined || problem === undefined || advice === undefined) return error
  const inside = (trail ?? []).map((step) => step.offset)
  const place = authorsPlace([...inside, offset], lines)
  if (place === undefined) return error
  const deepest = lines.locate(offset)
  const said = (instruction === CALL ? undefined : inLibrary(deepest)) ?? { problem, advice }
  const { file, line, column } = place
  const message = [
    `${shown(place)}: ${said.problem}`,
    ...excerpt(place),
    said.advice,
    ...dearestLines(dearest ?? [], lines),
    ...around(trail ?? [], place, deepest, lines),
  ].join('\n')
  return new AttestreamError(error.code, message, { ...error.details, ...said, file, line, column }, { cause: error })
}

/** An import or a recursion: that a library makes the call changes nothing. */
const CALL = 'call'

interface RefusalDetails extends Unprovable {
  instruction: string
  offset: number
  trail: readonly TrailStep[]
  /** Of a circuit that got too large. */
  dearest: readonly { readonly offset: number; readonly constraints: number }[]
}

/** The innermost place in a file of the author; if there is none, the innermost of all. */
function authorsPlace(offsets: readonly number[], lines: SourceLines): SourceLocation | undefined {
  for (const offset of offsets.toReversed()) {
    const place = lines.locateUser(offset)
    if (place !== undefined) return place
  }
  return lines.locate(offsets.at(-1)!)
}

const LIBRARY: readonly [RegExp, Unprovable][] = [
  [
    /^~lib\/(string|number|util\/(string|number|casemap))\.ts$/,
    {
      problem: 'text is made here, and how long it gets is not known before the reading is',
      advice:
        'An applet computes with integers. Give each kind of thing a number: `kind: u8` in the Reading, a `const` for each.',
    },
  ],
  [/^~lib\/(math|util\/math)\.ts$/, FLOATS],
  [
    /^~lib\/(map|set|util\/hash)\.ts$/,
    {
      problem: 'where a Map or Set puts its entries depends on data',
      advice:
        'Use a `StaticArray` of constant length with a small number as index, and go through it with a constant loop.',
    },
  ],
  [/^~lib\/(rt\/.*|memory|arraybuffer)\.ts$/, MEMORY_GROWTH],
]

/** Code of asc's library means one thing to its user, whatever instruction fails. */
function inLibrary(place: SourceLocation | undefined): Unprovable | undefined {
  return LIBRARY.find(([files]) => place !== undefined && files.test(place.file))?.[1]
}

function shown({ file, line, column }: SourceLocation): string {
  return `${file}:${line}:${column}`
}

function excerpt({ line, column, text }: SourceLocation): string[] {
  const number = String(line).padStart(5)
  const marker = text.slice(0, column - 1).replace(/[^\t]/g, ' ')
  return [`${number} | ${text}`, `${' '.repeat(number.length)} | ${marker}^`]
}

const LINES_SHOWN = 3

/** The author's lines that took most of a circuit, the dearest first. */
function dearestLines(dearest: RefusalDetails['dearest'], lines: SourceLines): string[] {
  const costs = new Map<string, number>()
  for (const { offset, constraints } of dearest) {
    const place = lines.locateUser(offset) ?? lines.locate(offset)
    if (place === undefined) continue
    const line = `${place.file}:${place.line}: ${place.text.trim()}`
    costs.set(line, (costs.get(line) ?? 0) + constraints)
  }
  return [...costs]
    .sort(([, a], [, b]) => b - a)
    .slice(0, LINES_SHOWN)
    .map(([line, constraints]) => `${constraints} constraints so far in ${line}`)
}

/** The library line behind the author's, and the loops whose turns multiply it. */
function around(
  trail: readonly TrailStep[],
  place: SourceLocation,
  deepest: SourceLocation | undefined,
  lines: SourceLines,
): string[] {
  const loops = trail
    .filter(({ kind }) => kind === 'loop')
    .map(({ offset }) => lines.locateUser(offset))
    .filter((loop) => loop !== undefined && shown(loop) !== shown(place))
    .map((loop) => `In the loop of ${shown(loop!)}: ${loop!.text.trim()}`)
  const behind =
    deepest === undefined || shown(deepest) === shown(place)
      ? []
      : [`It happens in ${shown(deepest)}: ${deepest.text.trim()}`]
  return [...new Set(loops), ...behind]
}
