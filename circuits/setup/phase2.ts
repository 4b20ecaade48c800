// Phase 2 of the Groth16 setup: from constraints and powers of tau to a proving key that is sound unless all
// contributors collude. newKey → contribute (any number of people, one after the other) → applyBeacon → verifyKey. snarkjs does
// the mathematics; here are the checks around it: no overwritten file, no key without contribution, no development key.

import { existsSync } from 'node:fs'
import { AttestreamError } from '../../engine/core/errors.ts'
import { readContributions, type Beacon } from './contributions.ts'
import { isDevelopmentKey } from './development-key.ts'
import { checkCapacity } from './powers-of-tau.ts'
import { readR1cs } from './r1cs.ts'
import { progressLogger, snarkjsKeys, type OnStep } from './snarkjs.ts'

/**
 * Writes the first key of a circuit. It is not fit for use: nobody has contributed.
 * Throws POWERS_OF_TAU_TOO_SMALL if the circuit has more constraints than the file allows.
 */
export async function newKey(r1csPath: string, ptauPath: string, zkeyPath: string, onStep?: OnStep): Promise<void> {
  refuseOverwrite(zkeyPath)
  checkCapacity(ptauPath, readR1cs(r1csPath))
  const result = await snarkjsKeys.newZKey(r1csPath, ptauPath, zkeyPath, progressLogger(onStep))
  if (result === -1) throw refused(zkeyPath, 'the powers of tau are not prepared for phase 2')
}

/** Adds one person's randomness. `entropy` is mixed with the system's; returns the contribution's hash to publish. */
export async function contribute(
  zkeyIn: string,
  zkeyOut: string,
  name: string,
  entropy: string,
  onStep?: OnStep,
): Promise<Uint8Array> {
  refuseOverwrite(zkeyOut)
  if (isDevelopmentKey(zkeyIn)) throw refused(zkeyIn, 'it is a development key')
  return snarkjsKeys.contribute(zkeyIn, zkeyOut, name, entropy, progressLogger(onStep))
}

/** Adds the public random value as the last contribution. */
export async function applyBeacon(
  zkeyIn: string,
  zkeyOut: string,
  name: string,
  beacon: Beacon,
  onStep?: OnStep,
): Promise<Uint8Array> {
  refuseOverwrite(zkeyOut)
  if (isDevelopmentKey(zkeyIn)) throw refused(zkeyIn, 'it is a development key')
  const logger = progressLogger(onStep)
  const hash = await snarkjsKeys.beacon(zkeyIn, zkeyOut, name, beacon.hash, beacon.iterationsExp, logger)
  if (hash === false) throw refused(zkeyIn, 'the beacon is not 1 to 255 bytes with 10 to 63 doublings of iterations')
  return hash
}

/** Throws PROVING_KEY_REFUSED unless the key follows from circuit and powers of tau by at least one contribution. */
export async function verifyKey(r1csPath: string, ptauPath: string, zkeyPath: string, onStep?: OnStep): Promise<void> {
  if (isDevelopmentKey(zkeyPath)) throw refused(zkeyPath, 'it is a development key')
  if (contributionCount(zkeyPath) === 0) throw refused(zkeyPath, 'nobody has contributed to it')
  const valid = await snarkjsKeys
    .verifyFromR1cs(r1csPath, ptauPath, zkeyPath, progressLogger(onStep))
    .catch((error: unknown) => {
      throw refused(zkeyPath, `the check ended with "${(error as Error).message}"`)
    })
  if (!valid) throw refused(zkeyPath, 'it does not follow from this circuit and these powers of tau')
}

/** Contributions that a key holds, the beacon included. */
export function contributionCount(zkeyPath: string): number {
  return readContributions(zkeyPath).contributions.length
}

/** Contributions with a secret, by one person each: a beacon is public and keeps nobody from forging. */
export function contributorCount(zkeyPath: string): number {
  return readContributions(zkeyPath).contributions.filter(({ beacon }) => beacon === undefined).length
}

function refuseOverwrite(path: string): void {
  if (existsSync(path)) throw refused(path, 'a file of this name exists; name a new one')
}

function refused(path: string, why: string): AttestreamError {
  return new AttestreamError('PROVING_KEY_REFUSED', `The proving key ${path} is refused: ${why}.`)
}
