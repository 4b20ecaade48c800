// SPDX-License-Identifier: MIT
// The device SDK: create a key, build and sign frames, send them and retry safely. Runs wherever there is
// crypto.getRandomValues and fetch. Of the engine it uses the core alone: acknowledgement, codec, errors, field, frame, layout, poseidon,
// signature.

export { createDevice, type Device, type DeviceOptions } from './device.ts'
export { createClient, type Client, type ClientOptions } from './client.ts'
export type { FrameOutcome } from './answer.ts'
export type { Acknowledgement } from '../engine/core/acknowledgement.ts'
export { createSecretKey } from './secret-key.ts'
export { encodeFrameSequence } from './frame-sequence.ts'
export { publicKey, type PublicKey } from '../engine/core/signature.ts'
export type { Field, FieldType, Layout, NamedRecord } from '../engine/core/layout.ts'
export { AttestreamError, isAttestreamError, type ErrorCode } from '../engine/core/errors.ts'
