import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { keccak256 } from 'viem'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildApplet } from '../../applets/build.ts'
import { createDirectory } from '../../circuits/atomic-directory.ts'
import { generateBatchCircuit } from '../../circuits/batch-circuit.ts'
import { buildCircuit, buildCompiledCircuit, readArtefacts, type CircuitArtefacts } from '../../circuits/build.ts'
import { compileApplet } from '../../circuits/compiler/index.ts'
import { isDevelopmentKey } from '../../circuits/setup/development-key.ts'
import type { RawRecord } from '../../engine/core/layout.ts'
import { compileApplet as compileNative, runCompiledBatch } from '../../engine/runner/run.ts'
import { CACHE_DIR, createCalculator, makeBatch, meterToy } from './lib/toy.ts'

const dir = mkdtempSync(join(tmpdir(), 'attestream-build-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const options = {
  cohortSize: 4,
  frameSize: 4,
  cacheDir: CACHE_DIR,
  setup: { kind: 'development', seed: 'test' },
} as const

describe('the circuit of energy-meter at D = 4, R = 4', () => {
  let wasm: Uint8Array
  let built: CircuitArtefacts
  beforeAll(async () => {
    wasm = await buildApplet(join(import.meta.dirname, '../../applets/energy-meter.ts'))
    built = await buildCircuit(wasm, options)
  })

  it('has a manifest that agrees with its files', () => {
    const { manifest, paths } = built
    const sha256 = (bytes: Uint8Array) => `0x${createHash('sha256').update(bytes).digest('hex')}`
    expect(manifest.appletId).toBe(sha256(wasm))
    expect(manifest.r1csSha256).toBe(sha256(readFileSync(paths.r1cs)))
    expect(manifest.vkHash).toBe(keccak256(manifest.verifyingKey))
    expect(manifest.setupTranscriptHash).toBe(sha256(readFileSync(join(built.dir, 'transcript.json'))))
    expect(manifest).toMatchObject({ cohortSize: 4, frameSize: 4, publicSignals: 9, devSetup: true })
    // alpha, beta, gamma, delta and one IC point more than public signals
    expect(manifest.verifyingKey.length).toBe(2 + 2 * (64 + 3 * 128 + 10 * 64))
    expect(isDevelopmentKey(paths.zkey)).toBe(true)
    expect(Object.values(paths).filter((path) => !existsSync(path))).toEqual([])
  })

  it('keeps the overhead of a slot within 5,300 constraints', () => {
    const perReading = compileApplet(wasm).stats.constraints
    const overhead = (built.manifest.constraints - 16 * perReading) / 4
    expect(overhead).toBeGreaterThan(5_000)
    expect(overhead).toBeLessThanOrEqual(5_300)
  })

  it('agrees with the native run of the same bytes: a first reading, kWh, a trap, a stale frame, an absent one', async () => {
    const native = compileNative(wasm)
    const applet = {
      ...compileApplet(wasm),
      appletId: built.manifest.appletId,
      verify(reading: RawRecord, state: RawRecord, config: RawRecord) {
        const batch = { config, anchorTimeSec: 1_700_000_000n, slots: [{ state, readings: [reading] }] }
        const { accepted, units, nextState } = runCompiledBatch(native, batch).slots[0]!
        return accepted[0] ? { units: units[0]!, state: [...nextState] } : undefined
      },
    }
    const time = 1_600_000_000n
    const { input, signals, unitsBySlot } = makeBatch(applet, 4, {
      frames: [
        { sequence: 1n, readings: [[time, 5000n], [time + 3600n, 6000n], [time + 3601n, 5000n], [time + 7200n, 8000n]] },
        { sequence: 2n, readings: [[time + 60n, 107n]] },
        { sequence: 9n, readings: [[time + 60n, 107n]] },
        null,
      ],
      page: {
        sequences: [0n, 1n, 9n, 4n],
        states: [[0n, 0n, 0n], [time, 100n, 500n], [time, 100n, 0n], [time, 1n, 999n]],
      },
      config: [7200n, 1500n],
    }) // prettier-ignore
    expect(unitsBySlot).toEqual([4500n, 11n, 0n, 0n])
    const witness = await (await createCalculator(built.paths.witnessWasm)).witness(input)
    expect(witness.slice(1, 1 + signals.length)).toEqual(signals)
  })

  it('is not built again for the same inputs', async () => {
    const before = statSync(built.paths.zkey).mtimeMs
    const stages: string[] = []
    const again = await buildCircuit(wasm, { ...options, onProgress: ({ stage }) => stages.push(stage) })
    expect(stages).toEqual(['applet', 'done'])
    expect(again).toEqual(built)
    expect(readArtefacts(built.dir)).toEqual(built)
    expect(statSync(again.paths.zkey).mtimeMs).toBe(before)
  })
})

describe('a build that fails', () => {
  it('reports what circom says and leaves nothing behind', async () => {
    const broken = { ...meterToy, circom: meterToy.circom.replace('above <==', 'above <=') }
    const attempt = buildCompiledCircuit(broken, { ...options, cacheDir: dir })
    await expect(attempt).rejects.toThrow(expect.objectContaining({ code: 'CIRCUIT_BUILD_FAILED' }))
    await expect(attempt).rejects.toThrow(/applet\.circom/)
    expect(readdirSync(dir)).toEqual([])
  })

  it.each([
    [5, 4],
    [2, 4],
    [128, 4],
    [4, 0],
    [4, 65],
    [4, 1.5],
  ])('cohortSize %s and frameSize %s are refused', (cohortSize, frameSize) => {
    const attempt = () => generateBatchCircuit(meterToy.abi, { cohortSize, frameSize })
    expect(attempt).toThrow(expect.objectContaining({ code: 'CIRCUIT_SHAPE_INVALID' }))
  })
})

describe('a reading so large that a full frame passes the u16 length of the DA object', () => {
  const wide = (fields: number) => {
    const reading = Array.from({ length: fields }, (_, i) => ({
      name: `f${i}`,
      type: 'u64' as const,
      bits: 64,
      offset: 8 * i,
    }))
    return () => generateBatchCircuit({ ...meterToy.abi, reading }, { cohortSize: 4, frameSize: 64 })
  }

  it('is refused, one that just fits is not', () => {
    expect(wide(128)).toThrow(/takes 65654 bytes; a batch carries at most 65535/)
    expect(wide(127)).not.toThrow()
  })
})

describe('the main circuit', () => {
  it('is the same text for the same applet and shape', () => {
    const shape = { cohortSize: 8, frameSize: 16 }
    expect(generateBatchCircuit(meterToy.abi, shape)).toBe(generateBatchCircuit(meterToy.abi, shape))
  })
})

describe('createDirectory', () => {
  const fill = (text: string) => async (work: string) => {
    writeFileSync(join(work, 'file'), text)
    await new Promise((done) => setImmediate(done))
  }

  it('lets one of two simultaneous writers win, complete', async () => {
    const target = join(dir, 'race', 'target')
    await Promise.all([createDirectory(target, fill('a')), createDirectory(target, fill('b'))])
    expect(['a', 'b']).toContain(readFileSync(join(target, 'file'), 'utf8'))
    expect(readdirSync(join(dir, 'race'))).toEqual(['target'])
  })

  it('leaves nothing when filling fails, and removes what a killed process left a day ago', async () => {
    const parent = join(dir, 'failing')
    const failing = createDirectory(join(parent, 'target'), async (work) => {
      writeFileSync(join(work, 'file'), 'half')
      throw new Error('stopped')
    })
    await expect(failing).rejects.toThrow('stopped')
    expect(readdirSync(parent)).toEqual([])
    const abandoned = mkdtempSync(join(parent, '.building-'))
    const recent = mkdtempSync(join(parent, '.building-'))
    const twoDaysAgo = Date.now() / 1000 - 2 * 86_400
    utimesSync(abandoned, twoDaysAgo, twoDaysAgo)
    await createDirectory(join(parent, 'target'), fill('c'))
    expect([existsSync(abandoned), existsSync(recent)]).toEqual([false, true])
  })
})
