// The prover on a circuit of a few constraints with a real development key.

import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createDevelopmentKey } from '../../../circuits/setup/development-key.ts'
import { exportVerifyingKey } from '../../../circuits/setup/export-verifying-key.ts'
import { bytesToHex } from '../../../engine/core/codec.ts'
import { JOURNAL_FIELDS, type Journal } from '../../../engine/core/journal.ts'
import { encodeSeal } from '../../../engine/core/seal.ts'
import { encodeVerifyingKey, verifyingKeyHash } from '../../../engine/core/verifying-key.ts'
import type { CircuitInput } from '../../../engine/core/witness.ts'
import { createSnarkjsProver, type ProofJob } from '../../../engine/prover/snarkjs.ts'
import { verifySeal } from '../../../engine/prover/verify-seal.ts'
import { compiledMain } from '../../circuits/lib/compiled.ts'

/** Proves knowledge of the square root of each of nine public signals: as many as a journal of four slots has. */
const ROOTS = `pragma circom 2.1.0;
template Roots() {
  signal input squares[9];
  signal input roots[9];
  for (var i = 0; i < 9; i++) squares[i] === roots[i] * roots[i];
}
component main {public [squares]} = Roots();
`
const roots = [3, 4, 5, 6, 7, 8, 9, 10, 11]

const dir = mkdtempSync(join(tmpdir(), 'attestream-prover-'))
let files: ProofJob['files']
beforeAll(async () => {
  const { r1cs, witnessWasm } = await compiledMain(ROOTS)
  const zkey = join(dir, 'main.zkey')
  await createDevelopmentKey(r1cs, zkey, { seed: 'test' })
  const verifyingKey = join(dir, 'verifying-key.json')
  writeFileSync(verifyingKey, JSON.stringify(exportVerifyingKey(zkey)))
  files = { witnessWasm, zkey, verifyingKey }
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const prover = createSnarkjsProver({ threads: 1 })
afterAll(() => prover.close())

function input(change: (values: number[]) => void = () => {}): CircuitInput {
  const squares = roots.map((root) => root * root)
  change(squares)
  return { squares: squares.map(String), roots: roots.map(String) } as unknown as CircuitInput
}

function journalOf(signals: readonly string[]): Journal {
  const values = signals.map(BigInt)
  const fields = JOURNAL_FIELDS.map((name, i) => [name, values[i]!])
  return { ...Object.fromEntries(fields), lanes: values.slice(JOURNAL_FIELDS.length) } as Journal
}

describe('the prover', () => {
  it('proves, and the seal holds for its journal and key and for no other', async () => {
    const { proof, publicSignals, witnessMs, proveMs } = await prover.prove({ files, input: input() })
    expect(publicSignals).toEqual(roots.map((root) => `${root * root}`))
    expect(witnessMs + proveMs).toBeGreaterThan(0)
    const key = exportVerifyingKey(files.zkey)
    const encoded = encodeVerifyingKey(key)
    const journal = journalOf(publicSignals)
    const seal = encodeSeal(verifyingKeyHash(encoded), proof)
    await verifySeal(bytesToHex(encoded), journal, seal)

    const invalid = { code: 'SEAL_INVALID' }
    for (const field of JOURNAL_FIELDS) {
      const altered = { ...journal, [field]: journal[field] + 1n }
      await expect(verifySeal(bytesToHex(encoded), altered, seal)).rejects.toMatchObject(invalid)
    }
    const fewer = { ...journal, lanes: [] }
    await expect(verifySeal(bytesToHex(encoded), fewer, seal)).rejects.toMatchObject(invalid)
    const other = encodeVerifyingKey({ ...key, IC: [...key.IC].reverse() })
    await expect(verifySeal(bytesToHex(other), journal, seal)).rejects.toMatchObject(invalid)
    const resealed = encodeSeal(verifyingKeyHash(other), proof)
    await expect(verifySeal(bytesToHex(other), journal, resealed)).rejects.toMatchObject(invalid)
  })

  it('says that the circuit disagrees when there is no witness, and proves the next job in the same worker', async () => {
    const wrong = input((squares) => squares[0]!++)
    await expect(prover.prove({ files, input: wrong })).rejects.toMatchObject({
      code: 'CIRCUIT_DISAGREES',
      message: expect.stringContaining('nothing is submitted'),
    })
    expect((await prover.prove({ files, input: input() })).publicSignals[0]).toBe('9')
  })

  it('keeps circuits warm: a second proof reads no file', async () => {
    const gone = { ...files, zkey: join(dir, 'soon-gone.zkey'), witnessWasm: join(dir, 'soon-gone.wasm') }
    copyFileSync(files.zkey, gone.zkey)
    copyFileSync(files.witnessWasm, gone.witnessWasm)
    await prover.prove({ files: gone, input: input() })
    rmSync(gone.zkey)
    rmSync(gone.witnessWasm)
    expect((await prover.prove({ files: gone, input: input() })).publicSignals).toHaveLength(9)
  })

  it('never lets a proof out that does not verify: with a damaged or missing key it fails, and recovers with the file', async () => {
    const damaged = { ...files, zkey: join(dir, 'damaged.zkey') }
    const failed = { code: 'PROOF_FAILED' }
    await expect(prover.prove({ files: damaged, input: input() })).rejects.toMatchObject(failed)
    const bytes = readFileSync(files.zkey)
    for (let at = bytes.length - 2000; at < bytes.length; at += 100) bytes[at]! ^= 1
    writeFileSync(damaged.zkey, bytes)
    await expect(prover.prove({ files: damaged, input: input() })).rejects.toMatchObject(failed)
    writeFileSync(damaged.zkey, bytes.subarray(0, 500))
    await expect(prover.prove({ files: damaged, input: input() })).rejects.toMatchObject(failed)
    copyFileSync(files.zkey, damaged.zkey)
    expect((await prover.prove({ files: damaged, input: input() })).publicSignals[0]).toBe('9')
  })

  it('stops when asked to', async () => {
    const reason = new Error('not needed any more')
    await expect(prover.prove({ files, input: input() }, AbortSignal.abort(reason))).rejects.toThrow(reason)
  })

  it('lets the process end after close', () => {
    const script = `
      const { createSnarkjsProver } = await import(process.argv[1])
      const prover = createSnarkjsProver({ threads: 1 })
      await prover.prove(JSON.parse(process.argv[2]))
      await prover.close()
      console.log('closed')`
    const url = new URL('../../../engine/prover/snarkjs.ts', import.meta.url).href
    const job = JSON.stringify({ files, input: input() })
    const args = ['--import', 'tsx', '--input-type=module', '-e', script, url, job]
    const { stdout, status, signal } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 })
    expect({ stdout, status, signal }).toEqual({ stdout: 'closed\n', status: 0, signal: null })
  })
})
