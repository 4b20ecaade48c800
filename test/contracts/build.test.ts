import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { contractArtifacts, linkedBytecode, renderAbi } from '../../contracts/build.ts'

/** EIP-170. */
const MAX_CODE_BYTES = 24_576

describe("the contracts' build", () => {
  it('has the committed ABI; if not, run `npx tsx contracts/build.ts`', () => {
    const committed = readFileSync(new URL('../../contracts/abi.ts', import.meta.url), 'utf8')
    expect(committed).toBe(renderAbi(contractArtifacts()))
  })

  it('leaves each contract a thousand bytes short of what a chain deploys', () => {
    for (const [name, { runtimeBytes }] of Object.entries(contractArtifacts())) {
      expect(runtimeBytes, name).toBeLessThanOrEqual(MAX_CODE_BYTES - 1000)
    }
  })

  it("refuses to link without the library's address", () => {
    expect(() => linkedBytecode(contractArtifacts().Settlement, {})).toThrow('PoseidonT3')
  })
})
