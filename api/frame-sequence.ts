// Many frames in one request: a sequence of frames, each after its length as a big-endian u32.

import { AttestreamError } from '../engine/index.ts'

/** Most frames that one request may carry. */
const FRAMES_PER_REQUEST = 1024

const LENGTH_BYTES = 4

/** The frames of a sequence, not copied; throws REQUEST_INVALID unless the lengths add up. What is in a frame is not looked at. */
export function decodeFrameSequence(body: Uint8Array): Uint8Array[] {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
  const frames: Uint8Array[] = []
  let at = 0
  while (at < body.length) {
    if (body.length - at < LENGTH_BYTES) throw malformed(at, 'the length of the next frame is cut off')
    const start = at + LENGTH_BYTES
    const length = view.getUint32(at)
    if (length > body.length - start)
      throw malformed(at, `a frame of ${length} bytes is announced, ${body.length - start} follow`)
    frames.push(body.subarray(start, start + length))
    at = start + length
  }
  checkFrameNumber(frames.length)
  return frames
}

/** Throws REQUEST_INVALID unless a request may carry that many frames. */
export function checkFrameNumber(frames: number): void {
  if (frames < 1 || frames > FRAMES_PER_REQUEST) {
    throw new AttestreamError(
      'REQUEST_INVALID',
      `The request carries ${frames} frames; expected 1 to ${FRAMES_PER_REQUEST}. Split it.`,
    )
  }
}

function malformed(at: number, why: string): AttestreamError {
  return new AttestreamError(
    'REQUEST_INVALID',
    `The sequence of frames is malformed at byte ${at}: ${why}. No frame of it was read; send the whole sequence again.`,
  )
}
