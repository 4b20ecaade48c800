/**
 * The circuits under attack: applets compiled to circom, packed into one main so that circom runs once, and taken apart
 * again into one constraint system each. Inputs and outputs of every applet stay apart, so systems share no wire.
 */
import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildApplet } from '../../../applets/build.ts'
import type { CompiledApplet } from '../../../circuits/compiler/index.ts'
import { compileModule } from '../../../circuits/compiler/index.ts'
import { readR1cs } from '../../../circuits/setup/r1cs.ts'
import { compiledMain } from '../lib/compiled.ts'
import type { System } from './system.ts'
import { systemOf } from './system.ts'

const APPLETS = fileURLToPath(new URL('../../../applets/', import.meta.url))

export interface Subject {
  readonly name: string
  readonly compiled: CompiledApplet
  readonly system: System
  /** Name of each wire inside the applet's template, e.g. `b3[2]` or `IsZero_12_345.inv`; wire 0 is `one`. */
  readonly names: readonly string[]
  /** All names, those of signals that circom removed too. */
  readonly labels: readonly string[]
}

/** Names of the example applets: the files of the folder that are applets. */
export function exampleNames(): string[] {
  return readdirSync(APPLETS)
    .filter(
      (file) => file.endsWith('.ts') && readFileSync(join(APPLETS, file), 'utf8').includes('export function verify'),
    )
    .map((file) => file.slice(0, -3))
    .sort()
}

export async function exampleSubjects(): Promise<Subject[]> {
  const programs = []
  for (const name of exampleNames()) programs.push({ name, wasm: await buildApplet(`applets/${name}.ts`) })
  return compileSubjects(programs.map(({ name, wasm }) => ({ name, compiled: compileModule(wasm) })))
}

/** One run of circom for all; `compile` gives the path of the .r1cs, beside which main.sym lies. */
export async function compileSubjects(
  programs: readonly { name: string; compiled: CompiledApplet }[],
  compile: (main: string) => Promise<{ r1cs: string }> = compiledMain,
): Promise<Subject[]> {
  const { r1cs: path } = await compile(packedMain(programs.map(({ compiled }) => compiled)))
  const r1cs = readR1cs(path)
  const { names, labels } = readSymbols(readFileSync(join(dirname(path), 'main.sym'), 'utf8'))
  return programs.map((program, k) => {
    const own = ['one']
    const index = new Map([[0, 0]])
    for (const [wire, name] of names) {
      const inside = ownName(name, k)
      if (inside === undefined) continue
      index.set(wire, own.length)
      own.push(inside)
    }
    const all = labels.flatMap((label) => ownName(label, k) ?? [])
    return { ...program, names: own, labels: all, system: systemOf(r1cs, own.length, (wire) => index.get(wire)) }
  })
}

function packedMain(applets: readonly CompiledApplet[]): string {
  const templates = applets.map(({ circom }, k) =>
    circom.replace(/^pragma.*$|^include.*$/gm, '').replace('template Applet()', `template Applet${k}()`),
  )
  const inputNames: string[] = []
  const instances = applets.flatMap(({ abi }, k) => {
    const inputs = [
      'enabled',
      'anchorTime',
      ...(['reading', 'state', 'config'] as const).filter((r) => abi[r].length > 0),
    ]
    const size = (name: string): string =>
      name === 'reading' || name === 'state' || name === 'config' ? `[${abi[name].length}]` : ''
    const outputs = [
      ['accepted', ''],
      ['units', ''],
      ...(abi.state.length > 0 ? [['nextState', `[${abi.state.length}]`]] : []),
    ]
    inputNames.push(...inputs.map((name) => `in${k}_${name}`))
    return [
      `    component applet${k} = Applet${k}();`,
      ...inputs.map((name) => `    signal input in${k}_${name}${size(name)}; applet${k}.${name} <== in${k}_${name};`),
      ...outputs.map(
        ([name, array]) => `    signal output out${k}_${name}${array}; out${k}_${name} <== applet${k}.${name};`,
      ),
    ]
  })
  const head = ['pragma circom 2.1.6;', 'include "gadgets.circom";', ...templates, 'template Main() {']
  return [...head, ...instances, '}', `component main {public [${inputNames.join(', ')}]} = Main();`, ''].join('\n')
}

/** The name without the instance's number, or undefined for a wire of another instance. */
function ownName(name: string, instance: number): string | undefined {
  const [, number, rest] = /^main\.(?:applet|in|out)(\d+)[._](.*)$/.exec(name)!
  return Number(number) === instance ? rest : undefined
}

/** Lines are label, wire (−1 if removed), component, name. A wire has the first of its names. */
function readSymbols(text: string): { names: Map<number, string>; labels: string[] } {
  const names = new Map<number, string>()
  const labels: string[] = []
  for (const line of text.split('\n')) {
    const [, wire, , name] = line.split(',')
    if (name === undefined) continue
    labels.push(name)
    if (Number(wire) > 0 && !names.has(Number(wire))) names.set(Number(wire), name)
  }
  return { names, labels }
}
