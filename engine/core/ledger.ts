// The ledger page of a cohort: each slot's last sequence and applet State, and the commitment to both that the chain keeps.
//
//   ledger = Poseidon(sequencesHash, statesHash)

import { packWords, type Layout, type RawRecord } from './layout.ts'
import { SPONGE_TAG, poseidon, sponge } from './poseidon.ts'

/** Per slot: last counted sequence (0 before the first) and raw State. */
export interface LedgerPage {
  readonly sequences: readonly bigint[]
  readonly states: readonly RawRecord[]
}

/** Largest step of a device's sequence that still counts. */
export const MAX_SEQUENCE_STEP = 1n << 32n

const SEQUENCES_PER_WORD = 3

/** The page of a new cohort: sequences and states all zero. */
export function genesisPage(state: Layout, cohortSize: number): LedgerPage {
  return {
    sequences: Array.from({ length: cohortSize }, () => 0n),
    states: Array.from({ length: cohortSize }, () => state.map(() => 0n)),
  }
}

/** Sponge over the sequences, three u64 to a word, first most significant. */
export function sequencesHash(sequences: readonly bigint[]): bigint {
  const words: bigint[] = []
  for (let at = 0; at < sequences.length; at += SEQUENCES_PER_WORD) {
    words.push(sequences.slice(at, at + SEQUENCES_PER_WORD).reduce((word, sequence) => (word << 64n) | sequence, 0n))
  }
  return sponge(SPONGE_TAG.sequences, words)
}

/** Sponge over the packed states, slot by slot. */
export function statesHash(state: Layout, states: readonly RawRecord[]): bigint {
  return sponge(
    SPONGE_TAG.states,
    states.flatMap((record) => packWords(state, record)),
  )
}

/** The commitment to a page. */
export function ledgerHash(state: Layout, page: LedgerPage): bigint {
  return poseidon([sequencesHash(page.sequences), statesHash(state, page.states)])
}

/** The soft sequence rule: 0 < sequence − last ≤ 2^32. */
export function isNextSequence(sequence: bigint, last: bigint): boolean {
  return sequence > last && sequence - last <= MAX_SEQUENCE_STEP
}
