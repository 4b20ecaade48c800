// What our own provers share about a proof: its form and its randomness. They compute the proof for the randomness r = s = 0, which
// needs no B in G1, and the result is made random afterwards with public means only:
//
//   A' = A/t   B' = t·B + t·u·δ   C' = C + u·A      with t ≠ 0 and u uniform
//
// e(A', B') = e(A, B)·e(A, δ)^u and e(C', δ) = e(C, δ)·e(A, δ)^u, so the equation holds as before; A' is uniform, B' is uniform
// given A', and the equation leaves one C': the distribution is that of Groth16's own randomness, with the same zero knowledge.

import { randomBytes } from 'node:crypto'
import { invertField } from '../../circuits/setup/field-batch.ts'
import { FIELD_ORDER } from '../core/field.ts'
import type { Groth16Proof } from '../core/seal.ts'

export interface Proven {
  readonly proof: Groth16Proof & { readonly protocol: 'groth16'; readonly curve: 'bn128' }
  readonly publicSignals: readonly string[]
}

/** A proof as snarkjs writes it, of the plain coordinates of its points; undefined for a point at infinity. */
export function formatProof(parts: Readonly<Record<'a' | 'b' | 'c', readonly bigint[] | undefined>>): Proven['proof'] {
  const { a, b, c } = parts
  if (!a || !b || !c) throw new Error('a part of the proof is the point at infinity')
  const [bx0, bx1, by0, by1] = b.map(String) as [string, string, string, string]
  return {
    pi_a: [...a.map(String), '1'],
    pi_b: [
      [bx0, bx1],
      [by0, by1],
      ['1', '0'],
    ],
    pi_c: [...c.map(String), '1'],
    protocol: 'groth16',
    curve: 'bn128',
  }
}

/** A new t with its inverse, and a new u. */
export function proofRandomness(): Readonly<Record<'inverseOfT' | 't' | 'u', bigint>> {
  const [t, u] = [randomScalar(), randomScalar()]
  return { inverseOfT: invertField(t), t, u }
}

/** Uniform in [1, r), but for 2^-128. */
function randomScalar(): bigint {
  return 1n + (BigInt(`0x${randomBytes(48).toString('hex')}`) % (FIELD_ORDER - 1n))
}
