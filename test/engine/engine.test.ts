import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createEngine, type EngineOptions } from '../../engine/index.ts'
import { CIRCUITS, createCrashWorld, type CrashWorld } from './crash-world.ts'
import { frameBytes, temporaryDirectory } from './scene.ts'

let world: CrashWorld
beforeAll(async () => {
  world = await createCrashWorld(0)
})
afterAll(() => world?.anvil.close())

const open = async (dataDir: string, change: Partial<EngineOptions> = {}) => {
  const engine = await createEngine({ dataDir, cacheDir: CIRCUITS, chain: world.engineChain, ...change })
  onTestFinished(() => engine.close())
  return engine
}

describe('an engine', () => {
  it('has its data directory to itself until it is closed', async () => {
    const dataDir = join(temporaryDirectory(), 'engine')
    const engine = await open(dataDir)
    await expect(open(dataDir)).rejects.toMatchObject({ code: 'STORE_LOCKED' })
    expect(await engine.health()).toMatchObject({ ok: true, pendingFrames: 0, openTasks: 0, failedTasks: 0 })
    await engine.close()
    await engine.close()
    const next = await open(dataDir)
    expect((await next.health()).ok).toBe(true)
  })

  it('lets go of its data directory when it cannot start', async () => {
    const dataDir = temporaryDirectory()
    writeFileSync(join(dataDir, 'da'), 'a file where a directory belongs')
    await expect(open(dataDir)).rejects.toThrow(/EEXIST/)
    rmSync(join(dataDir, 'da'))
    await open(dataDir)
  })

  it('after close takes no frame, says so, and is not healthy', async () => {
    const engine = await open(join(temporaryDirectory(), 'engine'))
    const waiting = engine.ingest([frameBytes(0, 1n)])
    await engine.close()
    const [result] = await waiting
    expect(result).toMatchObject({ failure: { code: expect.stringMatching(/^(ENGINE_CLOSED|DEVICE_UNKNOWN)$/) } })
    await expect(engine.ingest([frameBytes(0, 1n)])).rejects.toMatchObject({ code: 'ENGINE_CLOSED' })
    expect(await engine.health()).toMatchObject({ ok: false, blockNumber: null })
  })

  it('answers the requests under way before it closes', async () => {
    const { deviceId } = await world.register(0)
    const engine = await open(join(temporaryDirectory(), 'engine'))
    const frame = frameBytes(0, 1n, { id: deviceId })
    const waiting = engine.ingest(Array.from({ length: 20_000 }, () => frame))
    await engine.close()
    const codes = (await waiting).map((result) => 'failure' in result && result.failure.code)
    expect(new Set(codes)).toEqual(new Set(['DEVICE_FOREIGN']))
  })

  it('is not healthy while its chain is away', async () => {
    const other = await createCrashWorld(0)
    onTestFinished(() => other.anvil.close())
    const engine = await open(join(temporaryDirectory(), 'engine'), { chain: other.engineChain })
    await other.anvil.close()
    expect(await engine.health()).toMatchObject({ ok: false, blockNumber: null, chainId: 31337 })
  })
})
