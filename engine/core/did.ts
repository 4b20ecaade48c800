// DIDs of devices: `did:attestream:<chainId>:<registry>:<deviceId>`, and what one resolves to (DID Core 1.0), from what the chain
// says of the device and nothing else. A suspended or revoked device has no key in its document. What its metadata URI leads
// to is named, never read.

import { sha256 } from '@noble/hashes/sha2.js'
import { integerToBytes, type Hex } from './codec.ts'
import { AttestreamError } from './errors.ts'
import type { Device } from './identity.ts'
import type { PublicKey } from './signature.ts'

/** Why a device's key is or is not in use: `suspended` can be lifted by the owner, `revoked` cannot. */
export type DeviceStatus = 'active' | 'suspended' | 'revoked'

/** What the chain says of a device. */
export interface DeviceIdentity extends DeviceName, Omit<Device, 'active'> {
  readonly owner: Hex
  readonly status: DeviceStatus
  /** Empty if none was registered; any text, checked by nobody. */
  readonly metadataURI: string
  /** Unix seconds of the block of the registration, and of the latest change of key, status or owner. */
  readonly registeredSec: number
  readonly changedSec: number
  /** Block of the latest change. */
  readonly changedBlock: bigint
}

/** What a DID names. */
export interface DeviceName {
  readonly chainId: number
  /** Address of the device registry. */
  readonly registry: Hex
  readonly deviceId: bigint
}

export interface DidService {
  readonly id: string
  readonly type: 'DeviceMetadata' | 'AttestreamFrames'
  readonly serviceEndpoint: string
}

/** A JsonWebKey. Curve and algorithm are not registered for JOSE: a library that does not know them refuses the key. */
export interface DidVerificationMethod {
  readonly id: string
  readonly type: 'JsonWebKey'
  readonly controller: string
  readonly publicKeyJwk: {
    readonly kty: 'EC'
    readonly crv: 'BabyJubJub'
    readonly alg: 'EdDSA-Poseidon'
    /** Affine coordinates, 32 bytes big-endian, base64url. */
    readonly x: string
    readonly y: string
  }
}

export interface DidDocument {
  readonly '@context': readonly string[]
  readonly id: string
  /** The owner's account. */
  readonly controller: string
  readonly alsoKnownAs?: readonly string[]
  readonly verificationMethod?: readonly DidVerificationMethod[]
  readonly assertionMethod?: readonly string[]
  readonly service?: readonly DidService[]
}

export interface DidDocumentMetadata {
  readonly created: string
  readonly updated?: string
  /** Number of the block of the latest change. */
  readonly versionId: string
  readonly deactivated?: true
  readonly attestream: {
    readonly status: DeviceStatus
    readonly owner: string
    readonly projectId: string
    readonly cohort: number
    readonly slot: number
  }
}

/** `didDocument` is null once the device is revoked. */
export interface DidResolution {
  readonly didDocument: DidDocument | null
  readonly didDocumentMetadata: DidDocumentMetadata
}

