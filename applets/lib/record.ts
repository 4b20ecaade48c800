/**
 * How an applet declares its records, and how it rejects a reading.
 *
 * `Reading`, `State` and `Config` are `@unmanaged` classes of integers and booleans. A field takes as many bits as its type has,
 * or as many as `@bits(n)` says: bits are what a proof costs, so declare what the physics needs.
 */

/** Narrows a field to `width` bits. The ABI transform reads it; nothing of it reaches the WASM. */
export declare function bits(width: i32): (record: Object, field: string) => void

/** What the chain says about the batch: the time of the block that anchored it. */
@unmanaged
export class Context {
  anchorTimeSec: u64
}

/** Seconds that a device's clock may be ahead of the chain's. */
export const CLOCK_TOLERANCE_SEC: u64 = 300

/** Rejects the reading: 0 units, State as it was before. Does not return. */
export function reject(): void {
  unreachable()
}

/** Rejects the reading unless `condition` holds. */
export function require(condition: bool): void {
  if (!condition) unreachable()
}

/** Rejects a reading stamped later than the anchor that contains it, clocks allowed for. */
export function requireNotFuture(timeSec: u32, context: Context): void {
  require(u64(timeSec) <= context.anchorTimeSec + CLOCK_TOLERANCE_SEC)
}
