// Development setup: a Groth16 proving key made directly from a known tau, in seconds instead of the hours of a ceremony.
// INSECURE: whoever knows the seed forges proofs of anything. The file says so in its contributions section, snarkjs'
// `zkey verify` refuses it, and manifest, receipt and registry carry devSetup = true. It proves and verifies
// like any other key: same format, same prover, same verifier.

import { createHash, randomBytes } from 'node:crypto'
import { BASE_FIELD_ORDER, FIELD_ORDER } from '../../engine/core/field.ts'
import { invertField, lagrangeAt } from './field-batch.ts'
import { generatorMultiplier, POINT_BYTES } from './fixed-base.ts'
import { readR1cs, type R1cs, type R1csMatrix } from './r1cs.ts'
import { readZkeySection, writeZkey, ZKEY_SECTION } from './zkey-file.ts'

/** Stands in the contributions section of every development key, as circuit hash and as name of the only contribution. */
const DEVELOPMENT_MARK = 'DEVELOPMENT KEY - INSECURE - tau is known to whoever made it'

export interface DevelopmentKeyOptions {
  /** Same seed and circuit give the same file. Without it the seed is random and forgotten. */
  readonly seed?: string
  /** Fractions in (0, 1]. */
  readonly onProgress?: (fraction: number) => void
  /** Keeps the compiled kernel; default: a directory beside the system's temporary files. */
  readonly kernelDir?: string
}

const GROTH16 = 1
const FIELD_BYTES = 32
const HASH_BYTES = 64
const TERM_BYTES = 12 + FIELD_BYTES
/** Share of the whole time that G1 takes; G2 takes the rest. */
const G1_SHARE = 0.7

/** Writes an insecure .zkey for the circuit at `r1csPath`; the file must not exist yet. */
export async function createDevelopmentKey(
  r1csPath: string,
  zkeyPath: string,
  { seed = randomBytes(32).toString('hex'), onProgress = () => {}, kernelDir }: DevelopmentKeyOptions = {},
): Promise<void> {
  const r1cs = readR1cs(r1csPath)
  const power = domainPower(r1cs)
  const toxic = toxicWaste(seed)
  const scalars = keyScalars(r1cs, power, toxic)
  const multiply = await generatorMultiplier(kernelDir)
  const g1 = await multiply('g1', scalars.g1.flat(), (done) => onProgress(done * G1_SHARE))
  const g2 = await multiply('g2', scalars.g2.flat(), (done) => onProgress(G1_SHARE + done * (1 - G1_SHARE)))
  const [shared1, ic, a, b1, c, h] = split(g1, scalars.g1, POINT_BYTES.g1)
  const [shared2, b2] = split(g2, scalars.g2, POINT_BYTES.g2)
  writeZkey(
    zkeyPath,
    new Map([
      [ZKEY_SECTION.protocol, [uint32(GROTH16)]],
      [ZKEY_SECTION.header, header(r1cs, power, shared1!, shared2!)],
      [ZKEY_SECTION.ic, [ic!]],
      [ZKEY_SECTION.terms, [termSection(r1cs)]],
      [ZKEY_SECTION.c, [c!]],
      [ZKEY_SECTION.a, [a!]],
      [ZKEY_SECTION.b1, [b1!]],
      [ZKEY_SECTION.b2, [b2!]],
      [ZKEY_SECTION.h, [h!]],
      [ZKEY_SECTION.contributions, contributionSection(shared1!, shared2!)],
    ]),
  )
}

/** True if the .zkey file carries the mark of a development setup. Throws ZKEY_INVALID if it is no .zkey file. */
export function isDevelopmentKey(zkeyPath: string): boolean {
  const start = readZkeySection(zkeyPath, ZKEY_SECTION.contributions, HASH_BYTES)
  return start.equals(markBytes())
}

/** Smallest power with constraints + public signals + 1 ≤ 2^power, as snarkjs chooses it. */
export function domainPower(r1cs: Pick<R1cs, 'constraintCount' | 'publicCount'>): number {
  return Math.floor(Math.log2(r1cs.constraintCount + r1cs.publicCount)) + 1
}

interface ToxicWaste {
  readonly tau: bigint
  readonly alpha: bigint
  readonly beta: bigint
  readonly delta: bigint
}

function toxicWaste(seed: string): ToxicWaste {
  const draw = (name: string): bigint => {
    const hash = createHash('sha512').update(`attestream.development-key.v1:${name}:${seed}`).digest('hex')
    return (BigInt(`0x${hash}`) % (FIELD_ORDER - 1n)) + 1n
  }
  return { tau: draw('tau'), alpha: draw('alpha'), beta: draw('beta'), delta: draw('delta') }
}

