// From an applet's WASM to everything that proving and verifying needs: applet → circom → constraints and witness
// calculator → proving key → verifying key. Built once per input: the artefacts' directory is named by the hash of all
// that went in. A build works in a directory of its own and takes its place by one rename, so that a killed
// build leaves nothing half-made and two processes may build the same circuit at the same time.

import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import type { AppletAbi } from '../engine/core/applet.ts'
import { bytesToHex, type Hex } from '../engine/core/codec.ts'
import { generateBatchCircuit, publicSignalCount, type BatchShape } from './batch-circuit.ts'
import { CIRCOM_OUTPUT, circomVersion, collectSources, compileCircom, type CircomSources } from './circom.ts'
import { createDevelopmentKey } from './setup/development-key.ts'
import { applyBeacon, contribute, contributionsSection, exportVerifyingKey, newKey, verifyKey } from './setup/phase2.ts'
import type { Beacon } from './setup/phase2.ts'
import { checkPowersOfTau } from './setup/powers-of-tau.ts'
import { readR1cs } from './setup/r1cs.ts'
import { verifyingKeyBytes, vkHash } from './verifying-key.ts'

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

export interface BuildOptions extends BatchShape {
  /** Directory that holds all built circuits; created if missing. */
  readonly cacheDir: string
  /** Default: development. */
  readonly setup?: Setup
  readonly onProgress?: (progress: BuildProgress) => void
}

export interface BuildProgress {
  readonly stage: 'applet' | 'circom' | 'key' | 'verifyingKey' | 'done'
  /** Share of the stage that is done, where it is known. */
  readonly fraction?: number
}

/** An applet ready for the batch circuit. */
export interface CompiledApplet {
  readonly appletId: Hex
  readonly abi: AppletAbi
  /** circom text with `template Applet()`. */
  readonly circom: string
}

/** manifest.json. SHA-256 hashes of the files as they lie there; vkHash is keccak256 of `verifyingKey`. */
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
  readonly devSetup: boolean
  /** SHA-256 of transcript.json: where the key comes from. */
  readonly setupTranscriptHash: Hex
}

export interface CircuitArtefacts {
  readonly dir: string
  readonly manifest: CircuitManifest
  readonly paths: CircuitPaths
}

export interface CircuitPaths {
  readonly circom: string
  readonly appletCircom: string
  readonly r1cs: string
  readonly witnessWasm: string
  readonly symbols: string
  readonly zkey: string
  /** snarkjs' JSON form. */
  readonly verifyingKey: string
}

const { version } = createRequire(import.meta.url)('../package.json') as { version: string }

/** Part of every cache key: raised when the content of the directory changes in form. */
const FORMAT = 'attestream.circuit.v1'
const MANIFEST = 'manifest.json'
const TRANSCRIPT = 'transcript.json'
const WORK_PREFIX = '.building-'
/** A work directory older than this belongs to a build that was killed. */
const ABANDONED_MS = 24 * 60 * 60 * 1000

interface KeyOrigin {
  readonly setup: 'development' | 'single contribution' | 'ceremony'
  /** BLAKE2b-512 of the powers-of-tau file. */
  readonly powersOfTau: string | null
}

/**
 * The circuit of an applet whose compilation to circom is done. Cached; throws CIRCUIT_SHAPE_INVALID,
 * CIRCUIT_BUILD_FAILED, and with a ceremony setup POWERS_OF_TAU_* or PROVING_KEY_REFUSED.
 */
export async function buildCompiledCircuit(applet: CompiledApplet, options: BuildOptions): Promise<CircuitArtefacts> {
  const report = options.onProgress ?? (() => {})
  const setup = options.setup ?? { kind: 'development' }
  const sources = collectSources({
    'main.circom': generateBatchCircuit(applet.abi, options),
    'applet.circom': applet.circom,
  })
  const dir = join(resolve(options.cacheDir), cacheKey(applet.appletId, sources, setup))
  if (!existsSync(join(dir, MANIFEST))) {
    await inOwnDirectory(dir, async (work) => {
      report({ stage: 'circom' })
      await compileCircom(sources, work)
      const origin = await makeKey(work, setup, (fraction) => report({ stage: 'key', fraction }))
      report({ stage: 'verifyingKey' })
      await writeManifest(work, applet, options, sources, origin)
    })
  }
  report({ stage: 'done' })
  return readArtefacts(dir)
}

/** The artefacts in a directory that a build has finished. */
export function readArtefacts(dir: string): CircuitArtefacts {
  const manifest = JSON.parse(readFileSync(join(dir, MANIFEST), 'utf8')) as CircuitManifest
  return { dir, manifest, paths: circuitPaths(dir) }
}

