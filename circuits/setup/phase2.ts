// Phase 2 of the Groth16 setup: from constraints and powers of tau to a proving key that is sound unless all
// contributors collude. newKey → contribute (any number of people, one after the other) → applyBeacon → verifyKey. snarkjs does
// the mathematics; here are the checks around it: no overwritten file, no key without contribution, no development key.

import { existsSync } from 'node:fs'
import { AttestreamError } from '../../engine/core/errors.ts'
import { isDevelopmentKey } from './development-key.ts'
import { POINT_BYTES } from './fixed-base.ts'
import { checkCapacity } from './powers-of-tau.ts'
import { readR1cs } from './r1cs.ts'
import { snarkjsKeys } from './snarkjs.ts'
import { readZkeySection, ZKEY_SECTION } from './zkey-file.ts'

/** A public random value that nobody could know when the last contribution was made. */
export interface Beacon {
  /** 1 to 255 bytes in hexadecimal, without 0x; a later block's hash, for example. */
  readonly hash: string
  /** The hash is iterated 2^iterationsExp times; 10 to 63. */
  readonly iterationsExp: number
}

const HASH_BYTES = 64
/** Each contribution begins with the new delta, three points that prove it, and the transcript's hash. */
const CONTRIBUTION_POINTS_BYTES = 3 * POINT_BYTES.g1 + POINT_BYTES.g2
const BEACON_TYPE = 1

/**
 * Writes the first key of a circuit. It is not fit for use: nobody has contributed.
 * Throws POWERS_OF_TAU_TOO_SMALL if the circuit has more constraints than the file allows.
 */
export async function newKey(r1csPath: string, ptauPath: string, zkeyPath: string): Promise<void> {
  refuseOverwrite(zkeyPath)
  checkCapacity(ptauPath, readR1cs(r1csPath))
  const result = await snarkjsKeys.newZKey(r1csPath, ptauPath, zkeyPath)
  if (result === -1) throw refused(zkeyPath, 'the powers of tau are not prepared for phase 2')
}

/** Adds one person's randomness. `entropy` is mixed with the system's; returns the contribution's hash to publish. */
export async function contribute(zkeyIn: string, zkeyOut: string, name: string, entropy: string): Promise<Uint8Array> {
  refuseOverwrite(zkeyOut)
  if (isDevelopmentKey(zkeyIn)) throw refused(zkeyIn, 'it is a development key')
  return snarkjsKeys.contribute(zkeyIn, zkeyOut, name, entropy)
}

/** Adds the public random value as the last contribution. */
export async function applyBeacon(zkeyIn: string, zkeyOut: string, name: string, beacon: Beacon): Promise<Uint8Array> {
  refuseOverwrite(zkeyOut)
  if (isDevelopmentKey(zkeyIn)) throw refused(zkeyIn, 'it is a development key')
  return snarkjsKeys.beacon(zkeyIn, zkeyOut, name, beacon.hash, beacon.iterationsExp)
}

/** Throws PROVING_KEY_REFUSED unless the key follows from circuit and powers of tau by at least one contribution. */
export async function verifyKey(r1csPath: string, ptauPath: string, zkeyPath: string): Promise<void> {
  if (isDevelopmentKey(zkeyPath)) throw refused(zkeyPath, 'it is a development key')
  if (contributionCount(zkeyPath) === 0) throw refused(zkeyPath, 'nobody has contributed to it')
  const valid = await snarkjsKeys.verifyFromR1cs(r1csPath, ptauPath, zkeyPath).catch(() => false)
  if (!valid) throw refused(zkeyPath, 'it does not follow from this circuit and these powers of tau')
}

/** The contributions section of a key: circuit hash and every contribution with its proof. */
export function contributionsSection(zkeyPath: string): Buffer {
  return readZkeySection(zkeyPath, ZKEY_SECTION.contributions, Infinity)
}

/** Contributions that a key holds, the beacon included. */
export function contributionCount(zkeyPath: string): number {
  return contributionsSection(zkeyPath).readUInt32LE(HASH_BYTES)
}

/** Contributions with a secret, by one person each: a beacon is public and keeps nobody from forging. */
export function contributorCount(zkeyPath: string): number {
  const section = contributionsSection(zkeyPath)
  let contributors = 0
  let at = HASH_BYTES + 4
  for (let left = contributionCount(zkeyPath); left > 0; left--) {
    at += CONTRIBUTION_POINTS_BYTES + HASH_BYTES
    if (section.readUInt32LE(at) !== BEACON_TYPE) contributors++
    at += 8 + section.readUInt32LE(at + 4) // type, length of the parameters, parameters
  }
  return contributors
}

function refuseOverwrite(path: string): void {
  if (existsSync(path)) throw refused(path, 'a file of this name exists; name a new one')
}

function refused(path: string, why: string): AttestreamError {
  return new AttestreamError('PROVING_KEY_REFUSED', `The proving key ${path} is refused: ${why}.`)
}
