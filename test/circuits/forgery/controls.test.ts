import { beforeAll, describe, it, expect } from 'vitest'
import { randomSource } from '../compiler/applet-module.ts'
import type { Forgery } from './attacker.ts'
import { Attacker, STUBBORN } from './attacker.ts'
import { everyInput, families } from './families.ts'
import { compileSubjects } from './subjects.ts'
import type { Constraint, Form } from './system.ts'
import { System, wiresOf } from './system.ts'
import { Target } from './target.ts'
import { proveUnique } from './uniqueness.ts'

/**
 * Not here: div_s and rem_s. Their result is decomposed once more, which bounds quotients that the division's own digits would
 * let grow, and the sign of a divisor 0 does not matter because the division traps: so some of their checks guard nothing alone.
 */
const CONTROLS = families().filter(({ name }) => !/^(div|rem)_s$/.test(name))
const INPUTS = 16
const BUDGET = 60
const targets = new Map<string, Target>()

beforeAll(async () => {
  for (const subject of await compileSubjects(CONTROLS)) targets.set(subject.name, new Target(subject))
}, 600_000)

/** The attacker's first success against a system with fewer constraints, bending the hints behind the wires. */
function firstForgery(target: Target, weakened: System, wires: Iterable<number>): Forgery | undefined {
  const attacker = new Attacker(target, randomSource(7), weakened)
  const inputs = everyInput(target.subject.compiled)
  for (let k = 0; k < INPUTS; k++) {
    const { forgeries } = attacker.run(inputs[(k * 37 + 9) % inputs.length]!, STUBBORN, BUDGET, wires)
    if (forgeries.length > 0) return forgeries[0]
  }
  return undefined
}

/** Proven: all outputs are determined and every field of the reading is held to its width. */
function isProven({ subject, inputs, outputs }: Target, system: System): boolean {
  const { unique, largest } = proveUnique(system, inputs)
  const widths = subject.compiled.abi.reading.map(({ bits }) => (1n << BigInt(bits)) - 1n)
  return (
    outputs.every((wire) => unique[wire] === 1) &&
    widths.every((width, k) => (largest(subject.names.indexOf(`reading[${k}]`)) ?? width + 1n) <= width)
  )
}

const tally = new Map<string, { removed: number; forged: number; redundant: number; example: string }>()

describe.each(CONTROLS.map(({ name }) => name))('without any one constraint of "%s"', (name) => {
  it('A-01 the attacker forges outputs, or the rest is proven to do without it', { timeout: 120_000 }, () => {
    const target = targets.get(name)!
    const { system, names } = target.subject
    expect(isProven(target, system), 'with all constraints').toBe(true)
    system.constraints.forEach((constraint, index) => {
      const weakened = system.without(index)
      const forgery = firstForgery(target, weakened, wiresOf(constraint))
      const proven = isProven(target, weakened)
      const kind = kindOf(constraint, target)
      const entry = tally.get(kind) ?? { removed: 0, forged: 0, redundant: 0, example: '' }
      tally.set(kind, entry)
      entry.removed++
      if (forgery !== undefined) entry.forged++
      else entry.redundant++
      if (forgery !== undefined && entry.example === '') entry.example = `${name}: ${shown(forgery)}`
      const wires = [...wiresOf(constraint)].map((wire) => names[wire]).join(' ')
      expect({ wires, proven, isForged: forgery !== undefined }).toEqual({ wires, proven, isForged: !proven })
    })
  })
})

