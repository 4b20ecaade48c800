// The contract of the Prover port, kept by every adapter: on circuits of three sizes with real development keys, every proof judged by
// snarkjs and by our contract.

import { spawnSync } from 'node:child_process'
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { exportVerifyingKey } from '../../../circuits/setup/export-verifying-key.ts'
import { bytesToHex } from '../../../engine/core/codec.ts'
import { JOURNAL_FIELDS, type Journal } from '../../../engine/core/journal.ts'
import { encodeSeal } from '../../../engine/core/seal.ts'
import { encodeVerifyingKey, verifyingKeyHash } from '../../../engine/core/verifying-key.ts'
import type { CircuitInput } from '../../../engine/core/witness.ts'
import { loadGroth16 } from '../../../engine/prover/groth16.ts'
import { findCompiler } from '../../../engine/prover/native/build.ts'
import { createNativeProver } from '../../../engine/prover/native/native.ts'
import type { ProofJob, Prover } from '../../../engine/prover/prover.ts'
import { createRapidsnarkProver } from '../../../engine/prover/rapidsnark/rapidsnark.ts'
import { createSnarkjsProver } from '../../../engine/prover/snarkjs.ts'
import { verifySeal } from '../../../engine/prover/verify-seal.ts'
import { createWasmProver } from '../../../engine/prover/wasm/wasm.ts'
import { startContractVerifier, type ContractVerifier } from './contract-verifier.ts'
import { externalProver } from './external-prover.ts'
import { brokenRootsWitness, rootsCircuit, rootsInput, type RootsCircuit } from './roots.ts'
import { batchJob, chainJob, tinyJob, type SizedJob } from './sized-circuits.ts'
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

const SIZES = ['tiny', 'chain', 'batch'] as const
type Size = (typeof SIZES)[number]
/** Of a .zkey file. */
const SECTION = { terms: 4, a: 5 }

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

let circuit: RootsCircuit
let files: ProofJob['files']
let jobs: Record<Size, SizedJob>
let contract: ContractVerifier
beforeAll(async () => {
  circuit = await rootsCircuit()
  files = circuit.files
  jobs = { tiny: tinyJob(circuit), chain: await chainJob(circuit.directory), batch: await batchJob() }
  contract = await startContractVerifier()
})
afterAll(async () => {
  await contract?.close()
  circuit?.remove()
})

afterAll(() => Promise.all(ADAPTERS.map(({ prover }) => prover.close())))

/** The first public signal is not the square of its root: there is no witness. */
function wrongInput(): CircuitInput {
  const { squares, ...rest } = rootsInput() as unknown as Record<'squares' | 'roots', string[]>
  return { ...rest, squares: ['10', ...squares.slice(1)] } as unknown as CircuitInput
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
      const { proof, publicSignals, witnessMs, proveMs } = await prover.prove(jobs.tiny)
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
      await expect(prover.prove({ files, input: wrongInput() })).rejects.toMatchObject({
        code: 'CIRCUIT_DISAGREES',
        message: expect.stringContaining('nothing is submitted'),
      })
      expect((await prover.prove({ files, input: rootsInput() })).publicSignals[0]).toBe('9')
    })

    it.skipIf(isExternal)('keeps circuits warm: a second proof reads no file', async () => {
      const gone = {
        ...files,
        zkey: join(circuit.directory, 'soon-gone.zkey'),
        witnessWasm: join(circuit.directory, 'soon-gone.wasm'),
      }
      copyFileSync(files.zkey, gone.zkey)
      copyFileSync(files.witnessWasm, gone.witnessWasm)
      await prover.prove({ files: gone, input: rootsInput() })
      rmSync(gone.zkey)
      rmSync(gone.witnessWasm)
      expect((await prover.prove({ files: gone, input: rootsInput() })).publicSignals).toHaveLength(9)
    })

    it.each(SIZES)('proves the %s circuit; snarkjs and our contract accept it, and no other signals', async (size) => {
      const { publicSignals: expected, ...job } = jobs[size]
      const { proof, publicSignals } = await prover.prove(job)
      expect(publicSignals).toEqual(expected)
      const key = exportVerifyingKey(job.files.zkey)
      const { verify } = await loadGroth16()
      const altered = publicSignals.with(4, `${BigInt(publicSignals[4]!) + 1n}`)
      expect([await verify(key, publicSignals, proof), await verify(key, altered, proof)]).toEqual([true, false])
      await contract.verify(key, publicSignals, proof)
      await expect(contract.verify(key, altered, proof)).rejects.toThrow('ProofInvalid')
    })

    it('refuses a missing, cut, damaged or foreign key in words that name it, and recovers with the file', async () => {
      const zkey = join(circuit.directory, `damaged-${name}.zkey`)
      const refusal = async (bytes?: Uint8Array) => {
        if (bytes) writeFileSync(zkey, bytes)
        const refused = prover.prove({ files: { ...files, zkey }, input: rootsInput() })
        const error: unknown = await refused.catch((thrown: unknown) => thrown)
        expect(error).toMatchObject({ code: 'PROOF_FAILED', message: expect.stringContaining(zkey) })
        return (error as Error).message
      }
      const good = readFileSync(files.zkey)
      expect(await refusal()).toContain('cannot be used')
      await refusal(good.subarray(0, 500))
      const point = Buffer.from(good)
      point[sectionAt(good, SECTION.a) + 5]! ^= 1
      await refusal(point)
      const coefficient = Buffer.from(good)
      coefficient[sectionAt(good, SECTION.terms) + 4 + 12]! ^= 1
      expect(await refusal(coefficient)).toContain('the proof does not verify under its own key')
      await refusal(readFileSync(jobs.chain.files.zkey))
      copyFileSync(files.zkey, zkey)
      expect((await prover.prove({ files: { ...files, zkey }, input: rootsInput() })).publicSignals[0]).toBe('9')
    })

    it('names the constraint that a witness breaks', async () => {
      const { witnessWasm, input } = await brokenRootsWitness()
      await expect(prover.prove({ files: { ...files, witnessWasm }, input })).rejects.toMatchObject({
        code: 'PROOF_FAILED',
        message: expect.stringContaining('the witness breaks constraint 0 of the circuit'),
      })
    })

    it('stops when asked to', async () => {
      const reason = new Error('not needed any more')
      await expect(prover.prove({ files, input: rootsInput() }, AbortSignal.abort(reason))).rejects.toThrow(reason)
    })

    it('lets the process end after close', () => {
      const script = `
      const { ${create} } = await import(process.argv[1])
      const prover = ${create}({ threads: 1, cacheDir: process.argv[3], ...JSON.parse(process.argv[4]) })
      await prover.prove(JSON.parse(process.argv[2]))
      await prover.close()
      console.log('closed')`
      const url = new URL(`../../../engine/prover/${module}`, import.meta.url).href
      const job = JSON.stringify({ files, input: rootsInput() })
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

/** Offset of a section's first byte. */
function sectionAt(file: Buffer, id: number): number {
  let at = 12
  while (file.readUInt32LE(at) !== id) at += 12 + Number(file.readBigUInt64LE(at + 4))
  return at + 12
}
