// `applet`: what a developer does with an applet before a project uses it, and anybody to see what a project uses.

import { Command } from 'commander'
import { auditCommand } from './audit.ts'
import { buildCommand } from './build.ts'
import { strict } from './command.ts'
import { lineCommand } from './line.ts'
import { runCommand } from './run.ts'
import { statsCommand } from './stats.ts'

export function appletCommand(): Command {
  const applet = strict(new Command('applet').description('Build, run, cost and audit applets'))
  for (const command of [buildCommand(), runCommand(), statsCommand(), lineCommand(), auditCommand()])
    applet.addCommand(command)
  return applet
}
