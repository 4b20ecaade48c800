// The constraint system that the compiler writes itself, judged by circom's of the same applet.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { groth16 } from 'snarkjs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildApplet } from '../../../applets/build.ts'
import { CIRCOM_OUTPUT, collectSources, compileCircom } from '../../../circuits/circom.ts'
import { directR1cs } from '../../../circuits/compiler/direct-r1cs.ts'
import { compileApplet, interpret, type AppletInputs, type CompiledApplet } from '../../../circuits/compiler/index.ts'
import { createDevelopmentKey } from '../../../circuits/setup/development-key.ts'
import { exportVerifyingKey } from '../../../circuits/setup/export-verifying-key.ts'
import { parseR1cs, readR1cs } from '../../../circuits/setup/r1cs.ts'
import { FIELD_ORDER } from '../../../engine/core/field.ts'
import { createCalculator } from '../lib/toy.ts'
import { systemOf } from '../forgery/system.ts'
import { isIdleInverse, proveUnique } from '../forgery/uniqueness.ts'
import { endSnarkjs } from '../setup/tiny.ts'
import { violatedConstraint } from '../../../circuits/setup/violated-constraint.ts'
import { randomInputs, randomSource } from './applet-module.ts'
import { flattened } from './circom-judge.ts'

/** liveness divides by a field of Config, energy-meter by a constant. */
const APPLETS = ['energy-meter', 'uptime', 'liveness'] as const
const WITNESSES = 12
const directory = mkdtempSync(join(tmpdir(), 'attestream-direct-r1cs-'))

afterAll(async () => {
  await endSnarkjs()
  rmSync(directory, { recursive: true, force: true })
})

const compiled = new Map<string, CompiledApplet>()

beforeAll(async () => {
  for (const name of APPLETS) compiled.set(name, compileApplet(await buildApplet(`applets/${name}.ts`)))
}, 120_000)

/** Random inputs, most of them rejected, and steps from a State at or shortly before them, of which some are accepted. */
function honestInputs({ abi }: CompiledApplet): AppletInputs[] {
  const random = randomSource(17)
  return Array.from({ length: WITNESSES }, (_, k) => {
    const wild = randomInputs(random, abi)
    const config = wild.config.map((value) => value || 1n)
    const at = BigInt(1_700_000_000 + random(1000))
    if (k % 2 === 0) return { ...wild, config }
    const fits = (bits: number, value: bigint) => value & ((1n << BigInt(bits)) - 1n)
    const reading = abi.reading.map(({ bits }) => fits(bits, at))
    return { enabled: true, reading, config, state: abi.state.map(() => 0n), anchorTime: at + 60n }
  })
}

/** The circuit of circom with the same public wires, compiled now, since its time is compared. */
async function circomCircuit({ abi, circom }: CompiledApplet) {
  const records = (['reading', 'state', 'config'] as const).filter((name) => abi[name].length > 0)
  const main = `component main {public [enabled, ${records.map((name) => `${name}, `).join('')}anchorTime]} = Applet();`
  const dir = mkdtempSync(join(directory, 'circom-'))
  const start = performance.now()
  await compileCircom(collectSources({ 'main.circom': `${circom}\n${main}\n` }), dir)
  const timeMs = performance.now() - start
  const calculator = await createCalculator(join(dir, CIRCOM_OUTPUT.witnessWasm))
  const witness = ({ enabled, anchorTime, ...rest }: AppletInputs): Promise<bigint[]> => {
    const arrays = Object.fromEntries(records.map((name) => [name, rest[name].map(String)]))
    const input = { enabled: enabled ? '1' : '0', anchorTime: anchorTime.toString(), ...arrays }
    return calculator.witness(input as never)
  }
  return { r1cs: readR1cs(join(dir, CIRCOM_OUTPUT.r1cs)), witness, timeMs }
}

