// The part of snarkjs' JavaScript interface that the setup uses, with types.

import { zKey } from 'snarkjs'

interface SnarkjsKeys {
  newZKey(r1cs: string, ptau: string, zkey: string): Promise<Uint8Array | -1>
  contribute(zkeyIn: string, zkeyOut: string, name: string, entropy: string): Promise<Uint8Array>
  beacon(zkeyIn: string, zkeyOut: string, name: string, hash: string, iterationsExp: number): Promise<Uint8Array>
  verifyFromR1cs(r1cs: string, ptau: string, zkey: string): Promise<boolean>
}

export const snarkjsKeys = zKey as unknown as SnarkjsKeys

/** Runs work that makes snarkjs start a thread per core, and ends those threads; a curve that was there before stays. */
export async function withSnarkjsThreads<T>(work: () => Promise<T>): Promise<T> {
  const shared = globalThis as { curve_bn128?: { terminate(): Promise<void> } | null }
  const before = shared.curve_bn128
  try {
    return await work()
  } finally {
    if (!before) await shared.curve_bn128?.terminate()
  }
}
