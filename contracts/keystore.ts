// Opens a private key that is encrypted under a passphrase: version 3 of the Web3 Secret Storage format, as geth, foundry and
// wallets write it. Neither key nor passphrase is ever part of an error.

import { createDecipheriv, pbkdf2Sync, timingSafeEqual } from 'node:crypto'
import { scrypt as noble } from '@noble/hashes/scrypt.js'
import { bytesToHex, concatBytes, hexToBytes, keccak256 } from 'viem'
import type { Hex } from 'viem'
import { privateKeyToAddress } from 'viem/accounts'
import { AttestreamError } from '../engine/core/errors.ts'

interface Crypto {
  readonly ciphertext: Uint8Array
  readonly iv: Uint8Array
  readonly mac: Uint8Array
  readonly derive: (passphrase: string) => Uint8Array
}

const KEY_BYTES = 32
/** More than geth's strongest setting (256 MiB) is a mistake or an attack on this machine. */
const MAX_SCRYPT_BYTES = 2 ** 29
const MAX_PBKDF2_ROUNDS = 10_000_000

/** `text` is the file's JSON. Throws KEYSTORE_INVALID or KEYSTORE_PASSPHRASE_WRONG; takes a second or so by design. */
export function openKeystore(text: string, passphrase: string): Hex {
  const { crypto, address } = parseKeystore(text)
  const derived = crypto.derive(passphrase)
  const mac = keccak256(concatBytes([derived.subarray(16, 32), crypto.ciphertext]), 'bytes')
  if (!timingSafeEqual(mac, crypto.mac)) {
    throw new AttestreamError('KEYSTORE_PASSPHRASE_WRONG', 'The passphrase does not open the keystore.')
  }
  const decipher = createDecipheriv('aes-128-ctr', derived.subarray(0, 16), crypto.iv)
  const key = bytesToHex(concatBytes([decipher.update(crypto.ciphertext), decipher.final()]))
  if (address !== undefined && privateKeyToAddress(key).slice(2).toLowerCase() !== address) {
    throw invalid('its key does not have the address that it names')
  }
  return key
}

function parseKeystore(text: string): { crypto: Crypto; address: string | undefined } {
  const file = record(parseJson(text), 'the file')
  if (file['version'] !== 3) throw invalid('it is not of version 3')
  const crypto = record(file['crypto'] ?? file['Crypto'], 'crypto')
  if (crypto['cipher'] !== 'aes-128-ctr') throw invalid('its cipher is not aes-128-ctr')
  const address = typeof file['address'] === 'string' ? file['address'].replace(/^0x/i, '').toLowerCase() : undefined
  const parsed = {
    ciphertext: bytes(crypto['ciphertext'], 'ciphertext', KEY_BYTES),
    iv: bytes(record(crypto['cipherparams'], 'cipherparams')['iv'], 'iv', 16),
    mac: bytes(crypto['mac'], 'mac', 32),
    derive: derivation(crypto['kdf'], record(crypto['kdfparams'], 'kdfparams')),
  }
  return { crypto: parsed, address }
}

function derivation(kdf: unknown, params: Record<string, unknown>): Crypto['derive'] {
  const salt = bytes(params['salt'], 'salt')
  if (params['dklen'] !== KEY_BYTES) throw invalid('its dklen is not 32')
  if (kdf === 'scrypt') return scrypt(params, salt)
  if (kdf !== 'pbkdf2' || params['prf'] !== 'hmac-sha256')
    throw invalid('its kdf is neither scrypt nor pbkdf2 with hmac-sha256')
  const rounds = integer(params['c'], 'c', MAX_PBKDF2_ROUNDS)
  return (passphrase) => pbkdf2Sync(passphrase, salt, rounds, KEY_BYTES, 'sha256')
}

/** Not by OpenSSL: it refuses r = 1 with N = 2^18, which the format's own example and some wallets use. */
function scrypt(params: Record<string, unknown>, salt: Uint8Array): Crypto['derive'] {
  const [N, r, p] = [integer(params['n'], 'n', 2 ** 24), integer(params['r'], 'r', 64), integer(params['p'], 'p', 64)]
  const needed = 128 * r * (N + p + 1)
  if ((N & (N - 1)) !== 0 || N < 2 || needed > MAX_SCRYPT_BYTES) throw invalid('its scrypt settings are out of range')
  return (passphrase) => noble(passphrase, salt, { N, r, p, dkLen: KEY_BYTES, maxmem: 2 * needed })
}

function bytes(value: unknown, name: string, length?: number): Uint8Array {
  if (typeof value !== 'string' || !/^([0-9a-f]{2})+$/i.test(value) || value.length > 1024) throw invalid(`its ${name} is not hexadecimal`) // prettier-ignore
  const read = hexToBytes(`0x${value}`)
  if (length !== undefined && read.length !== length) throw invalid(`its ${name} is not ${length} bytes long`)
  return read
}

function integer(value: unknown, name: string, maximum: number): number {
  if (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= maximum) return value as number
  throw invalid(`its ${name} is not an integer from 1 to ${maximum}`)
}

function record(value: unknown, name: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw invalid(`${name} is not an object`)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw invalid('it is not JSON')
  }
}

function invalid(reason: string): AttestreamError {
  return new AttestreamError('KEYSTORE_INVALID', `The keystore cannot be read: ${reason}.`)
}
