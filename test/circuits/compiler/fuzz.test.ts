// One round of the fuzzer from a fixed seed; `npm run fuzz:compiler -- --minutes 60` goes on for as long as one likes.
import { afterAll, describe, expect, it } from 'vitest'
import type { Kind } from './fuzz.ts'
import { Fuzzer, KINDS } from './fuzz.ts'

const FIRST_SEED = 1
/** About a minute of one core in all. */
const PROGRAMS: Readonly<Record<Kind, number>> = {
  wasm: 120,
  'wasm-small': 40,
  asc: 10,
  'asc-small': 5,
  'asc-O0': 10,
  'asc-O0-small': 5,
}

describe('random programs', () => {
  const fuzzer = new Fuzzer()
  afterAll(() => {
    fuzzer.close()
    console.log(fuzzer.report())
  })

  for (const kind of KINDS) {
    it(`A-16 ${PROGRAMS[kind]} of kind ${kind}: engine and circuit agree, and no claim is false`, async () => {
      for (let k = 0; k < PROGRAMS[kind]; k++) await fuzzer.try(kind, FIRST_SEED + k)
      const { programs, refused } = fuzzer.counts.get(kind)!
      expect(programs).toBe(PROGRAMS[kind])
      expect(refused).toBeLessThanOrEqual(0.4 * programs)
    })
  }

  it("A-13 A-16 circom's witness generator agrees on some of each kind", async () => {
    await fuzzer.tryCircom(4)
    for (const kind of KINDS) expect(fuzzer.counts.get(kind)!.circom).toBeGreaterThan(0)
  })
})
