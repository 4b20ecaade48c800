// Which proof goes where. The clock of these tests is the number of choices: a simulated pool starts what is chosen, and jobs end when
// the test says so.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { choose, fits, MAX_PASSED, type PoolLimits, type ThreadState } from '../../../engine/prover/schedule.ts'

interface Job {
  readonly name: string
  readonly key: string
  readonly keyBytes: number
  readonly fresh: boolean
  passed: number
}

interface Thread extends ThreadState {
  readonly name: number
  status: 'busy' | 'idle' | 'ending'
  readonly keys: Map<string, number>
  lastUse: number
  job?: string
}

const LIMITS: PoolLimits = { threads: 2, totalBytes: 100, threadBytes: 10 }

function pool(limits: PoolLimits = LIMITS) {
  const waiting: Job[] = []
  let threads: Thread[] = []
  const started: string[] = []
  let uses = 0
  let names = 0
  const run = (): void => {
    for (;;) {
      const choice = choose(waiting, threads, limits)
      if (!choice) return
      if ('end' in choice) {
        threads = threads.filter((thread) => !choice.end.includes(thread))
        continue
      }
      const { job } = choice
      let { thread } = choice
      if (thread === 'new') {
        thread = { name: ++names, status: 'idle', keys: new Map(), lastUse: 0 }
        threads.push(thread)
      }
      const place = waiting.indexOf(job)
      waiting.slice(0, place).forEach((before) => before.passed++)
      waiting.splice(place, 1)
      Object.assign(thread, { status: 'busy', lastUse: ++uses, job: job.name })
      thread.keys.set(job.key, job.keyBytes)
      started.push(`${job.name}@${thread.name}`)
    }
  }
  return {
    started,
    used: () => threads.reduce((sum, { keys }) => sum + limits.threadBytes + [...keys.values()].reduce((a, b) => a + b, 0), 0), // prettier-ignore
    threads: () => threads,
    waiting: () => waiting.map(({ name }) => name),
    add(name: string, keyBytes: number, change: Partial<Job> = {}) {
      waiting.push({ name, key: name, keyBytes, fresh: false, passed: 0, ...change })
      run()
    },
    end(name: string) {
      const thread = threads.find(({ job }) => job === name)!
      thread.status = 'idle'
      delete thread.job
      run()
    },
    busy: () => threads.filter(({ status }) => status === 'busy').map(({ job }) => job!),
  }
}

describe('the schedule of proofs', () => {
  it('starts jobs in the order of their arrival, as many as there are threads', () => {
    const { add, end, started } = pool()
    for (const name of ['a', 'b', 'c']) add(name, 20, { key: 'k' })
    expect(started).toEqual(['a@1', 'b@2'])
    end('b')
    expect(started).toEqual(['a@1', 'b@2', 'c@2'])
  })

  it('prefers the thread that holds the key, then an idle one, then a new one', () => {
    const { add, end, started } = pool({ ...LIMITS, threads: 3 })
    add('a', 10, { key: 'k' })
    add('b', 10, { key: 'l' })
    end('a')
    end('b')
    add('c', 10, { key: 'k' })
    add('d', 10, { key: 'm' })
    add('e', 10, { key: 'm' })
    expect(started.slice(2)).toEqual(['c@1', 'd@2', 'e@3'])
  })

  it('does not wait for the thread that holds the key while another is free', () => {
    const { add, started } = pool()
    add('a', 20, { key: 'k' })
    add('b', 20, { key: 'k' })
    expect(started).toEqual(['a@1', 'b@2'])
  })

  it('lets a large job wait until it fits, and smaller ones pass it', () => {
    const { add, end, started, waiting } = pool()
    add('small', 30)
    add('large', 80)
    add('tiny', 10)
    expect([started, waiting()]).toEqual([['small@1', 'tiny@2'], ['large']])
    end('small')
    expect(waiting()).toEqual(['large'])
    end('tiny')
    expect(started.at(-1)).toBe('large@3')
  })

  it('starves no large job: after some have passed it, memory is kept for it', () => {
    const { add, end, started } = pool()
    add('first', 30)
    add('large', 80)
    const rest = Array.from({ length: 50 }, (_, k) => `s${k}`)
    for (const name of rest) add(name, 10)
    end('first')
    for (let k = 0; k < MAX_PASSED - 1; k++) end(`s${k}`)
    expect(started.filter((name) => name.startsWith('s'))).toHaveLength(MAX_PASSED)
    end(`s${MAX_PASSED - 1}`)
    expect(started[MAX_PASSED + 1]).toMatch(/^large@/)
  })

  it('ends the threads that were idle longest to make room', () => {
    const { add, end, started, threads } = pool({ threads: 3, totalBytes: 100, threadBytes: 10 })
    for (const name of ['a', 'b', 'c']) add(name, 20)
    for (const name of ['b', 'a', 'c']) end(name)
    add('d', 45)
    expect(started.at(-1)).toBe('d@3')
    expect(threads().map(({ name }) => name)).toEqual([3])
  })

  it('gives a job that was tried before a new thread, also when all threads are there', () => {
    const { add, end, started } = pool({ ...LIMITS, threads: 1 })
    add('a', 20, { key: 'k' })
    end('a')
    add('b', 20, { key: 'k', fresh: true })
    expect(started).toEqual(['a@1', 'b@2'])
  })

  it('waits for threads that are about to be gone, and ends no more than needed', () => {
    const idle: Thread = { name: 1, status: 'idle', keys: new Map([['k', 40]]), lastUse: 1 }
    const ending: Thread = { name: 2, status: 'ending', keys: new Map([['l', 20]]), lastUse: 2 }
    const job = { name: 'a', key: 'm', keyBytes: 40, fresh: false, passed: 0 }
    expect(choose([job], [idle, ending], LIMITS)).toBeUndefined()
    expect(choose([{ ...job, keyBytes: 60 }], [idle, ending], LIMITS)).toEqual({ end: [idle] })
  })

  it('never passes the ceiling or the number of threads, and runs every job that fits in the end', () => {
    const jobs = fc.array(fc.record({ key: fc.integer({ min: 0, max: 5 }), fresh: fc.boolean() }), { maxLength: 40 })
    fc.assert(
      fc.property(jobs, fc.array(fc.nat()), (arriving, order) => {
        const { add, end, started, used, busy, threads } = pool({ threads: 3, totalBytes: 200, threadBytes: 10 })
        const check = () => {
          expect(used()).toBeLessThanOrEqual(200)
          expect(threads().length).toBeLessThanOrEqual(3)
        }
        arriving.forEach(({ key, fresh }, k) => {
          add(`j${k}`, 15 + 35 * key, { key: `k${key}`, fresh })
          check()
          if (order[k] !== undefined && busy().length > 0) end(busy()[order[k] % busy().length]!)
          check()
        })
        while (busy().length > 0) {
          end(busy()[0]!)
          check()
        }
        expect(started).toHaveLength(arriving.length)
      }),
      { numRuns: 200 },
    )
  })

  it('knows what never fits', () => {
    expect([fits({ keyBytes: 90 }, LIMITS), fits({ keyBytes: 91 }, LIMITS)]).toEqual([true, false])
  })
})