/** Discrete logarithms of all points of the key; γ = 1, as after a ceremony. */
function keyScalars(r1cs: R1cs, power: number, { tau, alpha, beta, delta }: ToxicWaste) {
  const { a, b, c } = evaluateColumns(r1cs, lagrangeAt(tau, power))
  const combined = a.map((value, wire) => (beta * value + alpha * b[wire]! + c[wire]!) % FIELD_ORDER)
  const inverse = invertField(delta)
  const overDelta = (value: bigint) => (value * inverse) % FIELD_ORDER
  const ownWires = r1cs.publicCount + 1
  // H in the basis the snarkjs prover evaluates the quotient in: the odd half of twice the domain.
  const h = lagrangeAt(tau, power + 1, 1, 2).map(overDelta)
  return {
    g1: [[alpha, beta, delta], combined.slice(0, ownWires), a, b, combined.slice(ownWires).map(overDelta), h],
    g2: [[beta, 1n, delta], b],
  }
}

/** A_w(tau), B_w(tau), C_w(tau) for every wire w. Row constraintCount + s of A holds public signal s alone. */
function evaluateColumns(r1cs: R1cs, lagrange: readonly bigint[]) {
  const [a, b, c] = [r1cs.a, r1cs.b, r1cs.c].map((matrix) => evaluateMatrix(r1cs, matrix, lagrange))
  for (let signal = 0; signal <= r1cs.publicCount; signal++) a![signal]! += lagrange[r1cs.constraintCount + signal]!
  const reduce = (column: bigint[]) => column.map((value) => value % FIELD_ORDER)
  return { a: reduce(a!), b: reduce(b!), c: reduce(c!) }
}

function evaluateMatrix(r1cs: R1cs, matrix: R1csMatrix, lagrange: readonly bigint[]): bigint[] {
  const columns = new Array<bigint>(r1cs.wireCount).fill(0n)
  for (let row = 0; row < r1cs.constraintCount; row++) {
    for (let t = matrix.rowStart[row]!; t < matrix.rowStart[row + 1]!; t++) {
      const product = r1cs.coefficients[matrix.coefficient[t]!]! * lagrange[row]!
      columns[matrix.wire[t]!]! += product % FIELD_ORDER
    }
  }
  return columns
}

function header(r1cs: R1cs, power: number, g1: Uint8Array, g2: Uint8Array): Uint8Array[] {
  const [alpha1, beta1, delta1] = cut(g1, POINT_BYTES.g1)
  const [beta2, gamma2, delta2] = cut(g2, POINT_BYTES.g2)
  const sizes = [r1cs.wireCount, r1cs.publicCount, 2 ** power].map(uint32)
  return [
    ...[uint32(FIELD_BYTES), fieldBytes(BASE_FIELD_ORDER), uint32(FIELD_BYTES), fieldBytes(FIELD_ORDER), ...sizes],
    ...[alpha1!, beta1!, beta2!, gamma2!, delta1!, delta2!],
  ]
}

/** The terms of A and B that the prover multiplies with the witness: matrix, row, wire, coefficient·2^512. */
function termSection(r1cs: R1cs): Buffer {
  const count = r1cs.a.wire.length + r1cs.b.wire.length + r1cs.publicCount + 1
  const section = Buffer.alloc(4 + count * TERM_BYTES)
  const scaled = r1cs.coefficients.map((value) => fieldBytes((value << 512n) % FIELD_ORDER))
  const one = fieldBytes((1n << 512n) % FIELD_ORDER)
  let at = section.writeUInt32LE(count)
  const push = (matrix: number, row: number, wire: number, coefficient: Uint8Array) => {
    at = section.writeUInt32LE(matrix, at)
    at = section.writeUInt32LE(row, at)
    at = section.writeUInt32LE(wire, at)
    section.set(coefficient, at)
    at += FIELD_BYTES
  }
  for (let row = 0; row < r1cs.constraintCount; row++) {
    for (const [id, matrix] of [r1cs.a, r1cs.b].entries()) {
      for (let t = matrix.rowStart[row]!; t < matrix.rowStart[row + 1]!; t++) {
        push(id, row, matrix.wire[t]!, scaled[matrix.coefficient[t]!]!)
      }
    }
  }
  for (let signal = 0; signal <= r1cs.publicCount; signal++) push(0, r1cs.constraintCount + signal, signal, one)
  return section
}

/** One contribution that proves nothing and names the key for what it is. */
function contributionSection(g1: Uint8Array, g2: Uint8Array): Uint8Array[] {
  const delta1 = cut(g1, POINT_BYTES.g1)[2]!
  const delta2 = cut(g2, POINT_BYTES.g2)[2]!
  const name = Buffer.from(DEVELOPMENT_MARK)
  const parameters = Buffer.concat([Buffer.of(1, name.length), name])
  const plainContribution = 0
  return [
    ...[markBytes(), uint32(1), delta1, delta1, delta1, delta2, markBytes()],
    ...[uint32(plainContribution), uint32(parameters.length), parameters],
  ]
}

function markBytes(): Buffer {
  return Buffer.from(DEVELOPMENT_MARK.padEnd(HASH_BYTES))
}

function split(points: Uint8Array, lists: readonly (readonly bigint[])[], pointBytes: number): Uint8Array[] {
  let at = 0
  return lists.map((list) => points.subarray(at, (at += list.length * pointBytes)))
}

function cut(bytes: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: bytes.length / size }, (_, i) => bytes.subarray(i * size, (i + 1) * size))
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

function fieldBytes(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(2 * FIELD_BYTES, '0'), 'hex').reverse()
}
