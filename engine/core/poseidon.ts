// circomlib's Poseidon over F and the sponge that every commitment of the protocol uses (docs/architecture.md §2).
// The constants are derived by the Grain generator of the Poseidon paper when an arity is first used, some milliseconds
// each: shipped as text they would be nine tenths of the device SDK. A faster implementation with the same results can
// be passed wherever a `hash` parameter stands (the engine's ingest does).

import { Field } from '@noble/curves/abstract/modular.js'
import { grainGenConstants, poseidon as permutation, type PoseidonFn } from '@noble/curves/abstract/poseidon.js'
import { AttestreamError } from './errors.ts'
import { FIELD_ORDER } from './field.ts'

/** Poseidon of 1 to 16 field elements. */
export type Poseidon = (inputs: readonly bigint[]) => bigint

/** Domain tags of the sponges; part of each sponge's initial value. */
export const SPONGE_TAG = { readings: 1n, batch: 2n, sequences: 3n, states: 4n, config: 5n } as const

/** Words absorbed by one Poseidon call beside the running value. */
const SPONGE_RATE = 15

const ROUNDS_FULL = 8
/** Partial rounds for 1, 2, … 16 inputs: circomlib's choice, from the Poseidon paper for 128 bits of security with x^5. */
const ROUNDS_PARTIAL = [56, 57, 56, 60, 60, 63, 64, 63, 60, 66, 60, 65, 70, 60, 64, 68] as const

const Fp = Field(FIELD_ORDER)
const permutations: PoseidonFn[] = []

export const poseidon: Poseidon = (inputs) => {
  const permute = (permutations[inputs.length] ??= createPermutation(inputs.length))
  return permute([0n, ...inputs])[0]!
}

/** Commitment to a list of field elements under a domain tag: h = tag·2^32 + length, then h = Poseidon(h, ≤15 words) per chunk. */
export function sponge(tag: bigint, words: readonly bigint[], hash: Poseidon = poseidon): bigint {
  let state = (tag << 32n) + BigInt(words.length)
  if (words.length === 0) return hash([state])
  for (let at = 0; at < words.length; at += SPONGE_RATE) {
    state = hash([state, ...words.slice(at, at + SPONGE_RATE)])
  }
  return state
}

function createPermutation(arity: number): PoseidonFn {
  const roundsPartial = ROUNDS_PARTIAL[arity - 1]
  if (roundsPartial === undefined) {
    throw new AttestreamError('NUMBER_OUT_OF_RANGE', `Poseidon takes 1 to 16 inputs, got ${arity}.`)
  }
  const shape = { Fp, t: arity + 1, roundsFull: ROUNDS_FULL, roundsPartial, sboxPower: 5 }
  return permutation({ ...shape, ...grainGenConstants(shape) })
}
