// The key a command signs with: in ATTESTREAM_PRIVATE_KEY, or encrypted in a keystore. It is in no message.

import { privateKeyToAccount } from 'viem/accounts'
import { openKeystore } from '../contracts/keystore.ts'
import type { Hex } from '../engine/core/codec.ts'
import { AttestreamError } from '../engine/index.ts'
import { readInput } from './applet/command.ts'
import { readEnvironment } from './environment.ts'
import { askPassphrase } from './passphrase.ts'

export interface KeyFlags {
  readonly keystore?: string
}

/** Throws SIGNING_KEY_INVALID, INPUT_INVALID or KEYSTORE_*. Asks for a passphrase that the environment does not give. */
export async function signingKey({ keystore }: KeyFlags): Promise<Hex> {
  const { signingKey: key, keystorePassphrase } = readEnvironment()
  if (keystore !== undefined) {
    const text = new TextDecoder().decode(await readInput(keystore, 'The keystore'))
    return openKeystore(text, keystorePassphrase ?? (await askPassphrase(`Passphrase of ${keystore}: `)))
  }
  if (key !== undefined && /^0x[0-9a-fA-F]{64}$/.test(key) && isPrivateKey(key as Hex)) return key as Hex
  const came = key === undefined ? 'is not set' : 'is not a key of 0x and 64 hexadecimal digits'
  throw new AttestreamError('SIGNING_KEY_INVALID', `ATTESTREAM_PRIVATE_KEY ${came}; set it, or name a --keystore.`)
}

/** False for zero and for what is not below the order of the curve; viem's error would quote the key. */
function isPrivateKey(key: Hex): boolean {
  try {
    return privateKeyToAccount(key).address !== undefined
  } catch {
    return false
  }
}