describe('removing a whole check on purpose', () => {
  const CHECKS: [string, string, RegExp][] = [
    ['A-04 the gap r < d of a variable divisor', 'rem_u', /\.gap\[/],
    ['A-04 the gap r < d of a constant divisor', 'division by a constant', /\.gap\[/],
    ['A-04 the range of the quotient', 'div_u', /^q0\[/],
    ['A-04 the range of the remainder', 'rem_u', /^r0\[/],
    ['A-15 the range of a reading', 'mul', /^b0\[/],
    ['A-05 the bits of a comparison', 'lt_s and ge_u', /^b2\[/],
    ['A-12 the width of State', 'width of State', /^b2\[/],
    ['A-12 the predicate of a trap', 'trap on order', /^b2\[/],
    ['A-11 the exits of a loop', 'loop with an exit', /^z\d/],
    ['A-08 the selector of an address', 'symbolic store', /^m0$/],
    ['A-12 the gate of accepted', 'width of State', /^accepted$/],
    ['A-07 the gate of State', 'branch with a store', /^nextState/],
  ]
  it.each(CHECKS)('%s lets the attacker win', (_check, name, pattern) => {
    const target = targets.get(name)!
    const { system, names } = target.subject
    const concerned = new Set(names.flatMap((wire, k) => (pattern.test(wire) ? [k] : [])))
    const indices = system.constraints.flatMap((constraint, k) => (isCheckOf(constraint, concerned) ? [k] : []))
    expect(indices.length).toBeGreaterThan(0)
    const weakened = system.without(...indices)
    const forgery = firstForgery(target, weakened, concerned)
    console.log(
      `${name} without ${indices.length} constraints on ${pattern.source}: ${forgery ? shown(forgery) : 'not forged'}`,
    )
    expect(forgery).toBeDefined()
    expect(isProven(target, weakened)).toBe(false)
  })

  it('was done for every kind of constraint', () => {
    for (const [kind, { removed, forged, redundant, example }] of tally)
      console.log(`${kind}: ${removed} removed, ${forged} forged, ${redundant} redundant; e.g. ${example}`)
    for (const kind of ['bit', 'digits', 'inverse', 'zero', 'product', 'output'])
      expect(tally.get(kind)?.forged ?? 0, kind).toBeGreaterThan(0)
  })
})

/** Two-valued constraints over the wires, products that define them, and zero tests whose output they are. */
function isCheckOf({ a, b, c }: Constraint, wires: ReadonlySet<number>): boolean {
  const has = (form: Form): boolean => [...form.keys()].some((wire) => wires.has(wire))
  return c.size === 0 ? has(a) && has(b) : has(c)
}

/** bit: of a single wire; digits: of the eliminated digit of a sum; inverse and zero: the two halves of a zero test. */
function kindOf({ a, b, c }: Constraint, { subject: { names } }: Target): string {
  const nameOf = (form: Form): string => [...form.keys()].map((wire) => names[wire]!).join(' ')
  if (/\binv\b/.test(nameOf(a) + nameOf(b))) return 'inverse'
  if (/accepted|units|nextState/.test(nameOf(c))) return 'output'
  if (c.size > 0) return 'product'
  const variables = new Set([...wiresOf({ a, b, c })])
  if (variables.size === 1) return 'bit'
  return a.size >= b.size - 1 && b.size >= a.size - 1 && a.size > 1 && b.size > 1 ? 'digits' : 'zero'
}

function shown({ inputs: { reading }, forged }: Forgery): string {
  const changes = Object.entries(forged).map(([name, { honest, forged: value }]) => `${name} ${honest} → ${value}`)
  return `reading ${reading.join(' ')}: ${changes.join(', ') || 'a reading beyond its width is taken'}`
}

describe('the proof of uniqueness', () => {
  it('takes nothing from a row without a factor: 0·w = 0', () => {
    const form = (...terms: [number, bigint][]): Form => new Map(terms)
    const [none, input, free] = [form(), form([1, 1n]), form([2, 1n])]
    const one = form([0, 1n])
    expect(proveUnique(new System(3, [{ a: none, b: free, c: none }]), [1]).unique[2]).toBe(0)
    expect(proveUnique(new System(3, [{ a: one, b: free, c: input }]), [1]).unique[2]).toBe(1)
  })
})
