// Identities over a real store and directory. The chain is a double that counts what it is asked for, since that is what is tested.

import { describe, expect, it } from 'vitest'
import type { Chain } from '../../engine/chain/chain.ts'
import { createIdentities } from '../../engine/device-identity.ts'
import { createDeviceDirectory } from '../../engine/devices.ts'
import { device, deviceId, NOW_MS, OWNER, testStore } from './scene.ts'

const REGISTRY = `0x${'Ab'.repeat(20)}` as const
const NAME = { chainId: 31337, registry: REGISTRY.toLowerCase() as typeof REGISTRY, deviceId: deviceId(1) }

function scene() {
  const { store } = testStore()
  const asked: bigint[] = []
  const chain = {
    chainId: 31337,
    addresses: { devices: REGISTRY } as Chain['addresses'],
    getDeviceEvents: async (fromBlock: bigint) => ({ events: [], nextBlock: fromBlock }),
    getMetadataURI: async (id: bigint) => (asked.push(id), `urn:example:${id}`),
  }
  const devices = createDeviceDirectory({ store, chain, nowMs: () => NOW_MS, delay: async () => undefined })
  const create = () => createIdentities({ store, chain, devices })
  return { asked, create, find: create() }
}

describe('the identity of a device', () => {
  it('is what store and chain know', async () => {
    const { key, slot, projectId } = device(1)
    const place = { chainId: 31337, registry: REGISTRY, deviceId: deviceId(1), projectId, cohort: 0, slot }
    const found = await scene().find(NAME)
    expect(found).toMatchObject({
      ...place,
      key,
      owner: OWNER,
      status: 'active',
      metadataURI: `urn:example:${deviceId(1)}`,
    })
    expect(found).not.toHaveProperty('lastSequence')
  })

  it('asks the chain once for a metadata URI, however often and however many ask', async () => {
    const { asked, create, find } = scene()
    await Promise.all([find(deviceId(1)), find(deviceId(1)), find(NAME)])
    await create()(deviceId(1))
    expect(asked).toEqual([deviceId(1)])
    await find(deviceId(2))
    expect(asked).toHaveLength(2)
  })

  it('C-04 is not that of a device of another chain or registry', async () => {
    const { find, asked } = scene()
    for (const other of [{ chainId: 1 }, { registry: `0x${'cd'.repeat(20)}` as const }]) {
      await expect(find({ ...NAME, ...other })).rejects.toMatchObject({ code: 'DID_FOREIGN' })
    }
    await expect(find(999_999n)).rejects.toMatchObject({ code: 'DEVICE_UNKNOWN' })
    expect(asked).toEqual([])
  })
})
