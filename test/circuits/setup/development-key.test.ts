import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildBn128 } from 'ffjavascript'
import { groth16, zKey } from 'snarkjs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createDevelopmentKey, domainPower, isDevelopmentKey } from '../../../circuits/setup/development-key.ts'
import { exportVerifyingKey } from '../../../circuits/setup/export-verifying-key.ts'
import { lagrangeAt, powField, rootOfUnity } from '../../../circuits/setup/field-batch.ts'
import { generatorMultiplier } from '../../../circuits/setup/fixed-base.ts'
import { parseR1cs, readR1cs } from '../../../circuits/setup/r1cs.ts'
import { violatedConstraint } from '../../../circuits/setup/violated-constraint.ts'
import { FIELD_ORDER, toField } from '../../../engine/core/field.ts'
import { encodeVerifyingKey } from '../../../engine/core/verifying-key.ts'
import { createCalculator } from '../lib/toy.ts'
import { compiledTiny, endSnarkjs } from './tiny.ts'

const dir = mkdtempSync(join(tmpdir(), 'attestream-development-key-'))
const zkey = join(dir, 'tiny.zkey')
const input = { x: '3', y: '4' }
let tiny: { r1cs: string; witnessWasm: string }

beforeAll(async () => {
  tiny = await compiledTiny()
  await createDevelopmentKey(tiny.r1cs, zkey, { seed: 'test' })
})
afterAll(async () => {
  await endSnarkjs()
  rmSync(dir, { recursive: true, force: true })
})

describe('a development key', () => {
  it('proves by snarkjs, and the proof verifies for its public signals only', async () => {
    const witness = await (await createCalculator(tiny.witnessWasm)).witnessFile(input)
    const { proof, publicSignals } = await groth16.prove(zkey, witness)
    const key = exportVerifyingKey(zkey)
    expect(await groth16.verify(key, publicSignals, proof)).toBe(true)
    expect(await groth16.verify(key, [publicSignals[0]!, '5'], proof)).toBe(false)
  })

  it('proves nothing false: a witness that breaks a constraint gives a proof that does not verify', async () => {
    const witness = await (await createCalculator(tiny.witnessWasm)).witnessFile(input)
    witness[witness.length - 32]! ^= 1
    const { proof, publicSignals } = await groth16.prove(zkey, witness)
    expect(await groth16.verify(exportVerifyingKey(zkey), publicSignals, proof)).toBe(false)
  })

  it('is recognised as insecure, and keeps its mark only in that role', () => {
    expect(isDevelopmentKey(zkey)).toBe(true)
    expect(readFileSync(zkey).includes('DEVELOPMENT KEY - INSECURE')).toBe(true)
  })

  it('has the bytes it always had for this circuit and seed', () => {
    const sha256 = createHash('sha256').update(readFileSync(zkey)).digest('hex')
    expect(sha256).toBe('e1e8e3034cb81bdee9c3cdd7925db32dc29c979119f3faffd12c1181d1772e3d')
  })

  it('is the same for the same seed, another without one', async () => {
    const again = ['again', 'random'].map((name) => join(dir, `${name}.zkey`)) as [string, string]
    await createDevelopmentKey(tiny.r1cs, again[0], { seed: 'test' })
    await createDevelopmentKey(tiny.r1cs, again[1])
    expect(readFileSync(again[0]).equals(readFileSync(zkey))).toBe(true)
    expect(encodeVerifyingKey(exportVerifyingKey(again[1]))).not.toEqual(encodeVerifyingKey(exportVerifyingKey(zkey)))
  })

  it('exports the verifying key that snarkjs exports', async () => {
    const theirs = (await zKey['exportVerificationKey']!(zkey)) as object
    expect(theirs).toMatchObject({ ...exportVerifyingKey(zkey) })
  })
})

describe('multiples of the generator', () => {
  it('agree with ffjavascript, for edge scalars and for several window widths', async () => {
    const curve = await buildBn128(true)
    const multiply = await generatorMultiplier()
    const edges = [0n, 1n, 2n, 3n, 8191n, 8192n, 8193n, 1n << 253n, FIELD_ORDER - 1n, FIELD_ORDER - 2n]
    for (const repeat of [1, 60]) {
      const scalars = Array.from({ length: repeat }, (_, i) =>
        edges.map((s) => toField(s * BigInt(i + 1) ** 9n)),
      ).flat()
      for (const [name, group] of [
        ['g1', curve.G1],
        ['g2', curve.G2],
      ] as const) {
        // prettier-ignore
        const points = await multiply(name, scalars)
        const size = points.length / scalars.length
        for (const i of [...edges.keys(), scalars.length - 1]) {
          const expected = new Uint8Array(size)
          group.toRprLEM(expected, 0, group.toAffine(group.timesFr(group.g, curve.Fr.e(scalars[i]!))))
          expect(points.slice(i * size, (i + 1) * size), `${name} · ${scalars[i]}`).toEqual(expected)
        }
      }
    }
  })
})

describe('Lagrange basis', () => {
  it('interpolates: the values at the roots give the value at the point', () => {
    const [power, point] = [3, 123456789n]
    const polynomial = (x: bigint) => toField(7n * powField(x, 5n) - 3n * x + 11n)
    const root = rootOfUnity(power)
    const basis = lagrangeAt(point, power)
    const value = basis.reduce((sum, weight, i) => sum + weight * polynomial(powField(root, BigInt(i))), 0n)
    expect(toField(value)).toBe(polynomial(point))
    expect(lagrangeAt(point, power, 1, 2)).toEqual([1, 3, 5, 7].map((i) => basis[i]!))
  })
})

describe('constraint files', () => {
  it('are read completely: honest witnesses satisfy them, altered ones do not', async () => {
    const r1cs = readR1cs(tiny.r1cs)
    const witness = await (await createCalculator(tiny.witnessWasm)).witness(input)
    expect([r1cs.publicCount, r1cs.constraintCount, r1cs.wireCount]).toEqual([2, 6, witness.length])
    expect(violatedConstraint(r1cs, witness)).toBe(-1)
    for (let wire = 1; wire < witness.length; wire++) {
      expect(violatedConstraint(r1cs, witness.with(wire, witness[wire]! + 1n)), `wire ${wire}`).not.toBe(-1)
    }
  })

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['another file', Buffer.from('zkey\u0001\0\0\0\0\0\0\0')],
  ])('are refused when they hold %s', (_, bytes) => {
    expect(() => parseR1cs(bytes)).toThrow(expect.objectContaining({ code: 'R1CS_INVALID' }))
  })

  it('are refused when cut short', () => {
    const bytes = readFileSync(tiny.r1cs)
    expect(() => parseR1cs(bytes.subarray(0, bytes.length - 40))).toThrow(
      expect.objectContaining({ code: 'R1CS_INVALID' }),
    )
  })

  it('give the domain that snarkjs chooses', () => {
    const power = (constraintCount: number) => domainPower({ constraintCount, publicCount: 9 })
    expect([power(6), power(7), power(65526), power(65527)]).toEqual([4, 5, 16, 17])
  })
})
