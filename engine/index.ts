// The one door of the engine: createEngine, the types it speaks in, and its errors.

export * from './records.ts'
export type { Access, Engine, Health, Page } from './surface.ts'
export { createEngine, type EngineOptions } from './engine.ts'
export { AttestreamError, ERRORS, isAttestreamError, type ErrorCode } from './core/errors.ts'
export { parseDid, resolveDevice, type DidResolution } from './core/did.ts'
export { LATENCY_PHASES, latencyOf, type Latency, type LatencyPhase } from './latency.ts'
export { encodeReceipt, parseReceipt } from './core/receipt.ts'
