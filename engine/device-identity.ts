// What a DID is resolved from: the device as the registry's events tell it, and its metadata URI, which never changes and so is read
// from the chain once. Whoever asks needs no key, so a device that is known costs the chain's node at most that one call.

import type { Chain } from './chain/chain.ts'
import { deviceDid, type DeviceIdentity, type DeviceName } from './core/did.ts'
import { AttestreamError } from './core/errors.ts'
import type { DeviceDirectory } from './devices.ts'
import type { Store } from './store/index.ts'

export interface IdentityOptions {
  readonly store: Pick<Store, 'metadataURI' | 'putMetadataURI'>
  readonly chain: Pick<Chain, 'chainId' | 'addresses' | 'getMetadataURI'>
  readonly devices: Pick<DeviceDirectory, 'find'>
}

/** Finds what is known of a device by its id or by what its DID names; throws DEVICE_UNKNOWN, or DID_FOREIGN for another registry. */
export type FindIdentity = (device: bigint | DeviceName) => Promise<DeviceIdentity>

export function createIdentities({ store, chain, devices }: IdentityOptions): FindIdentity {
  const { chainId } = chain
  const registry = chain.addresses.devices
  const reads = new Map<bigint, Promise<string>>()

  async function metadataURI(deviceId: bigint): Promise<string> {
    const known = store.metadataURI(deviceId)
    if (known !== undefined) return known
    const uri = await chain.getMetadataURI(deviceId)
    store.putMetadataURI(deviceId, uri)
    return uri
  }
  const readOnce = (deviceId: bigint): Promise<string> => {
    const read = reads.get(deviceId) ?? metadataURI(deviceId).finally(() => reads.delete(deviceId))
    reads.set(deviceId, read)
    return read
  }

  return async (device) => {
    const deviceId = typeof device === 'bigint' ? device : nameHere(device, chainId, registry)
    const { active: _active, lastSequence: _lastSequence, ...known } = await devices.find(deviceId)
    return { chainId, registry, ...known, metadataURI: await readOnce(deviceId) }
  }
}

function nameHere(name: DeviceName, chainId: number, registry: DeviceName['registry']): bigint {
  if (name.chainId === chainId && name.registry === registry.toLowerCase()) return name.deviceId
  const message = `${deviceDid(name)} is of another registry; this engine follows registry ${registry} on chain ${chainId}.`
  throw new AttestreamError('DID_FOREIGN', message, { chainId, registry })
}
