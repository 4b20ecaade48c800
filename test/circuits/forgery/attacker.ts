/**
 * Looks for a second set of outputs for the same inputs. Every mutation is carried through the circuit by the dishonest
 * prover; when a constraint then fails, the attacker also tries to repair it with another hint that stands in it.
 */
import type { AppletInputs } from '../../../circuits/compiler/index.ts'
import type { Mutation } from './mutations.ts'
import { mutationsOf, readingAliases, wireMutations } from './mutations.ts'
import type { Overrides } from './prover.ts'
import type { Form, System } from './system.ts'
import { centred, inverse, valueOfForm, wiresOf } from './system.ts'
import type { Target, Verdict } from './target.ts'

export interface Campaign {
  mutations: number
  /** Mutations that break nothing and change no output, e.g. of the inverse of 0. */
  idle: number
  forgeries: Forgery[]
}

export interface Forgery {
  readonly inputs: AppletInputs
  readonly forged: Verdict['forged']
  /** Names of the wires that the attacker changed. */
  readonly wires: readonly string[]
}

export interface Effort {
  /** How many hints may be bent to repair failing constraints, one after the other. */
  depth: number
  /** How many hints are tried for each. */
  breadth: number
  /** Stop at the first forgery. */
  first?: boolean
}

export const QUICK: Effort = { depth: 0, breadth: 0 }
export const STUBBORN: Effort = { depth: 2, breadth: 6, first: true }

export class Attacker {
  readonly target: Target
  readonly system: System
  readonly #random: (below: number) => number

  /** Attacks `system`, which has the target's wires: its own constraints or fewer. */
  constructor(target: Target, random: (below: number) => number, system: System = target.subject.system) {
    this.target = target
    this.system = system
    this.#random = random
  }

  /** Tries the hints behind these wires (by default all) and each of them alone, and the reading; at most `budget` of each, at random. */
  run(inputs: AppletInputs, effort: Effort, budget: number, around?: Iterable<number>): Campaign {
    const { prover, subject } = this.target
    const slots = prover.honest(inputs)
    const wires = this.target.wires(slots)
    const fixed = new Set([0, ...this.target.inputs])
    const chosen = [...(around ?? subject.names.keys())].filter((wire) => !fixed.has(wire))
    const items = new Set(chosen.flatMap((wire) => this.target.slotsOf(wire)).map((slot) => prover.itemOf(slot)))
    items.delete(-1)
    const list = [...items].flatMap((index) => mutationsOf(prover, index, slots, this.#random))
    list.push(...wireMutations(chosen, wires))
    const widths = subject.compiled.abi.reading.map(({ bits }) => bits)
    const aliases = readingAliases(prover, widths, slots)
    const campaign: Campaign = { mutations: 0, idle: 0, forgeries: [] }
    for (const mutation of [...this.#sample(list, budget), ...this.#sample(aliases, budget)]) {
      if (effort.first && campaign.forgeries.length > 0) break
      this.#try(inputs, slots, wires, mutation, effort, effort.depth, campaign)
    }
    return campaign
  }

  #sample(list: Mutation[], budget: number): Mutation[] {
    if (list.length <= budget) return list
    for (let k = 0; k < budget; k++) {
      const other = k + this.#random(list.length - k)
      ;[list[k], list[other]] = [list[other]!, list[k]!]
    }
    return list.slice(0, budget)
  }

  #try(
    inputs: AppletInputs,
    slots: readonly bigint[],
    wires: bigint[],
    mutation: Mutation,
    effort: Effort,
    depth: number,
    campaign: Campaign,
  ): void {
    const verdict = this.target.judge(this.system, slots, wires, mutation.overrides, mutation.wires)
    campaign.mutations++
    if (verdict.isForgery || (mutation.isAlias && verdict.violated === -1)) {
      const names = [...verdict.changed.keys()].map((wire) => this.target.subject.names[wire]!)
      campaign.forgeries.push({ inputs, forged: verdict.forged, wires: names })
    } else if (verdict.violated === -1) campaign.idle++
    else if (depth > 0) {
      for (const overrides of this.#repairs(verdict, wires, mutation.overrides, effort.breadth)) {
        if (effort.first && campaign.forgeries.length > 0) return
        this.#try(inputs, slots, wires, { ...mutation, overrides }, effort, depth - 1, campaign)
      }
    }
  }

  /** Values for one more hint with which the violated constraint would hold. */
  #repairs(
    { violated, changed, slots }: Verdict,
    wires: readonly bigint[],
    overrides: Overrides,
    breadth: number,
  ): Overrides[] {
    const { a, b, c } = this.system.constraints[violated]!
    const values = [...wires]
    for (const [wire, value] of changed) values[wire] = value
    const near = Math.max(0, ...overrides.keys())
    const distance = (wire: number): number => Math.abs((this.target.slotsOf(wire).at(-1) ?? 0) - near)
    const candidates = [...wiresOf({ a, b, c })].filter((wire) => {
      const slot = this.target.slotsOf(wire).at(-1)
      return slot !== undefined && !overrides.has(slot)
    })
    candidates.sort((x, y) => distance(x) - distance(y))
    const chosen = candidates.slice(0, breadth - 2)
    const rest = candidates.slice(breadth - 2)
    const last = rest.find((wire) => c.has(wire) && this.target.outputs.includes(wire)) ?? rest.pop()
    if (last !== undefined) chosen.push(last)
    if (rest.length > 0) chosen.push(rest[this.#random(rest.length)]!)
    return chosen.flatMap((wire) =>
      solutions([a, b, c], wire, values).flatMap((value) => {
        const aim = this.target.aim(wire, value, slots)
        return aim === undefined ? [] : [new Map([...overrides, aim])]
      }),
    )
  }
}

/** Values of the wire with which a·b = c, where they are found without a square root. */
function solutions([a, b, c]: readonly [Form, Form, Form], wire: number, values: bigint[]): bigint[] {
  const before = values[wire]!
  values[wire] = 0n
  const [a0, b0, c0] = [a, b, c].map((form) => valueOfForm(form, values)) as [bigint, bigint, bigint]
  values[wire] = before
  const [a1, b1, c1] = [a, b, c].map((form) => form.get(wire) ?? 0n) as [bigint, bigint, bigint]
  if (a1 !== 0n && b1 !== 0n) return c.size > 0 ? [] : [centred(-a0 * inverse(a1)), centred(-b0 * inverse(b1))]
  const slope = centred(a1 * b0 + a0 * b1 - c1)
  return slope === 0n ? [] : [centred((c0 - a0 * b0) * inverse(slope))]
}
