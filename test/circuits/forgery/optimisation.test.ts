/**
 * circom's simplification removes constraints and wires. For the same applets compiled without it (--O0) and with it (--O2, the
 * product's), every assignment of O2's wires must be accepted by both or by neither: the wires that O2 has dropped are solved
 * from O0's constraints, which leave them no choice.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, it, expect } from 'vitest'
import { CIRCOM_OUTPUT, collectSources } from '../../../circuits/circom.ts'
import { randomSource } from '../compiler/applet-module.ts'
import { CACHE_DIR } from '../lib/toy.ts'
import { mutationsOf, wireMutations } from './mutations.ts'
import { everyInput, families } from './families.ts'
import type { Subject } from './subjects.ts'
import { compileSubjects } from './subjects.ts'
import type { Form, System } from './system.ts'
import { inverse, modulo, valueOfForm } from './system.ts'
import { Target } from './target.ts'

const NAMES = [
  'div_u',
  'rotl',
  'lt_s and ge_u',
  'width of State',
  'trap on order',
  'loop with an exit',
  'symbolic store',
]
const INPUTS = 3
const optimised = new Map<string, Target>()
const plain = new Map<string, Subject>()
let directory = ''

beforeAll(async () => {
  const programs = families().filter(({ name }) => NAMES.includes(name))
  for (const subject of await compileSubjects(programs)) optimised.set(subject.name, new Target(subject))
  for (const subject of await compileSubjects(programs, compilePlain)) plain.set(subject.name, subject)
}, 600_000)

afterAll(() => {
  rmSync(directory, { recursive: true, force: true })
})

function compilePlain(main: string): Promise<{ r1cs: string }> {
  mkdirSync(CACHE_DIR, { recursive: true })
  directory = mkdtempSync(join(CACHE_DIR, '.plain-'))
  for (const [path, text] of collectSources({ 'main.circom': main })) {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), text)
  }
  const cli = createRequire(import.meta.url).resolve('circom2/cli.js')
  const options = ['main.circom', '--r1cs', '--sym', '--O0', '-l', '.', '-o', '.']
  execFileSync(process.execPath, [cli, ...options], { cwd: directory, stdio: 'pipe' })
  return Promise.resolve({ r1cs: join(directory, CIRCOM_OUTPUT.r1cs) })
}

/** The values of all wires, solved one after the other from constraints that leave a single one open. */
function extended(system: System, known: ReadonlyMap<number, bigint>): bigint[] {
  const values: (bigint | undefined)[] = Array.from({ length: system.wireCount }, (_, wire) => known.get(wire))
  values[0] = 1n
  const queue = system.constraints.map((_, k) => k)
  for (let k = queue.pop(); k !== undefined; k = queue.pop()) {
    const solved = solve(system.constraints[k]!, values)
    if (solved === undefined) continue
    values[solved.wire] = solved.value
    queue.push(...system.touching[solved.wire]!)
  }
  return values.map((value, wire) => {
    if (value === undefined) throw new Error(`wire ${wire} stays open`)
    return value
  })
}

/** a·b = c where only c, or only one of a and b beside a constant, holds the open wire. */
function solve(
  { a, b, c }: { a: Form; b: Form; c: Form },
  values: readonly (bigint | undefined)[],
): { wire: number; value: bigint } | undefined {
  const openOf = (form: Form): number[] => [...form.keys()].filter((wire) => values[wire] === undefined)
  const open = new Set([a, b, c].flatMap(openOf))
  const [wire] = open
  if (open.size !== 1 || wire === undefined || (a.has(wire) && b.has(wire))) return undefined
  const filled = values.map((value) => value ?? 0n)
  const [left, right, result] = [a, b, c].map((form) => valueOfForm(form, filled))
  const factor = modulo((a.get(wire) ?? 0n) * right! + (b.get(wire) ?? 0n) * left! - (c.get(wire) ?? 0n))
  if (factor === 0n) return undefined
  return { wire, value: modulo((result! - left! * right!) * inverse(factor)) }
}

/** Whether O0 accepts an assignment of O2's wires. */
function isAcceptedPlain(target: Target, values: readonly bigint[]): boolean {
  const { system, names } = plain.get(target.subject.name)!
  const known = new Map(target.subject.names.map((label, wire) => [names.indexOf(label), values[wire]!]))
  return system.violated(extended(system, known)) === -1
}

describe.each(NAMES)('the circuit of "%s" before and after simplification', (name) => {
  it('A-13 accepts the same: honest witnesses, and of the forged ones none that the other refuses', () => {
    const target = optimised.get(name)!
    const { prover, subject } = target
    const random = randomSource(13)
    const inputs = everyInput(subject.compiled)
    expect(plain.get(name)!.system.constraints.length).toBeGreaterThan(subject.system.constraints.length)
    const seen = { accepted: 0, refused: 0 }
    for (let k = 0; k < INPUTS; k++) {
      const slots = prover.honest(inputs[(k * 37 + 9) % inputs.length]!)
      const honest = target.wires(slots)
      expect([subject.system.violated(honest), isAcceptedPlain(target, honest)]).toEqual([-1, true])
      const forced = [...subject.names.keys()].filter((wire) => wire > 0)
      const list = prover.ir.items.flatMap((_, index) => mutationsOf(prover, index, slots, random))
      for (const mutation of [...list, ...wireMutations(forced, honest)]) {
        const { changed } = target.judge(subject.system, slots, honest, mutation.overrides, mutation.wires)
        const forged = honest.map((value, wire) => changed.get(wire) ?? value)
        const isAccepted = subject.system.violated(forged) === -1
        expect(isAcceptedPlain(target, forged), [...changed.keys()].map((wire) => subject.names[wire]).join(' ')).toBe(
          isAccepted,
        )
        seen[isAccepted ? 'accepted' : 'refused']++
      }
    }
    expect(seen.refused).toBeGreaterThan(50)
  })

  it('A-13 would not if a needed check had been removed', () => {
    const target = optimised.get(name)!
    const { prover, subject } = target
    const honest = target.wires(prover.honest(everyInput(subject.compiled)[9]!))
    const wire = subject.names.findIndex((label) => /^[bm]\d/.test(label))
    const weakened = subject.system.without(...subject.system.touching[wire]!)
    const forged = honest.map((value, k) => (k === wire ? modulo(value + 2n) : value))
    expect([weakened.violated(forged), isAcceptedPlain(target, forged)]).toEqual([-1, false])
  })
})
