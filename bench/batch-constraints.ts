// `npx tsx bench/batch-constraints.ts [--write]`: batches of several applets and shapes, each compiled by circom2 now, beside the prediction that
// `applet stats` and its advice rest on. bench/batch-constraints.json keeps the counts; a test holds the prediction against it.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { buildApplet } from '../applets/build.ts'
import { batchCost } from '../circuits/batch-cost.ts'
import { generateBatchCircuit } from '../circuits/batch-circuit.ts'
import { compileApplet } from '../circuits/compiler/index.ts'
import { countConstraints } from './constraints.ts'

export interface CountedBatch {
  /** Source file. */
  readonly applet: string
  readonly cohortSize: number
  readonly frameSize: number
  /** By circom. */
  readonly constraints: number
}

const FILE = join(import.meta.dirname, 'batch-constraints.json')

export function countedBatches(): CountedBatch[] {
  return JSON.parse(readFileSync(FILE, 'utf8')) as CountedBatch[]
}

async function main(write: boolean): Promise<void> {
  const counted: CountedBatch[] = []
  for (const { applet, cohortSize, frameSize } of countedBatches()) {
    const shape = { cohortSize, frameSize }
    const { abi, circom, stats } = compileApplet(await buildApplet(applet))
    const predicted = batchCost(abi, { constraints: stats.constraints, terms: 0 }, shape).constraints
    const constraints = await countConstraints(generateBatchCircuit(abi, shape), circom)
    counted.push({ applet, ...shape, constraints })
    console.log(`${applet} D=${cohortSize} R=${frameSize}: circom ${constraints}, predicted ${predicted}`)
  }
  if (write) writeFileSync(FILE, `${JSON.stringify(counted, null, 2)}\n`)
}

if (import.meta.url === pathToFileURL(process.argv[1]!).href) await main(process.argv.includes('--write'))
