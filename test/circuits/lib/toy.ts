// A hand-written applet circuit for testing the circuits around the applet by themselves: circuits/lib must hold whatever
// the applet compiler emits, and its tests must not fail because of the compiler. Product circuits are always compiled.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { WitnessCalculatorBuilder } from 'circom_runtime'
import { vi } from 'vitest'
import { buildCompiledCircuit, type CircuitArtefacts, type CompiledApplet } from '../../../circuits/build.ts'
import type { AppletAbi } from '../../../engine/core/applet.ts'
import { batchRoot, messageHashes, type Batch } from '../../../engine/core/batch.ts'
import { applyResults, slotJobs, type SlotResult } from '../../../engine/core/execution.ts'
import { frameFormat, signFrame, type Frame } from '../../../engine/core/frame.ts'
import { EMPTY_LEAF, deviceLeaf, identityRoot } from '../../../engine/core/identity.ts'
import { configHash, journalSignals, packLanes, type Journal } from '../../../engine/core/journal.ts'
import type { Layout, RawRecord } from '../../../engine/core/layout.ts'
import { ledgerHash, type LedgerPage } from '../../../engine/core/ledger.ts'
import { publicKey } from '../../../engine/core/signature.ts'
import { circuitInput, type CircuitInput } from '../../../engine/core/witness.ts'

export const COHORT_SIZE = 4
export const CACHE_DIR = join(import.meta.dirname, '../../../build/test-circuits')

export interface Toy extends CompiledApplet {
  /** Units, or undefined to reject; the model of the circom text. */
  verify(reading: RawRecord, state: RawRecord, config: RawRecord): { units: bigint; state: bigint[] } | undefined
}

const u32 = (name: string, offset: number) => ({ name, type: 'u32', bits: 32, offset }) as const
const u64 = (name: string, offset: number) => ({ name, type: 'u64', bits: 64, offset }) as const
const APPLET_ID = `0x${'70'.repeat(32)}` as const

function abi(reading: Layout, state: Layout, config: Layout, maxUnitsPerFrame: bigint): AppletAbi {
  const optional = [state.length > 0 ? (['state'] as const) : [], config.length > 0 ? (['config'] as const) : []]
  return { parameters: ['reading', ...optional.flat()], reading, state, config, maxUnitsPerFrame }
}

/** Pays `value`, keeps time and a 64-bit total; a value above the limit or an overflowing total is a trap. */
export const meterToy: Toy = {
  appletId: APPLET_ID,
  abi: abi(
    [u32('timeSec', 0), u32('value', 4)],
    [u32('lastTimeSec', 0), u64('total', 8)],
    [u32('limit', 0)],
    10_000_000_000n,
  ),
  verify([timeSec, value], [, total], [limit]) {
    if (value! > limit! || total! + value! >= 1n << 64n) return undefined
    return { units: value!, state: [timeSec!, total! + value!] }
  },
  circom: `pragma circom 2.1.0;
include "circomlib/circuits/bitify.circom";
include "circomlib/circuits/comparators.circom";
template Applet() {
    signal input enabled;
    signal input reading[2];
    signal input state[2];
    signal input config[1];
    signal input anchorTime;
    signal output accepted;
    signal output units;
    signal output nextState[2];
    signal timeBits[32] <== Num2Bits(32)(reading[0]);
    signal valueBits[32] <== Num2Bits(32)(reading[1]);
    signal above <== LessThan(32)([config[0], reading[1]]);
    signal totalBits[65] <== Num2Bits(65)(state[1] + reading[1]);
    signal passes <== (1 - above) * (1 - totalBits[64]);
    accepted <== enabled * passes;
    units <== accepted * reading[1];
    nextState[0] <== state[0] + accepted * (reading[0] - state[0]);
    nextState[1] <== state[1] + units;
}
`,
}

/** No State, no Config: pays 1 for an even value, at most 1 per frame. */
export const evenToy: Toy = {
  appletId: APPLET_ID,
  abi: abi([u32('value', 0)], [], [], 1n),
  verify([value]) {
    return { units: value! % 2n === 0n ? 1n : 0n, state: [] }
  },
  circom: `pragma circom 2.1.0;
include "circomlib/circuits/bitify.circom";
template Applet() {
    signal input enabled;
    signal input reading[1];
    signal input anchorTime;
    signal output accepted;
    signal output units;
    signal valueBits[32] <== Num2Bits(32)(reading[0]);
    accepted <== enabled;
    units <== enabled * (1 - valueBits[0]);
}
`,
}

/** Constraints of one toy applet of meterToy: 32 + 32 + 33 + 65 + 4. */
export const METER_TOY_CONSTRAINTS = 166

export function buildToy(toy: Toy, frameSize: number): Promise<CircuitArtefacts> {
  return buildCompiledCircuit(toy, {
    cohortSize: COHORT_SIZE,
    frameSize,
    cacheDir: CACHE_DIR,
    setup: { kind: 'development', seed: 'test' },
  })
}

