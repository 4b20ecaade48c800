// The demo's story, in order: chain, applet and circuit, project, devices, frames, settlement, claims, verification.

import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { formatUnits } from 'viem'
import { buildApplet } from '../../applets/build.ts'
import { encodeReceipt, parseReceipt, type EngineOptions, type TaskRecord } from '../../engine/index.ts'
import { takeLock } from '../../engine/store/database.ts'
import { loadDataset, type DatasetRequest } from '../datasets/dataset.ts'
import type { Progress } from '../progress.ts'
import { verifyReceiptFrom } from '../receipt.ts'
import { createApi, type Api } from './api.ts'
import { registerFleet, sendReadings, type Fleet } from './fleet.ts'
import { createProject } from './project.ts'
import type { DemoReport, OwnerRow } from './report.ts'
import { startWorld, type World } from './world.ts'

export interface DemoRequest extends Pick<DatasetRequest, 'applet' | 'devices' | 'framesPerDevice'> {
  readonly file?: string
  /** Where proving keys come from; default: a development setup. */
  readonly setup?: EngineOptions['setup']
  /** Where state, receipts and built circuits go; default .attestream in the working directory. */
  readonly directory?: string
}

export interface Demo {
  readonly report: DemoReport
  readonly urls: { readonly api: string; readonly rpc: string; readonly adminKey: string }
  close(): Promise<void>
}

const TASKS_PER_PAGE = 200

/** Shape of the demo's circuit: devices in a cohort, readings in a frame. */
const SHAPE = { cohortSize: 4, frameSize: 4 }

/** Runs the whole job; the caller closes what it returns. */
export async function runDemo(request: DemoRequest, progress: Progress): Promise<Demo> {
  const startedMs = Date.now()
  const directory = resolve(request.directory ?? '.attestream')
  const dataset = await loadDataset({ ...request, frameSize: SHAPE.frameSize })
  progress.step('Start a chain, deploy the contracts, open the engine and its API')
  await clearRun(join(directory, 'demo'))
  const world = await startWorld(join(directory, 'demo'), join(directory, 'circuits'), request.setup)
  try {
    const api = createApi(world.apiUrl, world.adminKey)
    const { appletId, constraints } = await prepareApplet(api, request.applet, progress)
    progress.step('Create the project on chain: publish the version, set the config, fund the escrow')
    const batches = Math.ceil(dataset.readings.length / SHAPE.cohortSize) * request.framesPerDevice
    const frames = dataset.readings.length * request.framesPerDevice
    const escrow = { batches: frames } // enough even if each frame ended in a batch of its own
    const project = await createProject(world, api, { appletId, config: dataset.config, shape: SHAPE, ...escrow })
    progress.step(`Register ${dataset.readings.length} devices of ${world.owners.length} owners`)
    const fleet = await registerFleet(world, project, dataset.readings.length)
    const before = await ownerRows(world, fleet)
    progress.step('Devices sign readings and send them; the engine batches, anchors, executes, proves and settles')
    const tasks = await sendAndSettle(world, api, fleet, dataset.readings, batches, progress)
    progress.step('Owners claim')
    await claimAll(world, fleet)
    progress.step('Verify each receipt from chain and data availability alone')
    const verified = await verifyAll(world, api, tasks, join(directory, 'demo', 'receipts'))
    const claimed = await ownerRows(world, fleet)
    const owners = before.map((row, i): OwnerRow => ({ ...claimed[i]!, tokensBefore: row.tokensAfter }))
    const report = { dataset, applet: request.applet, shape: SHAPE, constraints, tasks, owners, verified, startedMs }
    return {
      report: { ...report, totalMs: Date.now() - startedMs, peakMemoryMb: process.resourceUsage().maxRSS / 1024 },
      urls: { api: world.apiUrl, rpc: world.rpcUrl, adminKey: world.adminKey },
      close: () => world.close(),
    }
  } catch (error) {
    await world.close()
    throw error
  }
}

/** Removes the state of the run before; throws STORE_LOCKED while another demo uses it. */
async function clearRun(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true })
  takeLock(join(directory, 'engine.lock')).close()
  await rm(directory, { recursive: true, force: true })
}

