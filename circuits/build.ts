// From an applet's WASM to everything that proving and verifying needs: applet → circom → constraints and witness
// calculator → proving key → verifying key. Built once per input: the artefacts' directory is named by the hash of all
// that went in. A build works in a directory of its own and takes its place by one rename, so that a killed
// build leaves nothing half-made and two processes may build the same circuit at the same time.

import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import type { AppletAbi } from '../engine/core/applet.ts'
import type { CircuitManifest } from '../engine/core/circuit.ts'
import { bytesToHex, type Hex } from '../engine/core/codec.ts'
import { encodeVerifyingKey, verifyingKeyHash } from '../engine/core/verifying-key.ts'
import { createDirectory } from './atomic-directory.ts'
import { generateBatchCircuit, publicSignalCount, type BatchShape } from './batch-circuit.ts'
import { CIRCOM_OUTPUT, circomVersion, collectSources, compileCircom, type CircomSources } from './circom.ts'
import { appletTerms } from './compiler/cost-report.ts'
import { compileApplet } from './compiler/index.ts'
import { exportVerifyingKey } from './setup/export-verifying-key.ts'
import { powersOfTauHash } from './setup/powers-of-tau.ts'
import { isDevelopmentSetup, makeProvingKey, setupTranscript, type KeyOrigin, type Setup } from './setup/proving-key.ts'
import { readR1cs } from './setup/r1cs.ts'
import { keepPlanBeside } from './witness/plan-file.ts'
import { adviseShape } from './shape-advice.ts'

export type { CircuitManifest } from '../engine/core/circuit.ts'
export type { Setup } from './setup/proving-key.ts'

export interface BuildOptions extends BatchShape {
  /** Directory that holds all built circuits; created if missing. */
  readonly cacheDir: string
  /** Default: development. */
  readonly setup?: Setup
  readonly onProgress?: (progress: BuildProgress) => void
  /** Is told, before a circuit is built, that its shape wastes a power of two, and which R would not. */
  readonly onAdvice?: (text: string) => void
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

export const compilerVersion = `attestream ${version}, circom2 ${circomVersion}`

/** Part of every cache key: raised when the content of the directory changes in form. */
const FORMAT = 'attestream.circuit.v1'
const MANIFEST = 'manifest.json'
const TRANSCRIPT = 'transcript.json'

/**
 * The circuit of an applet, from its WASM bytes. Cached. Throws WASM_MALFORMED, APPLET_ABI_* or APPLET_UNSUPPORTED for an
 * applet that cannot become a circuit, and what `buildCompiledCircuit` throws.
 */
export async function buildCircuit(wasm: Uint8Array, options: BuildOptions): Promise<CircuitArtefacts> {
  options.onProgress?.({ stage: 'applet' })
  const compiled = compileApplet(wasm)
  const { abi, ir, stats } = compiled
  const reading = { constraints: stats.constraints, terms: appletTerms(ir) }
  const advice = options.onAdvice && adviseShape({ abi, reading }, options)
  if (advice) options.onAdvice(advice.text)
  return buildCompiledCircuit({ ...compiled, appletId: compiled.appletId as Hex }, options)
}

/**
 * The circuit of an applet whose compilation to circom is done. Cached; throws CIRCUIT_SHAPE_INVALID,
 * CIRCUIT_BUILD_FAILED, and with a ceremony setup POWERS_OF_TAU_* or PROVING_KEY_REFUSED.
 */
export async function buildCompiledCircuit(applet: CompiledApplet, options: BuildOptions): Promise<CircuitArtefacts> {
  const report = options.onProgress ?? (() => {})
  const setup = options.setup ?? { kind: 'development' }
  const sources = circuitSources(applet, options)
  const dir = join(resolve(options.cacheDir), cacheKey(applet.appletId, sources, setup))
  if (!existsSync(join(dir, MANIFEST))) {
    await createDirectory(dir, async (work) => {
      report({ stage: 'circom' })
      await compileCircom(sources, work)
      const { r1cs, zkey } = circuitPaths(work)
      const planned = keepPlanBeside(r1cs)
      try {
        const onProgress = (fraction: number) => report({ stage: 'key', fraction })
        const origin = await makeProvingKey(r1cs, zkey, setup, { onProgress, kernelDir: options.cacheDir })
        report({ stage: 'verifyingKey' })
        writeManifest(work, applet, options, sources, origin)
      } finally {
        await planned
      }
    })
  }
  report({ stage: 'done' })
  return readArtefacts(dir)
}

/** All circom text of an applet's circuit, circuits/lib and circomlib included. Throws CIRCUIT_SHAPE_INVALID. */
export function circuitSources(applet: Pick<CompiledApplet, 'abi' | 'circom'>, shape: BatchShape): CircomSources {
  return collectSources({ 'main.circom': generateBatchCircuit(applet.abi, shape), 'applet.circom': applet.circom })
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
  const inputs = [FORMAT, appletId, circomVersion, sourcesSha256(sources), setupInputs(setup)]
  return createHash('sha256').update(JSON.stringify(inputs)).digest('hex').slice(0, 40)
}

/** What distinguishes setups, files by their hashes and not by their places. */
function setupInputs(setup: Setup): object {
  if (setup.kind === 'development') return setup
  const { path, expectedHash, zkeyPath, beacon } = setup
  const zkey = zkeyPath === undefined ? null : sha256(readFileSync(zkeyPath))
  return { kind: 'ptau', powersOfTau: powersOfTauHash(path, expectedHash), zkey, beacon }
}

/** Hexadecimal without 0x; the order in which files were collected does not matter. */
export function sourcesSha256(sources: CircomSources): string {
  const sorted = [...sources].sort(([a], [b]) => (a < b ? -1 : 1))
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex')
}

function writeManifest(
  work: string,
  applet: CompiledApplet,
  { cohortSize, frameSize }: BatchShape,
  sources: CircomSources,
  origin: KeyOrigin,
): void {
  const paths = circuitPaths(work)
  const key = exportVerifyingKey(paths.zkey)
  const encoded = encodeVerifyingKey(key)
  const transcript = setupTranscript(paths.zkey, origin)
  const manifest: CircuitManifest = {
    appletId: applet.appletId,
    compilerVersion,
    circomSha256: `0x${sourcesSha256(sources)}`,
    r1csSha256: sha256(readFileSync(paths.r1cs)),
    vkHash: verifyingKeyHash(encoded),
    verifyingKey: bytesToHex(encoded),
    cohortSize,
    frameSize,
    constraints: readR1cs(paths.r1cs).constraintCount,
    publicSignals: publicSignalCount(cohortSize),
    devSetup: isDevelopmentSetup(origin),
    setupTranscriptHash: transcript.hash,
  }
  writeFileSync(paths.verifyingKey, JSON.stringify(key, null, 2))
  writeFileSync(join(work, TRANSCRIPT), transcript.text)
  writeFileSync(join(work, MANIFEST), JSON.stringify(manifest, null, 2))
}

function sha256(bytes: Uint8Array): Hex {
  return `0x${createHash('sha256').update(bytes).digest('hex')}`
}
