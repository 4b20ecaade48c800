// The directory of devices over a real store. The chain is a double with one method, whose answers and timing the tests decide.

import { describe, expect, it } from 'vitest'
import type { DeviceEvent, LeafEvent } from '../../engine/chain/events.ts'
import { AttestreamError } from '../../engine/core/errors.ts'
import { createDeviceDirectory } from '../../engine/devices.ts'
import { device, deviceId, NOW_MS, testStore } from './scene.ts'

function event(slot: number, change: Partial<LeafEvent> = {}): LeafEvent {
  const { deviceId, projectId, cohort, key, owner } = device(slot)
  const block = { blockNumber: 1n, blockTime: BigInt(NOW_MS / 1000) }
  const place = { deviceId, projectId, cohort, slot }
  return { kind: 'registered', ...place, key, owner, leaf: 1n, identityRoot: 1n, ...block, ...change }
}

function scene() {
  const { store } = testStore({ devices: false })
  const looks: bigint[] = []
  const events: DeviceEvent[] = []
  const waits: { ms: number; end: () => void }[] = []
  const clock = { nowMs: 10_000 }
  const chain = {
    fails: false,
    getDeviceEvents: async (fromBlock: bigint) => {
      looks.push(fromBlock)
      if (chain.fails) throw new AttestreamError('CHAIN_UNAVAILABLE', 'down')
      return { events: events.splice(0), nextBlock: fromBlock + 10n }
    },
  }
  const delay = (ms: number) => new Promise<void>((end) => waits.push({ ms, end }))
  const directory = createDeviceDirectory({ store, chain, nowMs: () => clock.nowMs, delay })
  const settle = () => new Promise((resolve) => setImmediate(resolve))
  /** Lets the time of the oldest wait pass. */
  const pass = async () => {
    await settle()
    const wait = waits.shift()!
    clock.nowMs += wait.ms
    wait.end()
    await settle()
    return wait.ms
  }
  return { store, chain, looks, events, waits, clock, directory, pass, settle }
}

const unknown = { code: 'DEVICE_UNKNOWN' }

describe('the directory of devices', () => {
  it('keeps what each device’s last event says, and goes on from the next block', async () => {
    const { store, looks, events, directory } = scene()
    events.push(event(0), event(1), event(0, { kind: 'revoked', leaf: 0n }))
    await directory.sync()
    expect(store.device(deviceId(0))).toMatchObject({ active: false, slot: 0 })
    expect(store.device(deviceId(1))).toEqual({ ...device(1), lastSequence: 0n })
    await directory.sync()
    expect(looks).toEqual([0n, 10n])
  })

  it('follows status, time and owner, also through the sale of a device whose key is out of use', async () => {
    const { store, events, directory } = scene()
    const later = (blockNumber: bigint) => ({ blockNumber, blockTime: BigInt(NOW_MS / 1000) + blockNumber })
    const buyer = `0x${'b0'.repeat(20)}` as const
    events.push(event(0), event(0, { kind: 'suspended', leaf: 0n, ...later(3n) }))
    await directory.sync()
    expect(store.device(deviceId(0))).toMatchObject({ status: 'suspended', active: false, changedBlock: 3n })
    events.push({ kind: 'transferred', deviceId: deviceId(0), owner: buyer, ...later(5n) })
    await directory.sync()
    const sold = { ...device(0), owner: buyer, status: 'suspended', active: false, changedBlock: 5n }
    expect(store.device(deviceId(0))).toEqual({ ...sold, changedSec: NOW_MS / 1000 + 5, lastSequence: 0n })
  })

  it('shares one read between all who ask for it', async () => {
    const { looks, directory } = scene()
    await Promise.all([directory.sync(), directory.sync(), directory.sync()])
    expect(looks).toHaveLength(1)
  })

  it('answers for a known device without a look at the chain', async () => {
    const { events, looks, directory } = scene()
    events.push(event(0))
    await directory.sync()
    expect(await directory.find(deviceId(0))).toMatchObject({ slot: 0 })
    expect(looks).toHaveLength(1)
  })

  it('finds a device that was registered a moment after the last look', async () => {
    const { events, looks, directory, pass } = scene()
    await expect(directory.find(5n)).rejects.toMatchObject(unknown)
    events.push(event(0))
    const found = directory.find(deviceId(0))
    expect(await pass()).toBe(500)
    expect(await found).toMatchObject({ deviceId: deviceId(0) })
    expect(looks).toHaveLength(2)
  })

  it('looks at the chain once an interval, however many unknown devices are asked for', async () => {
    const { looks, waits, directory, pass } = scene()
    await expect(directory.find(1n)).rejects.toMatchObject(unknown)
    const flood = Array.from({ length: 50 }, (_, i) => expect(directory.find(BigInt(i))).rejects.toMatchObject(unknown))
    await pass()
    await Promise.all(flood)
    expect(looks).toHaveLength(2)
    expect(waits).toHaveLength(0)
  })

  it('lets one request wait for one look, whatever it names', async () => {
    const { looks, clock, directory } = scene()
    const find = directory.createFinder()
    for (let id = 0n; id < 20n; id++) await expect(find(id)).rejects.toMatchObject(unknown)
    expect([looks.length, clock.nowMs]).toEqual([1, 10_000])
  })

  it('does not count a read that began before the question', async () => {
    const { chain, events, looks, directory, pass } = scene()
    let answer = (): void => {}
    const answered = new Promise<void>((resolve) => (answer = resolve))
    const quick = chain.getDeviceEvents
    chain.getDeviceEvents = async (from) => (await answered, quick(from))
    const early = directory.sync()
    const found = directory.find(deviceId(0))
    answer()
    await early
    events.push(event(0))
    await pass()
    expect(await found).toMatchObject({ slot: 0 })
    expect(looks).toHaveLength(2)
  })

  it('says that the chain is away, and not that the device is unknown', async () => {
    const { chain, directory, pass } = scene()
    chain.fails = true
    const find = directory.createFinder()
    await expect(find(1n)).rejects.toMatchObject({ code: 'CHAIN_UNAVAILABLE' })
    await expect(find(2n)).rejects.toMatchObject({ code: 'CHAIN_UNAVAILABLE' })
    chain.fails = false
    const later = expect(directory.find(1n)).rejects.toMatchObject(unknown)
    await pass()
    await later
  })

  it('sends those who wait away when the engine closes', async () => {
    const { looks, directory, pass } = scene()
    await directory.sync()
    const waiting = expect(directory.find(1n)).rejects.toMatchObject({ code: 'ENGINE_CLOSED' })
    await directory.close()
    await pass()
    await waiting
    expect(looks).toHaveLength(1)
  })
})
