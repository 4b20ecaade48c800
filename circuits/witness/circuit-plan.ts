// The plan of a circuit's witness in the form that the kernel carries out, made from circom's .r1cs and .sym files.

import { readFileSync } from 'node:fs'
import { FIELD_ORDER } from '../../engine/core/field.ts'
import { parseR1cs, type R1cs } from '../setup/r1cs.ts'
import type { Digit } from './digits.ts'
import { derivePlan } from './plan.ts'
import { extendR1cs, poseidonRows } from './poseidon-rows.ts'
import type { Part, Step } from './steps.ts'
import { readSymbols, type Symbols } from './symbols.ts'

/** Numbers in the order of engine/prover/wasm/kernel/witness.ts. */
export interface CircuitPlan {
  /** Of the circuit; a witness has as many values. */
  readonly wireCount: number
  /** With those that only the plan uses. */
  readonly planWires: number
  /** Rows of the circuit; the others only help the plan. */
  readonly ownRows: number
  readonly rowCount: number
  /** Of all rows of A, then B, then C, then the end. */
  readonly rowStart: Uint32Array
  /** Wire and coefficient number of each term. */
  readonly terms: Uint32Array
  /** The first two are 1 and −1. */
  readonly coefficients: readonly bigint[]
  readonly steps: Uint32Array
  /** Most divisions that share an inversion. */
  readonly widestStep: number
  /** Wires of the circuit's inputs by name, arrays flattened. */
  readonly inputs: Readonly<Record<string, readonly number[]>>
}

const FIELD_MINUS_ONE = FIELD_ORDER - 1n
const STEP = { solve: 1, divide: 2, isZero: 3, digits: 4, quotient: 5 } as const
const SIDE = { a: 0, b: 1, product: 2 } as const
const OF_QUOTIENT = 0x100
const COMPLEMENT = 0x200
const WHOLE = 0x400

/** Undefined if the circuit holds a structure that no step knows. Throws R1CS_INVALID for files that are none. */
export function planCircuit(r1csPath: string, symbolsPath: string): CircuitPlan | undefined {
  const file = readFileSync(r1csPath)
  const own = parseR1cs(file)
  const symbols = readSymbols(symbolsPath)
  const inputs = inputWires(file, own, symbols)
  const { rows, wireCount } = poseidonRows(own, symbols.permutations)
  const extended = extendR1cs(own, rows, wireCount)
  const derived = derivePlan(extended, Object.values(inputs).flat(), own.constraintCount)
  if (derived.missing.some((wire) => wire < own.wireCount)) return undefined
  const r1cs = extendR1cs(extended, derived.added, derived.wireCount)
  const { steps } = derived
  const table = new CoefficientNumbers(r1cs.coefficients)
  return {
    wireCount: own.wireCount,
    planWires: r1cs.wireCount,
    ownRows: own.constraintCount,
    rowCount: r1cs.constraintCount,
    ...flatten(r1cs, table),
    steps: Uint32Array.from(steps.flatMap((step) => encodeStep(step, table))),
    coefficients: table.values,
    widestStep: steps.reduce((most, step) => Math.max(most, step.kind === 'divide' ? step.divisions.length : 0), 0),
    inputs,
  }
}

/** Main's inputs: circom numbers wires 1, outputs, public inputs, private inputs, the rest. */
function inputWires(file: Buffer, { publicCount }: R1cs, { names }: Symbols): Record<string, number[]> {
  const { outputs, privates } = readCounts(file)
  const inputs: Record<string, number[]> = {}
  for (let wire = outputs + 1; wire <= publicCount + privates; wire++) {
    const name = /^main\.(\w+)(\[\d+\])*$/.exec(names[wire] ?? '')?.[1]
    if (name === undefined) throw new Error(`wire ${wire} is an input without a name`)
    ;(inputs[name] ??= []).push(wire)
  }
  return inputs
}

function readCounts(file: Buffer): { outputs: number; privates: number } {
  let at = 12
  while (file.readUInt32LE(at) !== 1) at += 12 + Number(file.readBigUInt64LE(at + 4))
  return { outputs: file.readUInt32LE(at + 52), privates: file.readUInt32LE(at + 60) }
}

class CoefficientNumbers {
  readonly values: bigint[] = [1n, FIELD_MINUS_ONE]
  private readonly numbers = new Map<bigint, number>([
    [1n, 0],
    [FIELD_MINUS_ONE, 1],
  ])
  /** Number of each entry of the constraint system's table. */
  readonly ofTable: Uint32Array

  constructor(table: readonly bigint[]) {
    this.ofTable = Uint32Array.from(table, (value) => this.number(value))
  }

  number(value: bigint): number {
    let number = this.numbers.get(value)
    if (number === undefined) this.numbers.set(value, (number = this.values.push(value) - 1))
    return number
  }
}

function flatten({ a, b, c, constraintCount }: R1cs, { ofTable }: CoefficientNumbers) {
  const matrices = [a, b, c]
  const rowStart = new Uint32Array(3 * constraintCount + 1)
  const terms = new Uint32Array(2 * matrices.reduce((sum, { wire }) => sum + wire.length, 0))
  let before = 0
  for (const [m, matrix] of matrices.entries()) {
    for (let row = 0; row <= constraintCount; row++)
      rowStart[m * constraintCount + row] = before + matrix.rowStart[row]!
    matrix.wire.forEach((wire, t) => {
      terms[2 * (before + t)] = wire
      terms[2 * (before + t) + 1] = ofTable[matrix.coefficient[t]!]!
    })
    before += matrix.wire.length
  }
  return { rowStart, terms }
}

function encodeStep(step: Step, table: CoefficientNumbers): number[] {
  const kind = STEP[step.kind]
  const number = (value: bigint) => table.number(value)
  switch (step.kind) {
    case 'solve':
      return [kind, step.row, step.wire, number(step.factor)]
    case 'divide': {
      const divisions = step.divisions.flatMap(({ row, wire, side, factor }) => [row, wire, SIDE[side], number(factor)])
      return [kind, step.divisions.length, ...divisions]
    }
    case 'isZero': {
      const { row, factor, zero, zeroSide, zeroFactor, wire } = step
      return [kind, row, number(factor), zero, SIDE[zeroSide], number(zeroFactor), wire]
    }
    case 'digits': {
      const { row, side, factor, constant, digits } = step
      const parts = digits.digits.filter(({ wire }) => wire !== 0).flatMap((digit) => encodeDigit(digit))
      const numbers = [factor, constant, digits.lowest, digits.divisor].map(number)
      return [kind, row, SIDE[side], ...numbers, parts.length / 2, ...parts]
    }
    case 'quotient': {
      const { row, divisorSide, divisorFactor, dividendFactor, quotient, remainder } = step
      const parts = [
        ...quotient.flatMap((part) => encodePart(part, OF_QUOTIENT)),
        ...remainder.flatMap((part) => encodePart(part, 0)),
      ]
      return [kind, row, SIDE[divisorSide], number(divisorFactor), number(dividendFactor), parts.length / 2, ...parts]
    }
  }
}

function encodeDigit({ wire, position, ofQuotient, complement }: Digit): number[] {
  return [wire, position | (ofQuotient ? OF_QUOTIENT : 0) | (complement ? COMPLEMENT : 0)]
}

function encodePart({ wire, bit }: Part, flag: number): number[] {
  return [wire, flag | (bit === 'whole' ? WHOLE : bit)]
}
