import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { groth16 } from 'snarkjs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createDevelopmentKey, isDevelopmentKey } from '../../../circuits/setup/development-key.ts'
import { exportVerifyingKey } from '../../../circuits/setup/export-verifying-key.ts'
import {
  applyBeacon,
  contribute,
  contributionCount,
  contributorCount,
  newKey,
  verifyKey,
} from '../../../circuits/setup/phase2.ts'
import { KNOWN_POWERS_OF_TAU, checkPowersOfTau, powersOfTauPower } from '../../../circuits/setup/powers-of-tau.ts'
import { makeProvingKey } from '../../../circuits/setup/proving-key.ts'
import { createCalculator } from '../lib/toy.ts'
import { TINY_POWER, compiledTiny, endSnarkjs, writeTinyPowersOfTau } from './tiny.ts'

const dir = mkdtempSync(join(tmpdir(), 'attestream-phase2-'))
const file = (name: string) => join(dir, name)
const ptau = file('tiny.ptau')
const refusedBy = (code: string) => expect.objectContaining({ code }) as unknown as Error
const beacon = { hash: '0102030405060708090a0b0c0d0e0f10', iterationsExp: 10 }
let tiny: { r1cs: string; witnessWasm: string }
let hash: string

beforeAll(async () => {
  tiny = await compiledTiny()
  await writeTinyPowersOfTau(ptau)
  hash = createHash('blake2b512').update(readFileSync(ptau)).digest('hex')
  await newKey(tiny.r1cs, ptau, file('first.zkey'))
  await contribute(file('first.zkey'), file('second.zkey'), 'first person', 'some entropy')
  await contribute(file('second.zkey'), file('third.zkey'), 'second person', 'other entropy')
  await applyBeacon(file('third.zkey'), file('final.zkey'), 'beacon', beacon)
})
afterAll(async () => {
  await endSnarkjs()
  rmSync(dir, { recursive: true, force: true })
})

describe('a phase-2 ceremony', () => {
  it('gives a key that verifies against circuit and powers of tau, at every step', async () => {
    for (const step of ['second', 'third', 'final']) await verifyKey(tiny.r1cs, ptau, file(`${step}.zkey`))
    expect(isDevelopmentKey(file('final.zkey'))).toBe(false)
  })

  it('gives a key that proves', async () => {
    const witness = await (await createCalculator(tiny.witnessWasm)).witnessFile({ x: '3', y: '4' })
    const { proof, publicSignals } = await groth16.prove(file('final.zkey'), witness)
    expect(await groth16.verify(exportVerifyingKey(file('final.zkey')), publicSignals, proof)).toBe(true)
  })

  it('never overwrites a key', async () => {
    const attempt = contribute(file('first.zkey'), file('second.zkey'), 'late', 'entropy')
    await expect(attempt).rejects.toThrow(refusedBy('PROVING_KEY_REFUSED'))
  })
})

describe('verifyKey refuses', () => {
  const refusal = (zkey: string, r1cs = tiny.r1cs) =>
    expect(verifyKey(r1cs, ptau, zkey)).rejects.toThrow(refusedBy('PROVING_KEY_REFUSED'))

  it('C-03 a key without contribution', () => refusal(file('first.zkey')))

  it('a key of another circuit', async () => refusal(file('final.zkey'), (await compiledTiny(4)).r1cs))

  it('C-03 a development key', async () => {
    await createDevelopmentKey(tiny.r1cs, file('development.zkey'), { seed: 'test' })
    await refusal(file('development.zkey'))
  })

  it('a key with two of its points exchanged', async () => {
    const bytes = Buffer.from(readFileSync(file('final.zkey')))
    const points = sectionAt(bytes, 9)
    const first = Buffer.from(bytes.subarray(points, points + 64))
    bytes.copyWithin(points, points + 64, points + 128)
    first.copy(bytes, points + 64)
    writeFileSync(file('exchanged.zkey'), bytes)
    await refusal(file('exchanged.zkey'))
  })

  it('a key with a changed contribution', async () => {
    const bytes = Buffer.from(readFileSync(file('final.zkey')))
    const transcriptOfFirst = sectionAt(bytes, 10) + 68 + 64 * 3 + 128
    bytes[transcriptOfFirst]! ^= 1
    writeFileSync(file('changed.zkey'), bytes)
    await refusal(file('changed.zkey'))
  })
})

