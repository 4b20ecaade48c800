// A native result that is not the circuit's: here altered on purpose, one day perhaps by a defect. On the real circuit of
// energy-meter, nothing of it may ever be submitted.

import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildApplet } from '../../applets/build.ts'
import { buildCircuit, type CircuitArtefacts } from '../../circuits/build.ts'
import { parseAppletAbi, type AppletAbi } from '../../engine/core/applet.ts'
import { batchRoot, messageHashes, type Batch } from '../../engine/core/batch.ts'
import { bytesToHex } from '../../engine/core/codec.ts'
import { decodeFrame, encodeFrame, frameFormat, signFrame } from '../../engine/core/frame.ts'
import { deviceLeaf, EMPTY_LEAF, identityRoot } from '../../engine/core/identity.ts'
import { configHash, deviceDomain } from '../../engine/core/journal.ts'
import { encodeRecord } from '../../engine/core/layout.ts'
import { genesisPage } from '../../engine/core/ledger.ts'
import { publicKey } from '../../engine/core/signature.ts'
import { executeBatch } from '../../engine/execute.ts'
import { proveBatch, type ProveJob } from '../../engine/prove.ts'
import { createSnarkjsProver } from '../../engine/prover/snarkjs.ts'
import { verifySeal } from '../../engine/prover/verify-seal.ts'
import { createRunner } from '../../engine/runner/pool.ts'
import { DOMAIN } from '../core/samples.ts'
import { deviceId, secretKey } from './scene.ts'

const ROOT = join(import.meta.dirname, '../..')
const SHAPE = { cohortSize: 4, frameSize: 4 }
const START_SEC = 1_735_689_600
const PAYEE = `0x${'9a'.repeat(20)}` as const

describe('the native result and the circuit of energy-meter', () => {
  const runner = createRunner({ threads: 1 })
  const prover = createSnarkjsProver({ threads: 1 })
  afterAll(() => Promise.all([runner.close(), prover.close()]))
  let circuit: CircuitArtefacts
  let job: ProveJob
  beforeAll(async () => {
    const wasm = await buildApplet(join(ROOT, 'applets/energy-meter.ts'))
    circuit = await buildCircuit(wasm, { ...SHAPE, cacheDir: join(ROOT, '.attestream/circuits') })
    job = await honestJob(wasm, parseAppletAbi(wasm))
  })

  /** One device, an hour at 2 kW; three empty slots. */
  async function honestJob(wasm: Uint8Array, abi: AppletAbi): Promise<ProveJob> {
    const format = frameFormat(abi.reading, SHAPE.frameSize)
    const domain = deviceDomain(DOMAIN)
    const readings = [0, 1].map((i) =>
      encodeRecord(abi.reading, { timeSec: START_SEC + 3600 * i, wattHours: 5_000 + 2_000 * i }),
    )
    const unsigned = { deviceId: deviceId(0), sequence: 1n, readings }
    const frame = decodeFrame(format, encodeFrame(format, signFrame(format, domain, unsigned, secretKey(0))))
    const batch: Batch = { cohort: 0, frames: [frame, null, null, null] }
    const pageBefore = genesisPage(abi.state, SHAPE.cohortSize)
    const config = encodeRecord(abi.config, { maxWatts: 7200, unitsPerKwh: 1500 })
    const anchorTime = BigInt(START_SEC + 100_000)
    const execution = await executeBatch(runner, { wasm, abi, config, anchorTimeSec: anchorTime, batch, pageBefore })
    const key = publicKey(secretKey(0))
    const leaves = [deviceLeaf(key, deviceId(0)), EMPTY_LEAF, EMPTY_LEAF, EMPTY_LEAF]
    const { manifest, paths } = circuit
    return {
      files: paths,
      vkHash: manifest.vkHash,
      devSetup: manifest.devSetup,
      layouts: abi,
      domain: DOMAIN,
      deviceDomain: domain,
      appletId: manifest.appletId,
      version: 1,
      batchNumber: 0n,
      payee: PAYEE,
      daPointer: bytesToHex(new Uint8Array(32)),
      frameSize: SHAPE.frameSize,
      batch,
      keys: [key, null, null, null],
      leaves,
      identityRoot: identityRoot(leaves),
      batchRoot: batchRoot(messageHashes(format, domain, batch)),
      configHash: configHash(abi.config, config),
      config,
      anchorTime,
      pageBefore,
      pageAfter: execution.pageAfter,
      unitsBySlot: execution.unitsBySlot,
    }
  }

  it('agree on an honest batch: 2 kWh at 1500 units, with a seal that holds', async () => {
    expect(job.unitsBySlot).toEqual([3000n, 0n, 0n, 0n])
    const { receipt } = await proveBatch(prover, job)
    await verifySeal(circuit.manifest.verifyingKey, receipt.journal, receipt.seal)
  })

  const tampered: [string, (honest: ProveJob) => ProveJob][] = [
    ['one unit more', (honest) => ({ ...honest, unitsBySlot: [3001n, 0n, 0n, 0n] })],
    ['units for an empty slot', (honest) => ({ ...honest, unitsBySlot: [3000n, 1n, 0n, 0n] })],
    [
      'another State',
      (honest) => ({ ...honest, pageAfter: { ...honest.pageAfter, states: honest.pageBefore.states } }),
    ],
    [
      'a sequence not moved on',
      (honest) => ({ ...honest, pageAfter: { ...honest.pageAfter, sequences: honest.pageBefore.sequences } }),
    ],
    ['another config', (honest) => ({ ...honest, config: [7200n, 1501n] })],
    ['an anchor before the readings', (honest) => ({ ...honest, anchorTime: BigInt(START_SEC - 1_000_000) })],
  ]
  it.each(tampered)('have no proof for %s', async (_, tamper) => {
    await expect(proveBatch(prover, tamper(job))).rejects.toMatchObject({ code: 'CIRCUIT_DISAGREES' })
  })
})
