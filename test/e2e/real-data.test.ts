// Real recordings through the whole job, one applet after the other: what the chain credits is what plain arithmetic over the same
// readings gives. The recordings are not part of this repository; without them the tests are skipped.

import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runDemo, type Demo } from '../../cli/demo/run.ts'
import type { Progress } from '../../cli/progress.ts'
import { verifyReceiptFile } from '../../cli/receipt.ts'
import { expectedUnits, type ExpectedApplet } from './expected-units.ts'
import { CIRCUITS, ROOT, expectGone } from './world.ts'

const DATA = join(ROOT, '..', 'shared', 'data')

interface Case {
  readonly applet: ExpectedApplet
  readonly file: string
  readonly devices: number
  readonly framesPerDevice: number
}

const CASES: readonly Case[] = [
  { applet: 'energy-meter', file: 'energy_sgsc_10meters_halfhour.csv', devices: 4, framesPerDevice: 1 },
  { applet: 'energy-meter', file: 'energy_uci_household_minute.csv', devices: 4, framesPerDevice: 1 },
  { applet: 'movement', file: 'movement_gps_phones_aracaju.csv', devices: 4, framesPerDevice: 2 },
  { applet: 'uptime', file: 'sensor_motes_library1_minute.csv', devices: 4, framesPerDevice: 1 },
]

const silent: Progress = { step: () => {}, update: () => {}, end: () => {} }

describe('a slice of real data is settled at exactly its worth', () => {
  let directory: string
  let demo: Demo | undefined

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'attestream-data-'))
    await mkdir(CIRCUITS, { recursive: true })
    await symlink(CIRCUITS, join(directory, 'circuits'))
  })
  afterEach(async () => {
    await demo?.close()
    if (demo) await expectGone(demo.urls.api, demo.urls.rpc)
    demo = undefined
    await rm(directory, { recursive: true, force: true })
  })

  it.for(CASES)('$applet: $file', async ({ applet, file, devices, framesPerDevice }, context) => {
    const path = join(DATA, file)
    context.skip(!existsSync(path), `no recording ../shared/data/${file} beside this repository`)
    demo = await runDemo({ applet, file: path, devices, framesPerDevice, directory }, silent)
    const { dataset, tasks, owners, verified } = demo.report

    expect(dataset.simulated).toBe(false)
    expect(dataset.readings).toHaveLength(devices)
    expect(tasks.map((task) => task.state)).toEqual(Array(framesPerDevice).fill('settled'))
    expect(tasks.reduce((sum, task) => sum + task.readings, 0)).toBe(dataset.readings.flat().length)
    expect(verified).toBe(framesPerDevice)

    const expected = dataset.readings.map((readings) => expectedUnits[applet](readings, dataset.config))
    expect(await creditedUnits(demo)).toEqual(expected)
    expect(sum(owners.map((owner) => owner.units))).toBe(sum(expected))
    expect(sum(expected)).toBeGreaterThan(0n)
    const tokens = owners.map((owner) => Number(owner.tokensAfter) - Number(owner.tokensBefore))
    expect(tokens.reduce((a, b) => a + b)).toBeCloseTo(Number(sum(expected)) / 1e6, 9)

    const receipt = await (await fetch(new URL(`/v1/receipts/${tasks[0]!.taskId}`, demo.urls.api))).text()
    const report = await verifyReceiptFile(receipt, { rpcUrl: demo.urls.rpc, da: join(directory, 'demo', 'da') })
    expect(report).toMatchObject({ settled: true, unitsBySlot: tasks[0]!.unitsBySlot })
  })
})

/** By device, in the order of registration. */
async function creditedUnits({ urls }: Demo): Promise<bigint[]> {
  const get = async (path: string): Promise<any> => {
    const response = await fetch(new URL(path, urls.api), { headers: { authorization: `Bearer ${urls.adminKey}` } })
    return response.json()
  }
  const { items: projects } = await get('/v1/projects')
  const { items: claims } = await get(`/v1/claims?projectId=${projects[0].projectId}`)
  return claims
    .sort((a: any, b: any) => Number(BigInt(a.deviceId) - BigInt(b.deviceId)))
    .map((claim: any) => BigInt(claim.creditedUnits))
}

function sum(values: readonly bigint[]): bigint {
  return values.reduce((total, value) => total + value, 0n)
}
