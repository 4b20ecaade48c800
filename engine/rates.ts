// How much of ingest each may take: token buckets for devices, projects and sources. A bucket holds a second's allowance times `BURST_SEC`
// and fills steadily. A device pays only for frames that it signed, so nobody else can use up its share; who sends forgeries pays for
// them as a source.

import { AttestreamError } from './core/errors.ts'

export interface RateLimits {
  /** Signed frames of one device per second, on average over some seconds. Default 20. */
  readonly deviceFramesPerSec?: number
  /** Signed frames of all devices of a project. Default: none. */
  readonly projectFramesPerSec?: number
  /** Frames with unknown devices or wrong signatures from one source. Default 20. */
  readonly forgeriesPerSec?: number
}

type Sender = { readonly deviceId: bigint; readonly projectId: bigint }

export interface Rates {
  /** Before a signature is checked, which is what costs. Throws RATE_LIMITED. */
  checkDevice(device: Sender): void
  /** Throws RATE_LIMITED. */
  admitFrame(device: Sender): void
  /** Throws TOO_MANY_REFUSED while the source has to pay for forgeries. */
  admitSource(source: string): void
  countRefusals(source: string, forgeries: number): void
}

const DEVICE_FRAMES_PER_SEC = 20
const FORGERIES_PER_SEC = 20
/** A device that was offline catches up. */
const BURST_SEC = 30
/** Buckets kept of each kind; some 100 bytes each. Whose bucket goes is as if it were full. */
const BUCKETS = 100_000

interface Bucket {
  tokens: number
  atMs: number
}

export function createRates(limits: RateLimits, nowMs: () => number): Rates {
  const devices = createBuckets(limits.deviceFramesPerSec ?? DEVICE_FRAMES_PER_SEC, nowMs)
  const projects = createBuckets(limits.projectFramesPerSec ?? Infinity, nowMs)
  const sources = createBuckets(limits.forgeriesPerSec ?? FORGERIES_PER_SEC, nowMs)
  const checkDevice = ({ deviceId, projectId }: Sender): void => {
    const waitSec = Math.max(devices.waitSec(deviceId), projects.waitSec(projectId))
    if (waitSec > 0) throw limited(deviceId, waitSec)
  }
  return {
    checkDevice,
    admitFrame(device) {
      checkDevice(device)
      devices.take(device.deviceId, 1)
      projects.take(device.projectId, 1)
    },
    admitSource(source) {
      const waitSec = sources.waitSec(source)
      if (waitSec > 0) throw tooManyRefused(waitSec)
    },
    countRefusals: (source, forgeries) => sources.take(source, forgeries),
  }
}

/** `take` may leave a debt; `waitSec` tells how long until there is a token again. */
function createBuckets<Key>(perSec: number, nowMs: () => number) {
  const most = perSec * BURST_SEC
  const buckets = new Map<Key, Bucket>()
  const fill = (key: Key): Bucket => {
    const known = buckets.get(key) ?? { tokens: most, atMs: nowMs() }
    const tokens = Math.min(most, known.tokens + ((nowMs() - known.atMs) / 1000) * perSec)
    return { tokens, atMs: nowMs() }
  }
  return {
    waitSec(key: Key): number {
      if (perSec === Infinity) return 0
      const { tokens } = fill(key)
      return tokens >= 1 ? 0 : Math.ceil((1 - tokens) / perSec)
    },
    take(key: Key, count: number): void {
      if (perSec === Infinity || count === 0) return
      const { tokens, atMs } = fill(key)
      buckets.delete(key)
      buckets.set(key, { tokens: tokens - count, atMs })
      if (buckets.size > BUCKETS) buckets.delete(buckets.keys().next().value!)
    },
  }
}

function limited(deviceId: bigint, retryAfterSec: number): AttestreamError {
  return new AttestreamError(
    'RATE_LIMITED',
    `Device ${deviceId}, or its project, has sent more frames than this engine takes from it. Send the frame again in ${retryAfterSec} s, unchanged.`,
    { retryAfterSec },
  )
}

function tooManyRefused(retryAfterSec: number): AttestreamError {
  return new AttestreamError(
    'TOO_MANY_REFUSED',
    `Too many frames from here named unknown devices or had wrong signatures. Correct keys and deviceIds and send again in ${retryAfterSec} s.`,
    { retryAfterSec },
  )
}
