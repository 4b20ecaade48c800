// `device`: the life of a device on chain, from its key to its revocation. Signed with ATTESTREAM_PRIVATE_KEY or a keystore.

import { Command } from 'commander'
import { admitCommand, keyCommand } from './admit.ts'
import {
  claimCommand,
  confirmCommand,
  registerCommand,
  revokeCommand,
  rotateCommand,
  suspendCommand,
  transferCommand,
} from './send.ts'
import { showCommand } from './show.ts'

export function deviceCommand(): Command {
  const device = new Command('device').description('Admit, register, show, transfer, rotate and revoke devices')
  for (const command of [
    keyCommand(),
    admitCommand(),
    registerCommand(),
    showCommand(),
    claimCommand(),
    transferCommand(),
    confirmCommand(),
    rotateCommand(),
    suspendCommand(),
    revokeCommand(),
  ]) {
    device.addCommand(command)
  }
  return device
}
