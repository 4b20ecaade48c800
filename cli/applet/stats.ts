// `applet stats`: what an applet costs, by line and operation, per reading and for a whole batch.

import { Option, type Command } from 'commander'
import { withSourceLines } from '../../applets/explain-refusal.ts'
import { expectedGas } from '../../contracts/gas-model.ts'
import { batchCost, batchParts, type CostPart } from '../../circuits/batch-cost.ts'
import { generateBatchCircuit, type BatchShape } from '../../circuits/batch-circuit.ts'
import { appletTerms, costByOperation, costByPlace, type LineCost } from '../../circuits/compiler/cost-report.ts'
import { compileApplet, type CompiledApplet } from '../../circuits/compiler/index.ts'
import type { Location } from '../../circuits/compiler/ir.ts'
import { adviseShape, bestShapes, type PricedApplet, type ShapeCost } from '../../circuits/shape-advice.ts'
import { defaultKernelDir } from '../../circuits/setup/fixed-base.ts'
import { estimateProveMs, measureMachine } from '../../engine/prover/calibrate.ts'
import { loadKernel } from '../../engine/prover/wasm/compile.ts'
import { createProgress } from '../progress.ts'
import { grouped, paint, printFacts, printJson, tableLines, type Alignment } from '../table.ts'
import { examine, examineCommand, integer } from './command.ts'
import { appletLine, loadApplet, type LoadedApplet } from './source.ts'

interface StatsFlags {
  readonly cohort: string
  readonly frame: number
  readonly limit: number
  readonly json: boolean
}

/** A line of the source; without a source map, or for what no line asked for, where it stands instead. */
interface CostPlace {
  readonly file: string | null
  readonly line: number | null
  readonly text: string
}

const LINES_SHOWN = 20

export function statsCommand(): Command {
  return examineCommand(
    'stats',
    'Constraints by source line and operation; size, key, time and gas of a batch; which batches fill their power of two',
    'attestream applet stats applets/energy-meter.ts --cohort 16 --frame 8',
  )
    .argument('<applet>', 'source x.ts or WASM x.wasm')
    .addOption(new Option('--cohort <D>', 'devices in a batch').choices(['4', '8', '16', '32', '64']).default('16'))
    .option('--frame <R>', 'readings of each device', integer(1, 64), 8)
    .option('--limit <n>', 'lines and operations to show', integer(1, 100_000), LINES_SHOWN)
    .option('--json', 'print JSON', false)
    .action(examine(stats))
}

async function stats(path: string, { cohort, frame, limit, json }: StatsFlags): Promise<boolean> {
  const progress = createProgress()
  const applet = await loadApplet(path, progress)
  progress.step('Compile to a circuit')
  const compiled = withSourceLines(applet.lines, () => compileApplet(applet.wasm))
  const shape = { cohortSize: Number(cohort), frameSize: frame }
  generateBatchCircuit(compiled.abi, shape) // refuses a shape that the applet cannot have
  progress.step("Time the prover's arithmetic on this machine")
  const batch = await batchFigures(compiled, shape)
  progress.end()
  const lines = costByPlace(compiled.ir, (at) => placeOf(applet, at))
  const operations = costByOperation(compiled.ir)
  const { constraints, readingConstraints } = compiled.stats
  const facts = { appletId: applet.appletId, constraints, readingConstraints, batch }
  const priced = pricedApplet(compiled)
  const shapes = bestShapes(priced)
  const advice = adviseShape(priced, shape)
  if (json) {
    const byLine = lines.map(({ place, constraints: cost }) => ({
      ...place,
      constraints: cost,
      share: cost / constraints,
    }))
    printJson({ ...facts, byLine, byOperation: operations, shapes, advice })
    return true
  }
  printLines(lines, constraints, limit)
  const rows = operations.slice(0, limit).map((row) => [row.instruction, `${row.count}`, grouped(row.constraints)])
  printTable([['operation', 'gadgets', 'constraints'], ...rows], ['left', 'right', 'right'])
  printParts(batch)
  printShapes(shapes)
  printFigures(facts)
  if (advice !== null) console.log(`\n${paint('yellow', `  ${advice.text}`)}`)
  return true
}

type BatchFigures = Awaited<ReturnType<typeof batchFigures>>

function pricedApplet({ abi, ir, stats: { constraints } }: CompiledApplet): PricedApplet {
  return { abi, reading: { constraints, terms: appletTerms(ir) } }
}

