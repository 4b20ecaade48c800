import { beforeAll, describe, it, expect } from 'vitest'
import { nativeApplet } from '../compiler/native.ts'
import type { Family } from './families.ts'
import { everyInput, families } from './families.ts'
import { allSolutions } from './search.ts'
import { compileSubjects } from './subjects.ts'
import { Target } from './target.ts'
import { isIdleInverse, proveUnique } from './uniqueness.ts'

/** Steps of a search for one input; the largest decomposition of these applets needs about 3,000. */
const MAX_STEPS = 20_000
const FAMILIES = new Map(families().map((family): [string, Family] => [family.name, family]))
const targets = new Map<string, Target>()

beforeAll(async () => {
  for (const subject of await compileSubjects([...FAMILIES.values()])) targets.set(subject.name, new Target(subject))
}, 600_000)

describe.each([...FAMILIES.keys()])('every input of the small applet "%s"', (name) => {
  it('A-01 A-02 A-03 A-04 A-05 A-06 A-07 A-08 A-11 A-12 has one solution, the one the engine computes', () => {
    const target = targets.get(name)!
    const { wasm, compiled } = FAMILIES.get(name)!
    const { system } = target.subject
    const native = nativeApplet(wasm, compiled.abi)
    const inputs = everyInput(compiled)
    let steps = 0
    for (const input of inputs) {
      const honest = target.wires(target.prover.honest(input))
      expect(system.violated(honest)).toBe(-1)
      const given = new Map(target.inputs.map((wire) => [wire, honest[wire]!]))
      const { outputs, nodes } = allSolutions(system, given, target.outputs, MAX_STEPS)
      const { accepted, units, nextState } = native(input)
      expect({ input, outputs }).toEqual({ input, outputs: [[accepted ? 1n : 0n, units, ...nextState]] })
      steps += nodes
    }
    console.log(`${name}: ${inputs.length} inputs, one solution each, ${steps} steps of search`)
  })

  it('A-13 is proven to determine every wire but inverses of zero', () => {
    const { subject, inputs } = targets.get(name)!
    const { unique, largest } = proveUnique(subject.system, inputs)
    const open = [...unique.keys()].filter((wire) => unique[wire] === 0)
    expect(open.filter((wire) => !isIdleInverse(subject.system, unique, wire))).toEqual([])
    for (const k of [0, 1]) expect(largest(subject.names.indexOf(`reading[${k}]`))).toBe(7n)
  })
})
