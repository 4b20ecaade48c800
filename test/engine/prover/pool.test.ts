// The pool of prover threads, with threads that really exit, overflow, trap, hang and lie.

import { getEventListeners } from 'node:events'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { AttestreamError } from '../../../engine/core/errors.ts'
import { createProverPool, type PoolOptions } from '../../../engine/prover/pool.ts'
import { createSnarkjsProver } from '../../../engine/prover/snarkjs.ts'
import type { MortalJob, MortalResult } from './mortal-worker.ts'
import { brokenRootsWitness, rootsCircuit, rootsInput, type RootsCircuit } from './roots.ts'

const MEGABYTE = 2 ** 20
const FAILED = { code: 'PROOF_FAILED' }

let circuit: RootsCircuit
beforeAll(async () => {
  circuit = await rootsCircuit()
})
afterAll(() => circuit.remove())

let markers = 0
/** The deed is done in the first thread that gets the job, and in no other. */
const once = () => join(circuit.directory, `done-${markers++}`)

/** Each key takes 10 MB beside the 50 MB of a thread. */
function mortalPool(options: PoolOptions = {}) {
  const suspicions: AttestreamError[] = []
  const worker = new URL('./mortal-worker.ts', import.meta.url)
  const kind = { name: 'mortal', worker, threadBytes: 50 * MEGABYTE, keyBytes: () => 10 * MEGABYTE }
  const pool = createProverPool(kind, { threads: 1, onSuspect: (error) => suspicions.push(error), ...options })
  onTestFinished(() => pool.close())
  const prove = (job: Partial<MortalJob> = {}, signal?: AbortSignal, onProgress?: () => void) =>
    pool.prove({ files: circuit.files, input: rootsInput(), ...job }, signal, onProgress) as Promise<MortalResult>
  return { pool, prove, suspicions }
}

/** A job that holds its thread until it is let go. */
function gate() {
  const flag = new Int32Array(new SharedArrayBuffer(4))
  const open = (): void => {
    Atomics.store(flag, 0, 1)
    Atomics.notify(flag, 0)
  }
  onTestFinished(open)
  return { gate: flag, open }
}

/** Another key file of the same circuit. */
function otherKey(name: string): MortalJob['files'] {
  const zkey = join(circuit.directory, `${name}.zkey`)
  copyFileSync(circuit.files.zkey, zkey)
  return { ...circuit.files, zkey }
}

