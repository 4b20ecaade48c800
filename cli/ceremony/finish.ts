// `ceremony finish`: verifies for the last time and gives out the proving key with what the registry keeps of it.

import { relative } from 'node:path'
import type { Command } from 'commander'
import { finishCeremony, type FinishedCeremony } from '../../circuits/setup/ceremony.ts'
import type { PowersOfTauFile } from '../../circuits/setup/powers-of-tau-file.ts'
import type { OnStep } from '../../circuits/setup/snarkjs.ts'
import type { Progress } from '../progress.ts'
import { printFacts, printJson } from '../table.ts'
import { ceremonyStep, powersOfTauOf, withPowersOfTau, withProgress, type PowersOfTauFlags } from './command.ts'

export function finishCommand(): Command {
  const command = ceremonyStep(
    'finish',
    "Verify, and write the proving key, the verifying key and the registry's fields",
    'finish ceremony --ptau powersOfTau28_hez_final_15.ptau',
  ).argument('<dir>', "the ceremony's directory")
  return withPowersOfTau(command).action(withProgress(run))
}

async function run(
  progress: Progress,
  onStep: OnStep,
  dir: string,
  flags: PowersOfTauFlags & { json: boolean },
): Promise<void> {
  progress.step('Powers of tau')
  const powersOfTau = await powersOfTauOf(dir, flags, onStep)
  progress.step('Verify')
  const finished = await finishCeremony(dir, powersOfTau, onStep)
  progress.end()
  const setup = engineSetup(finished, powersOfTau)
  if (flags.json) return printJson({ ...finished, setup })
  printFacts([
    ['proving key', finished.zkey],
    ['circuit', finished.r1csSha256],
    ['vkHash', finished.vkHash],
    ['transcript hash', finished.setupTranscriptHash],
    ['contributors', finished.contributors.join(', ')],
    ['devSetup', String(finished.devSetup)],
  ])
  if (finished.devSetup) {
    console.log(
      '\nOne contributor alone can forge: the key counts as a development setup. Let others contribute in a new ceremony.',
    )
  }
  console.log(
    `\nGive the engine this setup, and the circuit it builds has these hashes:\n\n  setup: ${JSON.stringify(setup)}`,
  )
}

/** What `createEngine` and `buildCircuit` take as `setup`. */
function engineSetup({ zkey }: FinishedCeremony, { path, hash }: PowersOfTauFile) {
  return { kind: 'ptau', path: relative('.', path), expectedHash: hash, zkeyPath: relative('.', zkey) }
}
