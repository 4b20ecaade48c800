// The time from a batch's last frame to its receipt, and the waits that are spared.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LATENCY_PHASES, latencyOf } from '../../engine/latency.ts'
import { createProofWatch } from '../../engine/proof-watch.ts'
import type { Task } from '../../engine/store/index.ts'
import { newTask, NOW_MS } from './scene.ts'

const STATES = ['closed', 'published', 'anchored', 'executed', 'proven', 'settled'] as const

/** A settled task; each step waited and worked for so long. */
function settledTask(steps: readonly { readonly waitMs: number; readonly workMs: number }[], proveShare = 0.5): Task {
  let nowMs = NOW_MS
  const [times, begun]: Record<string, number>[] = [{}, {}]
  STATES.forEach((state, k) => {
    begun![state] = nowMs += steps[k]!.waitMs
    times![state] = nowMs += steps[k]!.workMs
  })
  const provingMs = times!.proven! - begun!.proven!
  const proveMs = Math.floor(provingMs * proveShare)
  const made = {
    state: 'settled',
    times: times!,
    begun: begun!,
    lastFrameMs: NOW_MS,
    proveMs,
    witnessMs: provingMs - proveMs,
  }
  return { ...newTask(1), ...made, ordinal: 1 } as Task
}

describe('the time from event to settlement', () => {
  it('is split into phases that sum to the whole', () => {
    const step = fc.record({ waitMs: fc.nat(10_000), workMs: fc.nat(10_000) })
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 6, maxLength: 6 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (steps, share) => {
          const task = settledTask(steps, share)
          const { totalMs, phasesMs } = latencyOf(task)!
          expect(totalMs).toBe(task.times.settled! - task.lastFrameMs)
          expect(LATENCY_PHASES.reduce((sum, phase) => sum + phasesMs[phase], 0)).toBe(totalMs)
          expect(Math.min(...Object.values(phasesMs))).toBeGreaterThanOrEqual(0)
        },
      ),
    )
  })

  it('tells waiting from work', () => {
    const steps = [5, 0, 10, 0, 20, 40].map((waitMs, k) => ({ waitMs, workMs: k === 0 ? 0 : 100 * (k + 1) }))
    expect(latencyOf(settledTask(steps))!.phasesMs).toEqual({
      closeWait: 5,
      publish: 200,
      anchorWait: 10,
      anchor: 300,
      execute: 400,
      proveWait: 20,
      witness: 250,
      prove: 250,
      settleWait: 40,
      settle: 600,
    })
  })

  it('is not known before the batch is settled', () => {
    expect(latencyOf({ ...newTask(1), times: { closed: NOW_MS } })).toBeUndefined()
  })
})

describe('what a proof under way still needs', () => {
  const task = (name: number) => ({ ...newTask(name), ordinal: name }) as Task
  const done = { ...task(9), witnessMs: 100, proveMs: 900 }

  it('follows from the time that its share so far has taken', () => {
    const clock = { nowMs: NOW_MS }
    const watch = createProofWatch(() => clock.nowMs)
    watch.tell(task(1).taskId, 0)
    clock.nowMs += 600
    watch.tell(task(1).taskId, 0.75)
    expect(watch.remainingMs(task(1), [])).toBe(200)
    clock.nowMs += 50
    expect(watch.remainingMs(task(1), [])).toBe(150)
    clock.nowMs += 500
    expect(watch.remainingMs(task(1), [])).toBe(0)
  })

  it('is a whole proof before it has begun', () => {
    const clock = { nowMs: NOW_MS }
    const watch = createProofWatch(() => clock.nowMs)
    expect(watch.remainingMs(task(1), [done])).toBe(1000)
    watch.tell(task(1).taskId, 0)
    clock.nowMs += 300
    expect(watch.remainingMs(task(1), [done])).toBe(700)
    watch.end(task(1).taskId)
    expect(watch.remainingMs(task(1), [done])).toBe(1000)
  })
})
