// What becomes of tasks when proofs fail: real provers and files behind the step that proves, the other steps doubles that always pass.

import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { TASK_STATES } from '../../engine/core/task.ts'
import { createPipeline, type Step, type StepFrom } from '../../engine/pipeline.ts'
import { withFallback } from '../../engine/prover/fallback.ts'
import { createProverPool } from '../../engine/prover/pool.ts'
import type { ProofJob } from '../../engine/prover/prover.ts'
import { createSnarkjsProver } from '../../engine/prover/snarkjs.ts'
import type { MortalJob } from './prover/mortal-worker.ts'
import { brokenRootsWitness, rootsCircuit, rootsInput, type RootsCircuit } from './prover/roots.ts'
import { newTask, NOW_MS, testStore } from './scene.ts'

const FROM = ['closed', 'published', 'anchored', 'executed', 'proven'] as const

let circuit: RootsCircuit
beforeAll(async () => {
  circuit = await rootsCircuit()
})
afterAll(() => circuit?.remove())

/** A pipeline whose tasks are proven by threads that may die, then by snarkjs; `jobs` by the number of the task. */
function scene(jobs: Record<number, Partial<MortalJob>>, firstMemoryMb = 500) {
  const { store } = testStore()
  const notes: string[] = []
  const errors: string[] = []
  const worker = new URL('./prover/mortal-worker.ts', import.meta.url)
  const kind = { name: 'mortal', worker, threadBytes: 50 * 2 ** 20, keyBytes: () => 10 * 2 ** 20 }
  const first = createProverPool(kind, { threads: 1, memoryMb: firstMemoryMb })
  const prover = withFallback(first, createSnarkjsProver({ threads: 1 }), ({ message }) => notes.push(message))
  onTestFinished(() => prover.close())
  const step = (from: StepFrom, k: number): [StepFrom, Step] => {
    const isReady: Step['isReady'] = (_, previous) => from !== 'proven' || !previous || previous.state === 'settled'
    const run: Step['run'] = async (task) => {
      const job: ProofJob = { files: circuit.files, input: rootsInput(), ...jobs[Number(task.taskId)] }
      if (from === 'executed') await prover.prove(job)
      return task
    }
    return [from, { to: TASK_STATES[k + 1]!, isReady, run }]
  }
  const pipeline = createPipeline({
    store,
    steps: Object.fromEntries(FROM.map(step)) as Record<StepFrom, Step>,
    closeBatches: () => ({ closed: 0 }),
    nowMs: () => NOW_MS + performance.now(),
    maxAttempts: 2,
    backoffMs: 10,
    onChange: () => {},
    onError: (error) => errors.push((error as Error).message),
  })
  onTestFinished(() => pipeline.close())
  for (const name of Object.keys(jobs).map(Number)) store.putTask(newTask(name, { cohort: name }), [])
  const outcome = (name: number) => store.task(newTask(name).taskId)!
  return { store, pipeline, notes, errors, outcome }
}

describe('a task whose first prover fails', () => {
  it.each([
    ['its worker is killed', { deed: 'exit' }, 'exited with code: 3'],
    ['its proofs do not verify', { deed: 'lie' }, 'does not verify under its own key'],
  ] as const)('is proven by the fallback and settles: %s', async (_, job, why) => {
    const { pipeline, notes, errors, outcome } = scene({ 1: job, 2: {} })
    await pipeline.flush()
    expect([outcome(1), outcome(2)]).toMatchObject([
      { state: 'settled', failure: null },
      { state: 'settled', failure: null },
    ])
    expect(notes).toEqual([expect.stringContaining(why)])
    expect(errors).toEqual([])
  })

  it('is proven by the fallback and settles: its key does not fit under the ceiling of memory', async () => {
    const { pipeline, notes, outcome } = scene({ 1: {} }, 55)
    await pipeline.flush()
    expect(outcome(1)).toMatchObject({ state: 'settled', failure: null })
    expect(notes).toEqual([expect.stringContaining('the ceiling of this prover is 55 MB')])
  })
})

describe('a task that no prover can prove', () => {
  it('fails with its code and why, other cohorts settle, and it settles when its key is mended and it is retried', async () => {
    const zkey = join(circuit.directory, 'mended-later.zkey')
    writeFileSync(zkey, readFileSync(circuit.files.zkey).subarray(0, 3000))
    const broken = await brokenRootsWitness()
    const { store, pipeline, outcome } = scene({
      1: { files: { ...circuit.files, zkey } },
      2: { files: { ...circuit.files, witnessWasm: broken.witnessWasm }, input: broken.input },
      3: { input: { ...rootsInput(), squares: Array(9).fill('2') } as never },
      4: {},
    })
    await pipeline.flush()
    const failed = { state: 'failed', work: { resumeFrom: 'executed' } }
    const failure = (code: string, why: string) => ({ code, message: expect.stringContaining(why) as string })
    expect(outcome(1)).toMatchObject({ ...failed, attempts: 2, failure: failure('PROOF_FAILED', zkey) })
    expect(outcome(2)).toMatchObject({ ...failed, attempts: 2, failure: failure('PROOF_FAILED', 'constraint 0') })
    expect(outcome(3)).toMatchObject({ ...failed, attempts: 1, failure: failure('CIRCUIT_DISAGREES', 'nothing is') })
    expect(outcome(4)).toMatchObject({ state: 'settled' })

    copyFileSync(circuit.files.zkey, zkey)
    store.updateTask(outcome(1), { state: 'executed', attempts: 0, failure: null })
    await pipeline.flush()
    expect(outcome(1)).toMatchObject({ state: 'settled', failure: null })
  })
})
