// The command line: `npm run attestream -- <command>`. One file per command; each parses, calls and prints.

import { Command } from 'commander'
import { isAttestreamError } from '../engine/index.ts'
import { appletCommand } from './applet/index.ts'
import { ceremonyCommand } from './ceremony/index.ts'
import { demoCommand } from './demo.ts'
import { deployCommand } from './deploy.ts'
import { deviceCommand } from './device/index.ts'
import { projectCommand } from './project/index.ts'
import { receiptCommand } from './receipt.ts'

const program = new Command('attestream')
  .description('Verifiable off-chain compute for DePIN')
  .addCommand(appletCommand())
  .addCommand(ceremonyCommand())
  .addCommand(demoCommand())
  .addCommand(deployCommand())
  .addCommand(deviceCommand())
  .addCommand(projectCommand())
  .addCommand(receiptCommand())

// A signal ends the process in order, so that what it started, such as a local chain, ends with it.
for (const [signal, number] of Object.entries({ SIGHUP: 1, SIGINT: 2, SIGTERM: 15 })) {
  process.on(signal, () => {
    const isHandled = process.listenerCount(signal) > 1
    if (!isHandled) process.exit(128 + number)
  })
}

program.parseAsync().catch((error: unknown) => {
  const isKnown = isAttestreamError(error)
  console.error(isKnown ? `${error.code}: ${error.message}` : error)
  process.exitCode = isKnown ? 2 : 1
})
