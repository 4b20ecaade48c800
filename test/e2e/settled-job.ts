// A project of the energy meter with meters that have sent a frame each: what the tests of receipts start from.

import { buildApplet } from '../../applets/build.ts'
import { registerFleet, sendReadings, type Fleet } from '../../cli/demo/fleet.ts'
import { createProject, type DemoProject } from '../../cli/demo/project.ts'
import type { TestWorld } from './world.ts'

export const SHAPE = { cohortSize: 4, frameSize: 4 }

/** A unit for each watt hour. */
export const CONFIG = { maxWatts: 20_000, unitsPerKwh: 1000 }

const TIME_SEC = 1_767_225_600

/** Publishes and serves a project of energy-meter; funds it for `batches` batches. */
export async function energyProject(world: TestWorld, batches: number): Promise<DemoProject> {
  const { appletId } = await world.api.uploadApplet(await buildApplet('applets/energy-meter.ts'))
  await world.api.waitForCircuit(appletId, SHAPE, () => {})
  return createProject(world, world.api, { appletId, config: CONFIG, shape: SHAPE, batches })
}

/** Registers meters; each sends one frame, in which meter i counts 100·(i + 1) Wh. */
export async function metersWithOneFrame(world: TestWorld, project: DemoProject, meters: number): Promise<Fleet> {
  const fleet = await registerFleet(world, project, meters)
  const readings = fleet.devices.map((_, i) => [
    { timeSec: TIME_SEC, wattHours: 1000 },
    { timeSec: TIME_SEC + 3600, wattHours: 1000 + 100 * (i + 1) },
  ])
  await sendReadings(world.api, fleet, readings, SHAPE.frameSize)
  return fleet
}
