/** Tries everything that the compiler believes about an applet on given inputs (circuits/compiler/claims.ts). */
import { parseAppletAbi } from '../../../engine/core/applet.ts'
import { decodeWasm } from '../../../engine/core/wasm.ts'
import type { Claim } from '../../../circuits/compiler/claims.ts'
import { checkClaims } from '../../../circuits/compiler/claims.ts'
import type { AppletInputs } from '../../../circuits/compiler/index.ts'
import { evaluate } from '../../../circuits/compiler/interpret.ts'
import { lowerWithClaims } from '../../../circuits/compiler/lower.ts'
import { DEFAULT_LIMITS } from '../../../circuits/compiler/refusal.ts'

export interface Audit {
  claims: readonly Claim[]
  /** Throws a RangeError when a claim is false, or a gadget without a solution, for these inputs. */
  check(inputs: AppletInputs): void
}

export function auditApplet(wasm: Uint8Array): Audit {
  const { ir, claims } = lowerWithClaims(decodeWasm(wasm), parseAppletAbi(wasm), DEFAULT_LIMITS)
  return { claims, check: (inputs) => checkClaims(claims, evaluate(ir, inputs)) }
}
