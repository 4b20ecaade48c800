// `ceremony verify`: what anyone can check who has the directory and the powers of tau.

import type { Command } from 'commander'
import { verifyCeremony, type CeremonyReport } from '../../circuits/setup/ceremony.ts'
import type { OnStep } from '../../circuits/setup/snarkjs.ts'
import { AttestreamError } from '../../engine/index.ts'
import type { Progress } from '../progress.ts'
import { grouped, printFacts, printJson } from '../table.ts'
import { ceremonyStep, powersOfTauOf, withPowersOfTau, withProgress, type PowersOfTauFlags } from './command.ts'

interface VerifyFlags extends PowersOfTauFlags {
  readonly includes?: string
  readonly json: boolean
}

export function verifyCommand(): Command {
  const command = ceremonyStep(
    'verify',
    'Check every contribution against circuit, powers of tau and transcript, and say who contributed',
    'verify ceremony --ptau powersOfTau28_hez_final_15.ptau',
  )
    .argument('<dir>', "the ceremony's directory")
    .option('--includes <hash>', 'refuse a ceremony without this contribution, such as your own')
  return withPowersOfTau(command).action(withProgress(run))
}

async function run(progress: Progress, onStep: OnStep, dir: string, flags: VerifyFlags): Promise<void> {
  progress.step('Powers of tau')
  const powersOfTau = await powersOfTauOf(dir, flags, onStep)
  progress.step('Verify')
  const report = await verifyCeremony(dir, powersOfTau, onStep)
  refuseWithout(flags.includes, report, dir)
  progress.end()
  const { transcript, ...rest } = report
  if (flags.json) return printJson({ dir, ...transcript, ...rest })
  const { circuit } = transcript
  printFacts([
    ['circuit', `${circuit.r1csSha256}, ${grouped(circuit.constraints)} constraints`],
    ['powers of tau', `2^${transcript.powersOfTau.power}, ${transcript.powersOfTau.blake2b512}`],
    ...report.contributors.map(({ name, hash }): [string, string] => [name, hash]),
    ['beacon', report.beacon ? `${report.beacon.hash}, 2^${report.beacon.iterationsExp} times` : 'none yet'],
  ])
  if (report.absent.length > 0) console.log(`  not there, and not needed: ${report.absent.join(', ')}`)
  console.log(`The chain of ${grouped(transcript.keys.length - 1)} contributions is valid.`)
}

function refuseWithout(wanted: string | undefined, { contributors }: CeremonyReport, dir: string): void {
  if (wanted === undefined || contributors.some(({ hash }) => hash === wanted.toLowerCase())) return
  throw new AttestreamError('CEREMONY_INVALID', `The ceremony in ${dir} holds no contribution with the hash ${wanted}.`)
}
