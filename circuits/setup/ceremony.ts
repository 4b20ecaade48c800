// A phase-2 ceremony in a directory that goes from hand to hand: circuit.r1cs, the keys 0000.zkey, 0001.zkey, … and ceremony.json. Every
// step writes under another name and renames last, so that a killed one leaves the directory as it was; the next one clears it up.

import { createHash, randomBytes } from 'node:crypto'
import { constants, copyFileSync, existsSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Hex } from '../../engine/core/codec.ts'
import { bytesToHex } from '../../engine/core/codec.ts'
import { AttestreamError } from '../../engine/core/errors.ts'
import { encodeVerifyingKey, verifyingKeyHash } from '../../engine/core/verifying-key.ts'
import { createDirectory } from '../atomic-directory.ts'
import { contributionsSection, readContributions, type Beacon, type Contribution } from './contributions.ts'
import {
  CEREMONY_FILES,
  fileSha256,
  invalid,
  isPlainText,
  keyFile,
  keyRecord,
  readTranscript,
  replaceFile,
  writeTranscript,
  type CeremonyTranscript,
} from './ceremony-transcript.ts'
import { exportVerifyingKey } from './export-verifying-key.ts'
import { applyBeacon, contribute, newKey, verifyKey } from './phase2.ts'
import type { PowersOfTauFile } from './powers-of-tau-file.ts'
import { powersOfTauPower } from './powers-of-tau.ts'
import { ceremonyOrigin, isDevelopmentSetup, setupTranscript, type KeyOrigin } from './proving-key.ts'
import { readR1cs } from './r1cs.ts'
import { withSnarkjsThreads, type OnStep } from './snarkjs.ts'

export interface ContributionMade {
  /** 1 for the first. */
  readonly number: number
  readonly name: string
  /** To publish: BLAKE2b-512 in hexadecimal. */
  readonly hash: string
  /** What a contributor may publish or sign, in words. */
  readonly attestation: string
}

export interface CeremonyReport {
  readonly transcript: CeremonyTranscript
  /** Contributors with a secret, in order. */
  readonly contributors: readonly Contribution[]
  readonly beacon: Beacon | null
  /** Key files before the newest that are not in the directory; the newest proves them all. */
  readonly absent: readonly string[]
}

/** What the registry keeps of a key, and where the key lies. */
export interface FinishedCeremony {
  readonly zkey: string
  readonly r1csSha256: Hex
  readonly verifyingKey: Hex
  readonly vkHash: Hex
  readonly setupTranscriptHash: Hex
  readonly devSetup: boolean
  readonly origin: KeyOrigin
  readonly contributors: readonly string[]
}

const PART = '.part'
/** snarkjs cuts longer names. */
const MAX_NAME_BYTES = 64
const BEACON_NAME = 'beacon'

/**
 * Makes a ceremony's directory, which must not exist. Takes about 2 ms a constraint. Throws R1CS_INVALID, POWERS_OF_TAU_TOO_SMALL and
 * INPUT_INVALID.
 */
export async function createCeremony(
  dir: string,
  r1csPath: string,
  ptau: PowersOfTauFile,
  onStep: OnStep,
): Promise<CeremonyTranscript> {
  if (existsSync(dir))
    throw new AttestreamError('INPUT_INVALID', `${dir} exists; name a new directory for the ceremony.`)
  await createDirectory(dir, async (work) => {
    const r1cs = join(work, CEREMONY_FILES.r1cs)
    copyFileSync(r1csPath, r1cs)
    const { constraintCount, publicCount } = readR1cs(r1cs)
    const first = join(work, keyFile(0))
    await withSnarkjsThreads(() => newKey(r1cs, ptau.path, first, onStep))
    const { circuitHash } = readContributions(first)
    const r1csSha256 = await fileSha256(r1cs)
    writeTranscript(work, {
      format: 'attestream.ceremony.v1',
      circuit: { r1csSha256, constraints: constraintCount, publicSignals: publicCount, circuitHash },
      powersOfTau: { blake2b512: ptau.hash, power: powersOfTauPower(ptau.path) },
      keys: [await keyRecord(work, 0, null)],
    })
  })
  return readTranscript(dir)
}

/**
 * Adds a person's secret to the newest key: from the system's randomness, mixed with `entropy` if there is any. The secret is written
 * nowhere. Throws CEREMONY_CLOSED after the beacon, CEREMONY_INVALID, and INPUT_INVALID for a name that is taken or not usable.
 */
export async function addContribution(
  dir: string,
  name: string,
  entropy: Uint8Array,
  onStep: OnStep,
): Promise<ContributionMade> {
  checkName(dir, name)
  return addKey(dir, (before, after) => {
    const secret = createHash('sha512').update(randomBytes(64)).update(entropy).digest('hex')
    return contribute(before, after, name, secret, onStep)
  })
}

