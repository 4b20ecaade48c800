// SPDX-License-Identifier: MIT
// A device's secret key: 32 random bytes. It never leaves the device; the public key is what gets registered.

const SECRET_KEY_BYTES = 32

/** New secret key from the platform's cryptographic randomness, or from `randomBytes(32)` of a hardware source. */
export function createSecretKey(randomBytes: (length: number) => Uint8Array = platformRandomBytes): Uint8Array {
  const key = randomBytes(SECRET_KEY_BYTES)
  if (key.length !== SECRET_KEY_BYTES || key.every((byte) => byte === key[0])) {
    throw new TypeError(
      `The source of randomness gave ${key.length} unusable bytes; expected ${SECRET_KEY_BYTES} random ones.`,
    )
  }
  return key
}

function platformRandomBytes(length: number): Uint8Array {
  return globalThis.crypto.getRandomValues(new Uint8Array(length))
}
