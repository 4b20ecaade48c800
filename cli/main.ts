// The command line: `npm run attestream -- <command>`. One file per command; each parses, calls and prints.

import { Command } from 'commander'
import { isAttestreamError } from '../engine/index.ts'
import { demoCommand } from './demo.ts'
import { receiptCommand } from './receipt.ts'

const program = new Command('attestream')
  .description('Verifiable off-chain compute for DePIN')
  .addCommand(demoCommand())
  .addCommand(receiptCommand())

program.parseAsync().catch((error: unknown) => {
  const isKnown = isAttestreamError(error)
  console.error(isKnown ? `${error.code}: ${error.message}` : error)
  process.exitCode = isKnown ? 2 : 1
})
