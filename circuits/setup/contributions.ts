// The contributions section of a .zkey file: the circuit's hash and, one after the other, what each contributor left as proof that he
// knew the secret he put in. Format and hashes are those of snarkjs.

import { createHash } from 'node:crypto'
import { AttestreamError } from '../../engine/core/errors.ts'
import { pointCoordinates } from './export-verifying-key.ts'
import { POINT_BYTES } from './fixed-base.ts'
import { readZkeySection, ZKEY_SECTION } from './zkey-file.ts'

/** A public random value that nobody could know when the last contribution was made. */
export interface Beacon {
  /** 1 to 255 bytes in hexadecimal, without 0x; a later block's hash, for example. */
  readonly hash: string
  /** The hash is iterated 2^iterationsExp times; 10 to 63. */
  readonly iterationsExp: number
}

export interface Contribution {
  readonly name: string
  /** BLAKE2b-512 in hexadecimal of the new delta and its proof: what a contributor publishes. */
  readonly hash: string
  /** Of a public random value, which is nobody's secret. */
  readonly beacon?: Beacon
}

export interface Contributions {
  /** BLAKE2b-512 in hexadecimal of the key that nobody has contributed to. */
  readonly circuitHash: string
  readonly contributions: readonly Contribution[]
}

const HASH_BYTES = 64
const BEACON_TYPE = 1
const PARAMETER = { name: 1, iterationsExp: 2, beaconHash: 3 } as const

/** The whole section as bytes. Throws ZKEY_INVALID. */
export function contributionsSection(zkeyPath: string): Buffer {
  return readZkeySection(zkeyPath, ZKEY_SECTION.contributions, Infinity)
}

/** Who contributed to a key, in order. Throws ZKEY_INVALID. Proofs are not checked: `verifyKey` does. */
export function readContributions(zkeyPath: string): Contributions {
  const section = contributionsSection(zkeyPath)
  const contributions: Contribution[] = []
  try {
    let at = HASH_BYTES + 4
    for (let left = section.readUInt32LE(HASH_BYTES); left > 0; left--) {
      const { contribution, end } = parseContribution(section, at)
      contributions.push(contribution)
      at = end
    }
    if (at !== section.length) throw new RangeError('bytes are left over')
  } catch (cause) {
    const what = `${zkeyPath} is not a usable proving key: its contributions section is malformed. Get it again.`
    throw new AttestreamError('ZKEY_INVALID', what, {}, { cause })
  }
  return { circuitHash: section.toString('hex', 0, HASH_BYTES), contributions }
}

/** Delta, two points that prove it in G1, one in G2, hash of all before, type, parameters with their length. */
function parseContribution(section: Buffer, at: number): { contribution: Contribution; end: number } {
  const hasher = createHash('blake2b512')
  const take = (length: number) => {
    if (at + length > section.length) throw new RangeError('it ends early')
    return section.subarray(at, (at += length))
  }
  for (const group of ['g1', 'g1', 'g1', 'g2'] as const) hasher.update(uncompressed(take(POINT_BYTES[group])))
  hasher.update(take(HASH_BYTES))
  const type = take(4).readUInt32LE()
  const { name, beacon } = parseParameters(take(take(4).readUInt32LE()))
  const hash = hasher.digest('hex')
  return { contribution: { name, hash, ...(type === BEACON_TYPE ? { beacon } : {}) }, end: at }
}

function parseParameters(bytes: Buffer): { name: string; beacon: Beacon } {
  let [name, hash, iterationsExp] = ['', '', 0]
  for (let at = 0; at < bytes.length;) {
    const id = bytes.readUInt8(at++)
    const value = bytes.readUInt8(at++)
    if (id === PARAMETER.iterationsExp) {
      iterationsExp = value
      continue
    }
    const content = bytes.subarray(at, (at += value))
    if (content.length !== value) throw new RangeError('a parameter ends early')
    if (id === PARAMETER.name) name = content.toString()
    else if (id === PARAMETER.beaconHash) hash = content.toString('hex')
    else throw new RangeError(`parameter ${id} is unknown`)
  }
  return { name, beacon: { hash, iterationsExp } }
}

/** Big-endian plain coordinates, the imaginary part of a pair first. */
function uncompressed(point: Buffer): Buffer {
  const coordinates = pointCoordinates(point).map((value) => BigInt(value).toString(16).padStart(64, '0'))
  const order = coordinates.length === 2 ? [0, 1] : [1, 0, 3, 2]
  return Buffer.from(order.map((k) => coordinates[k]!).join(''), 'hex')
}
