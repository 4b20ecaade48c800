// Puts back what circom's optimiser takes out of Poseidon. It expresses a permutation's values by one another until no row of the
// partial rounds has a single unknown; the rows added here compute them round by round, as circomlib's circuit does, with wires of
// their own behind the circuit's. They are sparse too: a partial round of t values takes 3·t terms, not some t·60.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { FIELD_ORDER } from '../../engine/core/field.ts'
import type { R1cs, R1csMatrix } from '../setup/r1cs.ts'

/** Coefficient by wire; wire 0 is the constant 1. */
export type Combination = ReadonlyMap<number, bigint>

/** left · right = out, as the rows of a constraint system. */
export interface ExtraRow {
  readonly left: Combination
  readonly right: Combination
  readonly out: Combination
}

/** Wires by name within one permutation; names without a wire are absent. */
export interface Permutation {
  readonly wires: ReadonlyMap<string, number>
  /** Values of the state. */
  readonly width: number
  readonly partialRounds: number
}

interface Constants {
  readonly c: readonly bigint[]
  readonly m: readonly (readonly bigint[])[]
  readonly p: readonly (readonly bigint[])[]
  readonly s: readonly bigint[]
}

const HALF = 4
const FULL = 8

/** Rows for all permutations of a circuit; new wires are numbered from `wireCount` on. */
export function poseidonRows(r1cs: R1cs, permutations: Iterable<Permutation>): { rows: ExtraRow[]; wireCount: number } {
  const squares = squareRows(r1cs)
  const writer = new Writer(r1cs, squares)
  for (const permutation of permutations) writer.write(permutation)
  return { rows: writer.rows, wireCount: writer.wireCount }
}

/** Row whose C is a lone wire, by the wire. */
function squareRows({ c, constraintCount }: R1cs): Map<number, number> {
  const rows = new Map<number, number>()
  for (let row = 0; row < constraintCount; row++) {
    const at = c.rowStart[row]!
    if (c.rowStart[row + 1] === at + 1) rows.set(c.wire[at]!, row)
  }
  return rows
}

class Writer {
  readonly rows: ExtraRow[] = []
  wireCount: number
  private readonly r1cs: R1cs
  private readonly squares: ReadonlyMap<number, number>

  constructor(r1cs: R1cs, squares: ReadonlyMap<number, number>) {
    this.r1cs = r1cs
    this.squares = squares
    this.wireCount = r1cs.wireCount
  }

  /** From the inputs of the last full round of the first half, which rows of the circuit give, to the outputs of the last round. */
  write({ wires, width, partialRounds }: Permutation): void {
    const { c, m, p, s } = constantsOf(width)
    const inputs = range(width).map((j) => this.inputOf(wires.get(`sigmaF[${HALF - 1}][${j}].in2`)))
    if (inputs.some((input) => input === undefined)) return
    const box = (name: string, x: Combination, from = 0) => this.box(wires, name, x, from)
    const linear = (name: string, value: Combination) => this.linear(wires.get(name), value)
    const mix = (name: string, state: readonly Combination[], matrix: readonly (readonly bigint[])[], round: number) =>
      range(width).map((i) =>
        linear(
          `${name}[${i}]`,
          sum(
            state.map((x, j) => [plus(x, c[round * width + j + (round > HALF ? partialRounds : 0)]!), matrix[j]![i]!]),
          ),
        ),
      )
    let state = inputs.map((x, j) => box(`sigmaF[${HALF - 1}][${j}]`, x!, 2))
    state = mix(`mix[${HALF - 1}].out`, state, p, HALF)
    for (let round = 0; round < partialRounds; round++) {
      const first = plus(box(`sigmaP[${round}]`, state[0]!), c[(HALF + 1) * width + round]!)
      const at = (2 * width - 1) * round
      const mixed = [first, ...state.slice(1)]
      state = range(width).map((i) => {
        const name = `mixS[${round}].out[${i}]`
        if (i === 0) return linear(name, sum(mixed.map((x, j) => [x, s[at + j]!])))
        return linear(
          name,
          sum([
            [mixed[i]!, 1n],
            [first, s[at + width + i - 1]!],
          ]),
        )
      })
    }
    for (let round = HALF; round < FULL; round++) {
      const out = state.map((x, j) => box(`sigmaF[${round}][${j}]`, x))
      if (round < FULL - 1) state = mix(`mix[${round}].out`, out, m, round + 1)
    }
  }