/** A device's part of a test batch; null for a slot without a frame. */
export interface TestFrame {
  readonly sequence: bigint
  readonly readings: readonly RawRecord[]
}

export interface TestBatch {
  readonly frames: readonly (TestFrame | null)[]
  readonly page: LedgerPage
  readonly config: RawRecord
}

export const DOMAIN = 0x1234n
export const secretKey = (slot: number) => new Uint8Array(32).fill(slot + 1)
export const deviceId = (slot: number) => 1000n + BigInt(slot)
/** Slot 3 is empty unless a frame needs it. */
export const leafOf = (slot: number) => deviceLeaf(publicKey(secretKey(slot)), deviceId(slot))

/** Everything honest about a batch: journal, inputs of the circuit, expected units. */
export function makeBatch(toy: Toy, frameSize: number, { frames, page, config }: TestBatch) {
  const format = frameFormat(toy.abi.reading, frameSize)
  const signed = frames.map((frame, slot) =>
    frame ? signFrame(format, DOMAIN, { deviceId: deviceId(slot), ...frame }, secretKey(slot)) : null,
  )
  return finishBatch(toy, frameSize, signed, page, config)
}

export function finishBatch(
  toy: Toy,
  frameSize: number,
  frames: readonly (Frame | null)[],
  page: LedgerPage,
  config: RawRecord,
) {
  const format = frameFormat(toy.abi.reading, frameSize)
  const batch: Batch = { cohort: 0, frames }
  const keys = frames.map((_, slot) => publicKey(secretKey(slot)))
  const leaves = frames.map((frame, slot) => (frame || slot < 3 ? leafOf(slot) : EMPTY_LEAF))
  const results = slotJobs(batch, page).map((job) => foldToy(toy, job.readings, job.state, config))
  const { pageAfter, unitsBySlot } = applyResults(batch, page, results, toy.abi.maxUnitsPerFrame)
  const journal: Journal = {
    identityRoot: identityRoot(leaves),
    ledgerBefore: ledgerHash(toy.abi.state, page),
    ledgerAfter: ledgerHash(toy.abi.state, pageAfter),
    batchRoot: batchRoot(messageHashes(format, DOMAIN, batch)),
    configHash: configHash(toy.abi.config, config),
    deviceDomain: DOMAIN,
    anchorTime: 1_700_000_000n,
    binding: 987654321n,
    lanes: packLanes(unitsBySlot),
  }
  const reading = toy.abi.reading
  const input = circuitInput({ reading, frameSize, batch, keys, leaves, pageBefore: page, config, journal })
  return { input, journal, unitsBySlot, pageAfter, signals: journalSignals(journal) }
}

function foldToy(toy: Toy, readings: readonly RawRecord[], state: RawRecord, config: RawRecord): SlotResult {
  const outcomes = []
  let current = state
  for (const reading of readings) {
    const outcome = toy.verify(reading, current, config)
    outcomes.push(outcome)
    current = outcome?.state ?? current
  }
  return {
    units: outcomes.map((outcome) => outcome?.units ?? 0n),
    accepted: outcomes.map((outcome) => outcome !== undefined),
    nextState: current,
  }
}

/** A circuit's witness calculator that also says where an input was refused. */
export interface Calculator {
  /** Values of all wires; throws if the inputs violate a constraint. */
  witness(input: CircuitInput): Promise<bigint[]>
  /** A .wtns file. */
  witnessFile(input: CircuitInput): Promise<Uint8Array>
  /** The templates, innermost first, in which the inputs are refused; empty if they are accepted. */
  refusal(input: CircuitInput): Promise<string[]>
}

export async function createCalculator(witnessWasm: string): Promise<Calculator> {
  const calculator = await WitnessCalculatorBuilder(readFileSync(witnessWasm))
  let seen = '' // circom_runtime repeats the messages of earlier refusals
  return {
    witness: (input) => calculator.calculateWitness(input, 1),
    witnessFile: (input) => calculator.calculateWTNSBin(input, 1),
    async refusal(input) {
      const log = vi.spyOn(console, 'error').mockImplementation(() => {})
      try {
        await calculator.calculateWitness(input, 1)
        return []
      } catch (error) {
        const message = (error as Error).message.replace(/^.*?Assert Failed\. /s, '')
        const fresh = message.slice(seen.length)
        seen = message
        return [...fresh.matchAll(/template (\w+?)_\d+ /g)].map(([, template]) => template!)
      } finally {
        log.mockRestore()
      }
    },
  }
}

/** The inputs with one value replaced: `path` is a signal name and indices. */
export function withInput(input: CircuitInput, path: readonly (string | number)[], value: bigint): CircuitInput {
  const copy = structuredClone(input) as Record<string, unknown>
  let parent = copy as Record<string | number, unknown>
  for (const step of path.slice(0, -1)) parent = parent[step] as Record<string | number, unknown>
  parent[path.at(-1)!] = value.toString()
  return copy as unknown as CircuitInput
}
