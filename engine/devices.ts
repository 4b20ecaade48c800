// The devices that the chain registers, kept in the store by following the registry's events.

import type { Chain } from './chain/chain.ts'
import type { DeviceEvent, LeafEvent } from './chain/events.ts'
import type { DeviceStatus } from './core/did.ts'
import { AttestreamError } from './core/errors.ts'
import type { DeviceRecord } from './records.ts'
import type { Store } from './store/index.ts'

export interface DeviceDirectory {
  /** The device, after a look at the chain if the store does not know it; throws DEVICE_UNKNOWN. */
  find(deviceId: bigint): Promise<DeviceRecord>
  /** `find` for the devices of one request: one look at the chain serves all its unknown devices, however many it names. */
  createFinder(): (deviceId: bigint) => Promise<DeviceRecord>
  /** Reads new events; concurrent calls share one read. */
  sync(): Promise<void>
  /** Fails those who wait for a look at the chain with ENGINE_CLOSED, and resolves when no read is under way. */
  close(): Promise<void>
}

export interface DirectoryOptions {
  readonly store: Store
  readonly chain: Pick<Chain, 'getDeviceEvents'>
  readonly nowMs: () => number
  /** Waits; default: a timer. */
  readonly delay?: (ms: number) => Promise<void>
}

/** Unknown devices make the engine look at the chain at most this often; whoever comes in between waits for the next look. */
const LOOKUP_INTERVAL_MS = 500

export function createDeviceDirectory(options: DirectoryOptions): DeviceDirectory {
  const { store, chain, nowMs } = options
  const delay = options.delay ?? ((ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)))
  let syncing: Promise<void> | undefined
  let nextLookup: Promise<void> | undefined
  let begunMs = -Infinity
  let closed = false

  const followed = (deviceId: bigint): FollowedDevice | undefined => {
    const { lastSequence: _lastSequence, ...device } = store.device(deviceId) ?? {}
    return 'deviceId' in device ? device : undefined
  }
  const read = async (): Promise<void> => {
    begunMs = nowMs()
    const { events, nextBlock } = await chain.getDeviceEvents(store.nextBlock() ?? 0n)
    const latest = new Map<bigint, FollowedDevice>()
    for (const event of events) {
      latest.set(event.deviceId, deviceAfter(event, latest.get(event.deviceId) ?? followed(event.deviceId)))
    }
    store.putDevices([...latest.values()], nextBlock)
  }
  const sync = (): Promise<void> =>
    (syncing ??= read().finally(() => {
      syncing = undefined
    }))

  /** A read that has not begun yet, no sooner than the interval allows; all who ask before it begins share it. */
  const lookUp = (): Promise<void> => (nextLookup ??= beginLookup())
  const beginLookup = async (): Promise<void> => {
    await syncing?.catch(() => undefined)
    const waitMs = Math.min(begunMs + LOOKUP_INTERVAL_MS - nowMs(), LOOKUP_INTERVAL_MS)
    if (waitMs > 0) await delay(waitMs)
    while (syncing) await syncing.catch(() => undefined)
    nextLookup = undefined
    if (closed) throw new AttestreamError('ENGINE_CLOSED', 'The engine is shutting down; send the frames again later.')
    await sync()
  }

  const createFinder = (): DeviceDirectory['find'] => {
    let looked: Promise<void> | undefined
    return async (deviceId) => {
      const known = store.device(deviceId)
      if (known) return known
      looked ??= lookUp()
      await looked
      const found = store.device(deviceId)
      if (found) return found
      throw new AttestreamError(
        'DEVICE_UNKNOWN',
        `No device ${deviceId} is registered on chain; register it with an admission of its project first.`,
      )
    }
  }

  return {
    sync,
    createFinder,
    find: (deviceId) => createFinder()(deviceId),
    async close() {
      closed = true
      await syncing?.catch(() => undefined)
    },
  }
}

type FollowedDevice = Omit<DeviceRecord, 'lastSequence'>

const STATUS: Readonly<Record<LeafEvent['kind'], DeviceStatus>> = {
  registered: 'active',
  rotated: 'active',
  confirmed: 'active',
  suspended: 'suspended',
  revoked: 'revoked',
}

/** The first event of a device is its registration, which has everything; later ones tell what changed. */
function deviceAfter(event: DeviceEvent, before: FollowedDevice | undefined): FollowedDevice {
  const { owner } = event
  const changed = { changedSec: Number(event.blockTime), changedBlock: event.blockNumber }
  if (event.kind === 'transferred') return { ...before!, owner, ...changed }
  const { kind, deviceId, projectId, cohort, slot, leaf } = event
  const place = { deviceId, projectId, cohort, slot, owner, active: leaf !== 0n, status: STATUS[kind] }
  const registeredSec = kind === 'registered' ? changed.changedSec : before!.registeredSec
  return { ...place, key: event.key ?? before!.key, registeredSec, ...changed }
}