function circuitPaths(dir: string): CircuitPaths {
  return {
    circom: join(dir, 'main.circom'),
    appletCircom: join(dir, 'applet.circom'),
    r1cs: join(dir, CIRCOM_OUTPUT.r1cs),
    witnessWasm: join(dir, CIRCOM_OUTPUT.witnessWasm),
    symbols: join(dir, CIRCOM_OUTPUT.symbols),
    zkey: join(dir, 'main.zkey'),
    verifyingKey: join(dir, 'verifying-key.json'),
  }
}

function cacheKey(appletId: Hex, sources: CircomSources, setup: Setup): string {
  const hash = createHash('sha256').update(
    JSON.stringify([FORMAT, appletId, circomVersion, sourcesSha256(sources), setup]),
  )
  return hash.digest('hex').slice(0, 40)
}

function sourcesSha256(sources: CircomSources): string {
  const sorted = [...sources].sort(([a], [b]) => (a < b ? -1 : 1))
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex')
}

/** Runs `work` in a fresh directory beside `dir`, then renames it to `dir`, unless another build was faster. */
async function inOwnDirectory(dir: string, work: (dir: string) => Promise<void>): Promise<void> {
  const parent = dirname(dir)
  mkdirSync(parent, { recursive: true })
  removeAbandoned(parent)
  const own = mkdtempSync(join(parent, WORK_PREFIX))
  try {
    await work(own)
    try {
      renameSync(own, dir)
    } catch (error) {
      if (!existsSync(join(dir, MANIFEST))) throw error
    }
  } finally {
    rmSync(own, { recursive: true, force: true })
  }
}

function removeAbandoned(parent: string): void {
  for (const name of readdirSync(parent).filter((entry) => entry.startsWith(WORK_PREFIX))) {
    const path = join(parent, name)
    const stat = statSync(path, { throwIfNoEntry: false })
    if (stat && Date.now() - stat.mtimeMs > ABANDONED_MS) rmSync(path, { recursive: true, force: true })
  }
}

/** Makes main.zkey in the work directory and returns where it comes from. */
async function makeKey(work: string, setup: Setup, onProgress: (fraction: number) => void): Promise<KeyOrigin> {
  const { r1cs, zkey } = circuitPaths(work)
  onProgress(0)
  if (setup.kind === 'development') {
    await createDevelopmentKey(r1cs, zkey, { ...(setup.seed === undefined ? {} : { seed: setup.seed }), onProgress })
    return { setup: 'development', powersOfTau: null }
  }
  const powersOfTau = await checkPowersOfTau(setup.path, setup.expectedHash)
  if (setup.zkeyPath !== undefined) writeFileSync(zkey, readFileSync(setup.zkeyPath))
  else await contributeAlone(work, setup)
  await verifyKey(r1cs, setup.path, zkey)
  onProgress(1)
  return { setup: setup.zkeyPath === undefined ? 'single contribution' : 'ceremony', powersOfTau }
}

async function contributeAlone(work: string, setup: CeremonySetup): Promise<void> {
  const { r1cs, zkey } = circuitPaths(work)
  const [first, contributed] = ['first.zkey', 'contributed.zkey'].map((name) => join(work, name)) as [string, string]
  await newKey(r1cs, setup.path, first)
  await contribute(first, setup.beacon ? contributed : zkey, setup.contributorName ?? 'operator', entropy())
  if (setup.beacon) await applyBeacon(contributed, zkey, 'beacon', setup.beacon)
  for (const path of [first, contributed]) rmSync(path, { force: true })
}

function entropy(): string {
  return randomBytes(64).toString('hex')
}

async function writeManifest(
  work: string,
  applet: CompiledApplet,
  { cohortSize, frameSize }: BatchShape,
  sources: CircomSources,
  origin: KeyOrigin,
): Promise<void> {
  const paths = circuitPaths(work)
  const key = await exportVerifyingKey(paths.zkey)
  const encoded = verifyingKeyBytes(key)
  const transcript = JSON.stringify({ ...origin, contributions: sha256(contributionsSection(paths.zkey)) }, null, 2)
  const manifest: CircuitManifest = {
    appletId: applet.appletId,
    compilerVersion: `attestream ${version}, circom2 ${circomVersion}`,
    circomSha256: `0x${sourcesSha256(sources)}`,
    r1csSha256: sha256(readFileSync(paths.r1cs)),
    vkHash: vkHash(encoded),
    verifyingKey: bytesToHex(encoded),
    cohortSize,
    frameSize,
    constraints: readR1cs(paths.r1cs).constraintCount,
    publicSignals: publicSignalCount(cohortSize),
    devSetup: origin.setup === 'development',
    setupTranscriptHash: sha256(Buffer.from(transcript)),
  }
  writeFileSync(paths.verifyingKey, JSON.stringify(key, null, 2))
  writeFileSync(join(work, TRANSCRIPT), transcript)
  writeFileSync(join(work, MANIFEST), JSON.stringify(manifest, null, 2))
}

function sha256(bytes: Uint8Array): Hex {
  return `0x${createHash('sha256').update(bytes).digest('hex')}`
}
