// Consecutive batches of the demo's circuit, or of one of another shape, ready to prove: simulated readings, signed by devices and executed natively, with the
// pages carried from one to the next. Chain and store are left out.

import { buildApplet } from '../applets/build.ts'
import type { BatchShape } from '../circuits/batch-circuit.ts'
import { loadDataset, type Dataset } from '../cli/datasets/dataset.ts'
import type { DatasetApplet } from '../cli/datasets/recording.ts'
import { parseAppletAbi, type AppletAbi } from '../engine/core/applet.ts'
import { batchRoot, messageHashes, type Batch } from '../engine/core/batch.ts'
import { decodeFrame, frameFormat } from '../engine/core/frame.ts'
import { deviceLeaf, identityRoot } from '../engine/core/identity.ts'
import { configHash, type Journal, packLanes } from '../engine/core/journal.ts'
import { encodeRecord } from '../engine/core/layout.ts'
import { genesisPage, ledgerHash } from '../engine/core/ledger.ts'
import { circuitInput, type CircuitInput } from '../engine/core/witness.ts'
import { executeBatch } from '../engine/execute.ts'
import { createRunner } from '../engine/runner/pool.ts'
import { createDevice } from '../sdk/index.ts'

export interface DemoBatches {
  readonly wasm: Uint8Array
  readonly inputs: readonly CircuitInput[]
}

export const SHAPE = { cohortSize: 4, frameSize: 4 }
const DOMAIN = 0x5eedn
/** After every simulated reading. */
export const ANCHOR_TIME_SEC = 1_800_000_000n

export async function demoBatches(
  applet: DatasetApplet,
  count: number,
  shape: BatchShape = SHAPE,
): Promise<DemoBatches> {
  const { cohortSize, frameSize } = shape
  const dataset = await loadDataset({ applet, devices: cohortSize, framesPerDevice: count, frameSize })
  return signedBatches(await buildApplet(`applets/${applet}.ts`), dataset, count, shape)
}

/** `count` batches of full frames from `readings`, which has `count` · R of them for each of D devices. */
export async function signedBatches(
  wasm: Uint8Array,
  { readings, config }: Pick<Dataset, 'readings' | 'config'>,
  count: number,
  { cohortSize, frameSize }: BatchShape,
): Promise<DemoBatches> {
  const abi = parseAppletAbi(wasm)
  const devices = Array.from({ length: cohortSize }, (_, slot) =>
    createDevice({
      deviceId: BigInt(slot + 1),
      secretKey: new Uint8Array(32).fill(slot + 1),
      deviceDomain: DOMAIN,
      reading: abi.reading,
      frameSize,
    }),
  )
  const format = frameFormat(abi.reading, frameSize)
  const batches = Array.from({ length: count }, (_, n): Batch => {
    const ofFrame = (slot: number) => readings[slot]!.slice(n * frameSize, (n + 1) * frameSize)
    return { cohort: 0, frames: devices.map((device, slot) => decodeFrame(format, device.buildFrame(ofFrame(slot)))) }
  })
  const keys = devices.map((device) => device.key)
  return { wasm, inputs: await circuitInputs(wasm, abi, frameSize, batches, keys, encodeRecord(abi.config, config)) }
}

async function circuitInputs(
  wasm: Uint8Array,
  abi: AppletAbi,
  frameSize: number,
  batches: readonly Batch[],
  keys: readonly { readonly x: bigint; readonly y: bigint }[],
  config: readonly bigint[],
): Promise<CircuitInput[]> {
  const { reading } = abi
  const leaves = keys.map((key, slot) => deviceLeaf(key, BigInt(slot + 1)))
  const runner = createRunner({ threads: 1 })
  const inputs: CircuitInput[] = []
  let pageBefore = genesisPage(abi.state, keys.length)
  for (const batch of batches) {
    const executed = await executeBatch(runner, {
      wasm,
      abi,
      config,
      anchorTimeSec: ANCHOR_TIME_SEC,
      batch,
      pageBefore,
    })
    const { pageAfter, unitsBySlot } = executed
    const journal: Journal = {
      identityRoot: identityRoot(leaves),
      ledgerBefore: ledgerHash(abi.state, pageBefore),
      ledgerAfter: ledgerHash(abi.state, pageAfter),
      batchRoot: batchRoot(messageHashes(frameFormat(reading, frameSize), DOMAIN, batch)),
      configHash: configHash(abi.config, config),
      deviceDomain: DOMAIN,
      anchorTime: ANCHOR_TIME_SEC,
      binding: 1n,
      lanes: packLanes(unitsBySlot),
    }
    inputs.push(circuitInput({ reading, frameSize, batch, keys, leaves, pageBefore, config, journal }))
    pageBefore = pageAfter
  }
  await runner.close()
  return inputs
}
