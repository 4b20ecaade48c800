// The environment, read here and nowhere else.

export interface Environment {
  /** Private key that deploys, or owns projects or devices, or admits devices: 0x and 64 hexadecimal digits. */
  readonly signingKey: string | undefined
  /** Of a project at an engine. */
  readonly apiKey: string | undefined
  readonly keystorePassphrase: string | undefined
  /** For URLs that carry a key of their own and should not stand in a command line. */
  readonly rpcUrl: string | undefined
}

export function readEnvironment(): Environment {
  const { ATTESTREAM_KEYSTORE_PASSPHRASE, ATTESTREAM_RPC_URL } = process.env
  const { ATTESTREAM_PRIVATE_KEY, ATTESTREAM_API_KEY } = process.env
  return {
    signingKey: ATTESTREAM_PRIVATE_KEY,
    apiKey: ATTESTREAM_API_KEY,
    keystorePassphrase: ATTESTREAM_KEYSTORE_PASSPHRASE,
    rpcUrl: ATTESTREAM_RPC_URL,
  }
}
