// The kernel for tests, compiled once into build/, and what reads and writes its memory as plain integers.

import { bn254 } from '@noble/curves/bn254.js'
import fc from 'fast-check'
import { BASE_FIELD_ORDER, FIELD_ORDER } from '../../../../engine/core/field.ts'
import { loadKernel } from '../../../../engine/prover/wasm/compile.ts'
import { GROUPS, Kernel, SCALAR_BYTES, type Address, type Group } from '../../../../engine/prover/wasm/kernel.ts'
import { KERNEL_CACHE } from './kernel-cache.ts'

export const kernelModule = await loadKernel(KERNEL_CACHE)

export const newKernel = () => new Kernel(kernelModule)

/** Elements with the special ones often among them. */
export const elements = (order: bigint) =>
  fc.oneof(
    { weight: 3, arbitrary: fc.bigInt({ min: 0n, max: order - 1n }) },
    { weight: 1, arbitrary: fc.constantFrom(0n, 1n, 2n, order - 1n, order - 2n, (order - 1n) / 2n, (order + 1n) / 2n) },
    // Limbs of all ones and of zeros.
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 253 }).map((bits) => ((1n << BigInt(bits)) - 1n) % order) },
  )
export const scalars = elements(FIELD_ORDER)
export const coordinates = elements(BASE_FIELD_ORDER)

const G1 = bn254.G1.Point
const G2 = bn254.G2.Point

/** An affine point as a list of coordinates; undefined at infinity. */
export type Plain = readonly bigint[] | undefined

/** scalar·generator by noble-curves. */
export function multiple(group: Group, scalar: bigint): Plain {
  const reduced = ((scalar % FIELD_ORDER) + FIELD_ORDER) % FIELD_ORDER
  if (reduced === 0n) return undefined
  if (group === 'g1') {
    const { x, y } = G1.BASE.multiply(reduced).toAffine()
    return [x, y]
  }
  const { x, y } = G2.BASE.multiply(reduced).toAffine()
  return [x.c0, x.c1, y.c0, y.c1]
}

export function writePoint(kernel: Kernel, group: Group, point: Plain): Address {
  if (point) return kernel.baseElement(...point)
  const address = kernel.allocate(2 * GROUPS[group].coordinateBytes)
  kernel.call('storeInfinity', address)
  return address
}

export function writeScalars(kernel: Kernel, values: readonly bigint[]): Address {
  const address = kernel.allocate(values.length * SCALAR_BYTES)
  values.forEach((value, k) => kernel.writeScalar(address + k * SCALAR_BYTES, value))
  return address
}

/** Runs with a kernel's memory and gives back what was allocated. */
export function withMemory<T>(kernel: Kernel, run: () => T): T {
  const mark = kernel.mark()
  try {
    return run()
  } finally {
    kernel.release(mark)
  }
}
