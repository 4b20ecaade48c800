// An estimate of the proof time on this machine: the kernel's own sums and transforms, timed now on a small scale in some hundred
// milliseconds and scaled to a circuit by the number of additions and butterflies that a Groth16 proof takes. It counts processor time,
// so it means a core that the proof has for itself.

import { GENERATORS } from '../../circuits/setup/fixed-base.ts'
import { GROUPS, Kernel, SCALAR_BYTES, type Group } from './wasm/kernel.ts'
import { ELEMENT_BYTES } from './wasm/unrolled-field.ts'

/** The other wires of a batch circuit are 0 or ±1, or their point is at infinity. Fitted to `npm run bench:prove`. */
const SHARE_OF_WIRES = 0.62

export interface CircuitSize {
  readonly wires: number
  /** The evaluation domain has 2^power elements. */
  readonly power: number
}

export interface MachineSpeed {
  /** Milliseconds of one addition inside a multi-exponentiation. */
  readonly g1AddMs: number
  readonly g2AddMs: number
  /** Milliseconds of one butterfly of a transform. */
  readonly butterflyMs: number
}

const POWER = 11
const SIZE = 2 ** POWER
/** A table of the generator's multiples with that many points. */
const TABLE = { windows: 8, bits: 9 } as const
const REPETITIONS = 3
/** As kernel/msm.ts chooses windows. */
const DIGIT_BITS = 254
const WINDOW_COUNTS = Array.from({ length: 49 }, (_, k) => 16 + k)

/** Times the kernel's arithmetic on this thread, the best of three. */
export function measureMachine(module: WebAssembly.Module): MachineSpeed {
  const kernel = new Kernel(module)
  return { g1AddMs: addMs(kernel, 'g1'), g2AddMs: addMs(kernel, 'g2'), butterflyMs: butterflyMs(kernel) }
}

/** Milliseconds of one proof by the default prover on one thread, without its witness. */
export function estimateProveMs({ wires, power }: CircuitSize, speed: MachineSpeed): number {
  const overWires = additions(SHARE_OF_WIRES * wires)
  const sumsMs = (2 * overWires + additions(2 ** power)) * speed.g1AddMs + overWires * speed.g2AddMs
  return sumsMs + 6 * butterflies(power) * speed.butterflyMs
}

function addMs(kernel: Kernel, group: Group): number {
  const pointBytes = 2 * GROUPS[group].coordinateBytes
  const points = kernel.allocate(SIZE * pointBytes)
  kernel.callGroup(group, 'fillTable', points, TABLE.windows, TABLE.bits, kernel.baseElement(...GENERATORS[group]))
  const [indices, scalars] = [kernel.allocate(SIZE * 4), kernel.allocate(SIZE * SCALAR_BYTES)]
  for (let k = 0; k < SIZE; k++) {
    kernel.words(indices, SIZE)[k] = k
    kernel.writeScalar(scalars + k * SCALAR_BYTES, fullWidth(k))
  }
  const sum = kernel.allocate(pointBytes)
  const scratch = kernel.allocate(kernel.callGroup(group, 'msmBytes', SIZE))
  return bestMs(() => kernel.callGroup(group, 'msm', sum, SIZE, points, indices, scalars, scratch)) / additions(SIZE)
}

function butterflyMs(kernel: Kernel): number {
  const [values, factors] = [kernel.allocate(SIZE * ELEMENT_BYTES), kernel.allocate((SIZE / 2) * ELEMENT_BYTES)]
  kernel.call('fillFactors', factors, kernel.fieldElement(fullWidth(0)), POWER)
  return bestMs(() => kernel.call('spread', values, POWER, factors)) / butterflies(POWER)
}

/** One for each window and point, and some for each bucket. */
function additions(points: number): number {
  const costs = WINDOW_COUNTS.map((count) => {
    const bits = Math.floor((DIGIT_BITS + count - 1) / count)
    return count * (points + 2.2 * 2 ** (bits - 1) + 40 * Math.sqrt(2 ** bits))
  })
  return Math.min(...costs)
}

function butterflies(power: number): number {
  return (2 ** power / 2) * power
}

function bestMs(work: () => unknown): number {
  const times = Array.from({ length: REPETITIONS }, () => {
    const before = process.cpuUsage()
    work()
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1000
  })
  return Math.min(...times)
}

/** Scalars below the order, without randomness. */
function fullWidth(k: number): bigint {
  return (BigInt(k + 1) * 0x9e3779b97f4a7c15f39cc0605cedc8341082276bf3a27251f86c6a11d0c18e95n) & ((1n << 253n) - 1n)
}
