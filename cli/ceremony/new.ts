// `ceremony new`: the coordinator's first step.

import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { circuitSources } from '../../circuits/build.ts'
import { CIRCOM_OUTPUT, compileCircom } from '../../circuits/circom.ts'
import { compileApplet } from '../../circuits/compiler/index.ts'
import { createCeremony } from '../../circuits/setup/ceremony.ts'
import { obtainPowersOfTau } from '../../circuits/setup/powers-of-tau-file.ts'
import type { OnStep } from '../../circuits/setup/snarkjs.ts'
import { AttestreamError } from '../../engine/index.ts'
import { integer } from '../applet/command.ts'
import { loadApplet } from '../applet/source.ts'
import type { Progress } from '../progress.ts'
import { grouped, printFacts, printJson } from '../table.ts'
import { ceremonyStep, withPowersOfTau, withProgress, type PowersOfTauFlags } from './command.ts'

interface NewFlags extends PowersOfTauFlags {
  readonly output: string
  readonly cohort?: number
  readonly frame?: number
  readonly json: boolean
}

export function newCommand(): Command {
  const command = ceremonyStep(
    'new',
    'Begin a ceremony: circuit and powers of tau give the first key, to which nobody has contributed',
    'new energy-meter.wasm --cohort 4 --frame 4 --ptau powersOfTau28_hez_final_15.ptau -o ceremony',
  )
    .argument(
      '<circuit>',
      'directory of a built circuit, its x.r1cs, or an applet x.wasm or x.ts with --cohort and --frame',
    )
    .requiredOption('-o, --output <dir>', "the ceremony's directory, which must not exist")
    .option('--cohort <D>', 'devices in a batch', integer(4, 64))
    .option('--frame <R>', 'readings in a frame', integer(1, 64))
  return withPowersOfTau(command).action(withProgress(begin))
}

async function begin(progress: Progress, onStep: OnStep, circuit: string, flags: NewFlags): Promise<void> {
  const { ptau, ptauHash, cache, output, json } = flags
  if (ptau === undefined)
    throw new AttestreamError('INPUT_INVALID', 'No powers of tau are named; give --ptau <path or URL>.')
  if (existsSync(output))
    throw new AttestreamError('INPUT_INVALID', `${output} exists; name a new directory for the ceremony.`)
  const transcript = await withConstraints(circuit, flags, progress, async (r1cs) => {
    progress.step('Powers of tau')
    const expected = ptauHash === undefined ? {} : { expectedHash: ptauHash }
    const powersOfTau = await obtainPowersOfTau(ptau, { cacheDir: cache, ...expected, onStep })
    progress.step('First key')
    return createCeremony(output, r1cs, powersOfTau, onStep)
  })
  progress.end()
  if (json) return printJson({ dir: output, ...transcript })
  printFacts([
    ['ceremony', output],
    ['circuit', `${transcript.circuit.r1csSha256}, ${grouped(transcript.circuit.constraints)} constraints`],
    ['powers of tau', `2^${transcript.powersOfTau.power}, ${transcript.powersOfTau.blake2b512}`],
    ['next', `give the directory to the first contributor: attestream ceremony contribute ${output} --name NAME`],
  ])
}

/** Lets `use` have the constraint file of a circuit that is built, or of one compiled now and removed after. */
async function withConstraints<T>(
  circuit: string,
  { cohort, frame }: NewFlags,
  progress: Progress,
  use: (r1cs: string) => Promise<T>,
): Promise<T> {
  if (!existsSync(circuit))
    throw new AttestreamError('INPUT_INVALID', `There is no ${circuit}; name a circuit or an applet.`)
  if (statSync(circuit).isDirectory()) return use(join(circuit, CIRCOM_OUTPUT.r1cs))
  if (circuit.endsWith('.r1cs')) return use(circuit)
  if (cohort === undefined || frame === undefined) {
    throw new AttestreamError(
      'INPUT_INVALID',
      'The circuit of an applet depends on its shape; give --cohort and --frame.',
    )
  }
  const { wasm } = await loadApplet(circuit, progress)
  progress.step('Compile the circuit')
  const work = mkdtempSync(join(tmpdir(), 'attestream-ceremony-'))
  try {
    await compileCircom(circuitSources(compileApplet(wasm), { cohortSize: cohort, frameSize: frame }), work)
    return await use(join(work, CIRCOM_OUTPUT.r1cs))
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}
