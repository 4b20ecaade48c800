// `applet`: what a developer does with an applet before a project uses it.

import { Command } from 'commander'
import { strict } from './command.ts'
import { runCommand } from './run.ts'
import { statsCommand } from './stats.ts'

export function appletCommand(): Command {
  return strict(new Command('applet').description('Build, run, cost and audit applets'))
    .addCommand(runCommand())
    .addCommand(statsCommand())
}
