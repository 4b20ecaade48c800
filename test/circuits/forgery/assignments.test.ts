import { readFileSync, readdirSync } from 'node:fs'
import { describe, it, expect } from 'vitest'
import { compileModule } from '../../../circuits/compiler/index.ts'
import type { Circuit } from '../../../circuits/compiler/circuit.ts'
import type { Proven, Refined } from '../../../circuits/compiler/interval.ts'
import { isAttestreamError } from '../../../engine/core/errors.ts'
import { randomApplet } from '../compiler/random-program.ts'
import { families } from './families.ts'

const LIB = new URL('../../../circuits/lib/', import.meta.url)
/** The signals of each audited file that are assigned without a constraint. */
const AUDITED: Readonly<Record<string, string[]>> = {
  'gadgets.circom': ['quotient'],
  'signature.circom': ['q', 'out', 'out', 'slope', 'second'],
}
/** Assigns without constraining. */
const UNCHECKED = /<--|-->|(?<![<=!>])=(?!=)/
const RANDOM_PROGRAMS = 60
/** How many of them the compiler takes follows its limits; about half. */
const TAKEN_AT_LEAST = 25

/** Without comments and the lines of a template's interface. */
function statements(circom: string): string[] {
  return circom
    .replace(/\/\/.*$/gm, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
}

/** Signals assigned with an arrow that constrains nothing. */
function hints(circom: string): string[] {
  return statements(circom).flatMap((line) => {
    const [, left] = /(\w+)(?:\[[^\]]*\])?\s*<--/.exec(line) ?? []
    const [, right] = /-->\s*(\w+)/.exec(line) ?? []
    const target = left ?? right
    return target === undefined ? [] : [target]
  })
}

function expectConstrained(circom: string): void {
  for (const line of statements(circom)) {
    expect(line).not.toMatch(UNCHECKED)
    expect(line).toMatch(/^(pragma|include|template Applet\(\) \{|\}|signal (input|output) [\w[\]]+;|.*<==.*;)/)
  }
}

describe('A-13 assignments that constrain nothing', () => {
  it('stand in no generated circuit', () => {
    let programs = 0
    for (const { compiled } of families()) expectConstrained(compiled.circom)
    for (let seed = 1; seed <= RANDOM_PROGRAMS; seed++) {
      try {
        expectConstrained(compileModule(randomApplet(seed)).circom)
        programs++
      } catch (error) {
        if (!isAttestreamError(error, 'APPLET_UNSUPPORTED')) throw error
      }
    }
    expect(programs).toBeGreaterThanOrEqual(TAKEN_AT_LEAST)
  })

  it('stand in the two audited files only, and constraints read what they assign', () => {
    for (const file of readdirSync(LIB)) {
      const source = readFileSync(new URL(file, LIB), 'utf8')
      const targets = hints(source)
      expect({ file, targets }).toEqual({ file, targets: AUDITED[file] ?? [] })
      for (const target of targets) {
        const constraining = statements(source).filter((line) => /<==|===/.test(line))
        expect(constraining.filter((line) => new RegExp(`\\b${target}\\b`).test(line)).length).toBeGreaterThan(0)
      }
    }
  })

  it('would be seen', () => {
    expect(hints('signal quotient <-- a \\ b; // no <-- here\nx --> y;')).toEqual(['quotient', 'y'])
    expect(() => expectConstrained('    signal z0 <-- 1;')).toThrow()
    expect(() => expectConstrained('    z0 = 1;')).toThrow()
  })
})

describe('intervals of a path', () => {
  it('A-05 cannot be taken for proven ones: tsc refuses it', () => {
    const misuse = (circuit: Circuit, refined: Refined): Proven => {
      // @ts-expect-error A refined interval never sizes a gadget.
      circuit.note(circuit.range(circuit.check(undefined as never)), refined)
      // @ts-expect-error Nor does a pair of bounds that nobody proved.
      const made: Proven = { lo: 0n, hi: 1n }
      // @ts-expect-error Nor is it assigned.
      return made.hi > 0n ? refined : made
    }
    expect(misuse).toBeTypeOf('function')
  })
})
