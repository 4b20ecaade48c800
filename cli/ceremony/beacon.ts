// `ceremony beacon`: closes a ceremony with a random value that was public after the last contribution and could not be known before.

import type { Command } from 'commander'
import { addBeacon } from '../../circuits/setup/ceremony.ts'
import type { OnStep } from '../../circuits/setup/snarkjs.ts'
import { integer } from '../applet/command.ts'
import type { Progress } from '../progress.ts'
import { ceremonyStep, withProgress } from './command.ts'
import { report } from './contribute.ts'

interface BeaconFlags {
  readonly hash: string
  readonly iterationsExp: number
  readonly json: boolean
}

export function beaconCommand(): Command {
  return ceremonyStep(
    'beacon',
    'Close the ceremony with a public random value, such as the hash of a block announced beforehand',
    'beacon ceremony --hash 0102030405060708090a0b0c0d0e0f10 --iterations-exp 10',
  )
    .argument('<dir>', "the ceremony's directory")
    .requiredOption('--hash <hex>', '1 to 255 bytes, without 0x')
    .option('--iterations-exp <n>', 'the value is hashed 2^n times', integer(10, 63), 10)
    .action(withProgress(run))
}

async function run(progress: Progress, onStep: OnStep, dir: string, flags: BeaconFlags): Promise<void> {
  progress.step('Beacon')
  const made = await addBeacon(dir, flags, onStep)
  progress.end()
  await report(dir, made, flags.json, 'check it and export the keys with `attestream ceremony finish`')
}