describe('a thread of the prover pool', () => {
  it.each([
    ['exit', 'exited with code: 3'],
    ['heap', 'memory limit'],
    ['trap', 'unreachable'],
    ['lie', 'the proof does not verify under its own key'],
  ] as const)(
    'that does this: %s, is ended, and so is the next that its job is tried in; no other job is touched',
    async (deed, why) => {
      const { prove, suspicions } = mortalPool({ threads: 2, memoryMb: 120 })
      const held = gate()
      const other = prove({ gate: held.gate })
      const [failing, queued] = [prove({ deed }), prove()]
      await expect(failing).rejects.toMatchObject({ ...FAILED, message: expect.stringContaining(why) })
      expect((await queued).publicSignals).toHaveLength(9)
      held.open()
      expect((await other).threadId).toBeLessThan((await queued).threadId)
      expect(suspicions).toMatchObject([{ code: 'PROOF_FAILED', message: expect.stringContaining('a new one takes') }])
    },
  )

  it('that hangs is ended after the limit, and so is the next, and then the job fails', async () => {
    const { prove, suspicions } = mortalPool({ proofLimitMs: 1500 })
    const [hung, other] = [prove({ gate: gate().gate }), prove()]
    await expect(hung).rejects.toMatchObject({ ...FAILED, message: expect.stringContaining('no proof after 1.5 s') })
    expect(suspicions).toHaveLength(1)
    expect((await other).publicSignals).toHaveLength(9)
  })

  it('that makes a proof which does not verify loses its job to another, which proves it', async () => {
    const { prove, suspicions } = mortalPool()
    const { threadId } = await prove()
    const second = await prove({ deed: 'lie', once: once() })
    expect(second.threadId).toBeGreaterThan(threadId)
    expect(suspicions).toHaveLength(1)
  })

  it('is not suspected for a witness that breaks a constraint', async () => {
    const { prove, suspicions } = mortalPool()
    const { threadId } = await prove()
    const broken = await brokenRootsWitness()
    const files = { ...circuit.files, witnessWasm: broken.witnessWasm }
    const message = expect.stringContaining('breaks constraint 0') as string
    await expect(prove({ files, input: broken.input })).rejects.toMatchObject({ ...FAILED, message })
    expect((await prove()).threadId).toBe(threadId)
    expect(suspicions).toEqual([])
  })

  it('stops in the middle of WebAssembly when its job is aborted, and alone', async () => {
    const { prove, suspicions } = mortalPool({ threads: 2 })
    const held = gate()
    const other = prove({ gate: held.gate })
    const abort = new AbortController()
    const reason = new Error('not needed any more')
    let phases = 0
    const looping = prove({ deed: 'loop' }, abort.signal, () => {
      if (++phases === 3) abort.abort(reason) // witness, key, a: the loop has begun, or is about to
    })
    await expect(looping).rejects.toBe(reason)
    held.open()
    await other
    expect((await prove()).publicSignals).toHaveLength(9)
    expect(suspicions).toEqual([])
  })

  it('leaves nothing behind on a signal that outlives its jobs', async () => {
    const { prove } = mortalPool()
    const { signal } = new AbortController()
    await Promise.all([prove({}, signal), prove({ deed: 'lie' }, signal).catch(() => undefined)])
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('never sees a job that is aborted while it waits', async () => {
    const { prove } = mortalPool()
    const held = gate()
    const first = prove({ gate: held.gate })
    const abort = new AbortController()
    const marker = once()
    const waiting = prove({ deed: 'exit', once: marker }, abort.signal)
    abort.abort(new Error('changed my mind'))
    await expect(waiting).rejects.toThrow('changed my mind')
    held.open()
    expect((await first).threadId).toBe((await prove()).threadId)
  })

  it('gets the jobs whose key it holds, which is loaded once', async () => {
    const { prove } = mortalPool({ threads: 2 })
    const [a, b] = [otherKey('a'), otherKey('b')]
    const held = gate()
    const first = prove({ files: a, gate: held.gate })
    const onB = await prove({ files: b })
    held.open()
    const onA = await first
    const later = [await prove({ files: a }), await prove({ files: b }), await prove({ files: a })]
    expect(later.map(({ threadId }) => threadId)).toEqual([onA.threadId, onB.threadId, onA.threadId])
    expect(later.map(({ loads }) => loads)).toEqual([1, 1, 1])
  })

  it('makes room for another key by ending, when the ceiling is reached', async () => {
    const { prove } = mortalPool({ memoryMb: 70 })
    const first = await prove({ files: otherKey('k0') })
    const second = await prove({ files: otherKey('k1') })
    const third = await prove({ files: otherKey('k2') })
    expect(second.threadId).toBe(first.threadId)
    expect(third.threadId).toBeGreaterThan(first.threadId)
  })
})

describe('the prover pool', () => {
  it('refuses a proof that can never fit its ceiling before it starts, and says what it takes', async () => {
    const { prove } = mortalPool({ memoryMb: 59 })
    await expect(prove()).rejects.toMatchObject({
      ...FAILED,
      message: expect.stringContaining('needs 60 MB; the ceiling of this prover is 59 MB'),
    })
    const snarkjs = createSnarkjsProver({ memoryMb: 50 })
    await expect(snarkjs.prove({ files: circuit.files, input: rootsInput() })).rejects.toMatchObject(FAILED)
    await snarkjs.close()
  })

  it('starts no second thread that the ceiling has no room for', async () => {
    const { prove } = mortalPool({ threads: 2, memoryMb: 100 })
    const [first, second] = await Promise.all([prove(), prove()])
    expect(second.threadId).toBe(first.threadId)
  })

  it('refuses what waits when it is closed, and what runs', async () => {
    const { pool, prove } = mortalPool()
    const held = gate()
    const results = Promise.allSettled([prove({ gate: held.gate }), prove()])
    await pool.close()
    expect(await results).toMatchObject([
      { status: 'rejected', reason: FAILED },
      { status: 'rejected', reason: FAILED },
    ])
    await expect(prove()).rejects.toMatchObject(FAILED)
  })
})
