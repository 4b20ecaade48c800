// snarkjs as the engine uses it, in the main thread and in workers: on one single-threaded curve. snarkjs takes its curve from
// a global when that is set, and would otherwise start a thread per core that lives until the process ends.
// Everything in this folder takes groth16 from here, so that the import order holds.

import '../quiet-web-worker.ts'
import { curves, groth16 } from 'snarkjs'

let building: Promise<void> | undefined

/** snarkjs' Groth16, with the curve built once per thread. */
export async function loadGroth16(): Promise<typeof groth16> {
  building ??= curves.getCurveFromName('bn128', { singleThread: true }).then((curve: unknown) => {
    Object.assign(globalThis, { curve_bn128: curve })
  })
  await building
  return groth16
}
