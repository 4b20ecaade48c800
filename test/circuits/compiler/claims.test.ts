// Controls break one thing that the compiler relies on, and the audit must notice; vi.mock wraps the real functions.
import { afterEach, describe, expect, it, vi } from 'vitest'
import { parseAppletAbi } from '../../../engine/core/applet.ts'
import { Circuit } from '../../../circuits/compiler/circuit.ts'
import * as facts from '../../../circuits/compiler/facts.ts'
import { proven } from '../../../circuits/compiler/interval.ts'
import * as states from '../../../circuits/compiler/state.ts'
import { I32, i32Const, localGet, localSet, memoryAccess } from '../../wasm-builder.ts'
import { buildTestApplet, fields } from './applet-module.ts'
import { auditApplet } from './audit.ts'

vi.mock('../../../circuits/compiler/facts.ts', { spy: true })
vi.mock('../../../circuits/compiler/state.ts', { spy: true })
const genuine = await vi.importActual<typeof facts>('../../../circuits/compiler/facts.ts')
const genuineStates = await vi.importActual<typeof states>('../../../circuits/compiler/state.ts')

afterEach(() => {
  vi.mocked(facts.learn).mockImplementation(genuine.learn)
  vi.mocked(facts.commonKnowledge).mockImplementation(genuine.commonKnowledge)
  vi.mocked(states.assume).mockImplementation(genuineStates.assume)
  vi.restoreAllMocks()
})

const EMPTY = 0x40
const x = [...localGet(0), ...memoryAccess(0x28, 0)]

/** if (x >= 10) y = 100 / (x − 9); then a load behind a check of the index, after both arms met. */
const wasm = buildTestApplet({
  reading: fields('u8:5'),
  locals: [I32],
  data: [{ offset: 8192, bytes: [3, 1, 4, 1, 5, 9, 2, 6] }],
  code: [
    ...[...x, ...i32Const(10), 0x4f, 0x04, EMPTY],
    ...[...i32Const(100), ...x, ...i32Const(9), 0x6b, 0x6e, ...localSet(1)],
    ...[0x05, ...x, ...i32Const(5), 0x4b, 0x04, EMPTY, ...i32Const(7), ...localSet(1), 0x0b, 0x0b],
    ...[...x, ...i32Const(8), 0x4f, 0x04, EMPTY, ...localGet(1), 0x0f, 0x0b],
    ...[...x, ...memoryAccess(0x2d, 8192), ...localGet(1), 0x6a],
  ],
})

function firstFalseClaim(): string | undefined {
  const { check } = auditApplet(wasm)
  const { state, config } = parseAppletAbi(wasm)
  for (let value = 0n; value < 32n; value++) {
    try {
      check({
        enabled: true,
        reading: [value],
        state: state.map(() => 0n),
        config: config.map(() => 0n),
        anchorTime: 0n,
      })
    } catch (error) {
      return (error as Error).message
    }
  }
  return undefined
}

describe('the audit of what the compiler believes', () => {
  it('A-05 A-07 finds nothing false, in claims of every kind', () => {
    expect(firstFalseClaim()).toBeUndefined()
    const kinds = new Set(auditApplet(wasm).claims.map(({ what }) => what))
    for (const kind of ['signal', 'interval', 'fact', 'path knowledge', 'exclusive predicates', 'bits', 'product'])
      expect(kinds).toContain(kind)
  })

  it('notices a path that learns too much', () => {
    vi.mocked(facts.learn).mockImplementation((known, list, range) => {
      const wrong = list.map((fact) => (fact.kind === 'atMost' ? { ...fact, bound: fact.bound - 1n } : fact))
      return genuine.learn(known, wrong, range)
    })
    expect(firstFalseClaim()).toMatch(/false claim \(path (not taken|knowledge)\)/)
  })

  it('notices knowledge of one path that outlives a merge', () => {
    vi.mocked(facts.commonKnowledge).mockImplementation((known) => known)
    expect(firstFalseClaim()).toMatch(/false claim \(path knowledge\)/)
  })

  it('notices a fact that its bit does not imply', () => {
    const implied = Circuit.prototype.implied
    vi.spyOn(Circuit.prototype, 'implied').mockImplementation(function (this: Circuit, bit, value) {
      const wrong = (bound: bigint, kind: string): bigint => (kind === 'atLeast' ? bound + 1n : bound)
      return implied.call(this, bit, value).map((fact) => ({ ...fact, bound: wrong(fact.bound, fact.kind) }))
    })
    expect(firstFalseClaim()).toMatch(/false claim \((path not taken|path knowledge)\)/)
  })

  it('notices an interval noted too narrow', () => {
    const { note } = Circuit.prototype
    vi.spyOn(Circuit.prototype, 'note').mockImplementation(function (this: Circuit, lc, { lo, hi }) {
      note.call(this, lc, hi - lo > 20n ? proven(lo, hi - 9n) : proven(lo, hi))
    })
    expect(firstFalseClaim()).toMatch(/false claim \(interval\)|does not fit|quotient of/)
  })

  it('A-07 notices that both arms of a branch are taken', () => {
    vi.mocked(states.assume).mockImplementation((circuit, state, bit, value) => {
      const next = genuineStates.assume(circuit, state, bit, value)
      return next === undefined || value ? next : { ...next, predicate: state.predicate }
    })
    expect(firstFalseClaim()).toMatch(/false claim \((exclusive predicates|path knowledge)\)/)
  })
})
