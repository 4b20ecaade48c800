// `npm run -s figures`: one JSON object with every deterministic figure of the project, computed now. Progress goes to stderr.

import { pathToFileURL } from 'node:url'
import { measureGas } from '../test/contracts/gas.ts'
import {
  APPLETS,
  appletConstraints,
  batchConstraints,
  handWrittenConstraints,
  referenceConstraints,
  slotOverheadR4,
} from './constraints.ts'
import { deviceSdkBytes } from './device-sdk-size.ts'

export type Figures = Record<string, number>

/** Constraints of the applets alone, of a slot around them, and of the demo's whole batch. */
export async function constraintFigures(onProgress: (text: string) => void = () => {}): Promise<Figures> {
  const figures: Figures = {}
  for (const name of APPLETS) {
    onProgress(`applet ${name}: WASM to circuit`)
    figures[`constraints.applet.${name}`] = await appletConstraints(name)
  }
  onProgress('reference programs, compiled and by hand')
  for (const [name, count] of Object.entries((await referenceConstraints()).of))
    figures[`constraints.reference.${name}`] = count
  for (const name of ['threshold', 'geofence'] as const)
    figures[`constraints.byHand.${name}`] = await handWrittenConstraints(name)
  onProgress('batch circuits of 4 devices with 4 readings')
  const [slot, batch] = await Promise.all([slotOverheadR4(), batchConstraints('energy-meter')])
  return { ...figures, 'constraints.slotOverhead.R4': slot, 'constraints.batch.D4R4': batch }
}

export function sizeFigures(): Figures {
  return { 'bytes.deviceSdk': deviceSdkBytes() }
}

async function allFigures(onProgress: (text: string) => void): Promise<Figures> {
  const constraints = await constraintFigures(onProgress)
  onProgress('gas of whole transactions, on a chain of its own')
  const gas = await measureGas()
  onProgress('bundle of the device SDK')
  return { ...constraints, ...gas, ...sizeFigures() }
}

if (import.meta.url === pathToFileURL(process.argv[1]!).href) {
  const startedMs = performance.now()
  const progress = (text: string) =>
    process.stderr.write(`${((performance.now() - startedMs) / 1000).toFixed(1).padStart(6)} s  ${text}\n`)
  console.log(JSON.stringify(await allFigures(progress), null, 2))
  progress('done')
}
