import { beforeAll, describe, expect, it } from 'vitest'
import { interpret } from '../../../circuits/compiler/index.ts'
import { randomSource } from '../../circuits/compiler/applet-module.ts'
import { CASES, SHARED_EDGES } from './cases/index.ts'
import { documentedCosts } from './documented.ts'
import { buildCases, expectedOf, inputsFor, type BuiltCase } from './harness.ts'

const INPUTS = 150

/** In a model, in V8 and in the circuit, a function of the library is the same. */
describe('the applet library', () => {
  const built = new Map<string, BuiltCase>()
  beforeAll(() => {
    for (const one of buildCases([...CASES, SHARED_EDGES])) built.set(one.test.name, one)
  })

  it.each([...CASES, SHARED_EDGES].map(({ name }) => name))('%s', (name) => {
    const one = built.get(name)!
    const random = randomSource(5)
    let accepted = 0
    for (let k = 0; k < INPUTS; k++) {
      const { values, inputs } = inputsFor(one, random)
      const native = one.native(inputs)
      const expected = expectedOf(one, values, inputs.state, native)
      expect({ values, ...native }).toEqual({ values, ...expected })
      expect({ values, ...interpret(one.applet.ir, inputs) }).toEqual({ values, ...expected })
      if (expected.accepted) accepted++
    }
    expect(accepted).toBeGreaterThan(INPUTS / 20)
  })

  it('costs what its page says, function by function', () => {
    const measured = new Map(CASES.map(({ name }) => [name, built.get(name)!.cost]))
    expect(Object.fromEntries(documentedCosts())).toEqual(Object.fromEntries(measured))
  })
})
