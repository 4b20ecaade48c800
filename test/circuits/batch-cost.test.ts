// The cost of a batch as it is foretold, against circuits that circom compiled and keys that were made.

import { statSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { buildApplet } from '../../applets/build.ts'
import { countedBatches } from '../../bench/batch-constraints.ts'
import { batchCost, type BatchCost } from '../../circuits/batch-cost.ts'
import { buildCircuit, type CircuitArtefacts } from '../../circuits/build.ts'
import { appletTerms, costByOperation, costByPlace } from '../../circuits/compiler/cost-report.ts'
import { compileApplet } from '../../circuits/compiler/index.ts'
import { domainPower } from '../../circuits/setup/development-key.ts'
import { readR1cs } from '../../circuits/setup/r1cs.ts'
import { CACHE_DIR, COHORT_SIZE, METER_TOY_CONSTRAINTS, buildToy, evenToy, meterToy } from './lib/toy.ts'

const short = (constraints: number) => ({ constraints, terms: 3 * constraints })
const setup = { kind: 'development', seed: 'test' } as const

/** Exact where it says so, within 3 % where it estimates. */
function expectCost(cost: BatchCost, { manifest, paths }: CircuitArtefacts): void {
  const r1cs = readR1cs(paths.r1cs)
  expect(cost.constraints).toBe(manifest.constraints)
  expect(cost.power).toBe(domainPower(r1cs))
  const deviation = (estimate: number, real: number) => Math.abs(estimate / real - 1)
  expect(deviation(cost.wires, r1cs.wireCount)).toBeLessThan(0.01)
  expect(deviation(cost.provingKeyBytes, statSync(paths.zkey).size)).toBeLessThan(0.03)
}

const compiled = new Map<string, Promise<Uint8Array>>()
function wasmOf(applet: string): Promise<Uint8Array> {
  const wasm = compiled.get(applet) ?? buildApplet(applet)
  compiled.set(applet, wasm)
  return wasm
}

describe('the cost of a batch', () => {
  let wasm: Uint8Array
  beforeAll(async () => {
    wasm = await wasmOf('applets/energy-meter.ts')
  })

  it('is that of the circuit of energy-meter at D = 4, R = 4', async () => {
    const shape = { cohortSize: 4, frameSize: 4 }
    const { abi, ir, stats } = compileApplet(wasm)
    const built = await buildCircuit(wasm, { ...shape, cacheDir: CACHE_DIR, setup })
    expectCost(batchCost(abi, { constraints: stats.constraints, terms: appletTerms(ir) }, shape), built)
  })

  it('is that of a circuit with other records, and of one without State and Config', async () => {
    const shape = (frameSize: number) => ({ cohortSize: COHORT_SIZE, frameSize })
    expectCost(batchCost(meterToy.abi, short(METER_TOY_CONSTRAINTS), shape(4)), await buildToy(meterToy, 4))
    const evenToyConstraints = 32 + 1
    expectCost(batchCost(evenToy.abi, short(evenToyConstraints), shape(1)), await buildToy(evenToy, 1))
  })

  // Counted by circom: `npx tsx bench/batch-constraints.ts` compiles all of them again, which takes minutes.
  it.each(countedBatches())('of $applet at D = $cohortSize, R = $frameSize is what circom counted', async (counted) => {
    const { abi, stats } = compileApplet(await wasmOf(counted.applet))
    const cost = batchCost(abi, { constraints: stats.constraints, terms: 0 }, counted)
    expect(cost.constraints).toBe(counted.constraints)
  })

  it('adds up: by operation and by place as much as the whole', () => {
    const { ir, stats } = compileApplet(wasm)
    const total = (rows: readonly { constraints: number }[]) => rows.reduce((sum, row) => sum + row.constraints, 0)
    expect(total(costByOperation(ir))).toBe(stats.constraints)
    expect(costByOperation(ir)).toContainEqual({ instruction: 'range of a field', count: 2, constraints: 64 })
    const places = costByPlace(ir, (at) => [`${at.offset}`, at.offset])
    expect(total(places)).toBe(stats.constraints)
    expect(places.map(({ constraints }) => constraints)).toEqual(
      places.map((row) => row.constraints).sort((a, b) => b - a),
    )
  })
})
