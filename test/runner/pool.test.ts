import { afterAll, describe, expect, it } from 'vitest'
import { createRunner } from '../../engine/runner/pool.ts'
import type { BatchJob } from '../../engine/runner/run.ts'
import { wat } from './wat.ts'

const ECHO = wat({ body: '(i32.load (local.get $reading))' })
const SPIN = wat({ body: '(loop $again (br $again)) (i32.const 0)' })
/** More than any test waits for: with this fuel a loop ends by the clock only. */
const ENDLESS_FUEL = Number.MAX_SAFE_INTEGER

function job(wasm: Uint8Array, ...values: bigint[]): BatchJob {
  return { wasm, config: [], anchorTimeSec: 0n, slots: [{ state: [], readings: values.map((value) => [value]) }] }
}

describe('the pool', () => {
  const runner = createRunner({ threads: 2 })
  afterAll(() => runner.close())

  it('runs jobs in parallel and answers each with its own result', async () => {
    const values = Array.from({ length: 20 }, (_, i) => BigInt(i))
    const results = await Promise.all(values.map((value) => runner.run(job(ECHO, value, 7n))))
    expect(results.map((result) => result.slots[0]!.units)).toEqual(values.map((value) => [value, 7n]))
  })

  it('passes the codes of refusals through and keeps working', async () => {
    await expect(runner.run(job(SPIN, 0n))).rejects.toMatchObject({ code: 'APPLET_BUDGET_EXCEEDED' })
    await expect(runner.run(job(new Uint8Array(9), 0n))).rejects.toMatchObject({ code: 'WASM_MALFORMED' })
    expect((await runner.run(job(ECHO, 3n))).slots[0]!.units).toEqual([3n])
  })
})

describe('a runaway job', () => {
  const runner = createRunner({ threads: 1, fuel: ENDLESS_FUEL, timeoutMs: 1500 })
  afterAll(() => runner.close())

  it('is killed by the clock, and the next job, waiting meanwhile, is served', async () => {
    await runner.run(job(ECHO, 1n))
    const runaway = runner.run(job(SPIN, 0n))
    const next = runner.run(job(ECHO, 5n))
    await expect(runaway).rejects.toMatchObject({ code: 'APPLET_TIMEOUT' })
    expect((await next).slots[0]!.units).toEqual([5n])
  })
})

describe('a worker that runs out of heap', () => {
  it('costs the job, not the pool', async () => {
    const runner = createRunner({ threads: 1, memoryMb: 64, timeoutMs: 30_000 })
    const readings = Array.from({ length: 1000 }, (_, i) => [BigInt(i)])
    const slots = Array.from({ length: 2000 }, () => ({ state: [], readings }))
    try {
      await runner.run(job(ECHO, 1n))
      const huge = runner.run({ wasm: ECHO, config: [], anchorTimeSec: 0n, slots })
      await expect(huge).rejects.toMatchObject({ code: 'APPLET_RUN_FAILED' })
      expect((await runner.run(job(ECHO, 6n))).slots[0]!.units).toEqual([6n])
    } finally {
      await runner.close()
    }
  }, 60_000)
})
