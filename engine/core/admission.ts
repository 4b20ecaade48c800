// What a project signs about the keys of its devices, and the files in which that travels from the project to whoever sends it.

import type { Hex } from './codec.ts'
import { AttestreamError } from './errors.ts'

/** A project's permission to register one key for one owner. */
export interface Admission {
  readonly owner: Hex
  readonly projectId: bigint
  readonly keyX: bigint
  readonly keyY: bigint
  readonly metadataURI: string
  /** Unix time in seconds, inclusive. */
  readonly deadline: bigint
}

/** A project's permission to give a device another key. */
export interface Rotation {
  readonly deviceId: bigint
  readonly keyX: bigint
  readonly keyY: bigint
  /** Unix time in seconds, inclusive. */
  readonly deadline: bigint
}

/** For which registry the permission is, and the admitter's signature: null until there is one. */
interface Signed {
  readonly chainId: number
  readonly registry: Hex
  readonly signature: Hex | null
}

export interface SignedAdmission extends Signed {
  readonly format: 'attestream.admission.v1'
  readonly admission: Admission
}

export interface SignedRotation extends Signed {
  readonly format: 'attestream.rotation.v1'
  readonly rotation: Rotation
}

/** The file's JSON of what `parseAdmission` or `parseRotation` reads: integers beyond 2^53 as decimal strings. */
export function encodePermission(permission: SignedAdmission | SignedRotation): unknown {
  const text = JSON.stringify(permission, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value))
  return JSON.parse(text)
}

/** Throws ADMISSION_INVALID. */
export function parseAdmission(json: unknown): SignedAdmission {
  const file = fields(json, 'attestream.admission.v1')
  const inner = record(file['admission'], 'admission')
  const { metadataURI } = inner
  if (typeof metadataURI !== 'string') throw invalid('admission.metadataURI is not a text')
  const key = { keyX: integer(inner, 'keyX', 256n), keyY: integer(inner, 'keyY', 256n) }
  const admission = {
    owner: address(inner, 'owner'),
    projectId: integer(inner, 'projectId', 64n),
    ...key,
    metadataURI,
    deadline: integer(inner, 'deadline', 64n),
  }
  return { format: 'attestream.admission.v1', ...signed(file), admission }
}

/** Throws ADMISSION_INVALID. */
export function parseRotation(json: unknown): SignedRotation {
  const file = fields(json, 'attestream.rotation.v1')
  const inner = record(file['rotation'], 'rotation')
  const rotation = {
    deviceId: integer(inner, 'deviceId', 64n),
    keyX: integer(inner, 'keyX', 256n),
    keyY: integer(inner, 'keyY', 256n),
    deadline: integer(inner, 'deadline', 64n),
  }
  return { format: 'attestream.rotation.v1', ...signed(file), rotation }
}

function fields(json: unknown, format: string): Record<string, unknown> {
  const file = record(json, 'the file')
  if (file['format'] !== format) throw invalid(`its format is ${JSON.stringify(file['format'])}, not '${format}'`)
  return file
}

function signed(file: Record<string, unknown>): Signed {
  const { chainId, signature } = file
  if (!Number.isSafeInteger(chainId)) throw invalid('chainId is not an integer')
  if (signature !== null && !isHex(signature, /^0x([0-9a-fA-F]{2})+$/))
    throw invalid('signature is neither null nor bytes')
  return { chainId: chainId as number, registry: address(file, 'registry'), signature }
}

function integer(from: Record<string, unknown>, name: string, bits: bigint): bigint {
  const text = from[name]
  if (typeof text !== 'string' || !/^(0|[1-9][0-9]{0,77})$/.test(text) || BigInt(text) >> bits !== 0n) {
    throw invalid(`${name} is not an unsigned integer of ${bits} bits in decimal`)
  }
  return BigInt(text)
}

function address(from: Record<string, unknown>, name: string): Hex {
  const value = from[name]
  if (isHex(value, /^0x[0-9a-fA-F]{40}$/)) return value
  throw invalid(`${name} is not an address`)
}

function isHex(value: unknown, pattern: RegExp): value is Hex {
  return typeof value === 'string' && pattern.test(value)
}

function record(value: unknown, name: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw invalid(`${name} is not an object`)
}

function invalid(reason: string): AttestreamError {
  return new AttestreamError(
    'ADMISSION_INVALID',
    `The admission cannot be read: ${reason}. Let the project write it again.`,
  )
}
