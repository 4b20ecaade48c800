// Audit of a circuit: everything that a manifest claims is built again from the WASM and compared, as far as the files at hand allow.
// Nothing here trusts the build cache, the engine or the chain.

import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { appletId } from '../engine/core/applet.ts'
import type { CircuitManifest } from '../engine/core/circuit.ts'
import { bytesToHex, hexToBytes, type Hex } from '../engine/core/codec.ts'
import { isAttestreamError } from '../engine/core/errors.ts'
import { encodeVerifyingKey, verifyingKeyHash } from '../engine/core/verifying-key.ts'
import { publicSignalCount } from './batch-circuit.ts'
import { circuitSources, compilerVersion, sourcesSha256 } from './build.ts'
import { CIRCOM_OUTPUT, compileCircom } from './circom.ts'
import { compileApplet } from './compiler/index.ts'
import { contributionsSection } from './setup/contributions.ts'
import { createDevelopmentKey, isDevelopmentKey } from './setup/development-key.ts'
import { exportVerifyingKey } from './setup/export-verifying-key.ts'
import { contributorCount, verifyKey } from './setup/phase2.ts'
import { checkPowersOfTau } from './setup/powers-of-tau.ts'
import { readR1cs } from './setup/r1cs.ts'
import { withSnarkjsThreads } from './setup/snarkjs.ts'

export interface AuditCheck {
  readonly what: string
  readonly passed: boolean
  /** What was found by building it again. */
  readonly expected: string
  /** What was claimed. */
  readonly came: string
}

/** What lies beside the manifest. */
export interface AuditFiles {
  readonly zkey?: string
  readonly ptau?: string
  /** BLAKE2b-512 of the powers of tau, if they are not those of the known ceremony. */
  readonly ptauHash?: string
  readonly transcript?: string
  /** Of a development key. */
  readonly seed?: string
}

export interface Audit {
  readonly checks: readonly AuditCheck[]
  /** What ties the key to the circuit and was not checked; empty means that the audit is whole. */
  readonly incomplete: readonly AuditGap[]
  /** What else could not be checked, and what the checks do not prove. */
  readonly notes: readonly string[]
}

export interface AuditGap {
  readonly what: string
  /** The file that it takes. */
  readonly needs: 'zkey' | 'ptau' | 'seed'
}

/**
 * Checks a manifest against the WASM. Throws APPLET_* and WASM_MALFORMED for an applet that is no circuit, CIRCUIT_SHAPE_INVALID for
 * a shape that none can have, ZKEY_INVALID and POWERS_OF_TAU_* for files that are none of that.
 */
