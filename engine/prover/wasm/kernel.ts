// One instance of the WebAssembly kernel and its memory. The kernel allocates nothing: space is given out here, from low to high,
// and taken back all at once down to a mark. A ceiling on the memory is kept here too.

import { BASE_FIELD_ORDER, FIELD_ORDER } from '../../core/field.ts'
import { ELEMENT_BYTES } from './unrolled-field.ts'

/** Address in the kernel's memory. */
export type Address = number

type Call = (...parameters: number[]) => number

export interface KernelExports {
  readonly memory: WebAssembly.Memory
  readonly [name: string]: Call | WebAssembly.Memory
}

/** Names of a group's functions and the size of its points. */
export const GROUPS = {
  g1: { coordinateBytes: ELEMENT_BYTES, fileBytes: 64, suffix: '1' },
  g2: { coordinateBytes: 2 * ELEMENT_BYTES, fileBytes: 128, suffix: '2' },
} as const
export type Group = keyof typeof GROUPS

export const SCALAR_BYTES = 32
const PAGE_BYTES = 65536

export class Kernel {
  readonly memory: WebAssembly.Memory
  private readonly exports: Record<string, Call>
  private readonly ceilingBytes: number
  private top: Address

  constructor(module: WebAssembly.Module, ceilingBytes = 2 ** 32) {
    const { exports } = new WebAssembly.Instance(module)
    this.exports = exports as Record<string, Call>
    this.memory = exports.memory as WebAssembly.Memory
    this.ceilingBytes = Math.min(ceilingBytes, 2 ** 32 - PAGE_BYTES)
    this.top = this.call('heapBase')
  }

  /** Calls a function of kernel/index.ts. */
  call(name: string, ...parameters: number[]): number {
    return this.exports[name]!(...parameters)
  }

  /** Calls the function of this name for a group. */
  callGroup(group: Group, name: string, ...parameters: number[]): number {
    return this.call(name + GROUPS[group].suffix, ...parameters)
  }

  /** Space for so many bytes; throws if it would pass the ceiling. */
  allocate(sizeBytes: number): Address {
    const address = this.top
    const end = Math.ceil((address + sizeBytes) / 8) * 8
    if (end > this.ceilingBytes) {
      throw new Error(`it needs ${megabytes(end)} MB; the ceiling is ${megabytes(this.ceilingBytes)} MB`)
    }
    const missing = end - this.memory.buffer.byteLength
    if (missing > 0) this.grow(Math.ceil(missing / PAGE_BYTES))
    this.top = end
    return address
  }

  mark(): Address {
    return this.top
  }

  /** Gives back all that was allocated since the mark. */
  release(mark: Address): void {
    this.top = mark
  }

  /** A view of the memory until it grows. */
  bytes(address: Address, sizeBytes: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, address, sizeBytes)
  }

  words(address: Address, count: number): Uint32Array {
    return new Uint32Array(this.memory.buffer, address, count)
  }

  /** Writes an integer in [0, 2^256), little-endian. */
  writeScalar(address: Address, value: bigint): void {
    const bytes = this.bytes(address, SCALAR_BYTES)
    for (let k = 0; k < SCALAR_BYTES; k++, value >>= 8n) bytes[k] = Number(value & 255n)
  }

  readScalar(address: Address): bigint {
    return BigInt(`0x${Buffer.from(this.bytes(address, SCALAR_BYTES)).reverse().toString('hex')}`)
  }

  /** A new element of the scalar field. */
  fieldElement(value: bigint): Address {
    return this.elements('toField', [value], FIELD_ORDER)
  }

  /** A new element of the base field, or, of two values, of its extension; of all coordinates, a point. */
  baseElement(...values: readonly bigint[]): Address {
    return this.elements('toBaseField', values, BASE_FIELD_ORDER)
  }

  /** Plain coordinates of an affine point, those of G2 in pairs; undefined at infinity. */
  readPoint(group: Group, point: Address): bigint[] | undefined {
    const { coordinateBytes, fileBytes } = GROUPS[group]
    const mark = this.mark()
    const plain = this.allocate(fileBytes)
    this.call('storePoint', plain, point, coordinateBytes)
    const values = Array.from({ length: fileBytes / SCALAR_BYTES }, (_, k) => this.readScalar(plain + k * SCALAR_BYTES))
    this.release(mark)
    return values.some((value) => value !== 0n) ? values : undefined
  }

  private elements(convert: string, values: readonly bigint[], order: bigint): Address {
    const address = this.allocate(values.length * ELEMENT_BYTES)
    const plain = this.allocate(SCALAR_BYTES)
    for (const [k, value] of values.entries()) {
      this.writeScalar(plain, ((value % order) + order) % order)
      this.call(convert, address + k * ELEMENT_BYTES, plain)
    }
    this.release(plain)
    return address
  }

  private grow(pages: number): void {
    try {
      this.memory.grow(pages)
    } catch (cause) {
      throw new Error(`the system has no ${megabytes(pages * PAGE_BYTES)} MB more for it`, { cause })
    }
  }
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20)
}
