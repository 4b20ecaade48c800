// The contract of the Prover port, kept by every adapter: on a circuit of a few constraints and on a whole batch circuit, with real
// development keys.

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
import { findCompiler } from '../../../engine/prover/native/build.ts'
import { createNativeProver } from '../../../engine/prover/native/native.ts'
import type { ProofJob, Prover } from '../../../engine/prover/prover.ts'
import { createRapidsnarkProver } from '../../../engine/prover/rapidsnark/rapidsnark.ts'
import { createSnarkjsProver } from '../../../engine/prover/snarkjs.ts'
import { verifySeal } from '../../../engine/prover/verify-seal.ts'
import { createWasmProver } from '../../../engine/prover/wasm/wasm.ts'
import { compiledMain } from '../../circuits/lib/compiled.ts'
import { buildToy, makeBatch, meterToy } from '../../circuits/lib/toy.ts'
import { externalProver } from './external-prover.ts'
import { KERNEL_CACHE } from './wasm/kernel-cache.ts'

const compiler = await findCompiler(process.env['CC'])
const external = externalProver()
afterAll(() => external.remove())

interface Adapter {
  readonly name: string
  readonly create: string
  readonly module: string
  readonly prover: Prover
  /** Its program reads the key for every proof. */
  readonly isExternal?: boolean
  /** Options of `create` beyond threads and cacheDir. */
  readonly options?: object
}

const ADAPTERS: readonly Adapter[] = [
  { name: 'snarkjs', create: 'createSnarkjsProver', module: 'snarkjs.ts', prover: createSnarkjsProver({ threads: 1 }) },
  {
    name: 'wasm',
    create: 'createWasmProver',
    module: 'wasm/wasm.ts',
    prover: createWasmProver({ threads: 1, cacheDir: KERNEL_CACHE }),
  },
  {
    name: 'native',
    create: 'createNativeProver',
    module: 'native/native.ts',
    prover: createNativeProver({ threads: 1, cacheDir: KERNEL_CACHE, ...(compiler ? { compiler } : {}) }),
  },
  {
    name: 'rapidsnark',
    create: 'createRapidsnarkProver',
    module: 'rapidsnark/rapidsnark.ts',
    prover: createRapidsnarkProver({ threads: 1, binary: external.binary }),
    isExternal: true,
    options: { binary: external.binary },
  },
]
const isThere = ({ name }: Adapter) => name !== 'native' || compiler !== undefined

if (!compiler) it.skip('the native prover: this machine has no C compiler', () => {})

/** Proves knowledge of the square root of each of nine public signals: as many as a journal of four slots has. */
const rootsMain = (tooMuch = 0) => `pragma circom 2.1.0;
template Roots() {
  signal input squares[9];
  signal input roots[9];
  for (var i = 0; i < 9; i++) squares[i] + ${tooMuch} === roots[i] * roots[i];
}
component main {public [squares]} = Roots();
`
const roots = [3, 4, 5, 6, 7, 8, 9, 10, 11]

const dir = mkdtempSync(join(tmpdir(), 'attestream-prover-'))
let files: ProofJob['files']
beforeAll(async () => {
  const { r1cs, witnessWasm } = await compiledMain(rootsMain())
  const zkey = join(dir, 'main.zkey')
  await createDevelopmentKey(r1cs, zkey, { seed: 'test' })
  const verifyingKey = join(dir, 'verifying-key.json')
  writeFileSync(verifyingKey, JSON.stringify(exportVerifyingKey(zkey)))
  files = { witnessWasm, zkey, verifyingKey, r1cs }
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

afterAll(() => Promise.all(ADAPTERS.map(({ prover }) => prover.close())))

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

describe.each(ADAPTERS.filter(isThere))(
  'the prover $name',
  ({ name, prover, create, module, options, isExternal = false }) => {
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

    it.skipIf(isExternal)('keeps circuits warm: a second proof reads no file', async () => {
      const gone = { ...files, zkey: join(dir, 'soon-gone.zkey'), witnessWasm: join(dir, 'soon-gone.wasm') }
      copyFileSync(files.zkey, gone.zkey)
      copyFileSync(files.witnessWasm, gone.witnessWasm)
      await prover.prove({ files: gone, input: input() })
      rmSync(gone.zkey)
      rmSync(gone.witnessWasm)
      expect((await prover.prove({ files: gone, input: input() })).publicSignals).toHaveLength(9)
    })

    it('never lets a proof out that does not verify: with a damaged or missing key it fails, and recovers with the file', async () => {
      const damaged = { ...files, zkey: join(dir, `damaged-${name}.zkey`) }
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

    it('names the constraint that a witness breaks', async () => {
      const { witnessWasm } = await compiledMain(rootsMain(5)) // another circuit's calculator: the same wires, other constraints
      const other = input((squares) => squares.forEach((square, i) => (squares[i] = square - 5)))
      await expect(prover.prove({ files: { ...files, witnessWasm }, input: other })).rejects.toMatchObject({
        code: 'PROOF_FAILED',
        message: expect.stringContaining('the witness breaks constraint 0 of the circuit'),
      })
    })

    it('proves a batch of frames on its whole circuit', async () => {
      const { paths, manifest } = await buildToy(meterToy, 4)
      const frames = [0, 1, 2].map((slot) => ({ sequence: 1n, readings: [[100n, BigInt(slot)]] }))
      const page = { sequences: [0n, 0n, 0n, 0n], states: Array.from({ length: 4 }, () => [0n, 0n]) }
      const { input: batch, journal } = makeBatch(meterToy, 4, { frames: [...frames, null], page, config: [1000n] })
      const { proof } = await prover.prove({ files: paths, input: batch })
      await verifySeal(manifest.verifyingKey, journal, encodeSeal(manifest.vkHash, proof))
    })

    it('stops when asked to', async () => {
      const reason = new Error('not needed any more')
      await expect(prover.prove({ files, input: input() }, AbortSignal.abort(reason))).rejects.toThrow(reason)
    })

    it('lets the process end after close', () => {
      const script = `
      const { ${create} } = await import(process.argv[1])
      const prover = ${create}({ threads: 1, cacheDir: process.argv[3], ...JSON.parse(process.argv[4]) })
      await prover.prove(JSON.parse(process.argv[2]))
      await prover.close()
      console.log('closed')`
      const url = new URL(`../../../engine/prover/${module}`, import.meta.url).href
      const job = JSON.stringify({ files, input: input() })
      const args = [
        '--import',
        'tsx',
        '--input-type=module',
        '-e',
        script,
        url,
        job,
        KERNEL_CACHE,
        JSON.stringify(options ?? {}),
      ]
      const { stdout, status, signal } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 })
      expect({ stdout, status, signal }).toEqual({ stdout: 'closed\n', status: 0, signal: null })
    })
  },
)
