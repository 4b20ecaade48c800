import * as poseidonLite from 'poseidon-lite'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FIELD_ORDER } from '../../engine/core/field.ts'
import { poseidon } from '../../engine/core/poseidon.ts'

type Hash = (inputs: bigint[]) => bigint

const fieldElement = fc.bigInt({ min: 0n, max: FIELD_ORDER - 1n })

/** poseidon-lite ships circomlib's constants; the core derives them. */
const shipped = (arity: number) => (poseidonLite as unknown as Record<string, Hash>)[`poseidon${arity}`]!

describe('Poseidon with derived constants', () => {
  it.each(Array.from({ length: 16 }, (_, i) => i + 1))('of %i inputs is that of shipped constants', (arity) => {
    const largest = new Array<bigint>(arity).fill(FIELD_ORDER - 1n)
    const inputs = fc.array(fieldElement, { minLength: arity, maxLength: arity })
    fc.assert(
      fc.property(inputs, (values) => poseidon(values) === shipped(arity)(values)),
      { numRuns: 5 },
    )
    expect(poseidon(largest)).toBe(shipped(arity)(largest))
  })

  it('takes integers beyond the field modulo its order', () => {
    expect(poseidon([FIELD_ORDER + 5n, -1n])).toBe(poseidon([5n, FIELD_ORDER - 1n]))
  })
})