export async function auditCircuit(
  wasm: Uint8Array,
  manifest: CircuitManifest,
  files: AuditFiles,
  onStep: (text: string) => void = () => {},
): Promise<Audit> {
  const checks: AuditCheck[] = []
  const incomplete: AuditGap[] = []
  const notes: string[] = []
  const compare = (what: string, expected: unknown, came: unknown) =>
    checks.push({ what, passed: String(expected) === String(came), expected: String(expected), came: String(came) })
  onStep('Compile the applet to circom')
  compare('applet id', appletId(wasm), manifest.appletId)
  compare('compiler version', compilerVersion, manifest.compilerVersion)
  const sources = circuitSources(compileApplet(wasm), manifest)
  compare('circom text', `0x${sourcesSha256(sources)}`, manifest.circomSha256)
  const work = mkdtempSync(join(tmpdir(), 'attestream-audit-'))
  try {
    onStep('Compile the circuit with circom')
    await compileCircom(sources, work)
    const r1cs = join(work, CIRCOM_OUTPUT.r1cs)
    compare('constraint system', sha256(readFileSync(r1cs)), manifest.r1csSha256)
    compare('constraints', readR1cs(r1cs).constraintCount, manifest.constraints)
    compare('public signals', publicSignalCount(manifest.cohortSize), manifest.publicSignals)
    compare(
      "hash of the manifest's verifying key",
      verifyingKeyHash(hexToBytes(manifest.verifyingKey)),
      manifest.vkHash,
    )
    if (files.zkey === undefined) {
      incomplete.push({ what: 'verifying key', needs: 'zkey' })
      incomplete.push(...originGap(manifest.devSetup, files))
    } else {
      incomplete.push(...originGap(isDevelopmentKey(files.zkey), files))
      await auditKey({ ...files, zkey: files.zkey, r1cs, work, manifest, compare, checks, notes, onStep })
    }
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  return { checks, incomplete, notes }
}

/** A key that nothing derives from the constraint system may be of any circuit. */
function originGap(development: boolean, { seed, ptau }: AuditFiles): AuditGap[] {
  if (development) return seed === undefined ? [{ what: 'proving key, made again from its seed', needs: 'seed' }] : []
  return ptau === undefined ? [{ what: 'zkey verify', needs: 'ptau' }] : []
}

interface KeyAudit extends AuditFiles {
  readonly zkey: string
  readonly r1cs: string
  readonly work: string
  readonly manifest: CircuitManifest
  readonly compare: (what: string, expected: unknown, came: unknown) => void
  readonly checks: AuditCheck[]
  readonly notes: string[]
  readonly onStep: (text: string) => void
}

async function auditKey(audit: KeyAudit): Promise<void> {
  const { zkey, manifest, compare, notes, transcript } = audit
  compare('verifying key', bytesToHex(encodeVerifyingKey(exportVerifyingKey(zkey))), manifest.verifyingKey)
  const development = isDevelopmentKey(zkey)
  compare('development setup', development || contributorCount(zkey) < 2, manifest.devSetup)
  if (transcript === undefined || !existsSync(transcript))
    notes.push('No transcript.json at hand: where the key says it comes from is not checked.')
  else auditTranscript(audit, transcript)
  if (development) await auditDevelopmentKey(audit)
  else await auditCeremonyKey(audit)
}

function auditTranscript({ zkey, manifest, compare }: KeyAudit, path: string): void {
  const bytes = readFileSync(path)
  compare('setup transcript', sha256(bytes), manifest.setupTranscriptHash)
  const { contributions } = JSON.parse(bytes.toString()) as { contributions?: unknown }
  compare('contributions in the transcript', sha256(contributionsSection(zkey)), contributions)
}

async function auditDevelopmentKey({ zkey, r1cs, work, seed, compare, notes, onStep }: KeyAudit): Promise<void> {
  notes.push('This is a development key: whoever made it can forge proofs of anything, whatever else is checked here.')
  if (seed === undefined) return
  onStep('Make the development key again from its seed')
  const again = join(work, 'again.zkey')
  await createDevelopmentKey(r1cs, again, { seed })
  compare('proving key, made again from its seed', sha256(readFileSync(again)), sha256(readFileSync(zkey)))
}

async function auditCeremonyKey({ zkey, r1cs, ptau, ptauHash, checks, onStep }: KeyAudit): Promise<void> {
  if (ptau === undefined) return
  onStep('Hash the powers of tau')
  await checkPowersOfTau(ptau, ptauHash)
  onStep('Verify the key against constraint system and powers of tau (snarkjs zkey verify)')
  const refusal = await withSnarkjsThreads(() => verifyKey(r1cs, ptau, zkey)).then(
    () => undefined,
    (error: unknown) => {
      if (isAttestreamError(error, 'PROVING_KEY_REFUSED')) return error.message
      throw error
    },
  )
  const expected = 'a key that follows from the constraint system and the powers of tau'
  checks.push({ what: 'zkey verify', passed: refusal === undefined, expected, came: refusal ?? expected })
}

function sha256(bytes: Uint8Array): Hex {
  return `0x${createHash('sha256').update(bytes).digest('hex')}`
}