/** Closes the ceremony with a public random value. Throws INPUT_INVALID for one that is malformed, else as `addContribution`. */
export async function addBeacon(
  dir: string,
  { hash, iterationsExp }: Beacon,
  onStep: OnStep,
): Promise<ContributionMade> {
  if (!/^([0-9a-fA-F]{2}){1,255}$/.test(hash) || !(iterationsExp >= 10 && iterationsExp <= 63)) {
    const expected = 'expected 1 to 255 bytes in hexadecimal and an exponent of iterations from 10 to 63'
    throw new AttestreamError('INPUT_INVALID', `The beacon is '${hash}', 2^${iterationsExp} iterations; ${expected}.`)
  }
  const beacon = { hash: hash.toLowerCase(), iterationsExp }
  return addKey(dir, (before, after) => applyBeacon(before, after, BEACON_NAME, beacon, onStep))
}

/**
 * Checks everything: circuit and powers of tau against the transcript, each key against its hash and the contributions before it, and
 * the newest against circuit and powers of tau, by which all contributions are proven. Throws CEREMONY_INVALID and PROVING_KEY_REFUSED.
 */
export async function verifyCeremony(dir: string, ptau: PowersOfTauFile, onStep: OnStep): Promise<CeremonyReport> {
  const transcript = readTranscript(dir)
  const { circuit, powersOfTau, keys } = transcript
  const r1cs = join(dir, CEREMONY_FILES.r1cs)
  if (!existsSync(r1cs)) throw invalid(dir, `it has no ${CEREMONY_FILES.r1cs}`)
  if ((await fileSha256(r1cs)) !== circuit.r1csSha256)
    throw invalid(dir, `${CEREMONY_FILES.r1cs} is not the circuit of its transcript`)
  const { constraintCount, publicCount } = readR1cs(r1cs)
  if (constraintCount !== circuit.constraints || publicCount !== circuit.publicSignals)
    throw invalid(dir, 'the transcript tells another size of the circuit')
  if (ptau.hash !== powersOfTau.blake2b512 || powersOfTauPower(ptau.path) !== powersOfTau.power)
    throw invalid(dir, 'its powers of tau are not those that were named')
  const newest = await checkKeys(dir, transcript)
  await withSnarkjsThreads(() =>
    keys.length === 1
      ? checkFirstKey(dir, r1cs, ptau.path, newest, onStep)
      : verifyKey(r1cs, ptau.path, newest, onStep),
  )
  const made = keys.flatMap(({ contribution }) => (contribution === null ? [] : [contribution]))
  return {
    transcript,
    contributors: made.filter(({ beacon }) => beacon === undefined),
    beacon: made.at(-1)?.beacon ?? null,
    absent: keys.map(({ file }) => file).filter((file) => !existsSync(join(dir, file))),
  }
}

/**
 * Verifies and writes final.zkey, verifying-key.json and setup.json. Throws CEREMONY_INCOMPLETE if nobody has contributed, and what
 * `verifyCeremony` throws.
 */
export async function finishCeremony(dir: string, ptau: PowersOfTauFile, onStep: OnStep): Promise<FinishedCeremony> {
  const { transcript, contributors } = await verifyCeremony(dir, ptau, onStep)
  if (contributors.length === 0) {
    const why = 'a beacon is public, and without a contribution whoever made the powers of tau could forge'
    throw new AttestreamError(
      'CEREMONY_INCOMPLETE',
      `Nobody has contributed to the ceremony in ${dir}: ${why}. Let people contribute.`,
    )
  }
  const zkey = join(dir, CEREMONY_FILES.finalKey)
  removeParts(dir) // a link among them would be followed
  const flags = constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL
  copyFileSync(join(dir, keyFile(transcript.keys.length - 1)), `${zkey}${PART}`, flags)
  renameSync(`${zkey}${PART}`, zkey)
  const key = exportVerifyingKey(zkey)
  const encoded = encodeVerifyingKey(key)
  const origin = ceremonyOrigin(zkey, ptau.hash)
  const facts = {
    r1csSha256: transcript.circuit.r1csSha256,
    verifyingKey: bytesToHex(encoded),
    vkHash: verifyingKeyHash(encoded),
    setupTranscriptHash: setupTranscript(zkey, origin).hash,
    devSetup: isDevelopmentSetup(origin),
    origin,
    contributors: contributors.map(({ name }) => name),
  }
  replaceFile(join(dir, CEREMONY_FILES.verifyingKey), JSON.stringify(key, null, 2))
  replaceFile(join(dir, CEREMONY_FILES.setup), `${JSON.stringify(facts, null, 2)}\n`)
  return { zkey, ...facts }
}

/** Makes the next key with `make` and enters it; a key that another contributor was faster with is kept. */
async function addKey(
  dir: string,
  make: (before: string, after: string) => Promise<Uint8Array>,
): Promise<ContributionMade> {
  const transcript = readTranscript(dir)
  const number = transcript.keys.length
  if (transcript.keys.at(-1)!.contribution?.beacon !== undefined) {
    throw new AttestreamError(
      'CEREMONY_CLOSED',
      `The ceremony in ${dir} has had its beacon; nothing can be added. Finish it.`,
    )
  }
  removeParts(dir)
  const before = await checkNewest(dir, transcript)
  const after = join(dir, keyFile(number))
  const part = `${after}${PART}`
  const hash = Buffer.from(await withSnarkjsThreads(() => make(before, part))).toString('hex')
  const contribution = readContributions(part).contributions.at(-1)
  if (contribution?.hash !== hash) throw new Error('the new key does not hold the contribution that was made')
  if (readTranscript(dir).keys.length !== number) throw invalid(dir, 'another contribution was entered meanwhile')
  const record = await keyRecord(dir, number, contribution, part)
  renameSync(part, after)
  writeTranscript(dir, { ...transcript, keys: [...transcript.keys, record] })
  return {
    number,
    name: contribution.name,
    hash,
    attestation: attestation(transcript, number, contribution, record.sha256),
  }
}

