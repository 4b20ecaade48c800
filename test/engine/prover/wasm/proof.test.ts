// Whole proofs of small circuits by the kernel, and what it says of keys and witnesses that are none.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createDevelopmentKey } from '../../../../circuits/setup/development-key.ts'
import { exportVerifyingKey } from '../../../../circuits/setup/export-verifying-key.ts'
import { FIELD_ORDER } from '../../../../engine/core/field.ts'
import type { VerifyingKey } from '../../../../engine/core/verifying-key.ts'
import { loadGroth16 } from '../../../../engine/prover/groth16.ts'
import { proveWitness } from '../../../../engine/prover/wasm/proof.ts'
import { loadKey, type ResidentKey } from '../../../../engine/prover/wasm/resident-key.ts'
import { createCalculator } from '../../../circuits/lib/toy.ts'
import { compiledTiny } from '../../../circuits/setup/tiny.ts'
import { kernelModule } from './loaded-kernel.ts'

const dir = mkdtempSync(join(tmpdir(), 'attestream-wasm-prover-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const SECTION = { header: 2, terms: 4, a: 5, b2: 7, h: 9 }
const HEADER_DOMAIN = 80
const TERM_BYTES = 44

interface Circuit {
  readonly path: string
  readonly zkey: Buffer
  readonly wtns: Uint8Array
  readonly verifyingKey: VerifyingKey
}

async function circuit(n: number): Promise<Circuit> {
  const { r1cs, witnessWasm } = await compiledTiny(n)
  const path = join(dir, `tiny-${n}.zkey`)
  await createDevelopmentKey(r1cs, path, { seed: 'test' })
  const calculator = await createCalculator(witnessWasm)
  const wtns = await calculator.witnessFile({ x: '3', y: '5' } as never)
  return { path, zkey: readFileSync(path), wtns, verifyingKey: exportVerifyingKey(path) }
}

const verifies = async ({ verifyingKey }: Circuit, { proof, publicSignals }: ReturnType<typeof proveWitness>) =>
  (await loadGroth16()).verify(verifyingKey, publicSignals, proof)

/** Offset of a section's first byte. */
function sectionAt(file: Buffer, id: number): number {
  let at = 12
  while (file.readUInt32LE(at) !== id) at += 12 + Number(file.readBigUInt64LE(at + 4))
  return at + 12
}

let tiny: Circuit
let key: ResidentKey
beforeAll(async () => {
  tiny = await circuit(5)
  key = loadKey(kernelModule, tiny.path)
})

describe('a proof by the kernel', () => {
  it.each([1, 2, 30])('verifies for a circuit of about %i constraints', async (n) => {
    const small = await circuit(n)
    expect(await verifies(small, proveWitness(loadKey(kernelModule, small.path), small.wtns))).toBe(true)
  })

  it('is another one each time, of the same public signals, and verifies each time', async () => {
    const proofs = [1, 2, 3].map(() => proveWitness(key, tiny.wtns))
    for (const proven of proofs) expect(await verifies(tiny, proven)).toBe(true)
    for (const part of ['pi_a', 'pi_b', 'pi_c'] as const) {
      expect(new Set(proofs.map(({ proof }) => JSON.stringify(proof[part]))).size).toBe(3)
    }
    expect(new Set(proofs.map(({ publicSignals }) => publicSignals.join())).size).toBe(1)
  })

  it('does not verify for other public signals, nor for a witness that breaks a constraint', async () => {
    const proven = proveWitness(key, tiny.wtns)
    const altered = [String(BigInt(proven.publicSignals[0]!) + 1n), ...proven.publicSignals.slice(1)]
    expect(await verifies(tiny, { ...proven, publicSignals: altered })).toBe(false)
    const broken = Buffer.from(tiny.wtns)
    broken[broken.length - 32]! ^= 1
    expect(await verifies(tiny, proveWitness(key, broken))).toBe(false)
    expect(await verifies(tiny, proveWitness(key, tiny.wtns))).toBe(true)
  })
})

describe('a key that is none', () => {
  const load = (bytes: Uint8Array, ceilingBytes?: number) => {
    const path = join(dir, 'other.zkey')
    writeFileSync(path, bytes)
    return () => loadKey(kernelModule, path, ceilingBytes)
  }
  const changed = (change: (file: Buffer) => void) => {
    const file = Buffer.from(tiny.zkey)
    change(file)
    return load(file)
  }

  it('is refused wherever it is cut off', () => {
    for (let length = 0; length < tiny.zkey.length; length += 97) {
      expect(load(tiny.zkey.subarray(0, length))).toThrow(/it ends early|it does not start with "zkey"/)
    }
  })

  it('is refused for a magic word, version, protocol or curve that is not ours', () => {
    expect(changed((file) => file.write('r1cs'))).toThrow('it does not start with "zkey"')
    expect(changed((file) => file.writeUInt32LE(2, 4))).toThrow('it has version 2')
    expect(changed((file) => file.writeUInt32LE(2, sectionAt(file, 1)))).toThrow('it is no key for Groth16')
    expect(changed((file) => file[sectionAt(file, SECTION.header) + 4]!++)).toThrow('it is not over BN254')
    expect(changed((file) => file[sectionAt(file, SECTION.header) + 40]!++)).toThrow('it is not over BN254')
  })

  it('is refused when its sizes do not fit each other', () => {
    const domain = (file: Buffer) => sectionAt(file, SECTION.header) + HEADER_DOMAIN
    expect(changed((file) => file.writeUInt32LE(24, domain(file)))).toThrow('its domain of 24 is not a power of two')
    expect(changed((file) => file.writeUInt32LE(64, domain(file)))).toThrow('section 9 (H) has')
    expect(changed((file) => file[domain(file) - 8]!++)).toThrow('section 5 (A) has')
    expect(changed((file) => file[domain(file) - 4]!++)).toThrow('section 8 (C) has')
    expect(changed((file) => file[sectionAt(file, SECTION.terms)]!++)).toThrow('section terms has not the size of')
  })

  it('is refused for a point that is not on its curve, and the error names it', () => {
    const bent = (id: number, at: number) => changed((file) => (file[sectionAt(file, id) + at]! ^= 1))
    expect(bent(SECTION.header, 84)).toThrow('a point of its header is not on the curve')
    expect(bent(SECTION.a, 2 * 64 + 5)).toThrow('point 2 of section A is not on the curve')
    expect(bent(SECTION.b2, 3 * 128 + 100)).toThrow('point 3 of section B2 is not on the curve')
    expect(bent(SECTION.h, 7 * 64 + 33)).toThrow('point 7 of section H is not on the curve')
    expect(changed((file) => file.fill(0xff, sectionAt(file, SECTION.a), sectionAt(file, SECTION.a) + 32))).toThrow(
      'point 0',
    )
  })

  it('is refused for a term that names no row, wire or coefficient', () => {
    const term = (at: number, value: number) =>
      changed((file) => file.writeUInt32LE(value, sectionAt(file, SECTION.terms) + 4 + 3 * TERM_BYTES + at))
    for (const at of [0, 4, 8, 40]) expect(term(at, 0x7fffffff)).toThrow('term 3 of section terms')
  })

  it('is refused when it needs more memory than it may have', () => {
    expect(load(tiny.zkey, 2 ** 18)).toThrow(/it needs \d+ MB; the ceiling is 0 MB/)
  })
})

describe('a witness that is none', () => {
  const VALUES_AT = 76
  const changed = (change: (file: Buffer) => void) => () => {
    const file = Buffer.from(tiny.wtns)
    change(file)
    return proveWitness(key, file)
  }
  const setValue = (file: Buffer, wire: number, value: bigint) =>
    Buffer.from(value.toString(16).padStart(64, '0'), 'hex')
      .reverse()
      .copy(file, VALUES_AT + 32 * wire)

  it('is refused wherever it is cut off', () => {
    for (let length = 0; length < tiny.wtns.length; length += 13) {
      expect(() => proveWitness(key, tiny.wtns.subarray(0, length))).toThrow(
        /it ends early|it does not start with "wtns"/,
      )
    }
  })

  it('is refused for a value that is not below the order: an alias of a good value too', () => {
    for (const value of [FIELD_ORDER, FIELD_ORDER + 3n, (1n << 256n) - 1n]) {
      expect(changed((file) => setValue(file, 3, value))).toThrow(
        "value 3 of the witness is not below the field's order",
      )
    }
  })

  it('is refused for another field, another number of values, or a first value that is not 1', () => {
    expect(changed((file) => file[28]!++)).toThrow('the witness is not over BN254')
    expect(changed((file) => file[60]!++)).toThrow('section 2 (values) has 288 bytes; 320 are expected')
    const longer = Buffer.concat([tiny.wtns, Buffer.alloc(32)])
    longer[60]!++
    longer.writeBigUInt64LE(320n, VALUES_AT - 8)
    expect(() => proveWitness(key, longer)).toThrow("the witness has 10 values; the key's circuit has 9 wires")
    expect(changed((file) => setValue(file, 0, 2n))).toThrow('the witness does not begin with 1')
  })
})
