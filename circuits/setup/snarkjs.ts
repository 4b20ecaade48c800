// The part of snarkjs' JavaScript interface that the setup uses, with types.

import { zKey } from 'snarkjs'

interface SnarkjsKeys {
  newZKey(r1cs: string, ptau: string, zkey: string): Promise<Uint8Array | -1>
  contribute(zkeyIn: string, zkeyOut: string, name: string, entropy: string): Promise<Uint8Array>
  beacon(zkeyIn: string, zkeyOut: string, name: string, hash: string, iterationsExp: number): Promise<Uint8Array>
  verifyFromR1cs(r1cs: string, ptau: string, zkey: string): Promise<boolean>
}

export const snarkjsKeys = zKey as unknown as SnarkjsKeys
