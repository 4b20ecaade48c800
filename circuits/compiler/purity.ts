/**
 * Every reading starts from the memory and globals as they were after instantiation, natively and in the circuit. So an applet that
 * expects something to last between readings would be proven, and be wrong: it is refused here, with the line that writes.
 *
 * Refused are stores into records other than State, and a module-level variable or array whose starting value verify may read as
 * well as change. Memory that is written before it is read, and what verify allocates itself, is scratch.
 */
import type { AppletAbi } from '../../engine/core/applet.ts'
import { RECORD_ADDRESS, RECORD_BYTES } from '../../engine/core/applet.ts'
import { storageBits } from '../../engine/core/layout.ts'
import type { WasmModule } from '../../engine/core/wasm.ts'
import type { Location } from './ir.ts'
import type { Lc } from './lc.ts'
import { refuse } from './refusal.ts'

const RECORDS_END = RECORD_ADDRESS.context + RECORD_BYTES
/** What asc's stub runtime aligns objects to; its pointer to free memory lies before the next object's header of 4 bytes. */
const HEAP_ALIGNMENT = 16n
const HEAP_HEADER_BYTES = 4n

/** An instance as it is after its start function. */
interface Pristine {
  readonly memory: { readonly image: Uint8Array }
  readonly globals: readonly Lc[]
}

/** What verify does to memory and globals, written down by the executor as it goes. */
export class Effects {
  readonly #image: Uint8Array
  readonly #globals: readonly Lc[]
  readonly #state: { from: number; to: number }
  readonly #heap: { global: number; from: number }
  readonly #writes = new Map<number, Location>()
  readonly #reads = new Set<number>()
  readonly #globalWrites = new Map<number, Location>()
  readonly #globalReads = new Set<number>()
  readonly #startOnSomePath = new Set<string>()

  constructor(module: WasmModule, abi: AppletAbi, { memory: { image }, globals }: Pristine) {
    this.#image = image
    this.#globals = globals
    const ends = abi.state.map(({ offset, type }) => offset + storageBits(type) / 8)
    this.#state = { from: RECORD_ADDRESS.state, to: RECORD_ADDRESS.state + Math.max(0, ...ends) }
    this.#heap = findHeap(module, image, globals)
  }

  /** A store of `size` bytes that a path may make. Throws APPLET_UNSUPPORTED where only State may be written. */
  wrote(address: number, size: number, value: Lc, at: Location): void {
    const { from, to } = this.#state
    const inState = address >= from && address + size <= to
    if (inState) return
    if (address < RECORDS_END) throw writesRecord(address, at)
    for (let k = 0; k < size && address + k < this.#heap.from; k++) {
      if (value.isConstant && byteOf(value.constant, k) === this.#image[address + k]) continue
      if (!this.#writes.has(address + k)) this.#writes.set(address + k, at)
    }
  }

  /** A load of a byte that holds, or on some path still holds, its starting value. */
  readStart(address: number): void {
    this.#reads.add(address)
  }

  wroteGlobal(index: number, value: Lc, at: Location): void {
    if (index === this.#heap.global || value.key === this.#globals[index]!.key) return
    if (!this.#globalWrites.has(index)) this.#globalWrites.set(index, at)
  }

  readGlobal(index: number, value: Lc): void {
    if (this.#isStart(index, value)) this.#globalReads.add(index)
  }

  /** Paths meet: a global that some of them left alone may still have its starting value. */
  mergedGlobals(paths: readonly (readonly Lc[])[], merged: readonly Lc[]): void {
    merged.forEach((value, index) => {
      if (paths.some((globals) => this.#isStart(index, globals[index]!)))
        this.#startOnSomePath.add(`${index} ${value.key}`)
    })
  }

  #isStart(index: number, value: Lc): boolean {
    return value.key === this.#globals[index]!.key || this.#startOnSomePath.has(`${index} ${value.key}`)
  }

  /** Throws APPLET_UNSUPPORTED at the first write to what starts anew with every reading although verify reads it. */
  check(): void {
    for (const [index, at] of this.#globalWrites) if (this.#globalReads.has(index)) throw startsAnew(at)
    for (const [address, at] of this.#writes) if (this.#reads.has(address)) throw startsAnew(at)
  }
}

/** The stub runtime's pointer to free memory: everything from there on is zero. Without one, no memory counts as free. */
function findHeap(module: WasmModule, image: Uint8Array, globals: readonly Lc[]): { global: number; from: number } {
  const used = BigInt(image.findLastIndex((byte) => byte !== 0))
  const global = globals.findLastIndex(
    ({ constant }, index) =>
      module.globals[index]!.mutable &&
      constant > used &&
      constant >= BigInt(RECORDS_END) &&
      constant < BigInt(image.length) &&
      (constant + HEAP_HEADER_BYTES) % HEAP_ALIGNMENT === 0n,
  )
  return { global, from: global < 0 ? Infinity : Number(globals[global]!.constant) }
}

function byteOf(value: bigint, index: number): number {
  return Number((value >> BigInt(8 * index)) & 0xffn)
}

function writesRecord(address: number, at: Location): Error {
  const record = (['reading', 'config', 'context'] as const).find(
    (name) => address >= RECORD_ADDRESS[name] && address < RECORD_ADDRESS[name] + RECORD_BYTES,
  )
  const shown = record === undefined ? 'memory outside of State' : record[0]!.toUpperCase() + record.slice(1)
  return refuse(
    at,
    `this writes to ${shown}, and only State lasts`,
    'Every reading comes with its own records. Compute in a local variable: `let value = reading.value`.',
  )
}

function startsAnew(at: Location): Error {
  return refuse(
    at,
    'this variable starts anew with every reading, so what is written here is lost',
    'A proof covers each reading from the same start. Keep what has to last as a field of State; declare scratch inside verify.',
  )
}
