// circomlib's Poseidon over F and the sponge that every commitment of the protocol uses (docs/architecture.md §2).
// The default implementation is poseidon-lite: small and synchronous, fit for devices. A faster one with the
// same results can be passed wherever a `hash` parameter stands (the engine's ingest does).

import { poseidon1 } from 'poseidon-lite/poseidon1'
import { poseidon2 } from 'poseidon-lite/poseidon2'
import { poseidon3 } from 'poseidon-lite/poseidon3'
import { poseidon4 } from 'poseidon-lite/poseidon4'
import { poseidon5 } from 'poseidon-lite/poseidon5'
import { poseidon6 } from 'poseidon-lite/poseidon6'
import { poseidon7 } from 'poseidon-lite/poseidon7'
import { poseidon8 } from 'poseidon-lite/poseidon8'
import { poseidon9 } from 'poseidon-lite/poseidon9'
import { poseidon10 } from 'poseidon-lite/poseidon10'
import { poseidon11 } from 'poseidon-lite/poseidon11'
import { poseidon12 } from 'poseidon-lite/poseidon12'
import { poseidon13 } from 'poseidon-lite/poseidon13'
import { poseidon14 } from 'poseidon-lite/poseidon14'
import { poseidon15 } from 'poseidon-lite/poseidon15'
import { poseidon16 } from 'poseidon-lite/poseidon16'
import { AttestreamError } from './errors.ts'

/** Poseidon of 1 to 16 field elements. */
export type Poseidon = (inputs: readonly bigint[]) => bigint

const BY_ARITY = [
  poseidon1, poseidon2, poseidon3, poseidon4, poseidon5, poseidon6, poseidon7, poseidon8,
  poseidon9, poseidon10, poseidon11, poseidon12, poseidon13, poseidon14, poseidon15, poseidon16,
] as ((inputs: bigint[]) => bigint)[] // prettier-ignore

/** Domain tags of the sponges; part of each sponge's initial value. */
export const SPONGE_TAG = { readings: 1n, batch: 2n, sequences: 3n, states: 4n, config: 5n } as const

/** Words absorbed by one Poseidon call beside the running value. */
const SPONGE_RATE = 15

export const poseidon: Poseidon = (inputs) => {
  const hash = BY_ARITY[inputs.length - 1]
  if (!hash) throw new AttestreamError('NUMBER_OUT_OF_RANGE', `Poseidon takes 1 to 16 inputs, got ${inputs.length}.`)
  return hash(inputs as bigint[])
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
