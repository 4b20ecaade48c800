// The engine's signed answer to a frame: the promise to anchor it by a deadline, and the device's evidence if it is left out.

import type { Hex } from './codec.ts'

/** What an acknowledgement says. */
export interface AcknowledgementContent {
  readonly deviceId: bigint
  readonly sequence: bigint
  readonly messageHash: bigint
  /** Unix time in seconds by which the frame is to be anchored. */
  readonly deadline: bigint
}

/** `signature` is EIP-712 over the content, by the operator's key (docs/architecture.md §2). */
export interface Acknowledgement extends AcknowledgementContent {
  readonly signature: Hex
}
