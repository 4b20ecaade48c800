// The part of snarkjs' JavaScript interface that the setup uses, with types.

import { zKey } from 'snarkjs'

interface Logger {
  debug(text: string): void
  info(text: string): void
  warn(text: string): void
  error(text: string): void
}

interface SnarkjsKeys {
  newZKey(r1cs: string, ptau: string, zkey: string, logger?: Logger): Promise<Uint8Array | -1>
  contribute(zkeyIn: string, zkeyOut: string, name: string, entropy: string, logger?: Logger): Promise<Uint8Array>
  beacon(
    zkeyIn: string,
    zkeyOut: string,
    name: string,
    hash: string,
    iterationsExp: number,
    logger?: Logger,
  ): Promise<Uint8Array | false>
  verifyFromR1cs(r1cs: string, ptau: string, zkey: string, logger?: Logger): Promise<boolean>
}

/** What long work does now; `fraction` in [0, 1] of that alone. */
export type OnStep = (text: string, fraction?: number) => void

/** Passes on what snarkjs says it is doing; "Applying key: L Section: 65536/120250" becomes text and fraction. */
export function progressLogger(onStep: OnStep | undefined): Logger | undefined {
  if (onStep === undefined) return undefined
  const debug = (text: string) => {
    const [, what, done, all] = /^(.*): (\d+)\/(\d+)$/.exec(text) ?? []
    if (what !== undefined) onStep(what, Number(done) / Number(all))
  }
  return { debug, info: () => {}, warn: () => {}, error: () => {} }
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
