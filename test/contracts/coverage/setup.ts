// Puts the instrumented contracts in the place of the real ones, and a recorder in front of every chain that a test starts.

import { readFileSync, writeFileSync } from 'node:fs'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { vi } from 'vitest'
import type * as Build from '../../../contracts/build.ts'
import type * as AnvilModule from '../../../engine/chain/anvil.ts'
import { coverageDir } from './mode.ts'
import { startRecorder } from './recorder.ts'

const dir = coverageDir!

vi.mock('../../../contracts/build.ts', async (original) => ({
  ...(await original<typeof Build>()),
  contractArtifacts: () => JSON.parse(readFileSync(join(dir, 'artifacts.json'), 'utf8')) as unknown,
}))

vi.mock('../../../engine/chain/anvil.ts', async (original) => {
  const real = await original<typeof AnvilModule>()
  return {
    ...real,
    startAnvil: (options: AnvilModule.AnvilOptions = {}) => startRecordedAnvil(real.startAnvil, options),
  }
})

/** Instrumented code is larger and dearer than a chain allows. */
async function startRecordedAnvil(startAnvil: typeof AnvilModule.startAnvil, options: AnvilModule.AnvilOptions) {
  const limits = ['--disable-code-size-limit', '--gas-limit', '1000000000']
  const anvil = await startAnvil({ ...options, arguments: [...(options.arguments ?? []), ...limits] })
  const recorder = await startRecorder(anvil.rpcUrl)
  async function close(): Promise<void> {
    await recorder.close()
    writeFileSync(join(dir, `reached-${randomUUID()}.json`), JSON.stringify([...recorder.reached]))
    await anvil.close()
  }
  return { ...anvil, rpcUrl: recorder.rpcUrl, close }
}
