/** The third judge: one circom main with an instance of each program, and the witnesses that circom's generator makes of it. */
import type { AppletInputs, AppletOutputs, CompiledApplet } from '../../../circuits/compiler/index.ts'
import { compiledMain } from '../lib/compiled.ts'
import type { Calculator } from '../lib/toy.ts'
import { createCalculator } from '../lib/toy.ts'
import { randomInputs, randomSource } from './applet-module.ts'

export interface CombinedCircuit {
  calculator: Calculator
  r1csPath: string
  outputCount: number
}

/** Inputs of each program, all with the same `enabled` and anchor time, and the same as signals of the main. */
export interface CombinedInputs {
  each: AppletInputs[]
  signals: Record<string, string | string[]>
}

/** The inputs and outputs of program k are `in<k>_reading` and so on; outputs lie in one array in the order of programs. */
export async function combinedCircuit(programs: readonly CompiledApplet[]): Promise<CombinedCircuit> {
  const { source, outputCount } = combinedMain(programs)
  const { r1cs, witnessWasm } = await compiledMain(source)
  return { calculator: await createCalculator(witnessWasm), r1csPath: r1cs, outputCount }
}

function combinedMain(programs: readonly CompiledApplet[]): { source: string; outputCount: number } {
  let outputCount = 0
  const templates = programs.map(({ circom }, k) =>
    circom.replace(/^pragma.*$|^include.*$/gm, '').replace('template Applet()', `template Applet${k}()`),
  )
  const instances = programs.flatMap(({ abi }, k) => {
    const lines = [`    component applet${k} = Applet${k}();`]
    for (const record of ['reading', 'state', 'config'] as const) {
      const count = abi[record].length
      if (count === 0) continue
      lines.push(`    signal input in${k}_${record}[${count}];`, `    applet${k}.${record} <== in${k}_${record};`)
    }
    lines.push(`    applet${k}.enabled <== enabled;`, `    applet${k}.anchorTime <== anchorTime;`)
    const outputs = ['accepted', 'units', ...abi.state.map((_, j) => `nextState[${j}]`)]
    return [...lines, ...outputs.map((name) => `    out[${outputCount++}] <== applet${k}.${name};`)]
  })
  const head = ['pragma circom 2.1.6;', 'include "gadgets.circom";', ...templates, 'template Main() {']
  const inputs = [`    signal input enabled;`, '    signal input anchorTime;', `    signal output out[${outputCount}];`]
  return { source: [...head, ...inputs, ...instances, '}', 'component main = Main();', ''].join('\n'), outputCount }
}

export function combinedInputs(programs: readonly CompiledApplet[], seed: number): CombinedInputs {
  const random = randomSource(seed)
  const { enabled, anchorTime } = randomInputs(random, programs[0]!.abi)
  const each = programs.map(({ abi }) => ({ ...randomInputs(random, abi), enabled, anchorTime }))
  const signals: CombinedInputs['signals'] = { enabled: enabled ? '1' : '0', anchorTime: anchorTime.toString() }
  each.forEach((inputs, k) => {
    for (const record of ['reading', 'state', 'config'] as const) {
      if (inputs[record].length > 0) signals[`in${k}_${record}`] = inputs[record].map(String)
    }
  })
  return { each, signals }
}

/** What program after program gives, in the order of the main's outputs. */
export function flattened(outputs: readonly AppletOutputs[]): bigint[] {
  return outputs.flatMap(({ accepted, units, nextState }) => [accepted ? 1n : 0n, units, ...nextState])
}
