// The order of provers. Those here prove nothing: what is tested is which of them is asked.

import { describe, expect, it } from 'vitest'
import { AttestreamError, type ErrorCode } from '../../../engine/core/errors.ts'
import { withFallback } from '../../../engine/prover/fallback.ts'
import type { ProofJob, ProofResult, Prover } from '../../../engine/prover/prover.ts'

const job = {} as ProofJob
const result = {} as ProofResult

function proverDouble(code?: ErrorCode) {
  let asked = 0
  let closed = 0
  const prover: Prover = {
    async prove() {
      asked++
      if (code) throw new AttestreamError(code, `refused with ${code}`)
      return result
    },
    async close() {
      closed++
    },
  }
  return { prover, counts: () => ({ asked, closed }) }
}

describe('a prover with another to fall back on', () => {
  it('asks the first alone while it proves', async () => {
    const [first, second] = [proverDouble(), proverDouble()]
    const notes: unknown[] = []
    const prover = withFallback(first.prover, second.prover, (note) => notes.push(note))
    expect(await prover.prove(job)).toBe(result)
    expect([second.counts().asked, notes]).toEqual([0, []])
  })

  it('asks the second when the first cannot prove, and says why', async () => {
    const notes: AttestreamError[] = []
    const prover = withFallback(proverDouble('PROOF_FAILED').prover, proverDouble().prover, (note) => notes.push(note))
    expect(await prover.prove(job)).toBe(result)
    expect(notes).toMatchObject([
      { code: 'PROOF_FAILED', message: expect.stringContaining('refused with PROOF_FAILED') },
    ])
  })

  it('gives the error of the first when both cannot', async () => {
    const prover = withFallback(proverDouble('PROOF_FAILED').prover, proverDouble('ZKEY_INVALID').prover, () => {})
    await expect(prover.prove(job)).rejects.toMatchObject({ code: 'PROOF_FAILED' })
  })

  it('takes no second opinion on a witness that does not exist, nor on a task that is stopped', async () => {
    const second = proverDouble()
    const disagreeing = withFallback(proverDouble('CIRCUIT_DISAGREES').prover, second.prover, () => {})
    await expect(disagreeing.prove(job)).rejects.toMatchObject({ code: 'CIRCUIT_DISAGREES' })
    const stopped = withFallback(proverDouble('PROOF_FAILED').prover, second.prover, () => {})
    await expect(stopped.prove(job, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough')
    expect(second.counts().asked).toBe(0)
  })

  it('closes both', async () => {
    const [first, second] = [proverDouble(), proverDouble()]
    await withFallback(first.prover, second.prover, () => {}).close()
    expect([first.counts().closed, second.counts().closed]).toEqual([1, 1])
  })
})
