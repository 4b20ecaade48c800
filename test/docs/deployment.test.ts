// docs/deployment.md and docs/governance.md tell the truth: their commands run, their tables are the code's, their links lead somewhere.

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { deployCommand } from '../../cli/deploy.ts'
import { CANONICAL_FACTORY } from '../../contracts/deploy-checks.ts'
import { NETWORKS } from '../../contracts/networks.ts'
import { startAnvil, type Anvil } from '../../engine/chain/anvil.ts'

const pages = {
  deployment: readFileSync('docs/deployment.md', 'utf8'),
  governance: readFileSync('docs/governance.md', 'utf8'),
}
const commands = Object.values(pages).flatMap((page) =>
  [...page.matchAll(/^npm run attestream -- deploy (.*?)(?: +#.*)?$/gm)].map((match) => match[1]!.trim()),
)
const directory = mkdtempSync(join(tmpdir(), 'attestream-docs-'))
let anvil: Anvil

beforeAll(async () => {
  anvil = await startAnvil()
})
afterAll(async () => {
  await anvil.close()
  rmSync(directory, { recursive: true })
})

describe('the commands', () => {
  it.each(commands)('deploy %s has options that exist', (command) => {
    const { operands, unknown } = deployCommand().exitOverride().parseOptions(command.split(/ +/))
    expect([operands, unknown]).toEqual([[], []])
  })

  it.each(commands.filter((command) => command.includes('--network local')))('deploy %s runs', async (command) => {
    vi.stubEnv('ATTESTREAM_PRIVATE_KEY', anvil.accounts[0]!.privateKey)
    const lines: string[] = []
    vi.spyOn(console, 'log').mockImplementation((line: unknown) => void lines.push(String(line)))
    const file = join(directory, `${commands.indexOf(command)}.json`)
    const args = [...command.split(/ +/), '--rpc', anvil.rpcUrl, '--file', file]
    await deployCommand().exitOverride().parseAsync(args, { from: 'user' })
    vi.unstubAllEnvs()
    vi.restoreAllMocks()
    expect(lines.join('\n')).toMatch(/timelock +0x[0-9a-fA-F]{40}/)
    expect(existsSync(file)).toBe(true)
  })
})

describe('the pages', () => {
  it('list the networks and their ids', () => {
    const rows = [...pages.deployment.matchAll(/^\| `([a-z-]+)` \| [^|]+ \| (\d+) \|/gm)].map((row) => [
      row[1],
      Number(row[2]),
    ])
    expect(rows).toEqual(Object.entries(NETWORKS).map(([name, { id }]) => [name, id]))
  })

  it('name the factory', () => expect(pages.deployment).toContain(CANONICAL_FACTORY))

  it('quote tests that exist', () => {
    const suite = readFileSync('test/contracts/governance.test.ts', 'utf8').replace('%s', '…')
    const quoted = [...pages.governance.matchAll(/"([a-zC][^"]{15,})"/g)].map((match) => match[1]!)
    expect(quoted.length).toBeGreaterThan(7)
    expect(quoted.filter((name) => !suite.includes(name))).toEqual([])
  })

  it.each(Object.entries(pages))('%s has links to files that exist', (_, page) => {
    const targets = [...page.matchAll(/\]\((?!http)([^)#]+)/g)].map((match) => join('docs', match[1]!))
    expect(targets.length).toBeGreaterThan(0)
    expect(targets.filter((target) => !existsSync(target))).toEqual([])
  })
})