describe('the direct constraint system', () => {
  for (const name of APPLETS) {
    it(
      `of ${name} has the public wires of circom's and the same outputs, and no more rows but one an output`,
      { timeout: 60_000 },
      async () => {
        const applet = compiled.get(name)!
        const start = performance.now()
        const direct = directR1cs(applet.ir)
        const directMs = performance.now() - start
        const judge = await circomCircuit(applet)
        console.log(`${name}: direct ${directMs.toFixed(0)} ms, circom ${judge.timeMs.toFixed(0)} ms`)
        const r1cs = parseR1cs(Buffer.from(direct.file))
        const outputs = 2 + applet.abi.state.length
        expect(r1cs.constraintCount).toBe(direct.constraintCount)
        expect(r1cs.constraintCount).toBe(applet.stats.constraints + outputs)
        expect(r1cs.publicCount).toBe(judge.r1cs.publicCount)
        expect(r1cs.constraintCount).toBeLessThanOrEqual(judge.r1cs.constraintCount + outputs)
        for (const inputs of honestInputs(applet)) {
          const [own, theirs] = [direct.witness(inputs), await judge.witness(inputs)]
          expect(own).toHaveLength(r1cs.wireCount)
          expect(own.slice(0, r1cs.publicCount + 1)).toEqual(theirs.slice(0, r1cs.publicCount + 1))
          expect(own.slice(1, 1 + outputs)).toEqual(flattened([interpret(applet.ir, inputs)]))
          expect(violatedConstraint(r1cs, own)).toBe(-1)
          expect(violatedConstraint(judge.r1cs, theirs)).toBe(-1)
        }
      },
    )

    it(`A-01 of ${name} determines every wire by the inputs, but inverses of zero`, () => {
      const { ir, abi } = compiled.get(name)!
      const r1cs = parseR1cs(Buffer.from(directR1cs(ir).file))
      const system = systemOf(r1cs, r1cs.wireCount, (wire) => wire)
      const inputs = Array.from({ length: ir.inputCount }, (_, k) => 3 + abi.state.length + k)
      const { unique } = proveUnique(system, inputs)
      const open = [...unique.keys()].filter((wire) => unique[wire] === 0)
      expect(open.filter((wire) => !isIdleInverse(system, unique, wire))).toEqual([])
    })

    it(`of ${name} takes no changed output`, () => {
      const { ir, abi } = compiled.get(name)!
      const direct = directR1cs(ir)
      const r1cs = parseR1cs(Buffer.from(direct.file))
      const witness = direct.witness(honestInputs(compiled.get(name)!)[1]!)
      for (let wire = 1; wire <= 2 + abi.state.length; wire++) {
        const forged = witness.with(wire, (witness[wire]! + 1n) % FIELD_ORDER)
        expect(violatedConstraint(r1cs, forged)).not.toBe(-1)
      }
    })
  }

  it('is tried with accepted and rejected readings', () => {
    const outcomes = [...compiled.values()].flatMap((applet) =>
      honestInputs(applet).map((inputs) => interpret(applet.ir, inputs).accepted),
    )
    expect(new Set(outcomes).size).toBe(2)
  })

  it('is the same every time', () => {
    const { ir } = compiled.get('uptime')!
    expect(Buffer.from(directR1cs(ir).file).equals(directR1cs(ir).file)).toBe(true)
  })

  it('gives a key and a proof that verifies for its outputs only', { timeout: 60_000 }, async () => {
    const applet = compiled.get('energy-meter')!
    const direct = directR1cs(applet.ir)
    const [r1cs, zkey] = ['direct.r1cs', 'direct.zkey'].map((file) => join(directory, file)) as [string, string]
    writeFileSync(r1cs, direct.file)
    await createDevelopmentKey(r1cs, zkey, { seed: 'test' })
    const witness = direct.witness(honestInputs(applet)[0]!)
    const { proof, publicSignals } = await groth16.prove(zkey, witnessFile(witness))
    const key = exportVerifyingKey(zkey)
    expect(await groth16.verify(key, publicSignals, proof)).toBe(true)
    const [accepted, units, ...rest] = publicSignals
    const more = String(BigInt(units!) + 1n)
    expect(await groth16.verify(key, [accepted!, more, ...rest], proof)).toBe(false)
  })
})

/** Bytes of a .wtns file, version 2. */
function witnessFile(witness: readonly bigint[]): Uint8Array {
  const little = (value: bigint, bytes: number) =>
    Buffer.from(value.toString(16).padStart(2 * bytes, '0'), 'hex').reverse()
  const u32 = (value: number) => little(BigInt(value), 4)
  const field = (value: bigint) => little(value, 32)
  return Buffer.concat([
    ...[Buffer.from('wtns'), u32(2), u32(2)],
    ...[u32(1), little(40n, 8), u32(32), field(FIELD_ORDER), u32(witness.length)],
    ...[u32(2), little(BigInt(32 * witness.length), 8), ...witness.map(field)],
  ])
}
