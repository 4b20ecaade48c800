// A Groth16 proof from a key in the kernel's memory and a witness. The kernel computes the proof for the randomness r = s = 0, which
// needs no B in G1, and the result is made random afterwards with public means only:
//
//   A' = A/t   B' = t·B + t·u·δ   C' = C + u·A      with t ≠ 0 and u uniform
//
// e(A', B') = e(A, B)·e(A, δ)^u and e(C', δ) = e(C, δ)·e(A, δ)^u, so the equation holds as before; A' is uniform, B' is uniform
// given A', and the equation leaves one C': the distribution is that of Groth16's own randomness, with the same zero knowledge.

import { randomBytes } from 'node:crypto'
import { FIELD_ORDER } from '../../core/field.ts'
import type { Groth16Proof } from '../../core/seal.ts'
import type { OnPhase } from '../progress.ts'
import type { ProofPhase } from '../prover.ts'
import { GROUPS, SCALAR_BYTES, type Address, type Group, type Kernel } from './kernel.ts'
import { power, type Bases, type ResidentKey } from './resident-key.ts'
import { containerOf } from './sections.ts'
import { ELEMENT_BYTES } from './unrolled-field.ts'

const WTNS = { header: 1, values: 2 } as const
const WTNS_HEADER_BYTES = 40

export interface Proven {
  readonly proof: Groth16Proof & { readonly protocol: 'groth16'; readonly curve: 'bn128' }
  readonly publicSignals: readonly string[]
}

/**
 * Proves a witness given as the bytes of a .wtns file. Throws an Error if they are no witness of this circuit. Whether the witness
 * satisfies the constraints is not looked at: the proof of one that does not satisfies no verifier.
 */
export function proveWitness(key: ResidentKey, wtns: Uint8Array, onPhase: OnPhase = () => {}): Proven {
  const { kernel, bases, workspace } = key
  onPhase('quotient')
  readWitness(key, wtns)
  computeQuotient(key)
  const mark = kernel.mark()
  const sum = (group: Group) => kernel.allocate(2 * GROUPS[group].coordinateBytes)
  const [a, b, c, h] = [sum('g1'), sum('g2'), sum('g1'), sum('g1')]
  const multiply = (phase: ProofPhase, result: Address, { group, count, points, indices }: Bases, scalars: Address) => {
    onPhase(phase)
    kernel.callGroup(group, 'msm', result, count, points, indices, scalars, workspace.scratch)
  }
  multiply('a', a, bases.a, workspace.witness)
  multiply('b', b, bases.b2, workspace.witness)
  multiply('c', c, bases.c, workspace.witness)
  multiply('h', h, bases.h, workspace.quotient)
  kernel.callGroup('g1', 'add', a, a, key.alpha1)
  kernel.callGroup('g2', 'add', b, b, key.beta2)
  kernel.callGroup('g1', 'add', c, c, h)
  randomise(kernel, { a, b, c }, key.delta2)
  const proof = encodeProof(kernel, { a, b, c })
  kernel.release(mark)
  return { proof, publicSignals: publicSignals(key) }
}

/** Copies the values into the workspace and checks their form. */
function readWitness({ kernel, wires, workspace }: ResidentKey, wtns: Uint8Array): void {
  const file = containerOf(wtns, 'wtns', 2)
  const head = Buffer.alloc(WTNS_HEADER_BYTES)
  file.read(file.section(WTNS.header, 'header', WTNS_HEADER_BYTES), 0, head)
  const order = BigInt(`0x${Buffer.from(head.subarray(4, 36)).reverse().toString('hex')}`)
  if (head.readUInt32LE(0) !== SCALAR_BYTES || order !== FIELD_ORDER) throw new Error('the witness is not over BN254')
  const count = head.readUInt32LE(36)
  if (count !== wires) throw new Error(`the witness has ${count} values; the key's circuit has ${wires} wires`)
  const values = file.section(WTNS.values, 'values', wires * SCALAR_BYTES)
  file.read(values, 0, kernel.bytes(workspace.witness, wires * SCALAR_BYTES))
  if (kernel.readScalar(workspace.witness) !== 1n) throw new Error('the witness does not begin with 1')
}

