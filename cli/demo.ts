// `demo`: the main job end to end on embedded defaults. Everything in it is real: chain, contracts, signatures, proofs.

import { Command, InvalidArgumentError, Option } from 'commander'
import { DATASET_APPLETS, type DatasetApplet } from './datasets/recording.ts'
import { createProgress } from './progress.ts'

interface DemoFlags {
  readonly applet: DatasetApplet
  readonly data?: string
  readonly devices: number
  readonly frames: number
  readonly keep: boolean
  readonly ptau?: string
  readonly ptauHash?: string
}

export function demoCommand(): Command {
  return new Command('demo')
    .description('From signed readings to claimed rewards on a local chain')
    .addOption(new Option('--applet <name>', 'applet to run').choices(DATASET_APPLETS).default('energy-meter'))
    .option('--data <file>', 'CSV of real recordings; without it the same physics is simulated')
    .option('--devices <n>', 'devices', count(1, 64), 8)
    .option('--frames <n>', 'frames that each device sends', count(1, 100), 2)
    .option('--ptau <file>', 'make the proving key from a powers-of-tau file in place of a development setup')
    .option('--ptau-hash <blake2b>', 'BLAKE2b-512 that the file must have, if it is not of the known ceremony')
    .option('--keep', 'leave chain and API running until Ctrl-C', false)
    .addHelpText('after', '\nExample:\n  npm run demo -- --applet movement --devices 4')
    .action(async ({ applet, data, devices, frames, keep, ptau, ptauHash }: DemoFlags) => {
      const progress = createProgress()
      progress.step('Load compilers and prover')
      const [{ runDemo }, { printReport }] = await Promise.all([import('./demo/run.ts'), import('./demo/report.ts')])
      const setup = ptau && { kind: 'ptau' as const, path: ptau, ...(ptauHash ? { expectedHash: ptauHash } : {}) }
      const demo = await runDemo(
        { applet, devices, framesPerDevice: frames, ...(data ? { file: data } : {}), ...(setup ? { setup } : {}) },
        progress,
      )
      try {
        progress.end()
        printReport(demo.report)
        if (keep) await waitForInterrupt(demo.urls)
      } finally {
        await demo.close()
      }
    })
}

function count(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (Number.isInteger(value) && value >= least && value <= most) return value
    throw new InvalidArgumentError(`Expected an integer from ${least} to ${most}.`)
  }
}

async function waitForInterrupt(urls: { api: string; rpc: string; adminKey: string }): Promise<void> {
  console.log(`\nAPI   ${urls.api}/openapi.json   (admin key ${urls.adminKey})\nchain ${urls.rpc}\nCtrl-C ends both.`)
  const alive = setInterval(() => {}, 60_000)
  await new Promise<void>((resolve) => process.once('SIGINT', resolve))
  clearInterval(alive)
}
