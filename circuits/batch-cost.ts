// What a batch circuit costs, from the applet's records and its constraints per reading: no circom run. The constraints are exact, as
// tests show against circom; wires and terms, which the size of the proving key follows from, are estimates within a few per cent.

import type { AppletAbi } from '../engine/core/applet.ts'
import { wordCount, type Layout } from '../engine/core/layout.ts'
import { publicSignalCount, type BatchShape } from './batch-circuit.ts'
import { domainPower } from './setup/development-key.ts'
import { POINT_BYTES } from './setup/fixed-base.ts'

/** Constraints, and the terms of their A and B sides. */
export interface Cost {
  readonly constraints: number
  readonly terms: number
}

export interface BatchCost extends Cost {
  readonly wires: number
  /** The setup needs 2^power powers of tau. */
  readonly power: number
  readonly provingKeyBytes: number
}

/** circomlib's Poseidon of 1 to 16 inputs at --O2, each compiled alone: constraints and terms. */
const POSEIDON: readonly (readonly [constraints: number, terms: number])[] = [
  [213, 639],
  [240, 954],
  [261, 1287],
  [297, 6864],
  [321, 7287],
  [354, 8358],
  [381, 9075],
  [402, 9402],
  [417, 9339],
  [459, 11265],
  [465, 10581],
  [504, 12381],
  [543, 14322],
  [537, 12714],
  [573, 14427],
  [609, 16248],
]
/** A constant input needs no S-box in the first round. */
const CONSTANT_INPUT = 3
const SPONGE_RATE = 15
/** A bit b has b·(b − 1) = 0, and most other constraints are as short. */
const SHORT_TERMS = 3
/** FrameSignature and, beside its Poseidon, LeafBinding: circuits/lib says the constraints; the terms were counted. */
const SIGNATURE: Cost = { constraints: 3_119, terms: 20_900 }
const LEAF_BINDING = 1
const FRAME_NUMBER_BITS = 128
const SLOT_RULE = 133
const UNITS_BITS = 38
const UNITS_COMPARISON = 40
const ANCHORED_VALUES = 41
/** A public signal that equals a constant. */
const CONSTANT_CONFIG_HASH = 1
/** Counted on circuits of 24,000 to 42,000 constraints: 0.991 to 0.998. */
const WIRES_PER_CONSTRAINT = 0.994
const TERM_BYTES = 44
const HEADER_BYTES = 1_500

/** One line of a batch's bill, which has it `times` times. */
export interface CostPart extends Cost {
  readonly part: string
  readonly per: 'reading' | 'slot' | 'batch'
  readonly times: number
}

/** The circuit of `shape` for an applet with these records, of which one reading costs `reading`. */
export function batchCost(abi: AppletAbi, reading: Cost, shape: BatchShape): BatchCost {
  const { constraints, terms } = sum(...batchParts(abi, reading, shape).map((part) => times(part.times, part)))
  const publicCount = publicSignalCount(shape.cohortSize)
  const wires = Math.round(constraints * WIRES_PER_CONSTRAINT)
  const power = domainPower({ constraintCount: constraints, publicCount })
  return { constraints, terms, wires, power, provingKeyBytes: provingKeyBytes({ wires, terms, power, publicCount }) }
}

/** The bill of that circuit: readings, what each slot has, and what the batch has once. */
export function batchParts(abi: AppletAbi, reading: Cost, { cohortSize, frameSize }: BatchShape): CostPart[] {
  const times = { reading: cohortSize * frameSize, slot: cohortSize, batch: 1 }
  const bill = (per: CostPart['per'], parts: Readonly<Record<string, Cost>>): CostPart[] =>
    Object.entries(parts).map(([part, cost]) => ({ part, per, times: times[per], ...cost }))
  return [
    ...bill('reading', { 'a reading, by the applet': reading }),
    ...bill('slot', slotParts(abi, frameSize)),
    ...bill('batch', pageParts(abi, cohortSize)),
  ].filter(({ constraints }) => constraints > 0)
}

/** One device: its frame, the sequence rule, State's ranges, saturation. */
function slotParts({ reading, state, maxUnitsPerFrame }: AppletAbi, R: number): Record<string, Cost> {
  const words = R * wordCount(reading)
  const saturates = maxUnitsPerFrame < BigInt(R) * (2n ** 32n - 1n)
  const isCount = 2 * R + 1
  const entry = 1
  return {
    signature: SIGNATURE,
    "device's leaf": sum(short(LEAF_BINDING), poseidon(3)),
    'message hash': poseidon(5, 1),
    'hash of the readings': sponge(words),
    'deviceId and sequence in 64 bits': short(FRAME_NUMBER_BITS),
    'sequence rule': short(SLOT_RULE + R),
    'count of readings, empty places': short(isCount + words + entry),
    "State's ranges": short(totalBits(state)),
    'sum and cap of units': short(UNITS_BITS + (saturates ? UNITS_COMPARISON : 0)),
  }
}

/** What a batch has once. */
function pageParts({ state, config }: AppletAbi, D: number): Record<string, Cost> {
  const hasState = state.length > 0
  const page = sum(sponge(Math.ceil(D / 3)), sponge(D * wordCount(state)), poseidon(2, hasState ? 0 : 1))
  const configHash = config.length > 0 ? sponge(wordCount(config)) : short(CONSTANT_CONFIG_HASH)
  return {
    'identity tree': times(D - 1, poseidon(2)),
    'batch root': sponge(D),
    'ledger pages before and after': times(2, page),
    'Config: ranges and hash': sum(short(totalBits(config)), configHash),
    'anchored values': short(ANCHORED_VALUES),
  }
}

/** The sponge of circuits/lib, whose first input is a constant; of no words it is a constant and costs nothing. */
function sponge(words: number): Cost {
  const chunks = Array.from({ length: Math.ceil(words / SPONGE_RATE) }, (_, i) =>
    Math.min(SPONGE_RATE, words - i * SPONGE_RATE),
  )
  return sum(...chunks.map((size, i) => poseidon(size + 1, i === 0 ? 1 : 0)))
}

function poseidon(inputs: number, constants = 0): Cost {
  const [constraints, terms] = POSEIDON[inputs - 1]!
  return { constraints: constraints - constants * CONSTANT_INPUT, terms }
}

function short(constraints: number): Cost {
  return { constraints, terms: SHORT_TERMS * constraints }
}

function times(count: number, { constraints, terms }: Cost): Cost {
  return { constraints: count * constraints, terms: count * terms }
}

function sum(...costs: readonly Cost[]): Cost {
  const none: Cost = { constraints: 0, terms: 0 }
  return costs.reduce((a, b) => ({ constraints: a.constraints + b.constraints, terms: a.terms + b.terms }), none)
}

function totalBits(layout: Layout): number {
  return layout.reduce((total, { bits }) => total + bits, 0)
}

interface KeyShape {
  readonly wires: number
  readonly terms: number
  readonly power: number
  readonly publicCount: number
}

/** A .zkey file holds the terms, for each wire three points in G1 and one in G2, and a point in G1 for each of the domain. */
function provingKeyBytes({ wires, terms, power, publicCount }: KeyShape): number {
  const { g1, g2 } = POINT_BYTES
  const publicRows = publicCount + 1
  return wires * (3 * g1 + g2) + 2 ** power * g1 + (terms + publicRows) * TERM_BYTES + HEADER_BYTES
}
