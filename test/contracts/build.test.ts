import { readFileSync, readdirSync } from 'node:fs'
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

  it('documents every function that can be called and is not the library’s, every event, error and public variable', () => {
    const folder = new URL('../../contracts/src/', import.meta.url)
    const bare = readdirSync(folder).flatMap((file) => {
      const lines = readFileSync(new URL(file, folder), 'utf8').split('\n')
      const isPublic = (line: string, i: number) =>
        /^ {4}(event|error) /.test(line) ||
        (/^ {4}[a-z]\S* .*\bpublic\b.*;/.test(line) && !line.includes('{')) ||
        (/^ {4}function /.test(line) && /^(?!.* override\b).* (external|public)\b/.test(signatureAt(lines, i)))
      return lines.flatMap((line, i) =>
        isPublic(line, i) && !/^ {4}\/\/\//.test(lines[i - 1]!) ? [`${file}: ${line}`] : [],
      )
    })
    expect(bare).toEqual([])
  })

  it("refuses to link without the library's address", () => {
    expect(() => linkedBytecode(contractArtifacts().Settlement, {})).toThrow('PoseidonT3')
  })
})

/** A declaration up to its body. */
function signatureAt(lines: readonly string[], start: number): string {
  const rest = lines.slice(start).join(' ')
  return rest.slice(0, rest.search(/[{;]/))
}
