// Gas of a batch for any cohort size, from the committed snapshot: what settlement adds for four devices more is the same each time,
// one lane of the journal and its storage slot.

import gas from './gas.snapshot.json' with { type: 'json' }

export interface BatchGas {
  readonly anchor: number
  readonly settle: number
}

const LANES_D4 = 1
const LANES_D16 = 4
const PER_LANE = (gas['gas.settle.D16'] - gas['gas.settle.D4']) / (LANES_D16 - LANES_D4)

/** Anchor and settlement of one batch; all lanes credited before. */
export function expectedGas(cohortSize: number): BatchGas {
  const lanes = cohortSize / 4
  return { anchor: gas['gas.anchor'], settle: Math.round(gas['gas.settle.D4'] + (lanes - LANES_D4) * PER_LANE) }
}
