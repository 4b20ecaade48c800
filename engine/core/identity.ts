// Devices, their place in a cohort, and the Merkle tree of their keys whose root the chain keeps.

import { poseidon, type Poseidon } from './poseidon.ts'
import type { PublicKey } from './signature.ts'

/** A registered device. A slot belongs to one device for ever; `active` is false while its key is revoked or suspended. */
export interface Device {
  readonly deviceId: bigint
  readonly projectId: bigint
  readonly cohort: number
  readonly slot: number
  readonly key: PublicKey
  readonly active: boolean
}

/** The value of an empty slot in the identity tree. */
export const EMPTY_LEAF = 0n

/** Leaf of a device in the identity tree: Poseidon(Ax, Ay, deviceId). */
export function deviceLeaf(key: PublicKey, deviceId: bigint, hash: Poseidon = poseidon): bigint {
  return hash([key.x, key.y, deviceId])
}

/** Merkle root over the leaves of a cohort; their number is a power of two. */
export function identityRoot(leaves: readonly bigint[], hash: Poseidon = poseidon): bigint {
  let level = [...leaves]
  while (level.length > 1) {
    level = Array.from({ length: level.length / 2 }, (_, i) => hash([level[2 * i]!, level[2 * i + 1]!]))
  }
  return level[0]!
}

/** True if `cohortSize` can shape a circuit: a power of two from 4 to 64. */
export function isCohortSize(cohortSize: number): boolean {
  return [4, 8, 16, 32, 64].includes(cohortSize)
}
