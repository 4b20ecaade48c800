// One thread that checks frames.

import '../quiet-web-worker.ts'
import { checkFrame, type FrameCheck, type Verdict } from './check.ts'
import { createFastPoseidon } from './fast-poseidon.ts'
import { createVerifierCache } from './verifier-cache.ts'

const preparing = createFastPoseidon().then((hash) => ({ hash, verifiers: createVerifierCache(hash) }))

export default async function checkFrames(frames: readonly FrameCheck[]): Promise<Verdict[]> {
  const { hash, verifiers } = await preparing
  return frames.map((frame) => checkFrame(frame, hash, verifiers))
}
