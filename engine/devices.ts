// The devices that the chain registers, kept in the store by following the registry's events.

import type { Chain } from './chain/chain.ts'
import type { DeviceEvent } from './chain/events.ts'
import { AttestreamError } from './core/errors.ts'
import type { DeviceRecord } from './records.ts'
import type { Store } from './store/index.ts'

export interface DeviceDirectory {
  /** The device, after one look at the chain if the store does not know it; throws DEVICE_UNKNOWN. */
  find(deviceId: bigint): Promise<DeviceRecord>
  /** Reads new events; concurrent calls share one read. */
  sync(): Promise<void>
  /** Resolves when no read is under way. */
  settled(): Promise<void>
}

/** An unknown device asks the chain at most this often. */
const LOOKUP_INTERVAL_MS = 500

export function createDeviceDirectory(store: Store, chain: Chain, nowMs: () => number): DeviceDirectory {
  let syncing: Promise<void> | undefined
  let lastLookupMs = -Infinity

  const read = async (): Promise<void> => {
    const { events, nextBlock } = await chain.getDeviceEvents(store.nextBlock() ?? 0n)
    const latest = new Map(events.map((event) => [event.deviceId, deviceOf(event)]))
    store.putDevices([...latest.values()], nextBlock)
  }
  const sync = (): Promise<void> =>
    (syncing ??= read().finally(() => {
      syncing = undefined
    }))

  return {
    sync,
    settled: async () => {
      await syncing?.catch(() => undefined)
    },
    async find(deviceId) {
      const known = store.device(deviceId)
      if (known) return known
      if (syncing || nowMs() - lastLookupMs >= LOOKUP_INTERVAL_MS) {
        lastLookupMs = nowMs()
        await sync()
      }
      const found = store.device(deviceId)
      if (found) return found
      throw new AttestreamError(
        'DEVICE_UNKNOWN',
        `No device ${deviceId} is registered on chain; register it with an admission of its project first.`,
      )
    },
  }
}

/** Every event carries the whole device as it is after it. */
function deviceOf({
  deviceId,
  projectId,
  cohort,
  slot,
  key,
  owner,
  leaf,
}: DeviceEvent): Omit<DeviceRecord, 'lastSequence'> {
  return { deviceId, projectId, cohort, slot, key, owner, active: leaf !== 0n }
}
