/**
 * An applet's input and output are records in its memory. What it reads where, how often and how far beyond a record's end is
 * the same for the runner, the compiler and circom's constraints, and it cannot give out anything but what they commit to.
 */
import { beforeAll, describe, it, expect } from 'vitest'
import type { AppletInputs } from '../../../circuits/compiler/index.ts'
import { compileApplet, interpret } from '../../../circuits/compiler/index.ts'
import { compileApplet as compileForRunner, runCompiledBatch } from '../../../engine/runner/run.ts'
import { i32Const, localGet, memoryAccess } from '../../wasm-builder.ts'
import { buildTestApplet, fields, randomInputs, randomSource } from '../compiler/applet-module.ts'
import { compileSubjects } from './subjects.ts'
import { modulo } from './system.ts'
import { Target } from './target.ts'
import { proveUnique } from './uniqueness.ts'

const [READING, STATE] = [localGet(0), localGet(1)]
const [LOAD, LOAD_BYTE, STORE] = [0x28, 0x2d, 0x36]
const ADD = 0x6a
const load = (offset: number): number[] => [...READING, ...memoryAccess(LOAD, offset)]
/** The reading lies at 0 and 8 of its record, State 1,024 bytes after the reading; 65,536 − 1,024 is the first byte beyond memory. */
const RECORD_BYTES = 1024
const BEYOND_MEMORY = 65_536 - 1024
const RECORDS = { reading: fields('u32', 'u8:5'), state: fields('u32') }
const keep = (value: number[]): number[] => [...STATE, ...value, ...memoryAccess(STORE, 0)]

type Expected = (f0: bigint, f1: bigint, state: bigint) => { units: bigint; next: bigint } | undefined

const u32 = (value: bigint): bigint => BigInt.asUintN(32, value)
const CASES: Record<string, [code: number[], expected: Expected]> = {
  'twice and out of order': [
    [...keep([...load(8), ...load(0), 0x6b]), ...load(0), ...load(8), ADD, ...load(0), ADD],
    (f0, f1) => ({ units: u32(f0 + f1 + f0), next: u32(f1 - f0) }),
  ],
  'again after State was written': [
    [...keep(load(0)), ...load(0), ...load(RECORD_BYTES), ADD],
    (f0) => ({ units: u32(f0 + f0), next: f0 }),
  ],
  'beyond its fields, where memory is 0': [
    [...load(4), ...load(9), ADD, ...load(RECORD_BYTES - 4), ADD, ...load(0), ADD],
    (f0, _f1, state) => ({ units: f0, next: state }),
  ],
  'beyond its record, where State lies': [
    [...load(RECORD_BYTES)],
    (_f0, _f1, state) => ({ units: state, next: state }),
  ],
  'across the end of its record': [
    [...load(RECORD_BYTES - 2)],
    (_f0, _f1, state) => ({ units: u32(state << 16n), next: state }),
  ],
  'at a place that the reading chooses, within or beyond its fields': [
    [...READING, ...load(8), ADD, ...memoryAccess(LOAD_BYTE, 0)],
    (f0, f1, state) => ({ units: f1 < 4n ? (f0 >> (8n * f1)) & 255n : f1 === 8n ? f1 : 0n, next: state }),
  ],
  'across the end of memory': [[...keep(load(0)), ...load(BEYOND_MEMORY - 3)], () => undefined],
}
const programs = Object.entries(CASES).map(([name, [code]]) => {
  const wasm = buildTestApplet({ ...RECORDS, code })
  return { name, wasm, compiled: compileApplet(wasm) }
})
const targets = new Map<string, Target>()

beforeAll(async () => {
  for (const subject of await compileSubjects(programs)) targets.set(subject.name, new Target(subject))
}, 600_000)

describe.each(programs)('a reading that is read $name', ({ name, wasm, compiled }) => {
  const random = randomSource(14)
  const samples: AppletInputs[] = Array.from({ length: 24 }, () => ({
    ...randomInputs(random, compiled.abi),
    enabled: true,
  }))

  it('A-14 is the same in the runner and in the circuit', () => {
    const applet = compileForRunner(wasm)
    const target = targets.get(name)!
    for (const inputs of samples) {
      const [f0, f1, state] = [...inputs.reading, ...inputs.state] as [bigint, bigint, bigint]
      const result = CASES[name]![1](f0, f1, state)
      const expected = [result === undefined ? 0n : 1n, result?.units ?? 0n, result?.next ?? state]
      const slot = { state: inputs.state, readings: [inputs.reading] }
      const run = runCompiledBatch(applet, { config: [], anchorTimeSec: inputs.anchorTime, slots: [slot] }).slots[0]!
      expect([run.accepted[0] ? 1n : 0n, run.units[0], ...run.nextState]).toEqual(expected)
      const { accepted, units, nextState } = interpret(compiled.ir, inputs)
      expect([accepted ? 1n : 0n, units, ...nextState]).toEqual(expected)
      const honest = target.wires(target.prover.honest(inputs))
      expect(target.subject.system.violated(honest)).toBe(-1)
      expect(target.outputs.map((wire) => honest[wire])).toEqual(expected)
    }
  })

  it('A-14 leaves no other output to emit', () => {
    const target = targets.get(name)!
    const { system } = target.subject
    const { unique } = proveUnique(system, target.inputs)
    expect(target.outputs.map((wire) => unique[wire])).toEqual(target.outputs.map(() => 1))
    const honest = target.wires(target.prover.honest(samples[0]!))
    for (const wire of target.outputs) {
      const forged = honest.map((value, k) => (k === wire ? modulo(value + 1n) : value))
      expect(system.violated(forged)).not.toBe(-1)
    }
  })
})

describe('a reading that is written', () => {
  it.each([
    ['in its fields', 0],
    ['between them', 4],
    ['after them', 16],
  ])('A-14 is refused: %s', (_where, offset) => {
    const code = [...READING, ...i32Const(7), ...memoryAccess(STORE, offset), ...load(0)]
    expect(() => compileApplet(buildTestApplet({ ...RECORDS, code }))).toThrow(
      expect.objectContaining({ code: 'APPLET_UNSUPPORTED', message: expect.stringMatching('Reading') as string }),
    )
  })
})
