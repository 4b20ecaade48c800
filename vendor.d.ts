// The used parts of packages that come without types.

declare module 'circom_runtime' {
  export function WitnessCalculatorBuilder(code: Uint8Array): Promise<{
    calculateWTNSBin(input: unknown, sanityCheck: number): Promise<Uint8Array>
    calculateWitness(input: unknown, sanityCheck: number): Promise<bigint[]>
  }>
}

declare module 'snarkjs' {
  type Source = string | Uint8Array | { type: 'mem'; data?: Uint8Array }
  interface Proof {
    pi_a: string[]
    pi_b: string[][]
    pi_c: string[]
  }
  export const groth16: {
    prove(
      zkey: Source,
      witness: Source,
      logger?: { debug(message: string): void },
    ): Promise<{ proof: Proof; publicSignals: string[] }>
    verify(verifyingKey: object, publicSignals: readonly string[], proof: object): Promise<boolean>
  }
  export const curves: { getCurveFromName(name: string, options?: { singleThread?: boolean }): Promise<unknown> }
  export const zKey: Record<string, (...args: any[]) => Promise<any>>
  export const powersOfTau: Record<string, (...args: any[]) => Promise<any>>
  export const wtns: Record<string, (...args: any[]) => Promise<any>>
  export const r1cs: Record<string, (...args: any[]) => Promise<any>>
}

declare module 'circomlibjs' {
  export function buildPoseidon(): Promise<any>
  export function buildEddsa(): Promise<any>
  export function buildBabyjub(): Promise<any>
}

declare module 'ffjavascript' {
  export function getCurveFromName(name: string, singleThread?: boolean): Promise<any>
  export function buildBn128(singleThread?: boolean): Promise<any>
}

declare module 'solc' {
  const solc: { version(): string; compile(input: string): string }
  export default solc
}
