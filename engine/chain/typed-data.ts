// EIP-712: the project's admission of a device, which DeviceRegistry checks, and the operator's acknowledgement of a frame, with
// which a device proves that its data was left out. Both under the domain { name: 'Attestream', version: '1', chainId,
// verifyingContract }: the registry's address for admissions, the settlement's for acknowledgements.

import { keccak_256 } from '@noble/hashes/sha3.js'
import { signRecoverable } from 'tiny-secp256k1'
import { hashDomain, recoverTypedDataAddress, isAddressEqual } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import type { Admission, Rotation } from '../core/admission.ts'
import type { Acknowledgement, AcknowledgementContent } from '../core/acknowledgement.ts'
import { bytesToHex, concatBytes, hexToBytes, integerToBytes, type Hex } from '../core/codec.ts'
import { AttestreamError } from '../core/errors.ts'

export type { Admission, Rotation }

export interface SigningDomain {
  readonly chainId: number
  readonly verifyingContract: Hex
}

const ADMISSION_TYPES = {
  Admission: [
    { name: 'owner', type: 'address' },
    { name: 'projectId', type: 'uint256' },
    { name: 'keyX', type: 'uint256' },
    { name: 'keyY', type: 'uint256' },
    { name: 'metadataURI', type: 'string' },
    { name: 'deadline', type: 'uint64' },
  ],
} as const

const ROTATION_TYPES = {
  Rotation: [
    { name: 'deviceId', type: 'uint64' },
    { name: 'keyX', type: 'uint256' },
    { name: 'keyY', type: 'uint256' },
    { name: 'deadline', type: 'uint64' },
  ],
} as const

const ACKNOWLEDGEMENT_TYPES = {
  Acknowledgement: [
    { name: 'deviceId', type: 'uint64' },
    { name: 'sequence', type: 'uint64' },
    { name: 'messageHash', type: 'uint256' },
    { name: 'deadline', type: 'uint64' },
  ],
} as const

const ACKNOWLEDGEMENT_TYPEHASH = keccak_256(
  new TextEncoder().encode('Acknowledgement(uint64 deviceId,uint64 sequence,uint256 messageHash,uint64 deadline)'),
)

/** What the project's admitter signs, in the form of `eth_signTypedData_v4`; `domain.verifyingContract` is the device registry. */
export function admissionTypedData(domain: SigningDomain, admission: Admission) {
  return { domain: fullDomain(domain), types: ADMISSION_TYPES, primaryType: 'Admission', message: admission } as const
}

/** As `admissionTypedData`, for a rotation. */
export function rotationTypedData(domain: SigningDomain, rotation: Rotation) {
  return { domain: fullDomain(domain), types: ROTATION_TYPES, primaryType: 'Rotation', message: rotation } as const
}

/** Signs an admission with the key of the project's admitter; `domain.verifyingContract` is the device registry. */
export function signAdmission(privateKey: Hex, domain: SigningDomain, admission: Admission): Promise<Hex> {
  return privateKeyToAccount(privateKey).signTypedData(admissionTypedData(domain, admission))
}

/** Signs a rotation with the key of the project's admitter; `domain.verifyingContract` is the device registry. */
export function signRotation(privateKey: Hex, domain: SigningDomain, rotation: Rotation): Promise<Hex> {
  return privateKeyToAccount(privateKey).signTypedData(rotationTypedData(domain, rotation))
}

/**
 * Returns a function that signs acknowledgements; `domain.verifyingContract` is the settlement contract. It stands in the path
 * of each frame, so what does not change is hashed once, and libsecp256k1 signs, some four times as fast as JavaScript.
 */
export function createAcknowledger(privateKey: Hex, domain: SigningDomain): (content: AcknowledgementContent) => Hex {
  const secretKey = hexToBytes(privateKey, 32)
  const separator = hexToBytes(domainSeparator(domain), 32)
  return (content) => {
    const { deviceId, sequence, messageHash, deadline } = content
    const words = [deviceId, sequence, messageHash, deadline].map((value) => integerToBytes(value, 32))
    const structHash = keccak_256(concatBytes(ACKNOWLEDGEMENT_TYPEHASH, ...words))
    const digest = keccak_256(concatBytes(new Uint8Array([0x19, 0x01]), separator, structHash))
    const { signature, recoveryId } = signRecoverable(digest, secretKey)
    return bytesToHex(concatBytes(signature, new Uint8Array([27 + recoveryId])))
  }
}

/** Throws ACKNOWLEDGEMENT_INVALID unless `operator` signed exactly this content. */
export async function verifyAcknowledgement(
  operator: Hex,
  domain: SigningDomain,
  acknowledgement: Acknowledgement,
): Promise<void> {
  const { signature, ...message } = acknowledgement
  const signer = await recoverTypedDataAddress({
    domain: fullDomain(domain),
    types: ACKNOWLEDGEMENT_TYPES,
    primaryType: 'Acknowledgement',
    message,
    signature,
  }).catch(() => undefined)
  if (signer !== undefined && isAddressEqual(signer, operator)) return
  throw new AttestreamError(
    'ACKNOWLEDGEMENT_INVALID',
    `The acknowledgement of frame ${message.sequence} of device ${message.deviceId} was signed by ${signer ?? 'nobody'}; ` +
      `expected the operator ${operator}. Keep the bytes as the engine sent them.`,
    { signer, operator },
  )
}

function fullDomain({ chainId, verifyingContract }: SigningDomain) {
  return { name: 'Attestream', version: '1', chainId, verifyingContract } as const
}

function domainSeparator(domain: SigningDomain): Hex {
  return hashDomain({
    domain: { ...fullDomain(domain), chainId: BigInt(domain.chainId) },
    types: {
      EIP712Domain: [
        { name: 'name', type: 'string' },
        { name: 'version', type: 'string' },
        { name: 'chainId', type: 'uint256' },
        { name: 'verifyingContract', type: 'address' },
      ],
    },
  })
}
