// SPDX-License-Identifier: MIT
// Many frames in one request: each after its length as a big-endian u32.

import { concatBytes, integerToBytes } from '../engine/core/codec.ts'

export { FRAME_SEQUENCE } from '../engine/core/frame.ts'

export function encodeFrameSequence(frames: readonly Uint8Array[]): Uint8Array {
  return concatBytes(...frames.flatMap((frame) => [integerToBytes(BigInt(frame.length), 4), frame]))
}
