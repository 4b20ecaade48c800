// The project commands over a real chain: each does on chain what it says, or prints the transaction that would.

import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { projectCommand } from '../../cli/project/index.ts'
import { createCrashWorld, type CrashWorld } from '../engine/crash-world.ts'

const HASH = 77n

let world: CrashWorld
beforeAll(async () => void (world = await createCrashWorld(0)))
afterAll(() => world?.anvil.close())

/** Runs a command as the project's owner, or with another key; returns what it printed. */
async function run(name: string, values: readonly unknown[] = [], options: readonly string[] = [], key?: string) {
  const printed: string[] = []
  const log = vi.spyOn(console, 'log').mockImplementation((text: string) => void printed.push(text))
  onTestFinished(() => void vi.unstubAllEnvs())
  vi.stubEnv('ATTESTREAM_PRIVATE_KEY', key ?? world.owner.privateKey)
  const { rpcUrl } = world.anvil
  const flags = ['--rpc', rpcUrl, '--settlement', world.chain.addresses.settlement, ...options]
  try {
    const words = [name, `${world.projectId}`, ...values.map(String), ...flags]
    await projectCommand().parseAsync(words, { from: 'user' })
  } finally {
    log.mockRestore()
  }
  return JSON.parse(printed.join('\n'))
}

describe('the project commands', () => {
  it('move money, and limit it', async () => {
    const before = await world.chain.getAccount(world.projectId)
    await world.chain.mintReward(world.owner.address, 5_000_000_000n)
    await run('fund', [5_000_000_000n])
    await run('withdraw', [2_000_000_000n, world.operator.address])
    await run('budget', [9n, 3600])
    const shown = await run('show')
    expect(shown.escrowWei).toBe(`${before.escrowWei + 3_000_000_000n}`)
    expect(shown.budget).toEqual({ limitUnits: '9', windowSec: 3600, creditedUnits: '0' })
  })

  it('schedule, cancel and carry out what waits for the delay', async () => {
    await run('delay', [3600])
    await run('config', [HASH])
    await expect(run('apply-config', [HASH])).rejects.toThrow(/ChangeNotDue.*Wait until/)
    await run('cancel-config', [HASH])
    await expect(run('apply-config', [HASH])).rejects.toThrow('ChangeNotScheduled')
    const { version } = await world.chain.publishVersion(world.projectId, world.publication)
    await run('activate', [version, 600])
    await expect(run('apply-activation', [version, 600])).rejects.toThrow('ChangeNotDue')
    await run('cancel-activation', [version, 600])
    await expect(run('apply-activation', [version, 600])).rejects.toThrow('ChangeNotScheduled')
  })

  it('stop a version and replace the sequencer, by the owner alone', async () => {
    const stranger = run('sequencer', [world.owner.address], [], world.operator.privateKey)
    await expect(stranger).rejects.toMatchObject({ code: 'CHAIN_NOT_PERMITTED' })
    await run('sequencer', [world.owner.address])
    await run('stop-version', [1])
    expect(await run('show')).toMatchObject({ sequencer: world.owner.address })
    expect(await world.chain.isVersionStopped(world.projectId, 1)).toBe(true)
  })

  it('print the transaction for an owner that is a contract, without a key', async () => {
    const printed = await run('stop-version', [2], ['--calldata'], '')
    expect(printed).toMatchObject({ to: world.chain.addresses.applets, value: '0', data: expect.stringMatching(/^0x/) })
    expect(await world.chain.isVersionStopped(world.projectId, 2)).toBe(false)
  })
})
