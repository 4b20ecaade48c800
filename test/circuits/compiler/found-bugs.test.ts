// One test for each bug of the compiler that the fuzzer found, as small as it could be made.
import { describe, expect, it } from 'vitest'
import { Circuit } from '../../../circuits/compiler/circuit.ts'
import { UNSIGNED } from '../../../circuits/compiler/interval.ts'
import { addConstant, constantLc, fromBits, scale, signalLc } from '../../../circuits/compiler/lc.ts'
import { DEFAULT_LIMITS } from '../../../circuits/compiler/refusal.ts'
import { Words } from '../../../circuits/compiler/words.ts'

describe('bugs that the fuzzer found', () => {
  it('A-06 the bits of 32 − x, where x is proven to be 0, are those of 32', () => {
    const circuit = new Circuit(DEFAULT_LIMITS)
    const x = signalLc(circuit.signal(UNSIGNED(0)))
    const bits = new Words(circuit).bits(addConstant(scale(x, -1n), 32n), 6)
    const atZero = bits.map(({ constant }) => constantLc(constant))
    expect(fromBits(atZero).constant).toBe(32n)
  })
})
