import type { Hex } from 'viem'
import { describe, expect, it } from 'vitest'
import { openKeystore } from '../../contracts/keystore.ts'
import { weakKeystore } from './keystores.ts'

const KEY: Hex = '0x7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d'
const PASSPHRASE = 'testpassword'

/** The two vectors of the Web3 Secret Storage definition. */
const PUBLISHED = {
  pbkdf2: {
    cipher: 'aes-128-ctr',
    cipherparams: { iv: '6087dab2f9fdbbfaddc31a909735c1e6' },
    ciphertext: '5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46',
    kdf: 'pbkdf2',
    kdfparams: {
      c: 262144,
      dklen: 32,
      prf: 'hmac-sha256',
      salt: 'ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd',
    },
    mac: '517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2',
  },
  scrypt: {
    cipher: 'aes-128-ctr',
    cipherparams: { iv: '83dbcc02d8ccb40e466191a123791e0e' },
    ciphertext: 'd172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c',
    kdf: 'scrypt',
    kdfparams: {
      dklen: 32,
      n: 262144,
      r: 1,
      p: 8,
      salt: 'ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19',
    },
    mac: '2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097',
  },
}

describe('a keystore', () => {
  it.each(['pbkdf2', 'scrypt'] as const)('opens the published vector of %s', (kdf) => {
    expect(openKeystore(JSON.stringify({ version: 3, crypto: PUBLISHED[kdf] }), PASSPHRASE)).toBe(KEY)
  })

  it('refuses a wrong passphrase, and says neither it nor the key', () => {
    const error = thrown(() => openKeystore(weakKeystore(KEY, PASSPHRASE), 'wrong horse'))
    expect(error).toMatchObject({ code: 'KEYSTORE_PASSPHRASE_WRONG' })
    expect(String(error)).not.toMatch(/wrong horse|7a28b5/)
  })

  it('refuses a key that is not of the address it names', () => {
    expect(openKeystore(weakKeystore(KEY, 'p', '008aeeda4d805471df9b2a5b0f38a0c3bcba786b'), 'p')).toBe(KEY)
    expect(() => openKeystore(weakKeystore(KEY, 'p', '00'.repeat(20)), 'p')).toThrow('does not have the address')
  })

  const scrypt = PUBLISHED.scrypt
  it.each([
    ['no JSON', '{'],
    ['version 1', { version: 1, crypto: scrypt }],
    ['another cipher', { version: 3, crypto: { ...scrypt, cipher: 'aes-256-gcm' } }],
    ['another kdf', { version: 3, crypto: { ...scrypt, kdf: 'argon2id' } }],
    ['no kdfparams', { version: 3, crypto: { ...scrypt, kdfparams: null } }],
    [
      'scrypt that takes all memory',
      { version: 3, crypto: { ...scrypt, kdfparams: { ...scrypt.kdfparams, n: 2 ** 24, r: 64 } } },
    ],
    ['an iv that is too short', { version: 3, crypto: { ...scrypt, cipherparams: { iv: '00' } } }],
    ['a ciphertext that is no key', { version: 3, crypto: { ...scrypt, ciphertext: '00' } }],
  ])('refuses %s before it derives anything', (_, content) => {
    const text = typeof content === 'string' ? content : JSON.stringify(content)
    expect(thrown(() => openKeystore(text, PASSPHRASE))).toMatchObject({ code: 'KEYSTORE_INVALID' })
  })
})

function thrown(call: () => unknown): unknown {
  try {
    call()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}
