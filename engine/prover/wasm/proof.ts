// A Groth16 proof from a key in the kernel's memory and a witness. proof-parts.ts tells how it becomes random.

import type { OnPhase } from '../progress.ts'
import { formatProof, proofRandomness, type Proven } from '../proof-parts.ts'
import type { ProofPhase } from '../prover.ts'
import { publicSignals, readWitnessValues } from '../witness-file.ts'
import { GROUPS, SCALAR_BYTES, type Address, type Group, type Kernel } from './kernel.ts'
import type { Bases, ResidentKey } from './resident-key.ts'
import { ELEMENT_BYTES } from './unrolled-field.ts'

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
  const read = (group: Group, point: Address) => kernel.readPoint(group, point)
  const proof = formatProof({ a: read('g1', a), b: read('g2', b), c: read('g1', c) })
  kernel.release(mark)
  const values = kernel.bytes(workspace.witness, (key.publics + 1) * SCALAR_BYTES)
  return { proof, publicSignals: publicSignals(values, key.publics) }
}

/** Copies the values into the workspace and checks their form. */
function readWitness({ kernel, wires, workspace }: ResidentKey, wtns: Uint8Array): void {
  const values = readWitnessValues(wtns)
  const count = values.length / SCALAR_BYTES
  if (count !== wires) throw new Error(`the witness has ${count} values; the key's circuit has ${wires} wires`)
  kernel.bytes(workspace.witness, values.length).set(values)
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
  const { inverseOfT, t, u } = proofRandomness()
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
  multiply('g1', term1, a, inverseOfT)
  kernel.bytes(0, kernel.memory.buffer.byteLength).copyWithin(a, term1, term1 + 2 * GROUPS.g1.coordinateBytes)
  kernel.release(mark)
}
