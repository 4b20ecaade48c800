/** How the compiler says no, and the bounds that keep a hostile module from taking long. */
import { AttestreamError } from '../../engine/core/errors.ts'
import type { Location } from './ir.ts'

export interface CompilerLimits {
  /** Iterations of one loop. */
  loopIterations: number
  /** Constraints of one reading. */
  constraints: number
  /** Elementary steps: instructions followed and linear terms moved. A million take about a second; the applets of the project take below 10,000. */
  work: number
  /**
   * Instructions followed, a bulk one counted as BULK_INSTRUCTIONS. Any run of the applet takes a path that the compiler
   * followed, so with the sandbox's fuel well above this (engine/runner/run.ts) no reading that is provable runs out of it.
   */
  instructions: number
  callDepth: number
  /** Addresses one access may have. */
  candidates: number
}

/** The fuel that the sandbox takes for memory.copy and memory.fill. */
export const BULK_INSTRUCTIONS = 4096

export const DEFAULT_LIMITS: CompilerLimits = {
  loopIterations: 300,
  constraints: 50_000,
  work: 3_000_000,
  instructions: 200_000,
  callDepth: 64,
  candidates: 256,
}

/** The error for code that cannot become a circuit: where it is, what it is, and in whole sentences what to write instead. */
export function refuse(at: Location, problem: string, advice: string): AttestreamError {
  return new AttestreamError(
    'APPLET_UNSUPPORTED',
    `Cannot compile ${at.functionName} at byte 0x${at.offset.toString(16)} (${at.instruction}): ${problem}. ${advice}`,
    {
      function: at.functionName,
      offset: at.offset,
      instruction: at.instruction,
      trail: at.trail ?? [],
      problem,
      advice,
    },
  )
}
