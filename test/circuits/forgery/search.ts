/**
 * Finds all solutions of a constraint system over the field for given inputs, by trying both roots of every constraint that
 * leaves a wire two values and by computing what constraints with one unknown wire determine. It is complete: a wire is only
 * ever given values that some constraint leaves it, and where no constraint limits any unknown wire it throws.
 */
import type { Constraint, Form, System } from './system.ts'
import { inverse, modulo, valueOfForm } from './system.ts'

export interface Found {
  /** Solutions by the values of the wires asked for; wires that no constraint limits (inverses of 0) are left out. */
  readonly outputs: readonly (readonly bigint[])[]
  readonly nodes: number
}

type Step = { kind: 'done' } | { kind: 'waiting' } | { kind: 'values'; wire: number; values: bigint[] }

/** Distinct values of `outputs` over all solutions. Throws a RangeError after `limit` steps. */
export function allSolutions(
  system: System,
  given: ReadonlyMap<number, bigint>,
  outputs: readonly number[],
  limit: number,
): Found {
  const values: (bigint | undefined)[] = new Array<bigint | undefined>(system.wireCount).fill(undefined)
  values[0] = 1n
  const found = new Map<string, bigint[]>()
  let nodes = 0

  /** Assigns and everything that follows; the wires assigned, or undefined after a contradiction, which is undone. */
  function assign(wire: number, value: bigint): number[] | undefined {
    const trail = [wire]
    values[wire] = value
    for (let k = 0; k < trail.length; k++) {
      if (++nodes > limit) throw new RangeError(`more than ${limit} steps`)
      for (const index of system.touching[trail[k]!]!) {
        const step = inspect(system.constraints[index]!, values)
        if (step.kind !== 'values' || step.values.length > 1) continue
        if (step.values.length === 0) {
          undo(trail)
          return undefined
        }
        values[step.wire] = step.values[0]!
        trail.push(step.wire)
      }
    }
    return trail
  }

  function undo(trail: readonly number[]): void {
    for (const wire of trail) values[wire] = undefined
  }

  function explore(): void {
    let choice: Step | undefined
    let waiting = false
    for (const constraint of system.constraints) {
      const step = inspect(constraint, values)
      if (step.kind === 'waiting') waiting = true
      if (step.kind === 'values' && (choice?.kind !== 'values' || step.wire < choice.wire)) choice = step
    }
    if (choice?.kind !== 'values') {
      if (waiting) throw new Error('no constraint limits the unknown wires')
      const outcome = outputs.map((wire) => values[wire] ?? -1n)
      found.set(outcome.join(), outcome)
      return
    }
    for (const value of choice.values) {
      const trail = assign(choice.wire, value)
      if (trail === undefined) continue
      explore()
      undo(trail)
    }
  }

  let consistent = true
  for (const [wire, value] of given) {
    if (values[wire] === undefined) consistent &&= assign(wire, value) !== undefined
    else consistent &&= values[wire] === value
  }
  if (consistent) explore()
  return { outputs: [...found.values()], nodes }
}

/** What a constraint says while some wires are unknown: a violated one leaves its wire (0 if none is unknown) no values. */
function inspect({ a, b, c }: Constraint, values: readonly (bigint | undefined)[]): Step {
  const unknown = new Set<number>()
  const isZero = (form: Form): boolean => isKnown(form, values) && valueOfForm(form, values as bigint[]) === 0n
  const productIsZero = isZero(a) || isZero(b)
  const forms = productIsZero ? [c] : [a, b, c]
  for (const form of forms) for (const wire of form.keys()) if (values[wire] === undefined) unknown.add(wire)
  if (unknown.size > 1) return { kind: 'waiting' }
  const wire = [...unknown][0] ?? 0
  const [a0, b0, c0] = [a, b, c].map((form) => partialValue(form, values)) as [bigint, bigint, bigint]
  if (unknown.size === 0) {
    const holds = modulo((productIsZero ? 0n : a0 * b0) - c0) === 0n
    return holds ? { kind: 'done' } : { kind: 'values', wire, values: [] }
  }
  const [a1, b1, c1] = [a, b, c].map((form) => form.get(wire) ?? 0n) as [bigint, bigint, bigint]
  if (!productIsZero && a1 !== 0n && b1 !== 0n) {
    if (c1 !== 0n || modulo(c0) !== 0n) return { kind: 'waiting' }
    const roots = [modulo(-a0 * inverse(a1)), modulo(-b0 * inverse(b1))]
    return { kind: 'values', wire, values: [...new Set(roots)] }
  }
  const slope = modulo(productIsZero ? -c1 : a1 * b0 + a0 * b1 - c1)
  const rest = modulo(c0 - (productIsZero ? 0n : a0 * b0))
  if (slope === 0n) return rest === 0n ? { kind: 'done' } : { kind: 'values', wire, values: [] }
  return { kind: 'values', wire, values: [modulo(rest * inverse(slope))] }
}

function isKnown(form: Form, values: readonly (bigint | undefined)[]): boolean {
  for (const wire of form.keys()) if (values[wire] === undefined) return false
  return true
}

/** The form with 0 for unknown wires. */
function partialValue(form: Form, values: readonly (bigint | undefined)[]): bigint {
  let total = 0n
  for (const [wire, coefficient] of form) total += coefficient * (values[wire] ?? 0n)
  return total
}
