// What a circuit build produced, as it is written beside the files, stored, shown and published; and what the chain must hold
// of a version for that circuit.

import type { AppletAbi } from './applet.ts'
import type { Hex } from './codec.ts'
import { layoutId } from './layout.ts'
import { genesisPage, sequencesHash, statesHash } from './ledger.ts'

/** All of it but the setup follows from the WASM: `attestream applet audit` rebuilds and compares. */
export interface CircuitManifest {
  /** SHA-256 of the WASM. */
  readonly appletId: Hex
  readonly compilerVersion: string
  /** SHA-256 of the JSON list of [path, text] of all circom sources, those of circuits/lib and circomlib included, by path. */
  readonly circomSha256: Hex
  /** SHA-256 of the .r1cs file. */
  readonly r1csSha256: Hex
  /** keccak256 of `verifyingKey`. */
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

/** What the registry pins to an applet version. */
export interface VersionPin {
  readonly appletId: Hex
  readonly r1csHash: Hex
  readonly vkHash: Hex
  readonly setupTranscriptHash: Hex
  readonly layoutId: bigint
  readonly genesisSequencesHash: bigint
  readonly genesisStatesHash: bigint
  readonly maxUnitsPerFrame: bigint
  readonly cohortSize: number
  readonly frameSize: number
  readonly devSetup: boolean
}

/** What the registry must pin for a circuit of this applet. */
export function expectedPin(manifest: CircuitManifest, abi: AppletAbi): VersionPin {
  const { appletId, r1csSha256, vkHash, setupTranscriptHash, cohortSize, frameSize, devSetup } = manifest
  const genesis = genesisPage(abi.state, cohortSize)
  return {
    appletId,
    r1csHash: r1csSha256,
    vkHash,
    setupTranscriptHash,
    layoutId: layoutId(abi.reading, frameSize),
    genesisSequencesHash: sequencesHash(genesis.sequences),
    genesisStatesHash: statesHash(abi.state, genesis.states),
    maxUnitsPerFrame: abi.maxUnitsPerFrame,
    cohortSize,
    frameSize,
    devSetup,
  }
}

export interface PinDifference {
  readonly field: keyof VersionPin
  readonly expected: VersionPin[keyof VersionPin]
  readonly came: VersionPin[keyof VersionPin]
}

/** Fields in which a version on chain is not the one expected; hexadecimal of any case is the same. */
export function pinDifferences(expected: VersionPin, onChain: VersionPin): PinDifference[] {
  const same = (a: unknown, b: unknown) => String(a).toLowerCase() === String(b).toLowerCase()
  return (Object.keys(expected) as (keyof VersionPin)[])
    .filter((field) => !same(expected[field], onChain[field]))
    .map((field) => ({ field, expected: expected[field], came: onChain[field] }))
}
