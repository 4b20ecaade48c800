// Checks a seal off chain with snarkjs' verifier: a second implementation beside the contract's.

import { bytesToHex, hexToBytes, type Hex } from '../core/codec.ts'
import { AttestreamError } from '../core/errors.ts'
import { journalSignals, type Journal } from '../core/journal.ts'
import { decodeSeal } from '../core/seal.ts'
import { loadGroth16 } from './groth16.ts'
import { decodeVerifyingKey, verifyingKeyHash } from '../core/verifying-key.ts'

/** Throws SEAL_INVALID unless the seal proves the journal under the verifying key (encoded bytes). */
export async function verifySeal(verifyingKey: Hex, journal: Journal, seal: Hex): Promise<void> {
  const groth16 = await loadGroth16()
  const encoded = hexToBytes(verifyingKey)
  const proof = decodeSeal(verifyingKeyHash(encoded), seal)
  const signals = journalSignals(journal).map(String)
  const key = decodeVerifyingKey(encoded)
  const isValid = key.nPublic === signals.length && (await groth16.verify(key, signals, proof).catch(() => false))
  if (!isValid) {
    throw new AttestreamError(
      'SEAL_INVALID',
      `The proof does not hold for this journal under ${bytesToHex(encoded.subarray(0, 4))}….`,
    )
  }
}
