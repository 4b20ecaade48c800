// Provers that run programs: what becomes of a job when the program fails, is killed, or is stopped, and that nothing stays behind.

import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writeSyntheticCircuit } from '../../../bench/synthetic-circuit.ts'
import { createDevelopmentKey } from '../../../circuits/setup/development-key.ts'
import { exportVerifyingKey } from '../../../circuits/setup/export-verifying-key.ts'
import { createChosenProver } from '../../../engine/prover/choose.ts'
import { loadGroth16 } from '../../../engine/prover/groth16.ts'
import { buildNativeProver, findCompiler } from '../../../engine/prover/native/build.ts'
import { NativeProcess } from '../../../engine/prover/native/process.ts'
import { createRapidsnarkProver } from '../../../engine/prover/rapidsnark/rapidsnark.ts'
import { externalProver } from './external-prover.ts'
import { rootsCircuit, rootsInput, type RootsCircuit } from './roots.ts'
import { KERNEL_CACHE } from './wasm/kernel-cache.ts'

const compiler = await findCompiler(process.env['CC'])
const CEILING_BYTES = 2 ** 30
const SECTIONS = [1, 2, 4, 5, 7, 8, 9]

const dir = mkdtempSync(join(tmpdir(), 'attestream-programs-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))
const isRunning = (path: string) => spawnSync('pgrep', ['-f', path]).status === 0
const until = async (holds: () => boolean) => {
  for (let round = 0; round < 300 && !holds(); round++) await new Promise((resolve) => setTimeout(resolve, 20))
  expect(holds()).toBe(true)
}

describe.skipIf(!compiler)('the native process (needs a C compiler)', () => {
  const paths = { r1cs: join(dir, 's.r1cs'), wtns: join(dir, 's.wtns'), zkey: join(dir, 's.zkey') }
  const binary = join(dir, 'prover')
  let wtns: Uint8Array
  beforeAll(async () => {
    copyFileSync(await buildNativeProver(KERNEL_CACHE, compiler), binary)
    writeSyntheticCircuit(4000, paths.r1cs, paths.wtns)
    await createDevelopmentKey(paths.r1cs, paths.zkey, { seed: 'test' })
    wtns = readFileSync(paths.wtns)
  })

  it('proves thousands of constraints, tells the phases, and snarkjs accepts the proof', async () => {
    const phases: string[] = []
    const { proof, publicSignals } = await new NativeProcess(binary, CEILING_BYTES).prove(paths.zkey, wtns, (phase) =>
      phases.push(phase),
    )
    expect(phases).toEqual(['quotient', 'a', 'b', 'c', 'h'])
    const verify = (signals: readonly string[]) =>
      loadGroth16().then((groth16) => groth16.verify(exportVerifyingKey(paths.zkey), signals, proof))
    expect(await verify(publicSignals)).toBe(true)
    expect(await verify(['1', ...publicSignals.slice(1)])).toBe(false)
  })

  it('fails the job alone when it is killed in the middle of a proof, and starts again', async () => {
    const native = new NativeProcess(binary, CEILING_BYTES)
    const running = () => execFileSync('pgrep', ['-f', binary], { encoding: 'utf8' }).trim().split('\n') // of the tests before, too
    const killed = native.prove(paths.zkey, wtns, (phase) => {
      if (phase === 'a') for (const pid of running()) process.kill(Number(pid), 'SIGKILL')
    })
    await expect(killed).rejects.toThrow('its process ended without an answer')
    expect((await native.prove(paths.zkey, wtns)).publicSignals).toHaveLength(8)
  })

  it('says how much memory is missing under its ceiling', async () => {
    const native = new NativeProcess(binary, 6 * 2 ** 20)
    await expect(native.prove(paths.zkey, wtns)).rejects.toThrow(/it needs \d+ MB more than it may have/)
  })

  it('refuses a key that is cut off or changed in any of its sections, or makes no proof that holds', async () => {
    const native = new NativeProcess(binary, CEILING_BYTES)
    const good = readFileSync(paths.zkey)
    const other = join(dir, 'other.zkey')
    const outcome = async (bytes: Uint8Array) => {
      native.forget(other)
      writeFileSync(other, bytes)
      const proven = await native.prove(other, wtns).catch((error: unknown) => error as Error)
      if (proven instanceof Error) return proven.message
      const key = exportVerifyingKey(paths.zkey)
      return (await loadGroth16()).verify(key, proven.publicSignals, proven.proof)
    }
    expect(await outcome(good)).toBe(true)
    for (const id of SECTIONS) {
      const { at, size } = sectionOf(good, id)
      const flipped = Buffer.from(good)
      flipped[at + Math.floor(size / 2)]! ^= 1
      expect(await outcome(flipped), `section ${id}`).not.toBe(true)
      expect(await outcome(good.subarray(0, at + Math.floor(size / 2)))).toContain('it ends early')
    }
  })

  it('refuses a witness of another circuit, and one with a value that is not below the order', async () => {
    const native = new NativeProcess(binary, CEILING_BYTES)
    const large = Buffer.from(wtns)
    large.fill(0xff, 76 + 32 * 5, 76 + 32 * 6)
    await expect(native.prove(paths.zkey, large)).rejects.toThrow(
      "value 5 of the witness is not below the field's order",
    )
    const first = Buffer.from(wtns)
    first[76] = 2
    await expect(native.prove(paths.zkey, first)).rejects.toThrow('the witness does not begin with 1')
    expect((await native.prove(paths.zkey, wtns)).publicSignals).toHaveLength(8)
  })
})

describe('an external prover', () => {
  let circuit: RootsCircuit
  beforeAll(async () => {
    process.env['TMPDIR'] = dir // what provers of other tests leave there meanwhile is not looked at
    circuit = await rootsCircuit()
  })
  afterAll(() => circuit.remove())
  const job = () => ({ files: circuit.files, input: rootsInput() })
  const leftovers = () => readdirSync(tmpdir()).filter((name) => name.startsWith('attestream-rapidsnark-'))

  it.each([
    ['is missing', undefined, /failed with exit code 127/],
    ['fails', 'echo "out of luck" >&2; exit 3', /failed with exit code 3. out of luck/],
    ['writes no files', 'exit 0', /ENOENT/],
    ['writes no JSON', 'echo no > "$3"; echo no > "$4"', /its file of the proof is no JSON/],
    ['writes no proof', 'echo {} > "$3"; echo [] > "$4"', /its files are no proof/],
  ])('fails its job in clear words when it %s', async (_, line, message) => {
    const program = externalProver(line)
    const binary = line === undefined ? `${program.binary}-missing` : program.binary
    const before = leftovers()
    const prover = createRapidsnarkProver({ threads: 1, binary })
    await expect(prover.prove(job())).rejects.toMatchObject({
      code: 'PROOF_FAILED',
      message: expect.stringMatching(message),
    })
    expect(leftovers()).toEqual(before)
    await prover.close()
    program.remove()
  })

  it('D-03 is not believed when it hands over a good proof of another job', async () => {
    const real = externalProver()
    const program = externalProver(
      `[ -e "$0.proof" ] || { '${real.binary}' "$1" "$2" "$0.proof" "$0.signals" || exit 1; }; cp "$0.proof" "$3"; cp "$0.signals" "$4"`,
    )
    const prover = createRapidsnarkProver({ threads: 1, binary: program.binary })
    expect((await prover.prove(job())).publicSignals[0]).toBe('9')
    const roots = Array.from({ length: 9 }, (_, k) => k + 4)
    const input = { squares: roots.map((root) => `${root * root}`), roots: roots.map(String) } as never
    await expect(prover.prove({ ...job(), input })).rejects.toThrow('of other public signals')
    await prover.close()
    for (const each of [program, real]) each.remove()
  })

  it('is killed when its job is stopped, and its files go with it', async () => {
    const program = externalProver('echo > "$0.started"; exec sleep 600.25')
    const prover = createRapidsnarkProver({ threads: 1, binary: program.binary })
    const before = leftovers()
    const stopping = new AbortController()
    const proving = expect(prover.prove(job(), stopping.signal)).rejects.toThrow('not needed')
    await until(() => existsSync(`${program.binary}.started`))
    stopping.abort(new Error('not needed'))
    await proving
    await until(() => !isRunning('sleep 600.25') && leftovers().every((name) => before.includes(name)))
    await prover.close()
    program.remove()
  })
})

describe('the choice of a prover', () => {
  it('takes the prover in WebAssembly when there is no compiler, and says so once', async () => {
    const told: string[] = []
    const choice = { native: { compiler: join(dir, 'no-compiler') } }
    const prover = await createChosenProver(choice, KERNEL_CACHE, { threads: 1 }, ({ message }) => told.push(message))
    const circuit = await rootsCircuit()
    for (let k = 0; k < 2; k++) {
      expect((await prover.prove({ files: circuit.files, input: rootsInput() })).publicSignals[0]).toBe('9')
    }
    expect(told).toEqual([expect.stringContaining('There is no C compiler')])
    circuit.remove()
    await prover.close()
  })
})

function sectionOf(file: Buffer, id: number): { at: number; size: number } {
  let at = 12
  while (file.readUInt32LE(at) !== id) at += 12 + Number(file.readBigUInt64LE(at + 4))
  return { at: at + 12, size: Number(file.readBigUInt64LE(at + 4)) }
}
