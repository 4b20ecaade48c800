// The study of docs/short-challenge-signatures.md: what the scheme costs, counted, and that its circuit takes signatures and no altered ones.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { edwards } from '@noble/curves/abstract/edwards.js'
import { beforeAll, describe, expect, it } from 'vitest'
import { readR1cs } from '../../circuits/setup/r1cs.ts'
import { FIELD_ORDER, mod } from '../../engine/core/field.ts'
import { poseidon } from '../../engine/core/poseidon.ts'
import { SUBGROUP_ORDER } from '../../engine/core/signature.ts'
import { compiledMain } from '../circuits/lib/compiled.ts'
import { createCalculator, type Calculator } from '../circuits/lib/toy.ts'

const EDDSA = 3_119
const study = readFileSync(join(import.meta.dirname, '../../bench/reference/short-challenge.circom'), 'utf8')
const compiled = (strict: 0 | 1) => compiledMain(`${study}\ncomponent main = ShortChallengeSignature(${strict});\n`)

const Point = edwards({
  p: FIELD_ORDER,
  n: SUBGROUP_ORDER,
  h: 8n,
  a: 168700n,
  d: 168696n,
  Gx: 5299619240641551281634865583518297030282874472190772894086521144482721001553n,
  Gy: 16950150798460657717958625567821834550301663161624707787222815936182638968203n,
})

/** Inputs of the circuit for secret a and nonce r. */
function signed(a: bigint, r: bigint, message: bigint) {
  const key = Point.BASE.multiply(a).toAffine()
  const r8 = Point.BASE.multiply(r).toAffine()
  const low = poseidon([r8.x, r8.y, key.x, key.y, message]) % (1n << 128n)
  const challenge = (1n << 129n) + 2n * low + 1n
  const s = mod(r + 8n * challenge * a, SUBGROUP_ORDER)
  return { present: 1n, keyX: key.x, keyY: key.y, r8x: r8.x, r8y: r8.y, s, message }
}

const text = (input: Record<string, bigint>) =>
  Object.fromEntries(Object.entries(input).map(([name, value]) => [name, value.toString()]))

describe('a signature with a challenge of 128 bits', () => {
  let calculator: Calculator
  beforeAll(async () => {
    calculator = await createCalculator((await compiled(1)).witnessWasm)
  })

  it.each([
    ['bits of the hash or of its alias', 0, 2_227],
    ['bits of the hash alone', 1, 2_283],
  ] as const)('%s: takes as many constraints as the page says', async (_, strict, constraints) => {
    expect(readR1cs((await compiled(strict)).r1cs).constraintCount).toBe(constraints)
    expect(constraints).toBeLessThan(EDDSA)
  })

  it('is accepted', async () => {
    for (const [a, r, message] of [[1n, 1n, 0n], [12345n, 67n, 89n], [SUBGROUP_ORDER - 1n, SUBGROUP_ORDER - 2n, FIELD_ORDER - 1n]] as const) {
      expect(await calculator.refusal(text(signed(a, r, message)))).toEqual([])
    }
  }) // prettier-ignore

  it('is refused with another message, S, R8 or key, with S + ℓ, and for a key of low order', async () => {
    const good = signed(12345n, 67n, 89n)
    const other = signed(54321n, 76n, 89n)
    const altered = [
      { message: 90n },
      { s: good.s + 1n },
      { s: good.s + SUBGROUP_ORDER },
      { r8x: other.r8x, r8y: other.r8y },
      { r8x: good.r8x + 1n },
      { keyX: other.keyX, keyY: other.keyY },
      { keyX: 0n, keyY: 1n },
      { keyX: 0n, keyY: FIELD_ORDER - 1n },
    ]
    for (const change of altered) expect(await calculator.refusal(text({ ...good, ...change }))).not.toEqual([])
  })
})
