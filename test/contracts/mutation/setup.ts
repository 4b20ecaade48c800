// Puts the contracts with all mutants in the place of the real ones, and turns one mutant on in every chain that a test starts.

import { readFileSync } from 'node:fs'
import { vi } from 'vitest'
import type * as Build from '../../../contracts/build.ts'
import type * as AnvilModule from '../../../engine/chain/anvil.ts'
import { switchAccount } from './mutants.ts'

const artifacts = process.env.ATTESTREAM_MUTANTS!
const mutant = process.env.ATTESTREAM_MUTANT

vi.mock('../../../contracts/build.ts', async (original) => ({
  ...(await original<typeof Build>()),
  contractArtifacts: () => JSON.parse(readFileSync(artifacts, 'utf8')) as unknown,
}))

vi.mock('../../../engine/chain/anvil.ts', async (original) => {
  const real = await original<typeof AnvilModule>()
  return {
    ...real,
    startAnvil: async (options: AnvilModule.AnvilOptions = {}) => {
      const limits = ['--disable-code-size-limit', '--gas-limit', '1000000000']
      const anvil = await real.startAnvil({ ...options, arguments: [...(options.arguments ?? []), ...limits] })
      if (mutant !== undefined) await turnOn(anvil.rpcUrl, Number(mutant))
      return anvil
    },
  }
})

async function turnOn(rpcUrl: string, index: number): Promise<void> {
  const params = [switchAccount(index), '0x1']
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'anvil_setBalance', params })
  const response = await fetch(rpcUrl, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  const { error } = (await response.json()) as { error?: { message: string } }
  if (error) throw new Error(error.message)
}
