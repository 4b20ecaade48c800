import { describe, it, expect } from 'vitest'
import { buildApplet } from '../../../applets/build.ts'
import type { AppletInputs } from '../../../circuits/compiler/index.ts'
import { compileApplet, interpret } from '../../../circuits/compiler/index.ts'
import { randomInputs, randomSource } from './applet-module.ts'
import { auditApplet } from './audit.ts'
import { nativeApplet } from './native.ts'

/** Constraints per reading: the budgets of the project. The counts themselves are printed by `npm run figures`. */
const BUDGETS = { 'energy-meter': 1200, movement: 900, uptime: 900 }
const INPUTS = 400

/** Random inputs are mostly absurd, so most are moved near each other: small steps from State, time before the anchor. */
function nearby(random: (below: number) => number, inputs: AppletInputs): AppletInputs {
  const state = inputs.state.map((value, k) => {
    const reading = inputs.reading[k]
    return reading === undefined || random(3) === 0 ? value : reading - BigInt(random(1000))
  })
  const inRange = state.map((value, k) => (value < 0n ? inputs.state[k]! : value))
  return { ...inputs, enabled: true, state: inRange, anchorTime: inputs.reading[0]! + BigInt(random(10_000)) }
}

describe('the applets of the project', () => {
  for (const [name, budget] of Object.entries(BUDGETS)) {
    it(`${name} costs at most ${budget} constraints and equals the engine`, { timeout: 60_000 }, async () => {
      const wasm = await buildApplet(`applets/${name}.ts`)
      const { ir, abi, stats } = compileApplet(wasm)
      expect(stats.constraints).toBeLessThanOrEqual(budget)
      const native = nativeApplet(wasm, abi)
      const audit = auditApplet(wasm)
      const random = randomSource(11)
      let accepted = 0
      for (let k = 0; k < INPUTS; k++) {
        const wild = randomInputs(random, abi)
        const clipped = nearby(random, wild)
        const fits = clipped.state.every((value, at) => value >> BigInt(abi.state[at]!.bits) === 0n)
        const inputs = k % 4 > 0 && fits ? clipped : wild
        const outputs = interpret(ir, inputs)
        expect({ inputs, ...outputs }).toEqual({ inputs, ...native(inputs) })
        if (k % 8 < 4) audit.check(inputs)
        accepted += outputs.accepted ? 1 : 0
      }
      expect(accepted).toBeGreaterThan(10)
    })
  }
})
