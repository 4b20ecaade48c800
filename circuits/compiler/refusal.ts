/** How the compiler says no, and the bounds that keep a hostile module from taking long. */
import { AttestreamError } from '../../engine/core/errors.ts'
import type { DearPlace } from './cost-report.ts'
import type { Location } from './ir.ts'

export interface CompilerLimits {
  /** Iterations of one loop. */
  loopIterations: number
  /** Constraints of one reading. */
  constraints: number
  /** Elementary steps: instructions followed and linear terms moved. A million take about a second; the applets of the project take below 10,000. */
  work: number
  /**
   * Instructions followed, counted as `instructionFuel` says. Any run of the applet takes a path that the compiler
   * followed, so with the sandbox's fuel well above this (engine/runner/run.ts) no reading that is provable runs out of it.
   */
  instructions: number
  callDepth: number
  /** Addresses one access may have. */
  candidates: number
}

export const DEFAULT_LIMITS: CompilerLimits = {
  loopIterations: 300,
  constraints: 50_000,
  work: 3_000_000,
  instructions: 200_000,
  callDepth: 64,
  candidates: 256,
}

const PLACES_NAMED = 3

/**
 * The error for code that cannot become a circuit: where it is, what it is, and in whole sentences what to write instead. For a
 * circuit that got too large also what took most of it, the dearest first.
 */
export function refuse(
  at: Location,
  problem: string,
  advice: string,
  dearest: readonly DearPlace[] = [],
): AttestreamError {
  const places = dearest.slice(0, PLACES_NAMED).map((place) => `${place.constraints} in ${describePlace(place)}`)
  const named = places.length === 0 ? '' : ` Most constraints so far: ${places.join('; ')}.`
  const where = describePlace({ ...at, function: at.functionName })
  return new AttestreamError('APPLET_UNSUPPORTED', `Cannot compile ${where}: ${problem}. ${advice}${named}`, {
    function: at.functionName,
    offset: at.offset,
    instruction: at.instruction,
    trail: at.trail ?? [],
    problem,
    advice,
    ...(dearest.length > 0 && { dearest }),
  })
}

function describePlace(place: Pick<DearPlace, 'function' | 'offset' | 'instruction'>): string {
  return `${place.function} at byte 0x${place.offset.toString(16)} (${place.instruction})`
}
