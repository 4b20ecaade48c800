import { beforeAll, describe, it, expect } from 'vitest'
import { interpret } from '../../../circuits/compiler/index.ts'
import { randomSource } from '../compiler/applet-module.ts'
import type { Effort } from './attacker.ts'
import { Attacker, QUICK, STUBBORN } from './attacker.ts'
import { exampleInputs } from './inputs.ts'
import { exampleNames, exampleSubjects } from './subjects.ts'
import { Target } from './target.ts'
import { isIdleInverse, proveUnique } from './uniqueness.ts'

const INPUTS = 6
/** Mutations for each input: carried through the circuit only, and then also repaired. */
const CAMPAIGNS: [Effort, number][] = [
  [QUICK, Number(process.env.FORGERY_BUDGET ?? 700)],
  [{ ...STUBBORN, first: false }, 20],
]
const targets = new Map<string, Target>()

beforeAll(async () => {
  for (const subject of await exampleSubjects()) targets.set(subject.name, new Target(subject))
}, 600_000)

describe.each(exampleNames())('the circuit of applets/%s.ts', (name) => {
  it('A-01 A-02 A-03 A-04 A-05 A-13 determines every wire by the inputs, but inverses of zero', () => {
    const { subject, inputs } = targets.get(name)!
    const { unique, uses, largest } = proveUnique(subject.system, inputs)
    const open = [...unique.keys()].filter((wire) => unique[wire] === 0)
    const unexplained = open.filter((wire) => !isIdleInverse(subject.system, unique, wire))
    expect(unexplained.map((wire) => subject.names[wire])).toEqual([])
    console.log(`${name}: ${unique.length - open.length} of ${unique.length} wires proven unique`, JSON.stringify(uses))
    subject.compiled.abi.reading.forEach(({ bits }, k) => {
      const wire = subject.names.indexOf(`reading[${k}]`)
      expect(largest(wire), `A-15 reading[${k}] is held to its width`).toBe((1n << BigInt(bits)) - 1n)
    })
  })

  it('A-01 A-06 A-07 A-08 A-11 A-12 A-15 takes no forged hint', { timeout: 120_000 }, () => {
    const target = targets.get(name)!
    const { subject, prover } = target
    const random = randomSource(20)
    const samples = exampleInputs(subject.compiled, random, INPUTS)
    const attacker = new Attacker(target, random)
    const total = { mutations: 0, idle: 0, forged: 0 }
    for (const { inputs } of samples) {
      const honest = target.wires(prover.honest(inputs))
      expect(subject.system.violated(honest), 'the honest witness is accepted').toBe(-1)
      const { accepted, units, nextState } = interpret(subject.compiled.ir, inputs)
      expect(target.outputs.map((wire) => honest[wire])).toEqual([accepted ? 1n : 0n, units, ...nextState])
      for (const [effort, budget] of CAMPAIGNS) {
        const { mutations, idle, forgeries } = attacker.run(inputs, effort, budget)
        total.forged += forgeries.length
        expect(forgeries).toEqual([])
        total.mutations += mutations
        total.idle += idle
      }
    }
    const accepted = samples.filter((sample) => sample.accepted).length
    console.log(`${name}: ${honestText(accepted, samples.length)}, wires ${subject.names.length}, mutations ${total.mutations}, idle ${total.idle}, forged: ${total.forged}`) // prettier-ignore
    expect(accepted).toBeGreaterThan(0)
    expect(samples.length - accepted).toBeGreaterThan(0)
  })
})

function honestText(accepted: number, count: number): string {
  return `${accepted} accepted and ${count - accepted} rejected inputs`
}
