// Which D and R an applet's batches should have. A proof takes the time of the next power of two, so a batch should fill its power and never
// overstep one by little. Everything here follows from the exact prediction of batch-cost.ts: no circom run.

import type { AppletAbi } from '../engine/core/applet.ts'
import { AttestreamError } from '../engine/core/errors.ts'
import { MAX_FRAME_SIZE } from '../engine/core/frame.ts'
import { batchCost, type Cost } from './batch-cost.ts'
import { checkShape, publicSignalCount, type BatchShape } from './batch-circuit.ts'

/** What advice needs to know of an applet; `reading` is what one reading costs. */
export interface PricedApplet {
  readonly abi: AppletAbi
  readonly reading: Cost
}

export interface ShapeCost extends BatchShape {
  readonly constraints: number
  readonly power: number
  /** Share of 2^power that the constraints fill. */
  readonly fill: number
  readonly constraintsPerReading: number
}

export interface ShapeAdvice {
  /** `oversteps`: just above a power of two. `underfilled`: more readings would fit the same power. */
  readonly finding: 'oversteps' | 'underfilled'
  readonly chosen: ShapeCost
  readonly better: ShapeCost
  /** One line for a person. */
  readonly text: string
}

export const COHORT_SIZES = [4, 8, 16, 32, 64] as const
/** Rows above a power, as a share of it, that count as little. */
const LITTLE = 0.1
const WELL_FILLED = 0.75

/** The cost of one shape. Throws CIRCUIT_SHAPE_INVALID for one that the applet cannot have. */
export function shapeCost({ abi, reading }: PricedApplet, shape: BatchShape): ShapeCost {
  checkShape(abi, shape)
  const { constraints, power } = batchCost(abi, reading, shape)
  const readings = shape.cohortSize * shape.frameSize
  const { cohortSize, frameSize } = shape
  return {
    ...{ cohortSize, frameSize, constraints, power },
    ...{ fill: constraints / 2 ** power, constraintsPerReading: constraints / readings },
  }
}

/** For each cohort size and power of two, the shape of most readings that fits. */
export function bestShapes(applet: PricedApplet): ShapeCost[] {
  return COHORT_SIZES.flatMap((cohortSize) => {
    const ofPower = new Map(shapesOf(applet, cohortSize).map((shape) => [shape.power, shape]))
    return [...ofPower.values()]
  })
}

/** What is wrong with the shape, and the better R for the same cohort; null if nothing is. Throws CIRCUIT_SHAPE_INVALID. */
export function adviseShape(applet: PricedApplet, shape: BatchShape): ShapeAdvice | null {
  const chosen = shapeCost(applet, shape)
  const best = bestShapes(applet).filter(({ cohortSize }) => cohortSize === shape.cohortSize)
  const below = best.findLast(({ power }) => power < chosen.power)
  const same = best.find(({ power }) => power === chosen.power)!
  const over = chosen.constraints + publicSignalCount(shape.cohortSize) + 1 - 2 ** (chosen.power - 1)
  if (below && over <= LITTLE * 2 ** (chosen.power - 1)) {
    const text = `${told(chosen)}, ${over.toLocaleString('en')} rows more than 2^${chosen.power - 1} holds, so that every proof pays for 2^${chosen.power}. ${choose(below)}${same.frameSize > chosen.frameSize ? `, or ${choose(same)}` : ''}.`
    return { finding: 'oversteps', chosen, better: below, text }
  }
  if (chosen.fill >= WELL_FILLED || same.frameSize === chosen.frameSize) return null
  const text = `${told(chosen)}, which fill ${percent(chosen.fill)} of the 2^${chosen.power} that every proof pays for. ${choose(same)}${below ? `, or ${choose(below)}` : ''}.`
  return { finding: 'underfilled', chosen, better: same, text }
}

/** All shapes of a cohort size that the applet can have, by R. */
function shapesOf(applet: PricedApplet, cohortSize: number): ShapeCost[] {
  const shapes: ShapeCost[] = []
  for (let frameSize = 1; frameSize <= MAX_FRAME_SIZE; frameSize++) {
    try {
      shapes.push(shapeCost(applet, { cohortSize, frameSize }))
    } catch (error) {
      if (error instanceof AttestreamError && error.code === 'CIRCUIT_SHAPE_INVALID') break // a frame too long for the DA object
      throw error
    }
  }
  return shapes
}

function told({ cohortSize, frameSize, constraints }: ShapeCost): string {
  return `${cohortSize} devices × ${frameSize} ${frameSize === 1 ? 'reading' : 'readings'} take ${constraints.toLocaleString('en')} constraints`
}

function choose({ frameSize, power, fill }: ShapeCost): string {
  return `R = ${frameSize} fills ${percent(fill)} of 2^${power}`
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`
}