const CONTEXT = ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/jwk/v1']
const DID = /^did:[a-z0-9]+:(?:[A-Za-z0-9._:-]|%[0-9A-Fa-f]{2})*(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2})$/
const OWN_DID = /^did:attestream:([1-9][0-9]{0,15}):(0x[0-9a-f]{40}):([1-9][0-9]{0,19})$/
/** What a document passes on of a metadata URI: schemes that name something and run nothing, in the characters of RFC 3986. */
const METADATA_URI = /^(?:https?|ipfs|ipns|ar|urn|did):[A-Za-z0-9._~:/?#[\]@!$&'()*+,;=%-]{1,2000}$/

/** The DID of a device; the registry's address in lower case. */
export function deviceDid({ chainId, registry, deviceId }: DeviceName): string {
  return `did:attestream:${chainId}:${registry.toLowerCase()}:${deviceId}`
}

/** What a DID names. Throws DID_INVALID unless it is in the one form that `deviceDid` writes, DID_METHOD_UNKNOWN if it is of another method. */
export function parseDid(text: string): DeviceName {
  const shown = text.length > 120 ? `${text.slice(0, 117)}…` : text
  const [, chainId, registry, deviceId] = OWN_DID.exec(text) ?? []
  if (DID.test(text) && !text.startsWith('did:attestream:')) {
    throw new AttestreamError(
      'DID_METHOD_UNKNOWN',
      `${shown} is of another method; this resolver reads did:attestream.`,
    )
  }
  const name = { chainId: Number(chainId), registry: registry as Hex, deviceId: BigInt(deviceId ?? 0) }
  if (Number.isSafeInteger(name.chainId) && name.deviceId > 0n && name.deviceId >> 64n === 0n) return name
  const expected = 'did:attestream:<chainId>:<registry, 0x and 40 digits in lower case>:<deviceId>'
  throw new AttestreamError('DID_INVALID', `Got '${shown}'; expected ${expected}, without path, query or fragment.`)
}

/** What the DID of a device resolves to. `framesUrl`: where an engine takes its frames, if that shall be told. */
export function resolveDevice(device: DeviceIdentity, framesUrl?: string): DidResolution {
  const { status, owner, projectId, cohort, slot, registeredSec, changedSec, changedBlock } = device
  return {
    didDocument: status === 'revoked' ? null : didDocument(device, framesUrl),
    didDocumentMetadata: {
      created: xmlTime(registeredSec),
      ...(changedSec > registeredSec && { updated: xmlTime(changedSec) }),
      versionId: changedBlock.toString(),
      ...(status === 'revoked' && { deactivated: true as const }),
      attestream: { status, owner: accountDid(device.chainId, owner), projectId: projectId.toString(), cohort, slot },
    },
  }
}

function didDocument(device: DeviceIdentity, framesUrl?: string): DidDocument {
  const did = deviceDid(device)
  const service = services(device, did, framesUrl)
  const method = device.status === 'active' ? verificationMethod(did, device.key) : undefined
  return {
    '@context': CONTEXT,
    id: did,
    controller: accountDid(device.chainId, device.owner),
    ...(METADATA_URI.test(device.metadataURI) && DID.test(device.metadataURI) && { alsoKnownAs: [device.metadataURI] }),
    ...(method && { verificationMethod: [method], assertionMethod: [method.id] }),
    ...(service.length > 0 && { service }),
  }
}

function services({ metadataURI }: DeviceIdentity, did: string, framesUrl?: string): DidService[] {
  const all: DidService[] = []
  if (METADATA_URI.test(metadataURI)) {
    all.push({ id: `${did}#metadata`, type: 'DeviceMetadata', serviceEndpoint: metadataURI })
  }
  if (framesUrl !== undefined) all.push({ id: `${did}#frames`, type: 'AttestreamFrames', serviceEndpoint: framesUrl })
  return all
}

function verificationMethod(did: string, key: PublicKey): DidVerificationMethod {
  const coordinates = { x: base64Url(integerToBytes(key.x, 32)), y: base64Url(integerToBytes(key.y, 32)) }
  const jwk = { kty: 'EC', crv: 'BabyJubJub', alg: 'EdDSA-Poseidon', ...coordinates } as const
  return { id: `${did}#${thumbprint(jwk)}`, type: 'JsonWebKey', controller: did, publicKeyJwk: jwk }
}

/** RFC 7638: names the key, so that a reference to a former key never leads to a later one. */
function thumbprint({ crv, kty, x, y }: DidVerificationMethod['publicKeyJwk']): string {
  return base64Url(sha256(new TextEncoder().encode(JSON.stringify({ crv, kty, x, y }))))
}

function accountDid(chainId: number, account: Hex): string {
  return `did:pkh:eip155:${chainId}:${account}`
}

/** XML Schema dateTime in UTC, without fractions of a second, as DID Core wants it. */
function xmlTime(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`
}

function base64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}