describe('a proving key made by an operator', () => {
  it('from powers of tau, with one contribution and a beacon, verifies', async () => {
    const setup = { kind: 'ptau', path: ptau, expectedHash: hash, contributorName: 'operator', beacon } as const
    const origin = await makeProvingKey(tiny.r1cs, file('operator.zkey'), setup)
    expect(origin).toEqual({ setup: 'single contribution', powersOfTau: hash })
    await verifyKey(tiny.r1cs, ptau, file('operator.zkey'))
  })

  it('is taken from a finished ceremony if it verifies, and refused if it does not', async () => {
    const setup = { kind: 'ptau', path: ptau, expectedHash: hash } as const
    const taken = makeProvingKey(tiny.r1cs, file('taken.zkey'), { ...setup, zkeyPath: file('final.zkey') })
    expect((await taken).setup).toBe('ceremony')
    const foreign = makeProvingKey(tiny.r1cs, file('foreign.zkey'), { ...setup, zkeyPath: file('first.zkey') })
    await expect(foreign).rejects.toThrow(refusedBy('PROVING_KEY_REFUSED'))
  })
})

describe('a ceremony of one', () => {
  it('C-03 stays a development setup, since its contributor can forge: a beacon adds no secret', async () => {
    await applyBeacon(file('second.zkey'), file('lonely.zkey'), 'beacon', beacon)
    expect(contributionCount(file('lonely.zkey'))).toBe(2)
    expect(contributorCount(file('lonely.zkey'))).toBe(1)
    expect(contributorCount(file('final.zkey'))).toBe(2)
    const setup = { kind: 'ptau', path: ptau, expectedHash: hash, zkeyPath: file('lonely.zkey') } as const
    expect((await makeProvingKey(tiny.r1cs, file('lonely-taken.zkey'), setup)).setup).toBe('single contribution')
  })
})

describe('powers of tau', () => {
  it('are accepted by the hash the operator names', async () => {
    expect(powersOfTauPower(ptau)).toBe(TINY_POWER)
    expect(await checkPowersOfTau(ptau, hash.toUpperCase())).toBe(hash)
  })

  it('are refused by another hash, or when unknown', async () => {
    await expect(checkPowersOfTau(ptau)).rejects.toThrow(refusedBy('POWERS_OF_TAU_MISMATCH'))
    await expect(checkPowersOfTau(ptau, KNOWN_POWERS_OF_TAU.get(8)!)).rejects.toThrow(
      refusedBy('POWERS_OF_TAU_MISMATCH'),
    )
    const setup = { kind: 'ptau', path: ptau } as const
    const made = makeProvingKey(tiny.r1cs, file('none.zkey'), setup)
    await expect(made).rejects.toThrow(refusedBy('POWERS_OF_TAU_MISMATCH'))
  })

  it('are refused when too small for the circuit', async () => {
    const big = await compiledTiny(40)
    await expect(newKey(big.r1cs, ptau, file('big.zkey'))).rejects.toThrow(refusedBy('POWERS_OF_TAU_TOO_SMALL'))
  })

  it('are refused when the file is something else', async () => {
    await expect(checkPowersOfTau(tiny.r1cs)).rejects.toThrow(refusedBy('POWERS_OF_TAU_MISMATCH'))
  })

  it('are known for the powers 8 to 28 of the ceremony', () => {
    expect([...KNOWN_POWERS_OF_TAU.keys()]).toEqual(Array.from({ length: 21 }, (_, i) => i + 8))
    for (const known of KNOWN_POWERS_OF_TAU.values()) expect(known).toMatch(/^[0-9a-f]{128}$/)
  })
})

/** Position of a section's content in a .zkey file. */
function sectionAt(bytes: Buffer, id: number): number {
  let at = 12
  while (bytes.readUInt32LE(at) !== id) at += 12 + Number(bytes.readBigUInt64LE(at + 4))
  return at + 12
}