async function batchFigures(compiled: CompiledApplet, shape: BatchShape) {
  const { abi, reading } = pricedApplet(compiled)
  const cost = batchCost(abi, reading, shape)
  const parts = batchParts(abi, reading, shape)
  const proveMs = Math.round(estimateProveMs(cost, measureMachine(await loadKernel(defaultKernelDir()))))
  const gas = expectedGas(shape.cohortSize)
  return { ...shape, readings: shape.cohortSize * shape.frameSize, ...cost, parts, proveMs, gas }
}

function placeOf({ lines }: LoadedApplet, { functionName, offset, instruction }: Location): [string, CostPlace] {
  if (offset === 0) {
    const text = functionName === 'reading' ? `range of Reading.${instruction}` : 'units, State and rollback at the end'
    return [text, { file: null, line: null, text }]
  }
  const found = lines && appletLine(lines, offset)
  if (found) return [`${found.file}:${found.line}`, found]
  const text = `${functionName} at byte 0x${offset.toString(16)}: ${instruction}`
  return [text, { file: null, line: null, text }]
}

function printLines(lines: readonly LineCost<CostPlace>[], total: number, limit: number): void {
  const rows = lines
    .slice(0, limit)
    .map(({ place, constraints }) => [
      grouped(constraints),
      `${((100 * constraints) / total).toFixed(1)}%`,
      place.file === null ? '' : `${place.file}:${place.line}`,
      place.text.slice(0, 100),
    ])
  const header = ['constraints', 'share', 'line', '']
  for (const line of tableLines([header, ...rows], ['right', 'right', 'left', 'left'])) console.log(line)
  if (lines.length > limit) console.log(`  … ${lines.length - limit} more lines (--limit)`)
}

/** What a slot has beside its readings, and its share of what the batch has once. */
function printParts({ cohortSize, frameSize, parts }: BatchFigures): void {
  const ofSlot = parts.filter(({ per }) => per !== 'reading')
  const perSlot = ({ constraints, times }: CostPart) => (constraints * times) / cohortSize
  const overhead = ofSlot.reduce((total, part) => total + perSlot(part), 0)
  const rows = ofSlot.map((part) => [part.part, grouped(Math.round(perSlot(part))), share(perSlot(part) / overhead)])
  const title = `one slot of ${cohortSize} at R = ${frameSize}, beside its readings`
  const total = ['together', grouped(Math.round(overhead)), '']
  printTable([[title, 'constraints', 'share'], ...rows, total], ['left', 'right', 'right'])
}

/** For each cohort size and power of two the R that fills it best. */
function printShapes(shapes: readonly ShapeCost[]): void {
  const rows = shapes.map(({ cohortSize, frameSize, constraints, power, fill, constraintsPerReading }) => [
    `${cohortSize}`,
    `${frameSize}`,
    grouped(constraints),
    `2^${power}`,
    share(fill),
    grouped(Math.round(constraintsPerReading)),
  ])
  const header = ['devices D', 'best R', 'constraints', 'power', 'full', 'per reading']
  printTable([header, ...rows], ['right', 'right', 'right', 'right', 'right', 'right'])
}

function printTable(rows: readonly (readonly string[])[], alignments: readonly Alignment[]): void {
  console.log()
  for (const line of tableLines(rows, alignments)) console.log(line)
}

function share(value: number): string {
  return `${(100 * value).toFixed(1)}%`
}

interface StatsFacts {
  readonly appletId: string
  readonly constraints: number
  readonly readingConstraints: number
  readonly batch: BatchFigures
}

function printFigures({ appletId, constraints, readingConstraints, batch }: StatsFacts): void {
  const { gas, readings } = batch
  const perReading = Math.round((gas.anchor + gas.settle) / readings)
  console.log()
  printFacts([
    ['applet', appletId],
    [
      'a reading',
      `${grouped(constraints)} constraints, of which ${grouped(readingConstraints)} are the ranges of its fields`,
    ],
    ['a batch', `${batch.cohortSize} devices × ${batch.frameSize} readings: ${grouped(batch.constraints)} constraints`],
    ['powers of tau', `2^${batch.power}`],
    ['proving key', `about ${(batch.provingKeyBytes / 1e6).toFixed(1)} MB`],
    [
      'a proof',
      `about ${(batch.proveMs / 1000).toFixed(1)} s on a free core of this machine (scaled from the prover's arithmetic, timed now)`,
    ],
    [
      'gas',
      `about ${grouped(gas.settle)} to settle and ${grouped(gas.anchor)} to anchor: ${grouped(perReading)} a reading`,
    ],
  ])
}
