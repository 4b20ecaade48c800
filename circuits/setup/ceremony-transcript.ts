// ceremony.json: what a ceremony's directory says of itself. Circuit, powers of tau and every key by their hashes, so that anyone who has
// the files can check them and whoever contributed can find the hash he published. It is never believed: `verifyCeremony` checks it.

import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Hex } from '../../engine/core/codec.ts'
import { AttestreamError } from '../../engine/core/errors.ts'
import type { Contribution } from './contributions.ts'

export interface CeremonyTranscript {
  readonly format: 'attestream.ceremony.v1'
  readonly circuit: {
    readonly r1csSha256: Hex
    readonly constraints: number
    readonly publicSignals: number
    /** BLAKE2b-512 in hexadecimal: snarkjs' circuit hash, which every key carries. */
    readonly circuitHash: string
  }
  readonly powersOfTau: { readonly blake2b512: string; readonly power: number }
  /** The first key, to which nobody has contributed, then one for each contribution. */
  readonly keys: readonly KeyRecord[]
}

export interface KeyRecord {
  readonly file: string
  readonly sizeBytes: number
  readonly sha256: Hex
  /** null of the first key. */
  readonly contribution: Contribution | null
}

export const CEREMONY_FILES = {
  transcript: 'ceremony.json',
  r1cs: 'circuit.r1cs',
  finalKey: 'final.zkey',
  verifyingKey: 'verifying-key.json',
  setup: 'setup.json',
} as const

const FORMAT = 'attestream.ceremony.v1'
const SHA256 = /^0x[0-9a-f]{64}$/
const BLAKE2B = /^[0-9a-f]{128}$/

export function keyFile(index: number): string {
  return `${String(index).padStart(4, '0')}.zkey`
}

/** The transcript of a ceremony's directory, its form checked and nothing else. Throws CEREMONY_INVALID. */
export function readTranscript(dir: string): CeremonyTranscript {
  const path = join(dir, CEREMONY_FILES.transcript)
  if (!existsSync(path)) throw invalid(dir, `it has no ${CEREMONY_FILES.transcript}`)
  let transcript: CeremonyTranscript
  try {
    transcript = JSON.parse(readFileSync(path, 'utf8')) as CeremonyTranscript
  } catch (cause) {
    throw invalid(dir, `${CEREMONY_FILES.transcript} is not JSON`, cause)
  }
  if (!isTranscript(transcript)) throw invalid(dir, `${CEREMONY_FILES.transcript} does not have the documented form`)
  return transcript
}

/** Replaces the transcript in one step. */
export function writeTranscript(dir: string, transcript: CeremonyTranscript): void {
  replaceFile(join(dir, CEREMONY_FILES.transcript), `${JSON.stringify(transcript, null, 2)}\n`)
}

/** Replaces a file in one step; a link of its name, which whoever had the directory before may have left, is not followed. */
export function replaceFile(path: string, content: string): void {
  rmSync(`${path}.part`, { force: true })
  writeFileSync(`${path}.part`, content, { flag: 'wx' })
  renameSync(`${path}.part`, path)
}

/** What the transcript says of a key file. */
export async function keyRecord(
  dir: string,
  index: number,
  contribution: Contribution | null,
  path = join(dir, keyFile(index)),
): Promise<KeyRecord> {
  return { file: keyFile(index), sizeBytes: statSync(path).size, sha256: await fileSha256(path), contribution }
}

export async function fileSha256(path: string): Promise<Hex> {
  const hasher = createHash('sha256')
  await pipeline(createReadStream(path), hasher)
  return `0x${hasher.digest('hex')}`
}

export function invalid(dir: string, why: string, cause?: unknown): AttestreamError {
  const message = `The ceremony in ${dir} is refused: ${why}. Get its directory again from the coordinator.`
  return new AttestreamError('CEREMONY_INVALID', message, {}, { cause })
}

function isTranscript(json: unknown): json is CeremonyTranscript {
  const { format, circuit, powersOfTau, keys } = fieldsOf(json)
  const { r1csSha256, constraints, publicSignals, circuitHash } = fieldsOf(circuit)
  const { blake2b512, power } = fieldsOf(powersOfTau)
  return (
    format === FORMAT &&
    matches(r1csSha256, SHA256) &&
    [constraints, publicSignals, power].every(isCount) &&
    [circuitHash, blake2b512].every((hash) => matches(hash, BLAKE2B)) &&
    Array.isArray(keys) &&
    keys.length > 0 &&
    keys.every(isKeyRecord)
  )
}

function isKeyRecord(json: unknown, index: number): boolean {
  const { file, sizeBytes, sha256, contribution } = fieldsOf(json)
  const isRight = index === 0 ? contribution === null : isContribution(contribution)
  return file === keyFile(index) && isCount(sizeBytes) && matches(sha256, SHA256) && isRight
}

function isContribution(json: unknown): boolean {
  const { name, hash, beacon } = fieldsOf(json)
  const { hash: beaconHash, iterationsExp } = fieldsOf(beacon)
  const isRight = beacon === undefined || (matches(beaconHash, /^([0-9a-f]{2}){1,255}$/) && isCount(iterationsExp))
  return typeof name === 'string' && isPlainText(name) && matches(hash, BLAKE2B) && isRight
}

/** Text that stands on a screen as it is: no control characters, and none that hide or turn others around. */
export function isPlainText(text: string): boolean {
  return !/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/u.test(text)
}

function fieldsOf(json: unknown): Record<string, unknown> {
  return typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : {}
}

function matches(value: unknown, form: RegExp): boolean {
  return typeof value === 'string' && form.test(value)
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
