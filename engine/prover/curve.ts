// snarkjs takes its curve from a global when that is set. A single-threaded one keeps it from starting a thread per core, which
// would live until the process ends.

import './quiet-web-worker.ts'
import { curves } from 'snarkjs'

let building: Promise<void> | undefined

/** Makes snarkjs in this thread use one single-threaded curve, built once. */
export function useSingleThreadedCurve(): Promise<void> {
  building ??= curves.getCurveFromName('bn128', { singleThread: true }).then((curve: unknown) => {
    Object.assign(globalThis, { curve_bn128: curve })
  })
  return building
}