  /** x⁵ as a wire; from = 2: x² and x⁴ are left to the circuit's rows. */
  private box(wires: ReadonlyMap<string, number>, name: string, x: Combination, from: number): Combination {
    const wire = (part: string) => wires.get(`${name}.${part}`) ?? this.wireCount++
    const [square, fourth, fifth] = [wire('in2'), wire('in4'), wire('out')].map((w) => new Map([[w, 1n]]))
    if (from === 0) {
      this.rows.push({ left: x, right: x, out: square! }, { left: square!, right: square!, out: fourth! })
    }
    this.rows.push({ left: fourth!, right: x, out: fifth! })
    return fifth!
  }

  private linear(known: number | undefined, value: Combination): Combination {
    const wire = known ?? this.wireCount++
    this.rows.push({
      left: new Map(),
      right: new Map(),
      out: sum([
        [value, 1n],
        [new Map([[wire, 1n]]), FIELD_ORDER - 1n],
      ]),
    })
    return new Map([[wire, 1n]])
  }

  /** x of the row (−x)·x = −square. */
  private inputOf(square: number | undefined): Combination | undefined {
    const row = square === undefined ? undefined : this.squares.get(square)
    if (row === undefined) return undefined
    const { b, c, coefficients } = this.r1cs
    const x = new Map<number, bigint>()
    for (let t = b.rowStart[row]!; t < b.rowStart[row + 1]!; t++) x.set(b.wire[t]!, coefficients[b.coefficient[t]!]!)
    return coefficients[c.coefficient[c.rowStart[row]!]!] === FIELD_ORDER - 1n ? x : undefined
  }
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, k) => k)
}

function plus(x: Combination, constant: bigint): Combination {
  return sum([
    [x, 1n],
    [new Map([[0, constant]]), 1n],
  ])
}

function sum(parts: readonly (readonly [Combination, bigint])[]): Combination {
  const total = new Map<number, bigint>()
  for (const [combination, factor] of parts) {
    for (const [wire, coefficient] of combination) {
      total.set(wire, ((total.get(wire) ?? 0n) + coefficient * factor) % FIELD_ORDER)
    }
  }
  return total
}

const constants = new Map<number, Constants>()
let text: string | undefined

/** circomlib's constants for a state of `width` values. */
function constantsOf(width: number): Constants {
  let known = constants.get(width)
  if (!known) {
    const read = <T>(name: string) => parseConstants(name, width) as T
    known = { c: read('POSEIDON_C'), m: read('POSEIDON_M'), p: read('POSEIDON_P'), s: read('POSEIDON_S') }
    constants.set(width, known)
  }
  return known
}

function parseConstants(name: string, width: number): unknown {
  text ??= readFileSync(createRequire(import.meta.url).resolve('circomlib/circuits/poseidon_constants.circom'), 'utf8')
  const start = text.indexOf('[', text.indexOf(`t==${width})`, text.indexOf(`function ${name}(`)))
  const list = text.slice(start, text.indexOf(';', start)).replace(/0x[0-9a-fA-F]+|\d+/g, '"$&"')
  return JSON.parse(list, (_, value: unknown) => (typeof value === 'string' ? BigInt(value) : value))
}

/** The system with rows and wires behind its own. */
export function extendR1cs(r1cs: R1cs, rows: readonly ExtraRow[], wireCount: number): R1cs {
  const coefficients = [...r1cs.coefficients]
  const indexOf = new Map(coefficients.map((value, k) => [value, k]))
  const index = (value: bigint) => {
    let k = indexOf.get(value)
    if (k === undefined) indexOf.set(value, (k = coefficients.push(value) - 1))
    return k
  }
  const extend = ({ rowStart, wire, coefficient }: R1csMatrix, side: keyof ExtraRow): R1csMatrix => {
    const [starts, wires, numbers] = [[] as number[], [] as number[], [] as number[]]
    for (const row of rows) {
      for (const [of, value] of row[side]) {
        if (value === 0n) continue
        wires.push(of)
        numbers.push(index(value))
      }
      starts.push(wire.length + wires.length)
    }
    return { rowStart: joined(rowStart, starts), wire: joined(wire, wires), coefficient: joined(coefficient, numbers) }
  }
  const [a, b, c] = [extend(r1cs.a, 'left'), extend(r1cs.b, 'right'), extend(r1cs.c, 'out')]
  return { ...r1cs, wireCount, constraintCount: r1cs.constraintCount + rows.length, coefficients, a, b, c }
}

function joined(first: Uint32Array, second: readonly number[]): Uint32Array {
  const both = new Uint32Array(first.length + second.length)
  both.set(first)
  both.set(second, first.length)
  return both
}
