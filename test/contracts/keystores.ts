// Encrypted keys for tests.

import { createCipheriv, randomBytes, scryptSync } from 'node:crypto'
import { bytesToHex, concatBytes, hexToBytes, keccak256, type Hex } from 'viem'

/** A keystore that opens at once: its scrypt is far too weak for a key that matters. */
export function weakKeystore(key: Hex, passphrase: string, address?: string): string {
  const [salt, iv] = [randomBytes(32), randomBytes(16)]
  const derived = scryptSync(passphrase, salt, 32, { N: 2, r: 8, p: 1 })
  const cipher = createCipheriv('aes-128-ctr', derived.subarray(0, 16), iv)
  const ciphertext = concatBytes([cipher.update(hexToBytes(key)), cipher.final()])
  const text = (bytes: Uint8Array): string => bytesToHex(bytes).slice(2)
  const crypto = {
    cipher: 'aes-128-ctr',
    cipherparams: { iv: text(iv) },
    ciphertext: text(ciphertext),
    kdf: 'scrypt',
    kdfparams: { dklen: 32, n: 2, r: 8, p: 1, salt: text(salt) },
    mac: keccak256(concatBytes([derived.subarray(16, 32), ciphertext])).slice(2),
  }
  return JSON.stringify({ version: 3, id: 'a', crypto, ...(address ? { address } : {}) })
}
