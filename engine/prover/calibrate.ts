// An estimate of the proof time on this machine: ffjavascript's arithmetic, timed now on a small scale in a second or two, scaled to a
// snarkjs proof of a circuit, and from there to one by our own prover. It knows what Groth16 does (four multi-exponentiations over the
// wires, one over the domain, six transforms) and how ffjavascript cuts scalars into windows. It counts processor time, so it means a
// core that the proof has for itself.

import { loadGroth16 } from './groth16.ts'

/** Most wires are bits and many points of a key are at infinity. Measured: energy-meter, 31,244 constraints, 5.8 s a proof. */
const SHARE_OF_ADDITIONS = 0.62

/** What our prover takes of snarkjs' time for one key and witness: `npm run bench:prove`. */
const SHARE_OF_SNARKJS = 0.25

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

const CALIBRATION_POWER = 11
const REPETITIONS = 3
const SCALAR_BITS = 256
/** ffjavascript's window in bits by log2 of the number of points. */
const WINDOW_BITS = [1, 1, 1, 1, 2, 3, 4, 5, 6, 7, 7, 8, 9, 10, 11, 12, 13, 13, 14, 15, 16, 16, 17] as const

interface Group {
  readonly g: Uint8Array
  timesFr(point: Uint8Array, scalar: Uint8Array): Uint8Array
  toAffine(point: Uint8Array): Uint8Array
  multiExpAffine(points: Uint8Array, scalars: Uint8Array): Promise<Uint8Array>
}

interface Curve {
  readonly G1: Group
  readonly G2: Group
  readonly Fr: { fft(values: Uint8Array): Promise<Uint8Array>; e(value: bigint): Uint8Array }
}

/** Times the prover's arithmetic on one thread, the best of three. */
export async function measureMachine(): Promise<MachineSpeed> {
  await loadGroth16()
  const curve = (globalThis as unknown as { curve_bn128: Curve }).curve_bn128
  const size = 2 ** CALIBRATION_POWER
  const values = repeated(size, (i) => curve.Fr.e(scalar(i)))
  const scalars = repeated(size, (i) => littleEndian(scalar(i)))
  const adds = multiExpAdds(size)
  const timeGroup = (group: Group) => {
    const points = repeated(size, (i) => group.toAffine(group.timesFr(group.g, curve.Fr.e(BigInt(i + 1)))))
    return bestMs(() => group.multiExpAffine(points, scalars))
  }
  return {
    g1AddMs: (await timeGroup(curve.G1)) / adds,
    g2AddMs: (await timeGroup(curve.G2)) / adds,
    butterflyMs: (await bestMs(() => curve.Fr.fft(values))) / butterflies(CALIBRATION_POWER),
  }
}

/** Milliseconds of one proof by the default prover on one thread, without its witness. */
export function estimateProveMs({ wires, power }: CircuitSize, speed: MachineSpeed): number {
  const overWires = multiExpAdds(wires)
  const g1Adds = 3 * overWires + multiExpAdds(2 ** power)
  const additionsMs = SHARE_OF_ADDITIONS * (g1Adds * speed.g1AddMs + overWires * speed.g2AddMs)
  return SHARE_OF_SNARKJS * (additionsMs + 6 * butterflies(power) * speed.butterflyMs)
}

/** Per window one addition for each point, and two for each bucket. */
function multiExpAdds(points: number): number {
  const window = WINDOW_BITS[Math.min(Math.floor(Math.log2(points)), WINDOW_BITS.length - 1)]!
  return Math.ceil(SCALAR_BITS / window) * (points + 2 * 2 ** window)
}

function butterflies(power: number): number {
  return (2 ** power / 2) * power
}

async function bestMs(work: () => Promise<unknown>): Promise<number> {
  let best = Infinity
  for (let round = 0; round < REPETITIONS; round++) {
    const { user, system } = process.cpuUsage()
    await work()
    const after = process.cpuUsage()
    best = Math.min(best, (after.user + after.system - user - system) / 1000)
  }
  return best
}

/** Scalars of full width without randomness. */
function scalar(i: number): bigint {
  return (
    ((BigInt(i + 1) * 0x9e3779b97f4a7c15f39cc0605cedc8341082276bf3a27251f86c6a11d0c18e95n) >> 4n) & ((1n << 253n) - 1n)
  )
}

function littleEndian(value: bigint): Uint8Array {
  return Buffer.from(value.toString(16).padStart(64, '0'), 'hex').reverse()
}

function repeated(count: number, element: (i: number) => Uint8Array): Uint8Array {
  return Buffer.concat(Array.from({ length: count }, (_, i) => element(i)))
}
