// The reference programs of bench/reference: what common logic costs, and for two of them what it costs in circom written by hand.

import { join } from 'node:path'
import { readFileSync } from 'node:fs'
import { buildApplet } from '../applets/build.ts'
import type { AppletAbi } from '../engine/core/applet.ts'
import { compileApplet, type CompiledApplet } from '../circuits/compiler/index.ts'

export const REFERENCES = ['threshold', 'geofence', 'energy-delta', 'fsm', 'median9', 'uptime-bitmap'] as const
export type ReferenceName = (typeof REFERENCES)[number]

/** Programs with a hand-written twin, and its template. */
export const BY_HAND = { threshold: 'ThresholdByHand', geofence: 'GeofenceByHand' } as const

const DIRECTORY = join(import.meta.dirname, 'reference')

export interface Reference {
  readonly wasm: Uint8Array
  readonly compiled: CompiledApplet
}

export async function compileReference(name: ReferenceName): Promise<Reference> {
  const wasm = await buildApplet(join(DIRECTORY, `${name}.ts`))
  return { wasm, compiled: compileApplet(wasm) }
}

/** circom text of a twin, without a main. */
export function handWritten(name: keyof typeof BY_HAND): string {
  return readFileSync(join(DIRECTORY, `${name}.circom`), 'utf8')
}

/** One instance of a template with an applet's interface. */
export interface Instance {
  readonly template: string
  readonly abi: Pick<AppletAbi, 'reading' | 'state' | 'config'>
}

/** Text of a main with all instances side by side; instance k has inputs in<k>_reading …, outputs accepted[k] and units[k]. */
export function sideBySide(sources: readonly string[], instances: readonly Instance[]): string {
  const heads = sources.join('\n').replace(/^(pragma|include).*$/gm, '')
  const includes = new Set(sources.flatMap((text) => text.match(/^include.*$/gm) ?? []))
  const body = instances.flatMap(({ template, abi }, k) => [
    `    component c${k} = ${template}();`,
    `    c${k}.enabled <== enabled;`,
    `    c${k}.anchorTime <== anchorTime;`,
    ...(['reading', 'state', 'config'] as const)
      .filter((record) => abi[record].length > 0)
      .flatMap((record) => [
        `    signal input in${k}_${record}[${abi[record].length}];`,
        `    c${k}.${record} <== in${k}_${record};`,
      ]),
    `    accepted[${k}] <== c${k}.accepted;`,
    `    units[${k}] <== c${k}.units;`,
  ])
  return [
    'pragma circom 2.1.6;',
    ...includes,
    heads,
    'template Main() {',
    '    signal input enabled;',
    '    signal input anchorTime;',
    `    signal output accepted[${instances.length}];`,
    `    signal output units[${instances.length}];`,
    ...body,
    '}',
    'component main = Main();',
    '',
  ].join('\n')
}
