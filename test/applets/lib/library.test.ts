import { beforeAll, describe, expect, it } from 'vitest'
import { interpret } from '../../../circuits/compiler/index.ts'
import { randomSource } from '../../circuits/compiler/applet-module.ts'
import { CASES } from './cases/index.ts'
import { buildCases, expectedOf, inputsFor, type BuiltCase } from './harness.ts'

const INPUTS = 150

/** In a model, in V8 and in the circuit, a function of the library is the same. */
describe('the applet library', () => {
  const built = new Map<string, BuiltCase>()
  beforeAll(() => {
    for (const one of buildCases(CASES)) built.set(one.test.name, one)
  })

  it.each(CASES.map(({ name }) => name))('%s', (name) => {
    const one = built.get(name)!
    const random = randomSource(5)
    let accepted = 0
    for (let k = 0; k < INPUTS; k++) {
      const { values, inputs } = inputsFor(one, random)
      const expected = expectedOf(one, values, inputs.state)
      expect({ values, ...one.native(inputs) }).toEqual({ values, ...expected })
      expect({ values, ...interpret(one.applet.ir, inputs) }).toEqual({ values, ...expected })
      if (expected.accepted) accepted++
    }
    expect(accepted).toBeGreaterThan(INPUTS / 20)
  })
})