async function prepareApplet(api: Api, name: string, progress: Progress) {
  progress.step(`Compile applets/${name}.ts and upload it`)
  const { appletId } = await api.uploadApplet(await buildApplet(sourceOf(name)))
  progress.step('Compile the circuit from the WASM and make a development key (kept for the next run)')
  const manifest = await api.waitForCircuit(appletId, SHAPE, (text) => progress.update(text))
  return { appletId, constraints: manifest.constraints }
}

function sourceOf(name: string): string {
  const path = new URL(`../../applets/${name}.ts`, import.meta.url).pathname
  return existsSync(path) ? path : `${name}.ts`
}

/** Sends frame after frame, each device's next one as soon as its cohort's batch is closed, until all is settled. */
async function sendAndSettle(
  world: World,
  api: Api,
  fleet: Fleet,
  readings: Parameters<typeof sendReadings>[2],
  batches: number,
  progress: Progress,
): Promise<TaskRecord[]> {
  const frames = await sendReadings(api, fleet, readings, SHAPE.frameSize)
  const flushed = world.engine.flush()
  const show = async (): Promise<void> => {
    const tasks = await allTasks(world, fleet)
    const settled = tasks.filter((task) => task.state === 'settled').length
    const open = tasks.filter(({ state }) => state !== 'settled')
    const states = open.map(({ state, taskId }) => {
      const proven = world.proofs?.get(taskId)
      return state === 'executed' && proven !== undefined ? `proving ${Math.round(100 * proven)} %` : state
    })
    const parts = [`${frames} frames sent`, `${settled}/${batches} batches settled`, ...states]
    progress.update(parts.join(', '), settled / batches)
  }
  const timer = setInterval(() => void show().catch(() => undefined), 500)
  await flushed.finally(() => clearInterval(timer))
  const tasks = await allTasks(world, fleet)
  const failed = tasks.find((task) => task.state !== 'settled')
  if (failed)
    throw new Error(`task ${failed.taskId} is ${failed.state}: ${failed.failure?.message ?? 'no failure recorded'}`)
  return tasks.reverse()
}

/** Newest first; the engine gives them in pages. */
async function allTasks(world: World, { projectId }: Fleet): Promise<TaskRecord[]> {
  const tasks: TaskRecord[] = []
  for (;;) {
    const page = await world.engine.listTasks({ projectId }, { limit: TASKS_PER_PAGE, offset: tasks.length })
    tasks.push(...page)
    if (page.length < TASKS_PER_PAGE) return tasks
  }
}

async function claimAll(world: World, fleet: Fleet): Promise<void> {
  for (const owner of world.owners) {
    const mine = fleet.devices.filter((device) => device.owner === owner.address).map((device) => device.deviceId)
    const pending = await Promise.all(mine.map((deviceId) => world.chain.getPending(deviceId)))
    if (pending.some(({ units }) => units > 0n))
      await world.chain.claim(mine, owner.address, { privateKey: owner.privateKey })
  }
}

async function verifyAll(world: World, api: Api, tasks: readonly TaskRecord[], directory: string): Promise<number> {
  await mkdir(directory, { recursive: true })
  for (const task of tasks) {
    const path = join(directory, `${task.taskId}.json`)
    const receipt = parseReceipt(await api.receipt(task.taskId))
    await writeFile(path, JSON.stringify(encodeReceipt(receipt), null, 2))
    const report = await verifyReceiptFrom(parseReceipt(JSON.parse(await readFile(path, 'utf8'))), {
      rpcUrl: world.rpcUrl,
      da: world.apiUrl,
    })
    if (!report.settled) throw new Error(`the chain has not settled the receipt of task ${task.taskId}`)
  }
  return tasks.length
}

async function ownerRows(world: World, fleet: Fleet): Promise<OwnerRow[]> {
  return Promise.all(
    world.owners.map(async ({ address }) => {
      const devices = fleet.devices.filter((device) => device.owner === address)
      const balance = await world.chain.getTokenBalance(world.chain.addresses.rewardToken, address)
      const claims = await world.engine.listClaims(fleet.projectId, { limit: 200 })
      const units = claims
        .filter((claim) => claim.owner === address)
        .reduce((sum, claim) => sum + claim.creditedUnits, 0n)
      const tokens = formatUnits(balance, 18)
      return { address, devices: devices.length, units, tokensBefore: tokens, tokensAfter: tokens }
    }),
  )
}
