// Constraint counts, measured: each circuit is compiled now by circom2 at the product's optimisation level and its r1cs
// counted. Nothing is kept and nothing is read from the circuit cache.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildApplet } from '../applets/build.ts'
import { generateBatchCircuit, type BatchApplet, type BatchShape } from '../circuits/batch-circuit.ts'
import { CIRCOM_OUTPUT, collectSources, compileCircom } from '../circuits/circom.ts'
import { compileApplet } from '../circuits/compiler/index.ts'
import { readR1cs } from '../circuits/setup/r1cs.ts'
import { BY_HAND, REFERENCES, compileReference, handWritten, sideBySide, type ReferenceName } from './reference.ts'

export const APPLETS = ['energy-meter', 'movement', 'uptime'] as const
export type AppletName = (typeof APPLETS)[number]

const D4R4: BatchShape = { cohortSize: 4, frameSize: 4 }

/**
 * `template Applet()` alone as main: one reading with everything of the applet included, that is the ranges of the reading's
 * fields, the rule, the gate of a disabled reading and the rollback of a trap. State and Config come range-checked; those
 * checks are part of the slot.
 */
export async function appletConstraints(name: AppletName): Promise<number> {
  const { circom } = compileApplet(await appletWasm(name))
  return countConstraints('pragma circom 2.1.0;\ninclude "applet.circom";\ncomponent main = Applet();\n', circom)
}

/** Each reference program alone, as the compiler counts it, and what circom counts for all of them side by side. */
export async function referenceConstraints(): Promise<{ of: Record<ReferenceName, number>; sideBySide: number }> {
  const compiled = await Promise.all(REFERENCES.map(async (name) => (await compileReference(name)).compiled))
  const sources = compiled.map(({ circom }, k) => circom.replace('template Applet()', `template Applet${k}()`))
  const instances = compiled.map(({ abi }, k) => ({ template: `Applet${k}`, abi }))
  const of = Object.fromEntries(REFERENCES.map((name, k) => [name, compiled[k]!.stats.constraints]))
  return { of: of as Record<ReferenceName, number>, sideBySide: await countMain(sideBySide(sources, instances)) }
}

/** A reference program written in circom by hand, alone as main. */
export function handWrittenConstraints(name: keyof typeof BY_HAND): Promise<number> {
  return countMain(`${handWritten(name)}component main = ${BY_HAND[name]}();\n`)
}

/** The whole circuit of 4 devices with 4 readings each. */
export async function batchConstraints(name: AppletName): Promise<number> {
  const { abi, circom } = compileApplet(await appletWasm(name))
  return countConstraints(generateBatchCircuit(abi, D4R4), circom)
}

/**
 * A fourth of the whole circuit at D=4, R=4 whose applet has the records of energy-meter (Reading, State and Config) and
 * computes nothing: frame hash, signature, sequence rule, ranges of State, saturation, and the slot's share of identity tree, batch
 * root, lanes and of both ledger pages. Only the range of the readings' fields, the applet's to prove, is not in it.
 */
export async function slotOverheadR4(): Promise<number> {
  const { abi } = compileApplet(await appletWasm('energy-meter'))
  return (await countConstraints(generateBatchCircuit(abi, D4R4), idleApplet(abi))) / D4R4.cohortSize
}

function appletWasm(name: AppletName): Promise<Uint8Array> {
  return buildApplet(`applets/${name}.ts`)
}

/** Accepts what is enabled, pays nothing, leaves State as it is: no constraint of its own. */
function idleApplet({ reading, state, config }: BatchApplet): string {
  const input = (record: string, layout: { length: number }) =>
    layout.length > 0 ? [`    signal input ${record}[${layout.length}];`] : []
  return [
    'pragma circom 2.1.0;',
    'template Applet() {',
    '    signal input enabled;',
    ...input('reading', reading),
    ...input('state', state),
    ...input('config', config),
    '    signal input anchorTime;',
    '    signal output accepted <== enabled;',
    '    signal output units <== 0;',
    ...(state.length > 0 ? [`    signal output nextState[${state.length}] <== state;`] : []),
    '}',
    '',
  ].join('\n')
}

/** Constraints of a main circuit that includes `applet.circom`, compiled now. */
export function countConstraints(main: string, applet: string): Promise<number> {
  return countFiles({ 'main.circom': main, 'applet.circom': applet })
}

function countMain(main: string): Promise<number> {
  return countFiles({ 'main.circom': main })
}

async function countFiles(files: Readonly<Record<string, string>>): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'attestream-figures-'))
  try {
    await compileCircom(collectSources(files), directory)
    return readR1cs(join(directory, CIRCOM_OUTPUT.r1cs)).constraintCount
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
