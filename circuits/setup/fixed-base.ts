// Multiples of the generator of G1 or G2 of BN254 for many scalars at once, by the prover's WebAssembly kernel.
//
// One table holds d·2^(b·j)·G for every window j of b bits and every digit d up to 2^(b−1); digits are signed. The scalars
// of a block walk through the windows together: each step is one affine addition per scalar, and all divisions of a step
// share one inversion, which makes an addition 6 field multiplications (a mixed Jacobian addition takes 11).

import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { loadKernel } from '../../engine/prover/wasm/compile.ts'
import { GROUPS, Kernel, type Address, type Group } from '../../engine/prover/wasm/kernel.ts'

/** Scalars that walk together: one batch of the kernel. */
const BLOCK_SIZE = 1024
const MAX_WINDOW_BITS = 15
/** Signed digits need one bit more than the 254 of a scalar. */
const DIGIT_BITS = 255
const SHIFTED_BYTES = 40

/** Bytes of an affine point: little-endian Montgomery coordinates, as .zkey files hold them; all zero for infinity. */
export const POINT_BYTES = { g1: GROUPS.g1.fileBytes, g2: GROUPS.g2.fileBytes } as const

/** Plain affine coordinates, those of G2 in pairs (real part, imaginary part). */
export const GENERATORS: Readonly<Record<Group, readonly bigint[]>> = {
  g1: [1n, 2n],
  g2: [
    10857046999023057135944570762232829481370756359578518086990519993285655852781n,
    11559732032986387107991004021392285783925812861821192530917403151452391805634n,
    8495653923123431417604973247489272438418190587263600148770280649306958101930n,
    4082367875863433681332203403145435568316851327593401208105741076214120093531n,
  ],
}

/**
 * The affine points scalar·G for every scalar in [0, r), one after the other. `onProgress` gets fractions in (0, 1].
 * Runs on the calling thread and gives way to other work after each block.
 */
export type MultiplyGenerator = (
  group: Group,
  scalars: readonly bigint[],
  onProgress?: (fraction: number) => void,
) => Promise<Uint8Array>

/** One multiplication at a time. `kernelDir` keeps the compiled kernel, which takes seconds the first time; only its known bytes are run. */
export async function generatorMultiplier(kernelDir = defaultKernelDir()): Promise<MultiplyGenerator> {
  const kernel = new Kernel(await loadKernel(kernelDir))
  return async (group, scalars, onProgress = () => {}) => {
    const mark = kernel.mark()
    const walker = new FixedBaseWalker(kernel, group, windowBits(scalars))
    const out = new Uint8Array(scalars.length * POINT_BYTES[group])
    for (let at = 0; at < scalars.length; at += BLOCK_SIZE) {
      const block = scalars.slice(at, at + BLOCK_SIZE)
      out.set(walker.multiply(block), at * POINT_BYTES[group])
      onProgress((at + block.length) / scalars.length)
      await nextTurn()
    }
    kernel.release(mark)
    return out
  }
}

/** Beside the system's temporary files, of this user. */
export function defaultKernelDir(): string {
  return join(tmpdir(), `attestream-${userInfo().username}`)
}

/** The width that needs the fewest additions: 2^(b−1) a window for the table, one a window and scalar that is not zero. */
function windowBits(scalars: readonly bigint[]): number {
  const count = scalars.reduce((sum, scalar) => (scalar === 0n ? sum : sum + 1), 0)
  const additions = (bits: number) => Math.ceil(DIGIT_BITS / bits) * (count + 2 ** (bits - 1))
  let best = 3
  for (let bits = 4; bits <= MAX_WINDOW_BITS; bits++) if (additions(bits) < additions(best)) best = bits
  return best
}

class FixedBaseWalker {
  private readonly kernel: Kernel
  private readonly group: Group
  private readonly bits: number
  private readonly windows: number
  /** 2^(bits−1) at each window: makes a scalar's digits unsigned. */
  private readonly shift: bigint
  private readonly table: Address
  private readonly sums: Address
  private readonly shifted: Address
  private readonly out: Address

  constructor(kernel: Kernel, group: Group, bits: number) {
    this.kernel = kernel
    this.group = group
    this.bits = bits
    this.windows = Math.ceil(DIGIT_BITS / bits)
    this.shift = Array.from({ length: this.windows }, (_, j) => 1n << BigInt(bits * j + bits - 1)).reduce(
      (a, b) => a + b,
    )
    const pointBytes = 2 * GROUPS[group].coordinateBytes
    this.sums = kernel.allocate(BLOCK_SIZE * pointBytes)
    this.shifted = kernel.allocate(BLOCK_SIZE * SHIFTED_BYTES)
    this.out = kernel.allocate(BLOCK_SIZE * POINT_BYTES[group])
    this.table = kernel.allocate(this.windows * 2 ** (bits - 1) * pointBytes)
    const generator = kernel.baseElement(...GENERATORS[group])
    kernel.callGroup(group, 'fillTable', this.table, this.windows, bits, generator)
  }

  /** Points of at most BLOCK_SIZE scalars; a view that the next call overwrites. */
  multiply(scalars: readonly bigint[]): Uint8Array {
    const { kernel, group, table, windows, bits, out, sums, shifted } = this
    const limbs = new BigUint64Array(kernel.memory.buffer, shifted, (scalars.length * SHIFTED_BYTES) / 8)
    scalars.forEach((scalar, k) => {
      const value = scalar + this.shift
      for (let limb = 0; limb < 5; limb++) limbs[5 * k + limb] = BigInt.asUintN(64, value >> BigInt(64 * limb))
    })
    kernel.callGroup(group, 'multiplyGenerator', out, sums, shifted, scalars.length, table, windows, bits)
    return kernel.bytes(out, scalars.length * POINT_BYTES[group])
  }
}