/** The quotient's values on the odd half of twice the domain, as scalars for H. */
function computeQuotient({ kernel, wires, log, matrices, domain, workspace }: ResidentKey): void {
  const rows = 2 ** log
  const { scratch, quotient } = workspace
  const [a, b, c, witness] = [0, 1, 2, 3].map((k) => scratch + k * rows * ELEMENT_BYTES) as [
    number,
    number,
    number,
    number,
  ]
  const bad = kernel.call('loadWitness', witness, workspace.witness, wires)
  if (bad >= 0) throw new Error(`value ${bad} of the witness is not below the field's order`)
  const evaluate = (out: Address, firstRow: number) => {
    const rowStart = matrices.rowStart + firstRow * 4
    kernel.call('evaluateRows', out, rows, rowStart, matrices.terms, matrices.coefficients, witness)
  }
  evaluate(a, 0)
  evaluate(b, rows)
  kernel.call('multiplyRows', c, a, b, rows)
  for (const values of [a, b, c]) kernel.call('spread', values, log, domain.toCoefficients)
  kernel.call('scaleCosets', a, b, c, log, domain.first, domain.step)
  for (const values of [a, b, c]) kernel.call('gather', values, log, domain.toValues)
  kernel.call('joinRows', quotient, a, b, c, rows)
}

function randomise(kernel: Kernel, { a, b, c }: Record<'a' | 'b' | 'c', Address>, delta2: Address): void {
  const [t, u] = [randomScalar(), randomScalar()]
  const mark = kernel.mark()
  const scalar = kernel.allocate(SCALAR_BYTES)
  const [term1, term2] = [
    kernel.allocate(2 * GROUPS.g1.coordinateBytes),
    kernel.allocate(2 * GROUPS.g2.coordinateBytes),
  ]
  const multiply = (group: Group, result: Address, point: Address, factor: bigint) => {
    kernel.writeScalar(scalar, factor)
    kernel.callGroup(group, 'multiply', result, point, scalar)
  }
  multiply('g1', term1, a, u)
  kernel.callGroup('g1', 'add', c, c, term1)
  multiply('g2', term2, delta2, u)
  kernel.callGroup('g2', 'add', term2, term2, b)
  multiply('g2', b, term2, t)
  multiply('g1', term1, a, power(t, FIELD_ORDER - 2n))
  kernel.bytes(0, kernel.memory.buffer.byteLength).copyWithin(a, term1, term1 + 2 * GROUPS.g1.coordinateBytes)
  kernel.release(mark)
}

/** Uniform in [1, r), but for 2^-128. */
function randomScalar(): bigint {
  return 1n + (BigInt(`0x${randomBytes(48).toString('hex')}`) % (FIELD_ORDER - 1n))
}

/** As snarkjs writes it. */
function encodeProof(kernel: Kernel, { a, b, c }: Record<'a' | 'b' | 'c', Address>): Proven['proof'] {
  const coordinates = (group: Group, point: Address) => {
    const values = kernel.readPoint(group, point)
    if (!values) throw new Error('a part of the proof is the point at infinity')
    return values.map(String)
  }
  const [bx0, bx1, by0, by1] = coordinates('g2', b) as [string, string, string, string]
  return {
    pi_a: [...coordinates('g1', a), '1'],
    pi_b: [
      [bx0, bx1],
      [by0, by1],
      ['1', '0'],
    ],
    pi_c: [...coordinates('g1', c), '1'],
    protocol: 'groth16',
    curve: 'bn128',
  }
}

function publicSignals({ kernel, publics, workspace }: ResidentKey): string[] {
  return Array.from({ length: publics }, (_, k) =>
    String(kernel.readScalar(workspace.witness + (k + 1) * SCALAR_BYTES)),
  )
}