/** The newest key, with the bytes that the transcript tells. */
async function checkNewest(dir: string, { keys }: CeremonyTranscript): Promise<string> {
  const { file, sha256 } = keys.at(-1)!
  const path = join(dir, file)
  if (!existsSync(path)) throw invalid(dir, `it lacks the newest key, ${file}`)
  if ((await fileSha256(path)) !== sha256) throw invalid(dir, `${file} is not the key of its transcript`)
  return path
}

/** Every key that is there: its bytes, and that it holds the contributions of the keys before it and one more. */
async function checkKeys(dir: string, transcript: CeremonyTranscript): Promise<string> {
  const { circuit, keys } = transcript
  const newest = await checkNewest(dir, transcript)
  const all = readContributions(newest)
  if (all.circuitHash !== circuit.circuitHash)
    throw invalid(dir, 'its newest key is of another circuit than its transcript tells')
  const told = keys.flatMap(({ contribution }) => (contribution === null ? [] : [contribution]))
  if (JSON.stringify(told.map(fieldsInOrder)) !== JSON.stringify(all.contributions.map(fieldsInOrder))) {
    throw invalid(dir, 'its transcript tells other contributions than its newest key holds')
  }
  const wholeSection = contributionsSection(newest)
  for (const [index, { file, sha256 }] of keys.slice(0, -1).entries()) {
    const path = join(dir, file)
    if (!existsSync(path)) continue
    if ((await fileSha256(path)) !== sha256) throw invalid(dir, `${file} is not the key of its transcript`)
    const section = contributionsSection(path)
    const isPrefix = readContributions(path).contributions.length === index && sameContributions(section, wholeSection)
    if (!isPrefix) throw invalid(dir, `${file} does not lead to the newest key`)
  }
  return newest
}

/** Whether the first section is the beginning of the second, but for the number of contributions behind the circuit's hash. */
function sameContributions(part: Buffer, whole: Buffer): boolean {
  const [hashEnd, start] = [64, 68]
  return (
    part.subarray(0, hashEnd).equals(whole.subarray(0, hashEnd)) &&
    part.subarray(start).equals(whole.subarray(start, part.length))
  )
}

function fieldsInOrder({ name, hash, beacon }: Contribution): unknown[] {
  return [name, hash, beacon?.hash, beacon?.iterationsExp]
}

/** Without a contribution nothing is proven in the key: it is made again. */
async function checkFirstKey(dir: string, r1cs: string, ptau: string, zkey: string, onStep: OnStep): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), 'attestream-ceremony-'))
  try {
    await newKey(r1cs, ptau, join(work, keyFile(0)), onStep)
    const isSame = (await fileSha256(join(work, keyFile(0)))) === (await fileSha256(zkey))
    if (!isSame) throw invalid(dir, `${keyFile(0)} does not follow from its circuit and powers of tau`)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function checkName(dir: string, name: string): void {
  const isPlain = name.trim() === name && name !== '' && isPlainText(name)
  const taken = readTranscript(dir).keys.some(({ contribution }) => contribution?.name === name)
  if (isPlain && Buffer.byteLength(name) <= MAX_NAME_BYTES && !taken && name !== BEACON_NAME) return
  const expected = `expected 1 to ${MAX_NAME_BYTES} bytes of printable text that nobody has contributed under`
  throw new AttestreamError('INPUT_INVALID', `The contributor's name is ${JSON.stringify(name)}; ${expected}.`)
}

/** What a killed step left. */
function removeParts(dir: string): void {
  for (const file of readdirSync(dir).filter((name) => name.endsWith(PART))) rmSync(join(dir, file))
}

function attestation(
  { circuit, powersOfTau, keys }: CeremonyTranscript,
  number: number,
  { name, hash, beacon }: Contribution,
  sha256: Hex,
): string {
  const what =
    beacon === undefined
      ? `Contribution ${number}, by ${name},`
      : `The beacon ${beacon.hash}, iterated 2^${beacon.iterationsExp} times,`
  return [
    `${what} to the Groth16 ceremony of the circuit with SHA-256 ${circuit.r1csSha256}`,
    `on the powers of tau with BLAKE2b-512 ${powersOfTau.blake2b512}.`,
    `Key before: SHA-256 ${keys.at(-1)!.sha256}`,
    `Key after:  SHA-256 ${sha256}`,
    `Contribution hash (BLAKE2b-512): ${hash}`,
  ].join('\n')
}
