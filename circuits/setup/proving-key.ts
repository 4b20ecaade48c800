// Makes the proving key of a circuit in one of the ways an operator can choose, and says where it comes from. A key that
// does not stem from a development setup leaves here only after `verifyKey` has checked it against circuit and powers of tau.

import { createHash, randomBytes } from 'node:crypto'
import { copyFileSync, rmSync } from 'node:fs'
import type { Hex } from '../../engine/core/codec.ts'
import { contributionsSection, type Beacon } from './contributions.ts'
import { createDevelopmentKey } from './development-key.ts'
import { applyBeacon, contribute, contributorCount, newKey, verifyKey } from './phase2.ts'
import { checkPowersOfTau } from './powers-of-tau.ts'
import { withSnarkjsThreads } from './snarkjs.ts'

/** Where the proving key comes from. */
export type Setup = DevelopmentSetup | CeremonySetup

/** Insecure, takes seconds. With a seed the same key every time. */
export interface DevelopmentSetup {
  readonly kind: 'development'
  readonly seed?: string
}

/** A real powers-of-tau file, checked by hash. */
export interface CeremonySetup {
  readonly kind: 'ptau'
  readonly path: string
  /** BLAKE2b-512 of the file, if it is not one of the known ceremony. */
  readonly expectedHash?: string
  /** A finished key of a phase-2 ceremony for this circuit. Without it this machine makes the only contribution. */
  readonly zkeyPath?: string
  readonly contributorName?: string
  readonly beacon?: Beacon
}

export interface MakingOptions {
  /** Fractions from 0 to 1. */
  readonly onProgress?: (fraction: number) => void
  /** As of `createDevelopmentKey`. */
  readonly kernelDir?: string
}

export interface KeyOrigin {
  /** Only a ceremony of at least two contributors is no development setup: one alone can forge, with a public beacon after it too. */
  readonly setup: 'development' | 'single contribution' | 'ceremony'
  /** BLAKE2b-512 of the powers-of-tau file. */
  readonly powersOfTau: string | null
}

/** Whoever made it can forge: no key for money. */
export function isDevelopmentSetup({ setup }: KeyOrigin): boolean {
  return setup !== 'ceremony'
}

/** Where a key comes from, as text, and the SHA-256 that the registry keeps of it. */
export function setupTranscript(zkeyPath: string, origin: KeyOrigin): { text: string; hash: Hex } {
  const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex')
  const text = JSON.stringify({ ...origin, contributions: `0x${sha256(contributionsSection(zkeyPath))}` }, null, 2)
  return { text, hash: `0x${sha256(text)}` }
}

/**
 * Writes a new key to `zkeyPath`. Throws POWERS_OF_TAU_* for an unfit file and
 * PROVING_KEY_REFUSED for a ceremony's key that does not belong to the circuit.
 */
export async function makeProvingKey(
  r1csPath: string,
  zkeyPath: string,
  setup: Setup,
  { onProgress = () => {}, kernelDir }: MakingOptions = {},
): Promise<KeyOrigin> {
  onProgress(0)
  if (setup.kind === 'development') {
    const { seed } = setup
    const options = { ...(seed === undefined ? {} : { seed }), ...(kernelDir === undefined ? {} : { kernelDir }) }
    await createDevelopmentKey(r1csPath, zkeyPath, { ...options, onProgress })
    return { setup: 'development', powersOfTau: null }
  }
  const powersOfTau = await checkPowersOfTau(setup.path, setup.expectedHash)
  await withSnarkjsThreads(async () => {
    if (setup.zkeyPath === undefined) await contributeAlone(r1csPath, zkeyPath, setup)
    else copyFileSync(setup.zkeyPath, zkeyPath)
    await verifyKey(r1csPath, setup.path, zkeyPath)
  })
  onProgress(1)
  return setup.zkeyPath === undefined
    ? { setup: 'single contribution', powersOfTau }
    : ceremonyOrigin(zkeyPath, powersOfTau)
}

/** What a key of a ceremony is, verified or not, by the number of its contributors. */
export function ceremonyOrigin(zkeyPath: string, powersOfTau: string): KeyOrigin {
  return { setup: contributorCount(zkeyPath) >= 2 ? 'ceremony' : 'single contribution', powersOfTau }
}

async function contributeAlone(r1csPath: string, zkeyPath: string, setup: CeremonySetup): Promise<void> {
  const first = `${zkeyPath}.first`
  const contributed = `${zkeyPath}.contributed`
  await newKey(r1csPath, setup.path, first)
  const entropy = randomBytes(64).toString('hex')
  await contribute(first, setup.beacon ? contributed : zkeyPath, setup.contributorName ?? 'operator', entropy)
  if (setup.beacon) await applyBeacon(contributed, zkeyPath, 'beacon', setup.beacon)
  for (const path of [first, contributed]) rmSync(path, { force: true })
}
