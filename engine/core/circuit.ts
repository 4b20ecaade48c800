// What a circuit build produced, as it is written beside the files, stored, shown and published.

import type { Hex } from './codec.ts'

/** Hashes are SHA-256 of the files as they lie there, except vkHash: keccak256 of `verifyingKey`. */
export interface CircuitManifest {
  readonly appletId: Hex
  readonly compilerVersion: string
  readonly circomSha256: Hex
  readonly r1csSha256: Hex
  readonly vkHash: Hex
  /** The encoded verifying key, as the contracts take it. */
  readonly verifyingKey: Hex
  readonly cohortSize: number
  readonly frameSize: number
  readonly constraints: number
  readonly publicSignals: number
  /** True if whoever made the proving key can forge proofs. */
  readonly devSetup: boolean
  /** SHA-256 of transcript.json: where the key comes from. */
  readonly setupTranscriptHash: Hex
}
