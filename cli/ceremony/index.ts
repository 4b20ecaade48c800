// `ceremony`: a proving key that nobody can forge with unless all who contributed to it collude. docs/ceremony.md is the guide.

import { strict } from '../applet/command.ts'
import { Command } from 'commander'
import { beaconCommand } from './beacon.ts'
import { contributeCommand } from './contribute.ts'
import { finishCommand } from './finish.ts'
import { newCommand } from './new.ts'
import { verifyCommand } from './verify.ts'

export function ceremonyCommand(): Command {
  const ceremony = strict(new Command('ceremony').description('Make a proving key for production with several people'))
  for (const command of [newCommand(), contributeCommand(), beaconCommand(), verifyCommand(), finishCommand()]) {
    ceremony.addCommand(command)
  }
  return ceremony
}
