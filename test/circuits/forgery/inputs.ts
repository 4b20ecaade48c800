/**
 * Inputs under which applets are attacked. Random ones are mostly absurd, so most are moved near each other: State near the
 * reading, the reading's time shortly before the anchor; as many accepted as rejected ones are kept where both are found.
 */
import type { AppletInputs, CompiledApplet } from '../../../circuits/compiler/index.ts'
import { interpret } from '../../../circuits/compiler/index.ts'
import { randomInputs } from '../compiler/applet-module.ts'

export interface Sample {
  readonly inputs: AppletInputs
  readonly accepted: boolean
}

const TRIES = 400

export function exampleInputs({ ir, abi }: CompiledApplet, random: (below: number) => number, count: number): Sample[] {
  const accepted: Sample[] = []
  const rejected: Sample[] = []
  for (let k = 0; k < TRIES && (accepted.length < count || rejected.length < count); k++) {
    const wild = randomInputs(random, abi)
    const near = nearby(random, wild)
    const fits = near.state.every((value, at) => value >= 0n && value >> BigInt(abi.state[at]!.bits) === 0n)
    const inputs = k % 4 > 0 && fits ? near : { ...wild, enabled: true }
    const outputs = interpret(ir, inputs)
    ;(outputs.accepted ? accepted : rejected).push({ inputs, accepted: outputs.accepted })
  }
  const wanted = Math.min(accepted.length, Math.max(Math.ceil(count / 2), count - rejected.length))
  return [...accepted.slice(0, wanted), ...rejected.slice(0, count - wanted)]
}

function nearby(random: (below: number) => number, inputs: AppletInputs): AppletInputs {
  const state = inputs.state.map((value, k) => {
    const reading = inputs.reading[k]
    return reading === undefined || random(3) === 0 ? value : reading - BigInt(random(1000))
  })
  return { ...inputs, enabled: true, state, anchorTime: inputs.reading[0]! + BigInt(random(10_000)) }
}
