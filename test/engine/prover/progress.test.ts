// What a proof tells of its way, by the provers that are there on every machine.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fractionBefore } from '../../../engine/prover/progress.ts'
import { PROOF_PHASES, type ProofProgress } from '../../../engine/prover/prover.ts'
import { createSnarkjsProver } from '../../../engine/prover/snarkjs.ts'
import { createWasmProver } from '../../../engine/prover/wasm/wasm.ts'
import { rootsCircuit, rootsInput, type RootsCircuit } from './roots.ts'
import { KERNEL_CACHE } from './wasm/kernel-cache.ts'

const ADAPTERS = [
  { name: 'snarkjs', prover: createSnarkjsProver({ threads: 1 }) },
  { name: 'wasm', prover: createWasmProver({ threads: 1, cacheDir: KERNEL_CACHE }) },
]
let circuit: RootsCircuit
beforeAll(async () => {
  circuit = await rootsCircuit()
})
afterAll(async () => {
  await Promise.all(ADAPTERS.map(({ prover }) => prover.close()))
  circuit.remove()
})

describe.each(ADAPTERS)('the progress of $name', ({ prover }) => {
  it('names every phase as it begins, with a growing share of the work behind it', async () => {
    const told: ProofProgress[] = []
    await prover.prove({ files: circuit.files, input: rootsInput() }, undefined, (progress) => told.push(progress))
    expect(told.map(({ phase }) => phase)).toEqual(PROOF_PHASES)
    const fractions = told.map(({ fraction }) => fraction)
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b))
    expect(fractions[0]).toBe(0)
    expect(fractions.at(-1)).toBeLessThan(1)
  })
})

it('the shares of the phases are those of one whole', () => {
  expect(fractionBefore('check')).toBeCloseTo(0.98)
})
